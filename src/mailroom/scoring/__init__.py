"""From the warehouse's tables to the estimators and back: what the Python models of dbt call."""

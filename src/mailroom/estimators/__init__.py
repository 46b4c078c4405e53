"""Estimators in scikit-learn's manner: they know arrays, and nothing of dbt or the warehouse."""

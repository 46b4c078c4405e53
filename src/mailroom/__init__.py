"""Mailroom's importable library: estimators, ESP connectors, the demo shop and a small command line."""

"""Experiments: intervals out of sums, attribution, evidence against a rate."""

"""Marks for tests of the second engine: `pytest -m spark`, skipped with a reason where it can't run."""

import importlib.util
import os
import shutil

import pytest


def what_is_missing() -> str | None:
    """Return what Spark needs and this machine lacks, as text; None if nothing is missing."""
    if not all(importlib.util.find_spec(package) for package in ("pyspark", "dbt.include.spark")):
        return "dbt-spark and pyspark are not installed: pip install -r requirements-spark.txt"
    if not (os.environ.get("JAVA_HOME") or shutil.which("java")):
        return "Java is not installed: Spark needs version 17 or 21"
    return None


missing = what_is_missing()
marks = [pytest.mark.spark, pytest.mark.skipif(missing is not None, reason=missing or "")]

"""dbt on Spark's `session` method with Python models: `python -m mailroom.spark build` is `dbt build --target
spark`. dbt-spark sends Python models to a cluster's API. A session has none, so they run in the session.

"""

import os
import sys
from typing import Any

from dbt.adapters.contracts.connection import AdapterResponse
from dbt.adapters.spark.impl import SparkAdapter
from dbt.cli.main import dbtRunner, dbtRunnerResult


def invoke(*arguments: str) -> dbtRunnerResult:
    """Run dbt with these arguments on target spark. Spark's workers use this Python and its packages."""
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    SparkAdapter.submit_python_job = _run_in_session  # type: ignore[method-assign]
    return dbtRunner().invoke([*arguments, "--target", "spark"])


def _run_in_session(
    adapter: SparkAdapter, parsed_model: dict[str, Any], compiled_code: str
) -> AdapterResponse:
    from pyspark.sql import SparkSession

    exec(compiled_code, {"spark": SparkSession.builder.getOrCreate(), "__name__": parsed_model["name"]})
    return AdapterResponse(_message="OK")


if __name__ == "__main__":
    sys.exit(not invoke(*sys.argv[1:]).success)

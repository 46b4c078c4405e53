"""Build the demo on Spark, then write its public views as Parquet beside the tables, all in one process.

Arguments: the folder to write views to, then the options of `dbt build`. dbt-spark hands Python models to a
cluster; its session has none, and runs them here, in the session.
"""

import sys
from pathlib import Path
from typing import Any

from dbt.adapters.contracts.connection import AdapterResponse
from dbt.adapters.spark.impl import SparkAdapter
from dbt.cli.main import dbtRunner


def run_in_session(
    adapter: SparkAdapter, parsed_model: dict[str, Any], compiled_code: str
) -> AdapterResponse:
    """In place of SparkAdapter.submit_python_job."""
    from pyspark.sql import SparkSession

    exec(compiled_code, {"spark": SparkSession.builder.getOrCreate(), "__name__": parsed_model["name"]})
    return AdapterResponse(_message="OK")


def main(folder: Path, *options: str) -> int:
    """0 if the build and its tests passed, else 1."""
    SparkAdapter.submit_python_job = run_in_session  # type: ignore[method-assign]
    done = dbtRunner().invoke(["--no-use-colors", "build", "--target", "spark", *options])
    if not done.success:
        return 1

    from pyspark.sql import SparkSession

    session = SparkSession.builder.getOrCreate()
    result: Any = done.result
    models = [row.node for row in result.results if row.node.resource_type == "model"]
    for model in models:
        if model.config.materialized == "view" and model.config.access == "public":
            session.table(f"{model.schema}.{model.alias}").write.parquet(str(folder / model.name))
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), *sys.argv[2:]))

"""Build the demo on Spark, then write its public views as Parquet beside the tables, all in one process.

Arguments: the folder to write views to, then the options of `dbt build`.
"""

import sys
from pathlib import Path
from typing import Any

from mailroom.spark import invoke


def main(folder: Path, *options: str) -> int:
    """0 if the build and its tests passed, else 1."""
    done = invoke("--no-use-colors", "build", *options)
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

"""Build the demo on Spark, then write its public views as Parquet beside the tables, all in one process.

Arguments: the folder to write views to, then the options of `dbt build`.
"""

import sys
from pathlib import Path

from dbt.cli.main import dbtRunner


def main(folder: Path, *options: str) -> int:
    """0 if the build and its tests passed, else 1."""
    done = dbtRunner().invoke(["--no-use-colors", "build", "--target", "spark", *options])
    if not done.success:
        return 1

    from pyspark.sql import SparkSession

    session = SparkSession.builder.getOrCreate()
    for result in done.result.results:  # type: ignore[union-attr]
        config = result.node.config
        if result.node.resource_type == "model" and config.materialized == "view" and config.access == "public":
            session.table(f"{result.node.schema}.{result.node.alias}").write.parquet(str(folder / result.node.name))
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), *sys.argv[2:]))

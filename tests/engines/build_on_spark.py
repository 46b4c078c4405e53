"""Build the demo on Spark twice, then write its public views as Parquet beside the tables, in one process.

Arguments: the folder to write views to, options of the first `dbt build` as a JSON list, the options of both.
"""

import json
import sys
from pathlib import Path
from typing import Any

from mailroom.spark import invoke


def main(folder: Path, first: list[str], *options: str) -> int:
    """0 if the builds and their tests passed, else 1."""
    if not invoke("--no-use-colors", "build", *options, *first).success:
        return 1
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
    sys.exit(main(Path(sys.argv[1]), json.loads(sys.argv[2]), *sys.argv[3:]))

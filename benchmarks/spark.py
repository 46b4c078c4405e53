"""The same shops built on Spark and on DuckDB, on the same cores.

Models only, seeds included, tests left out. Spark runs in dbt's own process (local mode), set as profiles.yml
advises for a large shop.
"""

import json
import os
import shutil
import sys
from dataclasses import asdict
from pathlib import Path

import yaml

from benchmarks.formats import Aim, seconds, table
from benchmarks.measure import (
    PROJECT,
    Json,
    Warehouse,
    measured_commit,
    model_seconds,
    run_measured,
    shop,
    source_vars,
)
from benchmarks.shops import BUILDS, MEASURED

SIZES = (20_000, 100_000)
DAYS = 540
COMMAND = ("build", "--exclude-resource-type", "test", "unit_test", "--exclude", "path:seeds/demo")
AS_OF = BUILDS["full"][0]
# Settings that a large shop needs, unlike the demo.
LARGE = {"spark.driver.memory": "12g", "spark.sql.shuffle.partitions": "16"}
SMALL_ONLY = ("spark.buffer.pageSize", "spark.sql.codegen.wholeStage", "spark.sql.codegen.factoryMode")


def profiles(folder: Path) -> Path:
    """profiles.yml for a large shop, in the folder."""
    found = yaml.safe_load((PROJECT / "profiles.yml").read_text())
    settings = found["mailroom"]["outputs"]["spark"]["server_side_parameters"]
    for name in SMALL_ONLY:
        del settings[name]
    java = settings["spark.driver.extraJavaOptions"]
    derby = java[java.index("-Dderby") :]
    settings |= LARGE | {"spark.driver.extraJavaOptions": derby, "spark.local.dir": str(folder / "spill")}
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "profiles.yml").write_text(yaml.safe_dump(found))
    return folder


def on_spark(data: Path, folder: Path) -> Json:
    """Measure a first build on Spark: its resources, and the seconds of each model."""
    for name in ("spark", "target", "spill"):
        shutil.rmtree(folder / name, ignore_errors=True)
    used = run_measured(
        [
            sys.executable, "-m", "mailroom.spark", "--no-use-colors", *COMMAND,
            "--project-dir", str(PROJECT), "--profiles-dir", str(profiles(folder)),
            "--target-path", str(folder / "target"), "--log-path", str(folder / "logs"),
            "--vars", json.dumps(source_vars(data, AS_OF)),
        ],
        folder / "build.log",
        MAILROOM_SPARK_DIR=str(folder / "spark"),
        DBT_SEND_ANONYMOUS_USAGE_STATS="false",
    )  # fmt: skip
    if used.code:
        raise RuntimeError(f"the build on Spark failed: see {folder / 'build.log'}")
    size = sum(path.stat().st_size for path in (folder / "spark").rglob("*.parquet"))
    return {"used": asdict(used), "models": model_seconds(folder / "target"), "size": size}


def on_duckdb(data: Path, folder: Path) -> Json:
    """Measure the same build on DuckDB."""
    shutil.rmtree(folder, ignore_errors=True)
    return asdict(Warehouse(data, folder / "mailroom.duckdb").dbt(*COMMAND, name="build", as_of=AS_OF))


def measure(folder: Path, fresh: bool, seed: int) -> Json:
    """Measure both engines at each size, again if the models have changed."""
    commit, results = measured_commit(folder, MEASURED, fresh)
    found = {}
    for size in SIZES:
        data, _ = shop(folder, size, DAYS, seed)
        work = folder / f"spark-{size}"
        found[str(size)] = {
            "spark": results.of(f"spark-{size}", lambda data=data, work=work: on_spark(data, work)),  # type: ignore[misc]
            "duckdb": results.of(
                f"spark-{size}-duckdb",
                lambda data=data, work=work: on_duckdb(data, work / "duckdb"),  # type: ignore[misc]
            ),
        }
    return {"commit": commit, "cores": os.cpu_count(), "sizes": found}


def ratio(found: Json, size: int, of: str = "cpu") -> float:
    """Return Spark's processor seconds (or wall) ÷ DuckDB's, for the build of a shop of this size."""
    both = found["sizes"][str(size)]
    return float(both["spark"]["used"][of]) / float(both["duckdb"]["used"][of])


def chapter(found: Json) -> list[str]:
    """What measure() found, as a chapter of the report."""
    rows = []
    for size in SIZES:
        for engine, label in (("spark", "Spark"), ("duckdb", "DuckDB")):
            made = found["sizes"][str(size)][engine]
            rows.append(
                [
                    f"{size:,}", label, seconds(made["used"]["wall"]), seconds(made["used"]["cpu"]),
                    f"{made['used']['peak'] / 1e9:.1f} GB", f"{made['size'] / 1e9:.2f} GB",
                ]
            )  # fmt: skip
    slowest = sorted(
        found["sizes"][str(SIZES[-1])]["spark"]["models"].items(), key=lambda pair: -pair[1]
    )  # fmt: skip
    return [
        "## Spark beside DuckDB",
        "",
        f"A first build of every model, without tests, of shops of {DAYS} days, both on {found['cores']} "
        f"cores. Spark takes {ratio(found, SIZES[-1]):.1f} times the processor time at {SIZES[-1]:,} "
        f"customers, {ratio(found, SIZES[0]):.1f} times at {SIZES[0]:,}, because the cost of its hundreds of "
        "small jobs does not grow.",
        "",
        *table(["Customers", "Engine", "Wall", "Processors", "Peak memory", "Tables"], rows),
        "",
        "The slowest on Spark: "
        + ", ".join(f"`{model}` {seconds(took)}" for model, took in slowest[:8])
        + ".",
        "",
    ]


def aims(found: Json) -> list[Aim]:
    """Return no aim, because the cost of Spark is a factor of docs/scale.md."""
    return []

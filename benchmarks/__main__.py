"""Generate shops, build them, measure, score and write benchmarks/report.md.

    python -m benchmarks                                 100,000 and 1,000,000 customers
    python -m benchmarks --customers 5000 20000          smaller, to try it out

Shops and warehouses go to benchmarks/data, or to the folder that MAILROOM_BENCH_DATA names. A shop of
the same size, days, seed and generator is used again, and so is a measurement of the same models (the
last commit that changed them, and nothing uncommitted).
"""

import argparse
import json
import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from benchmarks.measure import (
    AS_OF,
    PROJECT,
    Build,
    Json,
    Measurements,
    Warehouse,
    measured_commit,
    python,
    say,
    shop,
)
from benchmarks.report import write_report

IDENTITY_MODELS = (
    "person_identifiers", "identity_edges", "identity_clusters", "identity_oversized_clusters",
    "identity_broken_clusters", "record_clusters",
)  # fmt: skip
# A shop's first build, the next day's and the next hour's: as of when, and of what. Unit tests read no data.
BUILDS = {
    "full": ("2026-06-30 00:00:00", ("--exclude", "path:seeds/demo")),
    "daily": (AS_OF, ("--selector", "daily")),
    "hourly": ("2026-07-01 01:00:00", ("--selector", "hourly")),
}
MEASURED = (
    "models", "macros", "python_models", "seeds/policy", "dbt_project.yml", "profiles.yml", "selectors.yml",
)  # fmt: skip


def built(warehouse: Warehouse, name: str) -> Json:
    """One of BUILDS; the full one is of a fresh warehouse."""
    as_of, selection = BUILDS[name]
    if name == "full":
        for path in warehouse.file.parent.glob(f"{warehouse.file.stem}*"):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    command = ("build", "--exclude-resource-type", "unit_test", *selection)
    return asdict(warehouse.dbt(*command, name=name, as_of=as_of))


def identity(warehouse: Warehouse) -> Json:
    """The identity models once more, on their own, one after the other."""
    build: Build = warehouse.dbt("run", "--threads", "1", "--select", *IDENTITY_MODELS, name="identity")
    return asdict(build)


def measure_size(arguments: argparse.Namespace, folder: Path, results: Measurements, customers: int) -> Json:
    data, made = shop(folder, customers, arguments.days, arguments.seed)
    work = folder / f"work-{customers}"
    warehouse = Warehouse(data, work / "mailroom.duckdb", arguments.memory_limit)
    found: Json = {"customers": customers, "made": made}

    def step(name: str, measure: Callable[[], Json]) -> None:
        found[name] = results.of(f"{customers}-{name}", measure)

    def peer(form: str) -> Json:
        out = work / f"splink-{form}.parquet"
        return python("splink_peer", str(warehouse.file), form, str(out), log=work / f"splink-{form}.log")

    def accuracy(*clusters: str) -> Json:
        log = work / f"score{len(clusters)}.log"
        return python("accuracy", str(warehouse.file), str(data), *clusters, log=log)

    for form in ("narrow", "whole"):
        step(f"floor-{form}", lambda form=form: python("floor", str(data), form, log=work / f"{form}.log"))  # type: ignore[misc]
    for name in BUILDS:
        step(name, lambda name=name: built(warehouse, name))  # type: ignore[misc]
    if not warehouse.file.exists():
        built(warehouse, "full")
    found["scans"] = scans(work / "target-full")
    step("score", accuracy)
    step("identity", lambda: identity(warehouse))
    for form in ("guarded", "raw"):
        step(f"splink-{form}", lambda form=form: peer(form))  # type: ignore[misc]
        if "result" in found[f"splink-{form}"]:
            step(f"score-{form}", lambda form=form: accuracy(str(work / f"splink-{form}.parquet")))  # type: ignore[misc]
    return found


def scans(target: Path) -> dict[str, int]:
    """How often the tables' SQL names each raw file, views written out: the most passes DuckDB can make."""
    nodes: Json = json.loads((target / "manifest.json").read_text())["nodes"]
    models = {
        node["relation_name"]: (target / "compiled" / "mailroom" / node["original_file_path"]).read_text()
        for node in nodes.values()
        if node["resource_type"] == "model" and node["config"]["materialized"] == "view"
    }

    def count(sql: str, wanted: str) -> int:
        inside = sum(sql.count(name) * count(text, wanted) for name, text in models.items() if name in sql)
        return sql.count(wanted) + inside

    found = {}
    for table in ("web/events", "esp/message_events", "shop/orders", "shop/order_lines"):
        found[table] = 0
        for node in nodes.values():
            path = target / "compiled" / "mailroom" / node["original_file_path"]
            if (
                node["resource_type"] == "model"
                and node["config"]["materialized"] != "view"
                and path.exists()
            ):
                found[table] += count(path.read_text(), f"/{table}/*.parquet")
    return found


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--customers", type=int, nargs="+", default=[100_000, 1_000_000], metavar="N")
    parser.add_argument("--days", type=int, default=540, metavar="D")
    parser.add_argument("--seed", type=int, default=7, metavar="S")
    parser.add_argument(
        "--memory-limit", metavar="SIZE", help="DuckDB's memory_limit; default: as in profiles.yml"
    )
    parser.add_argument("--fresh", action="store_true", help="measure again what was measured before")
    arguments = parser.parse_args()
    data = Path(os.environ.get("MAILROOM_BENCH_DATA", PROJECT / "benchmarks" / "data")).resolve()
    data.mkdir(parents=True, exist_ok=True)
    commit, results = measured_commit(data, MEASURED, fresh=arguments.fresh)
    say(f"commit {commit}, {shutil.disk_usage(data).free / 1e9:.0f} GB free")
    sizes = [measure_size(arguments, data, results, customers) for customers in sorted(arguments.customers)]
    write_report(sizes, commit, vars(arguments))
    say("benchmarks/report.md")
    return 0


if __name__ == "__main__":
    sys.exit(main())

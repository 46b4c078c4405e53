"""Generated shops: the time of each build beside the floor, and the quality of identity beside a peer.

Results are kept by commit of the models, shop and step, so that a stopped run continues.
"""

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from benchmarks.measure import (
    AS_OF,
    MEMORY_LIMIT,
    Build,
    Json,
    Measurements,
    Warehouse,
    measured_commit,
    python,
    shop,
)

IDENTITY_MODELS = (
    "person_names", "record_identifiers", "compared_identifiers", "bridges", "compared_names",
    "compared_records", "person_identifiers", "identity_edges", "identity_clusters",
    "identity_oversized_clusters", "identity_broken_clusters", "record_clusters",
)  # fmt: skip
# A shop's first build, the next day's and the next hour's: moment and selection. Unit tests read no data.
BUILDS = {
    "full": ("2026-06-30 00:00:00", ("--exclude", "path:seeds/demo")),
    "daily": (AS_OF, ("--selector", "daily")),
    "hourly": ("2026-07-01 01:00:00", ("--selector", "hourly")),
}
PLANNED = 5  # the slowest models of the full build, with plans in the report
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
    """Build the identity models again, alone and one after the other."""
    build: Build = warehouse.dbt("run", "--threads", "1", "--select", *IDENTITY_MODELS, name="identity")
    return asdict(build)


def measured(
    results: Measurements, warehouse: Warehouse, made: Json, customers: int, days: int, is_judged: bool
) -> Json:
    """Measure each step of one shop. is_judged: with identity against the truth and its peer."""
    name, data, work = f"{customers}-{days}d", warehouse.data, warehouse.file.parent
    found: Json = {"customers": customers, "days": days, "made": made}

    def step(step_name: str, measure: Callable[[], Json]) -> None:
        found[step_name] = results.of(f"{name}-{step_name}", measure)

    def peer(form: str) -> Json:
        out = work / f"splink-{form}.parquet"
        return python("splink_peer", str(warehouse.file), form, str(out), log=work / f"splink-{form}.log")

    def accuracy(*clusters: str) -> Json:
        log = work / f"score{len(clusters)}.log"
        return python("accuracy", str(warehouse.file), str(data), *clusters, log=log)

    for form in ("narrow", "whole"):
        step(f"floor-{form}", lambda form=form: python("floor", str(data), form, log=work / f"{form}.log"))  # type: ignore[misc]
    step("full", lambda: built(warehouse, "full"))
    if not warehouse.file.exists():
        built(warehouse, "full")
    found |= read_of(work / "target-full")
    if is_judged:
        # On the warehouse of the full build, so that the plans are of that day.
        in_sql = {
            model: took
            for model, took in found["full"]["models"].items()
            if found["folders"][model] != "python_models"
        }
        slowest = sorted(in_sql, key=lambda model: -in_sql[model])[:PLANNED]
        target = str(work / "target-full")
        step("plans", lambda: python("plans", str(warehouse.file), target, *slowest, log=work / "plans.log"))
    step("daily", lambda: built(warehouse, "daily"))
    step("hourly", lambda: built(warehouse, "hourly"))
    if not is_judged:
        return found
    step("score", accuracy)
    step("identity", lambda: identity(warehouse))
    for form in ("guarded", "raw"):
        step(f"splink-{form}", lambda form=form: peer(form))  # type: ignore[misc]
        if "result" in found[f"splink-{form}"]:
            step(f"score-{form}", lambda form=form: accuracy(str(work / f"splink-{form}.parquet")))  # type: ignore[misc]
    return found


def measure(folder: Path, fresh: bool, shops: list[tuple[int, int]], seed: int) -> Json:
    """Measure every shop, as (customers, days), smallest first, with identity for those with the longest
    history. Measures again if the models have changed."""
    commit, results = measured_commit(folder, MEASURED, fresh)
    longest = max(days for _, days in shops)
    found = []
    for customers, days in sorted(shops):
        data, made = shop(folder, customers, days, seed)
        warehouse = Warehouse(data, folder / f"work-{customers}-{days}d" / "mailroom.duckdb")
        found.append(measured(results, warehouse, made, customers, days, days == longest))
    return {"commit": commit, "seed": seed, "memory_limit": os.environ.get(MEMORY_LIMIT), "shops": found}


def read_of(target: Path) -> Json:
    """Return the folder of each compiled model, and how often the tables' SQL names each raw file with views
    expanded, which is the maximum of DuckDB's passes."""
    nodes: Json = json.loads((target / "manifest.json").read_text())["nodes"]
    folders = {
        node["name"]: Path(node["original_file_path"]).parts[1]
        if node["original_file_path"].startswith("models/")
        else "python_models"
        for node in nodes.values()
        if node["resource_type"] == "model"
    }
    return {"folders": folders, "scans": scans(target, nodes)}


def scans(target: Path, nodes: Json) -> dict[str, int]:
    """Return how often the nodes of a manifest name each raw file."""
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

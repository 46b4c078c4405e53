"""How DuckDB runs models of a built warehouse: what each reads, and which operators take its time.

    python -m benchmarks.plans WAREHOUSE TARGET MODEL ...

Each model's compiled SQL is run once more into a temporary table, on two threads, nothing beside it. The last
line printed is the result as JSON, by model: wall and processor seconds, bytes and rows read, operators.
"""

import json
import os
import resource
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb

from benchmarks.measure import MEMORY_LIMIT, Json
from mailroom.warehouse import find_in_all_schemas

SLOWEST = 5


def processors() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def operators(plan: Any) -> Iterator[Json]:
    """Yield every operator of a DuckDB plan: its type, rows and processor seconds."""
    nodes = plan if isinstance(plan, list) else [plan]
    for node in nodes:
        yield {
            "type": node["type"], "rows": node.get("intermediate_rows", 0),
            "seconds": node.get("timing", 0.0), "about": node.get("extra_info") or {},
        }  # fmt: skip
        yield from operators(node.get("children", []))


def described(operator: Json) -> str:
    """Return what an operator works on, in short."""
    about = operator["about"]
    keys = ("Table", "Filename(s)", "Conditions", "Groups", "CTE Name", "Projections", "Expression")
    value = next((about[key] for key in keys if about.get(key)), "")
    return (", ".join(value) if isinstance(value, list) else str(value))[:120]


def read(found: list[Json]) -> dict[str, int]:
    """Return the rows scanned of each table or file."""
    rows: dict[str, int] = {}
    for operator in found:
        if operator["type"] == "TABLE_SCAN":
            about = operator["about"]
            name = str(about.get("Table") or about.get("Filename(s)") or "?").split(", ")[0]
            short = "/".join(Path(name).parts[-3:-1]) if "/" in name else name.split(".")[-1]
            rows[short] = rows.get(short, 0) + operator["rows"]
    return rows


def plans(warehouse: Path, target: Path, models: list[str]) -> dict[str, Json]:
    """Return the reads and operators of each model."""
    found: dict[str, Json] = {}
    folder = warehouse.parent / "plans"
    folder.mkdir(exist_ok=True)
    for model in models:
        (compiled,) = (target / "compiled").rglob(f"{model}.sql")
        sql = compiled.read_text().strip().rstrip(";")
        with duckdb.connect(str(warehouse), read_only=True) as connection:
            find_in_all_schemas(connection)
            connection.execute(f"""
                set TimeZone = 'UTC'; set threads = 2; set preserve_insertion_order = false;
                set temp_directory = '{folder}/spill';
                set memory_limit = '{os.environ.get(MEMORY_LIMIT, "35%")}';
                set enable_profiling = 'json'; set profiling_output = '{folder}/{model}.json'
            """)
            begun, before = time.monotonic(), processors()
            connection.execute(f"create temp table planned as {sql}")
            wall, cpu = time.monotonic() - begun, processors() - before
            connection.execute("set enable_profiling = 'no_output'")
        profile = json.loads((folder / f"{model}.json").read_text())
        all_operators = list(operators(profile["operator"]))
        slowest = sorted(all_operators, key=lambda operator: -operator["seconds"])[:SLOWEST]
        found[model] = {
            "wall": wall, "cpu": cpu, "bytes": profile["io"]["total_bytes_read"], "read": read(all_operators),
            "operators": [
                {key: each[key] for key in ("type", "rows", "seconds")} | {"of": described(each)}
                for each in slowest
            ],
        }  # fmt: skip
    return found


if __name__ == "__main__":
    print(json.dumps(plans(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:])))

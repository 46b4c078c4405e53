"""Generate shops, build them, measure, score and write benchmarks/report.md.

    python -m benchmarks                                 100,000 and 1,000,000 customers
    python -m benchmarks --customers 5000 20000          smaller, to try it out
    python -m benchmarks --tested 100000                 the second build, with tests, of that size only

Shops and warehouses go to benchmarks/data, or to the folder that MAILROOM_BENCH_DATA names. A shop of
the same size, days, seed and generator is used again, and so is a measurement of the same models (the
last commit that changed them, and nothing uncommitted).
"""

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.measure import PROJECT, Build, Warehouse, run_measured
from benchmarks.report import write_report

GENERATOR = PROJECT / "src" / "mailroom" / "demo"
IDENTITY_MODELS = (
    "person_identifiers", "identity_edges", "identity_clusters", "identity_oversized_clusters",
    "identity_broken_clusters", "record_clusters",
)  # fmt: skip
MEASURED = ("models", "macros", "python_models", "seeds/policy", "dbt_project.yml", "profiles.yml")
Json = dict[str, Any]


def say(words: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {words}", flush=True)


def output(*command: str) -> str:
    return subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=True).stdout.strip()


class Measurements:
    """Results by name, kept in a folder of the commit, so that a run that was stopped goes on where "
    "it was."""

    def __init__(self, folder: Path, keep: bool) -> None:
        self.folder, self.keep = folder, keep

    def of(self, name: str, measure: Callable[[], Json]) -> Json:
        path = self.folder / f"{name}.json"
        if self.keep and path.exists():
            say(f"{name}: measured before")
            known: Json = json.loads(path.read_text())
            return known
        say(f"{name} …")
        begun, load = time.monotonic(), os.getloadavg()[0]
        found = measure() | {"load": load}
        say(f"{name}: {time.monotonic() - begun:.0f} s")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(found, indent=1))
        return found


def shop(folder: Path, customers: int, days: int, seed: int) -> tuple[Path, Json]:
    """A generated shop and its rows per table; made anew only if the generator or its arguments changed."""
    digest = hashlib.sha256(
        b"".join(path.read_bytes() for path in sorted(GENERATOR.glob("*.py")))
    ).hexdigest()
    data = folder / f"{customers}-{days}d-seed{seed}"
    receipt = data / "receipt.json"
    if receipt.exists():
        made: Json = json.loads(receipt.read_text())
        if made["generator"] == digest:
            say(f"{customers:,} customers: generated before")
            return data, made
    from mailroom.demo import generate

    say(f"generating {customers:,} customers over {days} days …")
    begun = time.monotonic()
    rows = generate(customers=customers, days=days, seed=seed, to=data, jobs=os.cpu_count() or 1)
    size = sum(path.stat().st_size for path in data.rglob("*.parquet") if path.parts[-3] != "truth")
    made = {"generator": digest, "rows": rows, "bytes": size, "seconds": time.monotonic() - begun}
    receipt.write_text(json.dumps(made))
    return data, made


def python(module: str, *arguments: str, log: Path) -> Json:
    """Run a module of this package as a process of its own; the last line it prints is its result."""
    used = run_measured([sys.executable, "-m", f"benchmarks.{module}", *arguments], log)
    lines = log.read_text().strip().splitlines()
    if used.code:
        return {"error": lines[-1] if lines else f"exit code {used.code}", "used": asdict(used)}
    return {"result": json.loads(lines[-1]), "used": asdict(used)}


def built(warehouse: Warehouse, *command: str, name: str) -> Json:
    """A build of a fresh warehouse."""
    for path in (warehouse.file, warehouse.file.with_name(warehouse.file.name + ".wal")):
        path.unlink(missing_ok=True)
    seeded = warehouse.dbt("seed", "--select", "path:seeds/policy", name="seed")
    if seeded.failures:
        raise RuntimeError(f"seeds: {', '.join(seeded.failures)}")
    return asdict(warehouse.dbt(*command, name=name))


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
    step("run", lambda: built(warehouse, "run", name="run"))
    if not warehouse.file.exists():
        built(warehouse, "run", name="run")
    found["scans"] = scans(work / "target-run")
    step("score", accuracy)
    step("identity", lambda: identity(warehouse))
    for form in ("guarded", "raw"):
        step(f"splink-{form}", lambda form=form: peer(form))  # type: ignore[misc]
        if "result" in found[f"splink-{form}"]:
            step(f"score-{form}", lambda form=form: accuracy(str(work / f"splink-{form}.parquet")))  # type: ignore[misc]
    if arguments.tested is None or customers in arguments.tested:
        second = Warehouse(data, work / "tested.duckdb", arguments.memory_limit)
        step("build", lambda: built(second, "build", "--exclude", "path:seeds/demo", name="build"))
        second.file.unlink(missing_ok=True)
    return found


def scans(target: Path) -> dict[str, int]:
    """How often the SQL of the tables names each raw file, views written out: the most passes "
    "DuckDB can make."""
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
    parser.add_argument(
        "--tested",
        type=int,
        nargs="*",
        metavar="N",
        help="sizes to build a second time, with tests; default: all",
    )
    parser.add_argument("--fresh", action="store_true", help="measure again what was measured before")
    arguments = parser.parse_args()
    data = Path(os.environ.get("MAILROOM_BENCH_DATA", PROJECT / "benchmarks" / "data")).resolve()
    data.mkdir(parents=True, exist_ok=True)
    commit = output("git", "log", "-1", "--format=%h", "--abbrev=7", "--", *MEASURED)
    dirty = bool(output("git", "status", "--porcelain", "--", *MEASURED))
    free = shutil.disk_usage(data).free
    say(f"commit {commit}{' with changes' if dirty else ''}, {free / 1e9:.0f} GB free")
    results = Measurements(data / "results" / commit, keep=not (arguments.fresh or dirty))
    sizes = [measure_size(arguments, data, results, customers) for customers in sorted(arguments.customers)]
    write_report(sizes, commit + (" with changes" if dirty else ""), vars(arguments))
    say("benchmarks/report.md")
    return 0


if __name__ == "__main__":
    sys.exit(main())

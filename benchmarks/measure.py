"""A command as a separate process: its wall time, processor time and peak memory."""

import hashlib
import inspect
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb

PROJECT = Path(__file__).resolve().parents[1]
GENERATOR = PROJECT / "src" / "mailroom" / "demo"
EVENTS = ("web/events", "esp/message_events")  # relative to a shop's folder
AS_OF = "2026-07-01 00:00:00"  # the end of the generated window
SOURCES = ("crm", "shop", "web", "support", "esp", "privacy")
Json = dict[str, Any]
MEMORY_LIMIT = "MAILROOM_DUCKDB_MEMORY"  # the variable that profiles.yml reads
DBT = "import sys; from dbt.cli.main import cli; sys.exit(cli())"


def say(words: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {words}", flush=True)


def output(*command: str) -> str:
    return subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=True).stdout.strip()


@dataclass(frozen=True)
class Used:
    """wall and cpu in seconds and peak resident memory in bytes, of a process and its children."""

    wall: float
    cpu: float
    peak: int
    code: int


# A process inherits the peak memory of its parent, so a small process starts it and reports its resources. On
# Linux it adopts orphans of the command, such as pyspark's JVM, and waits for them, so that their time
# counts. 36 is PR_SET_CHILD_SUBREAPER.
LAUNCH = """
import ctypes, json, os, resource, subprocess, sys
if sys.platform == "linux":
    ctypes.CDLL(None).prctl(36, 1)
code = subprocess.call(sys.argv[2:])
try:
    while True:
        os.wait()
except ChildProcessError:
    pass
used = resource.getrusage(resource.RUSAGE_CHILDREN)
with open(sys.argv[1], "w") as report:
    json.dump([used.ru_utime + used.ru_stime, used.ru_maxrss * 1024, code], report)
"""


def run_measured(command: Sequence[str], log: Path, **environment: str) -> Used:
    """Run a command in the project's folder, with its output in `log`."""
    log.parent.mkdir(parents=True, exist_ok=True)
    report = log.with_name(f"{log.name}.used")
    with log.open("wb") as out:
        begun = time.monotonic()
        subprocess.run(
            [sys.executable, "-S", "-c", LAUNCH, str(report), *command],
            cwd=PROJECT, env={**os.environ, **environment}, stdout=out, stderr=subprocess.STDOUT, check=True,
        )  # fmt: skip
        wall = time.monotonic() - begun
    cpu, peak, code = json.loads(report.read_text())
    report.unlink()
    return Used(wall, cpu, peak, code)


def python(module: str, *arguments: str, log: Path) -> Json:
    """Run a module of this package as a separate process. The last line of its output is the result."""
    used = run_measured([sys.executable, "-m", f"benchmarks.{module}", *arguments], log)
    lines = log.read_text().strip().splitlines()
    if used.code:
        return {"error": lines[-1] if lines else f"exit code {used.code}", "used": asdict(used)}
    return {"result": json.loads(lines[-1]), "used": asdict(used)}


class Measurements:
    """Results by name, kept in a folder of the commit, so that a stopped run continues."""

    def __init__(self, folder: Path, keep: bool) -> None:
        self.folder, self.keep = folder, keep

    def of(self, name: str, measure: Callable[[], Json]) -> Json:
        path = self.folder / f"{name}.json"
        if self.keep and path.exists():
            say(f"{name}: measured earlier")
            known: Json = json.loads(path.read_text())
            return known
        say(f"{name} …")
        begun, load = time.monotonic(), os.getloadavg()[0]
        found = measure() | {"load": load}
        say(f"{name}: {time.monotonic() - begun:.0f} s")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(found, indent=1))
        return found


def measured_commit(data: Path, paths: Sequence[str], fresh: bool = False) -> tuple[str, Measurements]:
    """Return the last commit that changed the paths, as text, and its measurements in the folder."""
    commit = output("git", "log", "-1", "--format=%h", "--abbrev=7", "--", *paths)
    dirty = bool(output("git", "status", "--porcelain", "--", *paths))
    results = Measurements(data / "results" / commit, keep=not (fresh or dirty))
    return commit + (" with changes" if dirty else ""), results


def model_seconds(target: Path) -> dict[str, float]:
    """Return the seconds of each model in the last dbt command with this target folder."""
    return {
        result["unique_id"].split(".")[2]: float(result["execution_time"])
        for result in json.loads((target / "run_results.json").read_text())["results"]
        if result["unique_id"].startswith("model.")
    }


@dataclass(frozen=True)
class Build:
    """One dbt command: the process, seconds of each model, nodes of each status, file size in bytes."""

    used: Used
    models: dict[str, float]
    tests: float  # seconds in all data tests
    models_wall: float  # seconds from the start of the first node to the end of the last
    statuses: dict[str, int]
    failures: list[str] = field(default_factory=list)
    size: int = 0


@dataclass(frozen=True)
class Warehouse:
    """A DuckDB file built from the generated shop in `data`, with logs and dbt's target beside it.

    variables: dbt's, beside those that point at the shop.
    """

    data: Path
    file: Path
    variables: Json = field(default_factory=dict)

    def dbt(self, *command: str, name: str, as_of: str = AS_OF) -> Build:
        """Run one dbt command, e.g. dbt("run", name="run"). Failed nodes are reported, not raised."""
        self.file.parent.mkdir(parents=True, exist_ok=True)
        target = self.file.parent / f"target-{name}"
        results = target / "run_results.json"
        results.unlink(missing_ok=True)
        used = run_measured(
            [
                sys.executable, "-c", DBT, "--no-use-colors", *command,
                "--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT),
                "--target-path", str(target), "--log-path", str(self.file.parent / f"logs-{name}"),
                "--vars", json.dumps(source_vars(self.data, as_of) | self.variables),
            ],
            self.file.parent / f"{name}.log",
            MAILROOM_DUCKDB_PATH=str(self.file),
            DBT_SEND_ANONYMOUS_USAGE_STATS="false",
        )  # fmt: skip
        if not results.exists():
            raise RuntimeError(
                f"dbt {' '.join(command)} wrote no results; see {name}.log beside the warehouse"
            )
        return self._read(results, used)

    def _read(self, path: Path, used: Used) -> Build:
        tests, statuses, failures = 0.0, dict[str, int](), []
        begun, ended = [], []
        for result in json.loads(path.read_text())["results"]:
            kind, _, name = result["unique_id"].split(".")[:3]
            status = result["status"]
            statuses[status] = statuses.get(status, 0) + 1
            if status in ("error", "fail", "skipped", "warn"):
                failures.append(f"{name} ({status})")
            if kind == "test":
                tests += float(result["execution_time"])
            for step in result["timing"]:
                begun.append(datetime.fromisoformat(step["started_at"]))
                ended.append(datetime.fromisoformat(step["completed_at"]))
        return Build(
            used=used,
            models=model_seconds(path.parent),
            tests=tests,
            models_wall=(max(ended) - min(begun)).total_seconds(),
            statuses=statuses,
            failures=failures,
            size=self.file.stat().st_size,
        )


def source_vars(data: Path, as_of: str = AS_OF) -> dict[str, Any]:
    """Return the vars that point every source at a generated shop."""
    files = {source: {"files": f"{data}/{source}/{{table}}/*.parquet"} for source in SOURCES}
    return files | {"as_of": as_of}


def order_by_time(table: Path) -> None:
    """Sort events by time, as a loader writes them. The generator writes them by person."""
    parts, ordered = sorted(table.glob("part-*.parquet")), table / "ordered"
    with duckdb.connect() as connection:
        connection.execute(f"set temp_directory = '{table}/sorting'; set memory_limit = '8GB'")
        connection.execute(
            f"copy (from read_parquet('{table}/part-*.parquet') order by occurred_at) "
            f"to '{ordered}' (format parquet, compression zstd, compression_level 1)"
        )
    for part in parts:
        part.unlink()
    ordered.rename(table / "part-00000.parquet")


def shop(
    folder: Path,
    customers: int,
    days: int,
    seed: int,
    web_events_per_order: float | None = None,
    message_events_per_customer: float | None = None,
) -> tuple[Path, Json]:
    """Return a generated shop and its rows per table, generated again only if the generator or its arguments
    changed.

    With other intensities than the default it has a separate folder.
    """
    makers = [path.read_text() for path in sorted(GENERATOR.glob("*.py"))] + [
        inspect.getsource(order_by_time)
    ]
    digest = hashlib.sha256("".join(makers).encode()).hexdigest()
    few = (web_events_per_order, message_events_per_customer)
    own = "".join(f"-{intensity:g}" for intensity in few if intensity is not None)
    data = folder / f"{customers}-{days}d-seed{seed}{own}"
    receipt = data / "receipt.json"
    if receipt.exists():
        made: Json = json.loads(receipt.read_text())
        if made["generator"] == digest:
            say(f"{customers:,} customers: generated before")
            return data, made
    from mailroom.demo import generate

    say(f"generating {customers:,} customers over {days} days …")
    begun = time.monotonic()
    rows = generate(
        customers=customers,
        days=days,
        seed=seed,
        to=data,
        web_events_per_order=web_events_per_order,
        message_events_per_customer=message_events_per_customer,
        jobs=os.cpu_count() or 1,
    )
    for table in EVENTS:
        order_by_time(data / table)
    size = sum(path.stat().st_size for path in data.rglob("*.parquet") if path.parts[-3] != "truth")
    made = {"generator": digest, "rows": rows, "bytes": size, "seconds": time.monotonic() - begun}
    receipt.write_text(json.dumps(made))
    return data, made

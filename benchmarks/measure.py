"""A command run as a process of its own: how long it took, what it used and how much memory it held "
"at most."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml

PROJECT = Path(__file__).resolve().parents[1]
AS_OF = "2026-07-01 00:00:00"  # the end of the generated window
SOURCES = ("crm", "shop", "web", "support", "esp", "privacy")
DBT = "import sys; from dbt.cli.main import cli; sys.exit(cli())"


@dataclass(frozen=True)
class Used:
    """wall and cpu in seconds, peak resident memory in bytes, of a process and the children it waited for."""

    wall: float
    cpu: float
    peak: int
    code: int


def run_measured(command: Sequence[str], log: Path, **environment: str) -> Used:
    """Run a command in the project's folder; what it prints goes to `log`."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as out:
        begun = time.monotonic()
        process = subprocess.Popen(
            command, cwd=PROJECT, env={**os.environ, **environment}, stdout=out, stderr=subprocess.STDOUT
        )
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.monotonic() - begun
    process.returncode = os.waitstatus_to_exitcode(status)
    return Used(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024, process.returncode)


@dataclass(frozen=True)
class Build:
    """One dbt command: the process, seconds of each model, how many nodes of each status, file size "
    "in bytes."""

    used: Used
    models: dict[str, float]
    models_wall: float  # seconds from the start of the first node to the end of the last
    statuses: dict[str, int]
    failures: list[str] = field(default_factory=list)
    size: int = 0


@dataclass(frozen=True)
class Warehouse:
    """A DuckDB file built from the generated shop in `data`; logs and dbt's target stand beside it."""

    data: Path
    file: Path
    memory_limit: str | None = None

    def dbt(self, *command: str, name: str) -> Build:
        """Run one dbt command, e.g. dbt("run", name="run"). Nodes that fail are reported, not raised."""
        self.file.parent.mkdir(parents=True, exist_ok=True)
        target = self.file.parent / f"target-{name}"
        results = target / "run_results.json"
        results.unlink(missing_ok=True)
        used = run_measured(
            [
                sys.executable, "-c", DBT, "--no-use-colors", *command,
                "--project-dir", str(PROJECT), "--profiles-dir", str(self._profiles()),
                "--target-path", str(target), "--log-path", str(self.file.parent / f"logs-{name}"),
                "--vars", json.dumps(source_vars(self.data)),
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

    def _profiles(self) -> Path:
        """The project's profile, with a memory limit where one is asked for."""
        if not self.memory_limit:
            return PROJECT
        profiles = yaml.safe_load((PROJECT / "profiles.yml").read_text())
        profiles["mailroom"]["outputs"]["dev"].setdefault("settings", {})["memory_limit"] = self.memory_limit
        folder = self.file.parent / "profile"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "profiles.yml").write_text(yaml.safe_dump(profiles))
        return folder

    def _read(self, path: Path, used: Used) -> Build:
        models, statuses, failures = {}, dict[str, int](), []
        begun, ended = [], []
        for result in json.loads(path.read_text())["results"]:
            kind, _, name = result["unique_id"].split(".")[:3]
            status = result["status"]
            statuses[status] = statuses.get(status, 0) + 1
            if status in ("error", "fail", "skipped", "warn"):
                failures.append(f"{name} ({status})")
            if kind == "model":
                models[name] = float(result["execution_time"])
            for step in result["timing"]:
                begun.append(datetime.fromisoformat(step["started_at"]))
                ended.append(datetime.fromisoformat(step["completed_at"]))
        return Build(
            used=used,
            models=models,
            models_wall=(max(ended) - min(begun)).total_seconds(),
            statuses=statuses,
            failures=failures,
            size=self.file.stat().st_size,
        )


def source_vars(data: Path) -> dict[str, Any]:
    """The vars that point every source at a generated shop."""
    return {source: {"files": f"{data}/{source}/{{table}}/*.parquet"} for source in SOURCES} | {
        "as_of": AS_OF
    }

"""Shared by the tests: a warehouse of their own to run dbt in, and rows from it."""

import atexit
import functools
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml
from filelock import FileLock
from hypothesis import settings

from mailroom.sql import SETTINGS
from mailroom.warehouse import find_in_all_schemas

# Tests have no deadlines, because two cores may be busy.
# In CI the examples are always the same, so that a result depends on the change only.
settings.register_profile("untimed", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("untimed")

# A worker of xdist has no __file__, without which pyspark, imported by Great Expectations, ends the process.
sys.modules["__main__"].__file__ = getattr(sys.modules["__main__"], "__file__", __file__)

PROJECT = Path(__file__).resolve().parents[1]
DBT = "import sys; from dbt.cli.main import cli; sys.exit(cli())"  # for `python -c`: a new process
Rows = list[tuple[Any, ...]]
# Settings of a connection that runs compiled SQL as dbt would.
PROFILE = yaml.safe_load((PROJECT / "profiles.yml").read_text())["mailroom"]["outputs"]["dev"]
IN_MEMORY: dict[str, Any] = {
    "threads": 1, "disabled_optimizers": PROFILE["config_options"]["disabled_optimizers"],
}  # fmt: skip


# Whole builds, minutes each. They go first, so that no process ends up alone with one.
LONGEST = {"test_own_shop.py", "test_build.py"}


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Of the deep tests keep one part, if MAILROOM_DEEP_PART says which: 2/4 is the third of four."""
    items.sort(key=lambda item: item.path.name not in LONGEST)
    number, n_parts = map(int, os.environ.get("MAILROOM_DEEP_PART", "0/1").split("/"))
    files = sorted({item.path for item in items if item.get_closest_marker("deep")})
    kept = set(files[number % n_parts :: n_parts])
    others = [item for item in items if item.get_closest_marker("deep") and item.path not in kept]
    if others:
        config.hook.pytest_deselected(items=others)
        items[:] = [item for item in items if item not in others]


@functools.cache
def server() -> subprocess.Popen[str]:
    """The process that runs dbt commands; it ends with this one, whose end of the pipe it reads from."""
    command = [sys.executable, str(PROJECT / "tests" / "forks.py")]
    started = subprocess.Popen(command, cwd=PROJECT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    atexit.register(started.communicate)
    return started


def dbt_in_fork(arguments: list[str], folder: Path, variables: Mapping[str, Any]) -> tuple[int, str]:
    """Run dbt on folder/warehouse.duckdb with these arguments: its exit code and what it printed.

    The project is parsed once per shape of vars (see shapes), or for each --no-partial-parse.
    """
    output = folder / "dbt_output.txt"
    job = {
        "arguments": arguments,
        "vars": variables,
        "is_parsed": "--no-partial-parse" not in arguments,
        "target": str(folder / "target"),
        "output": str(output),
        "environment": {**os.environ, "MAILROOM_DUCKDB_PATH": str(folder / "warehouse.duckdb")},
    }
    pipe = server()
    assert pipe.stdin and pipe.stdout
    print(json.dumps(job), file=pipe.stdin, flush=True)
    answer = pipe.stdout.readline()
    assert answer, "the process that runs dbt commands has ended"
    code, _ = json.loads(answer)
    return code, output.read_text()


@dataclass(frozen=True)
class Run:
    """The result of one dbt command: success, its output, a status and message per node."""

    ok: bool
    output: str
    results: dict[str, tuple[str, str]]


@dataclass(frozen=True)
class Warehouse:
    """A DuckDB file in a folder, and dbt pointed at it. Each command is a process of its own (forks).

    is_shared: other processes read the file too.
    """

    folder: Path
    is_shared: bool = False

    @property
    def target(self) -> Path:
        return self.folder / "target"

    def dbt(self, *command: str, **variables: Any) -> Run:
        """Run dbt with vars. A failed command raises no error here: check `ok` and `results`."""
        results_path = self.target / "run_results.json"
        results_path.unlink(missing_ok=True)
        code, output = dbt_in_fork(
            [
                "--no-use-colors", *command,
                "--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT),
                "--target-path", str(self.target), "--log-path", str(self.folder / "logs"),
                "--vars", json.dumps(variables),
            ],
            self.folder,
            variables,
        )  # fmt: skip
        results: dict[str, tuple[str, str]] = {}
        if results_path.exists():
            for result in json.loads(results_path.read_text())["results"]:
                results[result["unique_id"].split(".")[2]] = (result["status"], result["message"] or "")
        return Run(code == 0, output, results)

    def rows(self, sql: str) -> Rows:
        """The rows of a query against what dbt built."""
        path = str(self.folder / "warehouse.duckdb")
        with duckdb.connect(path, read_only=self.is_shared, config=SETTINGS) as connection:
            find_in_all_schemas(connection)
            return connection.execute(sql).fetchall()

    def compiled(self, model: str) -> str:
        """The SQL that the last command compiled of a model."""
        found = (self.target / "compiled").rglob(f"{model}.sql")
        # A folder named after a YAML file has the inputs of its unit tests.
        (path,) = [path for path in found if path.parent.suffix != ".yml"]
        return path.read_text()

    def manifest(self) -> dict[str, Any]:
        """The manifest of the last command."""
        manifest: dict[str, Any] = json.loads((self.target / "manifest.json").read_text())
        return manifest


def write_table(path: Path, rows: Iterable[Mapping[str, Any]], columns: Iterable[str]) -> None:
    """Write one contract table as a Parquet or CSV file of text columns. Missing values are null."""
    path.parent.mkdir(parents=True, exist_ok=True)
    names = list(columns)
    with duckdb.connect() as connection:
        connection.execute(f"create table given ({', '.join(f'{name} varchar' for name in names)})")
        values = [[row.get(name) for name in names] for row in rows]
        if values:
            connection.executemany(f"insert into given values ({', '.join('?' * len(names))})", values)
        connection.execute(f"copy given to '{path}' (format {path.suffix[1:]})")


@pytest.fixture(scope="session")
def parsed(tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    """The parsed project."""
    warehouse = Warehouse(tmp_path_factory.mktemp("parsed"))
    run = warehouse.dbt("parse")
    assert run.ok, run.output
    return warehouse


STRICT = [
    "build", "--no-partial-parse", "--show-all-deprecations",
    "--warn-error-options", '{"error": "all", "warn": ["LogTestResult"]}',
]  # fmt: skip
# What a command in another process may write or remove while a test copies the demo.
RUNNING = shutil.ignore_patterns("run_results.json")
NO_UNIT_TESTS = ["--exclude-resource-type", "unit_test"]
ONLY_WARNS = {"lifecycle_shares_are_as_published"}  # the demo has more active customers than usual


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Warehouse:
    """The demo shop, built once for all workers. Every warning is an error, except those of tests that only
    warn. A test that changes the demo takes a copy of the folder."""
    own = tmp_path_factory.getbasetemp()
    folder = (own if worker_id == "master" else own.parent) / "demo"
    with FileLock(f"{folder}.lock"):
        if not (folder / "built").exists():
            folder.mkdir(exist_ok=True)
            run = Warehouse(folder).dbt(*STRICT)
            assert run.ok, run.output
            fine = ("success", "pass", "no-op")
            assert {name for name, (status, _) in run.results.items() if status not in fine} == ONLY_WARNS
            with duckdb.connect(str(folder / "warehouse.duckdb")) as connection:
                connection.execute("checkpoint")
            (folder / "built").touch()
    return Warehouse(folder, is_shared=True)

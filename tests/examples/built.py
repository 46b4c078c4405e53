"""An example built with its documented command, with the file it was built from."""

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest

from conftest import PROJECT, Rows
from mailroom.sql import SETTINGS


@dataclass(frozen=True)
class Built:
    """The printed output, and a connection to the warehouse. View raw_file is the original file."""

    printed: str
    connection: duckdb.DuckDBPyConnection

    def rows(self, sql: str) -> Rows:
        return self.connection.execute(sql).fetchall()

    def one(self, sql: str) -> Any:
        """The single value of a query."""
        ((value,),) = self.rows(sql)
        return value

    def floor(self, part: str) -> list[str]:
        """The figures printed for a part of the first floor: lines, orders, customers, money."""
        line = next(line for line in self.printed.splitlines() if line.strip().startswith(part))
        return line.strip().removeprefix(part).split()


def shared_file(name: str) -> Path:
    """A file of the shared data. Skips the test if the file is missing."""
    file = Path(os.environ.get("MAILROOM_SHARED_DATA", PROJECT.parent / "shared" / "data")) / name
    if not file.exists():
        pytest.skip(f"{file} is missing; MAILROOM_SHARED_DATA names another folder")
    return file


def run_example(name: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "examples.run", name, *arguments],
        cwd=PROJECT, env={**os.environ, **environment}, capture_output=True, text=True, check=False,
    )  # fmt: skip


def build_example(name: str, file: Path, below: Path) -> Iterator[Built]:
    """Map and build below a folder, and open the result. The command must succeed."""
    done = run_example(name, "--below", str(below))
    assert done.returncode == 0, done.stdout + done.stderr
    with duckdb.connect(
        str(below / "warehouse" / f"{name}.duckdb"), read_only=True, config=SETTINGS
    ) as connection:
        connection.execute(f"create temp view raw_file as select * from read_parquet('{file}')")
        yield Built(done.stdout, connection)

"""mailroom compact: deleted data is gone from the warehouse's file, and everything else is unchanged."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb
import pytest

from conftest import Warehouse
from mailroom import compact as module
from mailroom.activation.ledger import AnotherPushError, locked
from mailroom.cli import main
from mailroom.compact import compact

CANARY = b"canary@erased.example"


@pytest.fixture
def warehouse(tmp_path: Path) -> Path:
    """A warehouse of an older storage version after an erasure: a row deleted, a table replaced by one
    without it."""
    path = tmp_path / "shop.duckdb"
    with duckdb.connect() as connection:
        connection.execute(f"attach '{path}' as shop (storage_version 'v1.2.0')")
        connection.execute("use shop")
        connection.execute("create schema marts")
        connection.execute("create table ledger (id integer primary key, email varchar)")
        connection.execute("insert into ledger select n, 'person' || n || '@x.de' from range(5000) as t (n)")
        connection.execute(f"insert into ledger values (9999, '{CANARY.decode()}')")
        connection.execute("create view marts.people as select email from shop.main.ledger")
        connection.execute("comment on column ledger.email is 'Where mail goes; it''s \"so\"'")
        connection.execute("create sequence numbers")
        connection.execute("create macro twice(x) as 2 * x")
        connection.execute(f"create table marts.customers as select '{CANARY.decode()}' as email, 1 as n")
        connection.execute("checkpoint shop")
        connection.execute("delete from ledger where id = 9999")
        connection.execute("create or replace table marts.customers as select 1 as n")
    return path


def contents(path: Path) -> list[Any]:
    with duckdb.connect(str(path), read_only=True) as connection:
        return [
            connection.execute(query).fetchall()
            for query in (
                "from ledger order by all",
                "from marts.people order by all",
                "from marts.customers",
                "select table_name, sql, comment from duckdb_tables() order by all",
                "select column_name, comment from duckdb_columns() where comment is not null",
                "select twice(4)",
                "select tags['storage_version'] from duckdb_databases() where database_name = 'shop'",
            )
        ]


def test_deleted_data_is_in_the_file_before_and_not_after(warehouse: Path, tmp_path: Path) -> None:
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute("force checkpoint")
        connection.execute("vacuum")
    there, size = contents(warehouse), warehouse.stat().st_size
    assert CANARY in warehouse.read_bytes(), "neither checkpoint nor vacuum takes it away"
    warehouse.chmod(0o640)

    compacted = compact(warehouse, tmp_path / "activation")
    assert CANARY not in warehouse.read_bytes()
    assert contents(warehouse) == there and len(there[0]) == 5000
    assert (compacted.tables, compacted.bytes_before) == (2, size)
    assert compacted.bytes_after == warehouse.stat().st_size and warehouse.stat().st_mode & 0o777 == 0o640
    assert sorted(path.name for path in tmp_path.iterdir()) == ["activation", "shop.duckdb"]
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute("insert into ledger values (5000, 'new@x.de')")


def killed(path: Path, *statements: str) -> None:
    """A process that writes to a warehouse and is killed."""
    program = f"""
import os, signal, duckdb
connection = duckdb.connect({str(path)!r})
for statement in {statements!r}:
    connection.execute(statement)
os.kill(os.getpid(), signal.SIGKILL)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()


def test_the_log_and_spilled_data_are_deleted_too(warehouse: Path, tmp_path: Path) -> None:
    log = tmp_path / "shop.duckdb.wal"
    killed(
        warehouse,
        f"insert into ledger values (6000, '{CANARY.decode()}')",
        "delete from ledger where id = 6000",
        "insert into ledger values (6001, 'last@x.de')",
    )
    assert CANARY in log.read_bytes()
    (tmp_path / "shop.duckdb.tmp").mkdir()
    (tmp_path / "shop.duckdb.tmp/duckdb_temp_block").write_bytes(CANARY)
    compact(warehouse, tmp_path / "activation")
    assert contents(warehouse)[0][-1] == (6001, "last@x.de"), "what was only in the log is kept"
    for path in tmp_path.rglob("*"):
        assert not path.is_file() or CANARY not in path.read_bytes(), path
    assert not log.exists()


class KilledError(BaseException):
    """Stands for SIGKILL: nothing catches it."""


@pytest.mark.parametrize("after", ["_copy", "_kept_from_others", "replace"])
def test_killed_anywhere_the_warehouse_is_complete_and_the_next_run_tidies_up(
    warehouse: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, after: str
) -> None:
    there = contents(warehouse)
    work = getattr(module, after)

    def dying(*arguments: Any) -> None:
        work(*arguments)
        raise KilledError

    with monkeypatch.context() as patched:
        patched.setattr(module, after, dying)
        with pytest.raises(KilledError):
            compact(warehouse, tmp_path / "activation")
    assert contents(warehouse) == there
    compact(warehouse, tmp_path / "activation")
    assert contents(warehouse) == there and CANARY not in warehouse.read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["activation", "shop.duckdb"]


def test_a_different_copy_does_not_replace_the_warehouse(
    warehouse: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared = module._compared

    def and_change(connection: duckdb.DuckDBPyConnection, old: str, new: str) -> list[str]:
        connection.execute(f"update {new}.main.ledger set email = 'other@x.de' where id = 7")
        return compared(connection, old, new)

    there = warehouse.read_bytes()
    monkeypatch.setattr(module, "_compared", and_change)
    with pytest.raises(ValueError, match=r"the rows of the copy of main\.ledger differ"):
        compact(warehouse, tmp_path / "activation")
    assert warehouse.read_bytes() == there
    assert sorted(path.name for path in tmp_path.iterdir()) == ["activation", "shop.duckdb"]


def opening(path: Path, read_only: bool) -> subprocess.CompletedProcess[bytes]:
    """Another process that opens a warehouse."""
    program = f"import duckdb; duckdb.connect({str(path)!r}, read_only={read_only})"
    return subprocess.run([sys.executable, "-c", program], capture_output=True, check=False)


@pytest.mark.parametrize("read_only", [True, False], ids=["reader", "build"])
def test_no_process_opens_the_old_file_before_the_new_one_exists(
    warehouse: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, read_only: bool
) -> None:
    replaced = os.replace
    seen = []

    def and_open(source: Path, target: Path) -> None:
        seen.append(opening(warehouse, read_only).returncode)
        replaced(source, target)
        seen.append(opening(warehouse, read_only).returncode)

    monkeypatch.setattr("mailroom.activation.ledger.os.replace", and_open)
    compact(warehouse, tmp_path / "activation")
    assert seen == [1, 0]


@pytest.mark.parametrize("read_only", [True, False], ids=["reader", "build"])
def test_a_warehouse_open_elsewhere_stays_unchanged(warehouse: Path, tmp_path: Path, read_only: bool) -> None:
    program = f"""
import sys, duckdb
connection = duckdb.connect({str(warehouse)!r}, read_only={read_only})
print("open", flush=True)
sys.stdin.read()
"""
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdin and process.stdout and process.stdout.readline() == b"open\n"
        with pytest.raises(ValueError, match=r"can't be opened \(is a build running\?\)"):
            compact(warehouse, tmp_path / "activation")
        process.stdin.close()


def test_the_command_prints_its_result_or_the_reason(
    warehouse: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MAILROOM_DUCKDB_PATH", str(warehouse))
    monkeypatch.setenv("MAILROOM_ACTIVATION", str(tmp_path / "activation"))
    with locked(tmp_path / "activation"):
        with pytest.raises(AnotherPushError):
            compact(warehouse, tmp_path / "activation")
        assert main(["compact"]) == 3
    assert main(["compact"]) == 0
    assert capsys.readouterr().out.startswith("2 tables in a new file of ")
    monkeypatch.setenv("MAILROOM_DUCKDB_PATH", str(tmp_path / "none.duckdb"))
    assert main(["compact"]) == 1
    assert "mailroom compact: there is no warehouse" in capsys.readouterr().err


@pytest.mark.slow
def test_the_demo_is_unchanged(demo: Warehouse, tmp_path: Path) -> None:
    warehouse = tmp_path / "warehouse.duckdb"
    shutil.copy(demo.folder / "warehouse.duckdb", warehouse)
    compacted = compact(warehouse, tmp_path / "activation")
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        views = connection.execute(
            "select schema_name, view_name from duckdb_views() where not internal"
        ).fetchall()
        assert compacted.tables and views
        for schema, view in views:
            connection.execute(f'select * from "{schema}"."{view}" limit 1')

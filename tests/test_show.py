"""mailroom sql and mailroom show: columns in full, other formats, errors as sentences, quiet pipes."""

import csv
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from conftest import PROJECT
from mailroom.cli import main

QUESTION = "select * from customers order by customer_id;"
LONG = "x" * 300


@pytest.fixture
def warehouse(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "warehouse.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute(f"""
            create table customers as
            select * from (values
                ('c1', 'Zoë, "Z"', 12.30::decimal(18, 2), timestamp '2026-06-30 10:00:00', true),
                ('c2', null, null, null, false),
                ('c3', '{LONG}', 0.00::decimal(18, 2), null, null)
            ) as customers (customer_id, first_name, net_revenue, last_ordered_at, is_known)
        """)
        connection.execute("create table customer_keys as select range as customer_id from range(100000)")
    monkeypatch.setenv("MAILROOM_DUCKDB_PATH", str(path))
    return path


def test_a_query_prints_columns_in_full(warehouse: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sql", QUESTION]) == 0
    header, first, second, third = capsys.readouterr().out.splitlines()
    assert header.split() == ["customer_id", "first_name", "net_revenue", "last_ordered_at", "is_known"]
    assert re.split(" {2,}", first) == ["c1", 'Zoë, "Z"', "12.30", "2026-06-30 10:00:00", "true"]
    assert second.split() == ["c2", "false"] and LONG in third
    assert header.index("net_revenue") == first.index("12.30")


def test_other_programs_read_csv_and_json(warehouse: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sql", QUESTION, "--format", "csv"]) == 0
    rows = list(csv.DictReader(capsys.readouterr().out.splitlines()))
    assert [row["first_name"] for row in rows] == ['Zoë, "Z"', "", LONG]
    assert main(["sql", QUESTION, "--format", "json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [row["first_name"] for row in found] == ['Zoë, "Z"', None, LONG]
    assert (found[0]["net_revenue"], found[0]["is_known"]) == (12.3, True)
    assert main(["sql", "select 1 as one where false", "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out) == []


@pytest.mark.parametrize("query", ["delete from customers", "create table t (i int)", "select nothing"])
def test_a_refused_query_changes_nothing_and_prints_the_error(
    warehouse: Path, capsys: pytest.CaptureFixture[str], query: str
) -> None:
    assert main(["sql", query]) == 1
    assert capsys.readouterr().err.startswith("mailroom sql: ")
    assert main(["sql", "select count(*) as n from customers"]) == 0
    assert capsys.readouterr().out.split() == ["n", "3"]


def test_a_missing_table_is_reported_with_similar_names(
    warehouse: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["show", "custmers"]) == 1
    assert (
        capsys.readouterr().err
        == "mailroom show: no table custmers: did you mean customers, customer_keys?\n"
    )


def test_a_closed_pipe_ends_the_command_quietly(warehouse: Path) -> None:
    shown = subprocess.run(
        f"{sys.executable} -m mailroom.cli show customer_keys --rows 100000 | head -1",
        cwd=PROJECT, shell=True, env=os.environ, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert shown.stdout.split() == ["customer_id", "0"] and shown.stderr == ""

"""The demo, built from the same files on DuckDB and on Spark, gives the same results and public tables."""

import json
import math
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import needs_spark
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from conftest import NO_UNIT_TESTS, PROJECT, Run, Warehouse
from mailroom.activation.ledger import activation_folder
from mailroom.activation.pull import write_refusals
from mailroom.activation.push import PushOptions, push
from mailroom.activation.rows import Refusal

pytestmark = [*needs_spark.marks, pytest.mark.slow]

# First a build as of some days before, so that the compared build replaces the newest days.
HISTORY = ["--select", "+customer_daily_activity", "--resource-type", "seed", "--resource-type", "model"]
DAYS_BEFORE = "2026-06-22 00:00:00"
# Half of Spark's time (make test-spark-units).
WITH_UNIT_TESTS = bool(os.environ.get("MAILROOM_SPARK_UNIT_TESTS"))
SHOWN = 20  # differences that are listed; the rest is counted

# Public columns that may differ, by name.
OF_THE_ENGINE = {
    "schema_name": "the target's schema: main on DuckDB, mailroom on Spark",
    "n_distinct": "each engine approximates it in its own way",
}
# Rows with values that may differ, by table and column: hashes with each warehouse's own salt.
SALTED = {("sync_outbox", "outbox_id"): "operation = 'delete'"}

Rows = dict[tuple[Any, ...], tuple[Any, ...]]


@dataclass(frozen=True)
class Engines:
    """The demo on both engines: the folder, the result of each dbt build, and the manifest."""

    folder: Path
    on_duckdb: Run
    on_spark: Run
    public: dict[str, dict[str, Any]]  # manifest nodes on Spark by model name
    keys: dict[str, list[str]]  # columns of a model's primary-key test, by model name

    def relations(self, name: str) -> tuple[str, str]:
        """Relations of a public table in DuckDB, and in Spark's Parquet."""
        node = self.public[name]
        files = self.folder / "spark" / f"{node['schema']}.db" / node["alias"]
        if node["config"]["materialized"] == "view":
            files = self.folder / "views" / name
        assert files.is_dir(), f"{name} is public, but Spark has left no {files}"
        schema = "main" + node["schema"].removeprefix("mailroom")
        return f"duckdb_side.{schema}.{node['alias']}", f"read_parquet('{files}/*.parquet')"


@pytest.fixture(scope="module")
def engines(tmp_path_factory: pytest.TempPathFactory) -> Engines:
    folder = tmp_path_factory.mktemp("engines")
    pull_some(folder)
    before = Warehouse(folder).dbt("build", *HISTORY, as_of=DAYS_BEFORE)
    assert before.ok, before.output
    on_duckdb = Warehouse(folder).dbt("build", *NO_UNIT_TESTS)  # the build of the demo runs them
    push_some(folder)
    again = Warehouse(folder).dbt("build", "--select", "sync_receipts+", "sync_pushes+")
    assert again.ok, again.output
    on_duckdb.results.update(again.results)
    on_spark = build_on_spark(folder)
    nodes = json.loads((folder / "spark_target" / "manifest.json").read_text())["nodes"].values()
    models = {node["unique_id"]: node for node in nodes if node["resource_type"] == "model"}
    keys = {
        models[node["attached_node"]]["name"]: node["test_metadata"]["kwargs"]["columns"]
        for node in nodes
        if (node.get("test_metadata") or {}).get("name") == "primary_key" and node["attached_node"] in models
    }
    public = {node["name"]: node for node in models.values() if node["config"]["access"] == "public"}
    return Engines(folder, on_duckdb, on_spark, public, keys)


def pull_some(folder: Path) -> None:
    """Opt-outs at an ESP for both engines to read: of two people of the demo, and a stranger."""
    said_at = datetime(2026, 6, 30, 12)
    known = (PROJECT / "seeds/demo/esp/demo_esp__profiles.csv").read_text().splitlines()
    rows = [dict(zip(known[0].split(","), line.split(","), strict=False)) for line in known[1:3]]
    refusals = [
        Refusal("1", rows[0]["profile_id"], rows[0]["email"], "bounced", said_at),
        Refusal("2", rows[1]["profile_id"], rows[1]["email"], "unsubscribed", said_at),
        Refusal("3", "stranger", "stranger@x.de", "complained", said_at),
    ]
    assert write_refusals(activation_folder(folder / "warehouse.duckdb"), "file", refusals) == 3


def push_some(folder: Path) -> None:
    """Receipts for both engines to read: some audiences pushed, one of them with earlier names."""
    warehouse = folder / "warehouse.duckdb"
    folder = activation_folder(warehouse)
    push(warehouse, folder, PushOptions(audiences=["active_buyers", "welcome", "do_not_mail"]))
    receipts = folder / "receipts"
    for file in receipts.glob("*.parquet"):
        table = pq.read_table(file)
        if table["audience"][0].as_py() == "welcome":
            held = pc.replace_substring_regex(table["held"], "first_name=.{16}", f"first_name={'0' * 16}")
            pq.write_table(table.set_column(table.schema.get_field_index("held"), "held", held), file)


def build_on_spark(folder: Path) -> Run:
    """The built demo: tables in folder/spark, public views as Parquet in folder/views."""
    target = folder / "spark_target"
    done = subprocess.run(
        [
            sys.executable, str(Path(__file__).with_name("build_on_spark.py")), str(folder / "views"),
            json.dumps([*HISTORY, "--vars", json.dumps({"as_of": DAYS_BEFORE})]),
            "--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT),
            "--target-path", str(target), "--log-path", str(folder / "logs"),
            *([] if WITH_UNIT_TESTS else NO_UNIT_TESTS),
        ],
        cwd=PROJECT,
        env={
            **os.environ,
            "MAILROOM_SPARK_DIR": str(folder / "spark"),
            "MAILROOM_ACTIVATION": str(activation_folder(folder / "warehouse.duckdb")),
        },
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip
    output = done.stdout + done.stderr
    assert (target / "run_results.json").exists(), output
    results = json.loads((target / "run_results.json").read_text())["results"]
    by_name = {row["unique_id"].split(".")[2]: (row["status"], row["message"] or "") for row in results}
    return Run(done.returncode == 0, output, by_name)


@pytest.fixture
def lake(engines: Engines) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        connection.execute(f"attach '{engines.folder / 'warehouse.duckdb'}' as duckdb_side (read_only)")
        yield connection


def test_spark_builds_and_tests_the_same_nodes_as_duckdb(engines: Engines) -> None:
    assert engines.on_duckdb.ok, engines.on_duckdb.output
    missing = ("missing", "")
    differing = [
        f"{name}: {status} on DuckDB, on Spark {engines.on_spark.results.get(name, missing)}"
        for name, (status, _) in engines.on_duckdb.results.items()
        if engines.on_spark.results.get(name, missing)[0] != status
    ]
    assert not differing, "\n".join(differing)
    assert engines.on_spark.ok, engines.on_spark.output
    assert ("START unit_test" in engines.on_spark.output) == WITH_UNIT_TESTS


def test_dbt_has_no_warning_on_spark(engines: Engines) -> None:
    assert [line for line in engines.on_spark.output.splitlines() if "[WARNING]" in line] == []


def test_public_tables_are_the_same(engines: Engines, lake: duckdb.DuckDBPyConnection) -> None:
    assert engines.public, "no model is public"
    found = [line for name in sorted(engines.public) for line in differences(engines, lake, name)]
    assert not found, f"{len(found)} differences\n" + "\n".join(found[:SHOWN])


def test_the_compared_sync_tables_are_not_empty(lake: duckdb.DuckDBPyConnection) -> None:
    """Otherwise the tables above would be the same because both are empty."""
    found = lake.execute("select distinct audience, operation from duckdb_side.main.sync_outbox").fetchall()
    assert ("welcome", "update") in found and ("win_back", "add") in found
    assert not {"active_buyers", "do_not_mail"} & {audience for audience, _ in found}


def differences(engines: Engines, lake: duckdb.DuckDBPyConnection, name: str) -> list[str]:
    """One line per difference of one public table: its columns, types, keys or values."""
    on_duckdb, on_spark = engines.relations(name)
    types, types_on_spark = column_types(lake, on_duckdb), column_types(lake, on_spark)
    if list(types.items()) != list(types_on_spark.items()):
        return [f"{name}: columns {types} on DuckDB, {types_on_spark} on Spark"]
    key = engines.keys.get(name, list(types))
    hidden = {column: SALTED.get((name, column), "false") for column in types}
    shown = [
        f"cast(case when not ({hidden[column]}) then {column} end as {data_type}) as {column}"
        for column, data_type in types.items()
    ]
    rows, rows_on_spark = (rows_by_key(lake, relation, shown, key) for relation in (on_duckdb, on_spark))
    lines = [f"{name} {key}: only on DuckDB" for key in rows.keys() - rows_on_spark.keys()]
    lines += [f"{name} {key}: only on Spark" for key in rows_on_spark.keys() - rows.keys()]
    for key_values in sorted(rows.keys() & rows_on_spark.keys(), key=str):
        for column, left, right in zip(types, rows[key_values], rows_on_spark[key_values], strict=True):
            if column not in OF_THE_ENGINE and not same(left, right):
                lines.append(f"{name}.{column} of {key_values}: {left!r} on DuckDB, {right!r} on Spark")
    return lines


def column_types(lake: duckdb.DuckDBPyConnection, relation: str) -> dict[str, str]:
    """A relation's columns in order. Spark's timestamps have a zone, DuckDB's are UTC without one."""
    described = lake.sql(f"describe select * from {relation}").fetchall()
    return {row[0]: row[1].removesuffix(" WITH TIME ZONE") for row in described}


def rows_by_key(lake: duckdb.DuckDBPyConnection, relation: str, shown: list[str], key: list[str]) -> Rows:
    """A relation's rows by their key and, for rows that share it, a number."""
    numbered = f"row_number() over (partition by {', '.join(key)})"
    query = f"select {', '.join(key)}, {numbered}, * from (select {', '.join(shown)} from {relation})"
    width = len(key) + 1
    return {row[:width]: row[width:] for row in lake.sql(query).fetchall()}


def same(left: Any, right: Any) -> bool:
    """Whether two values are equal; doubles within a relative 1e-9."""
    if isinstance(left, float) and isinstance(right, float):
        both_nan = math.isnan(left) and math.isnan(right)
        return both_nan or math.isclose(left, right, rel_tol=1e-9, abs_tol=1e-9)
    return bool(left == right)

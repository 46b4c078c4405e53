"""A warehouse of a version before 0.2.0 keeps all rows of its ledgers: docs/renames.md."""

import json
import shutil
from pathlib import Path

import duckdb
import pytest

from conftest import RUNNING, Warehouse

pytestmark = pytest.mark.deep
BEFORE = {"suppression_funnel": "suppression_count_log"}  # ledgers that had another name


def ledgers(warehouse: Warehouse) -> dict[str, str]:
    """Incremental models in main_internal, with their tables."""
    nodes = json.loads((warehouse.target / "manifest.json").read_text())["nodes"].values()
    return {
        node["name"]: f"{node['schema']}.{node['alias']}"
        for node in nodes
        if node["resource_type"] == "model"
        and node["config"]["materialized"] == "incremental"
        and (node["schema"] == "main_internal" or node["name"] in BEFORE)
    }


def test_ledgers_of_an_earlier_version_move_and_nothing_is_lost(demo: Warehouse, tmp_path: Path) -> None:
    shutil.copytree(demo.folder, tmp_path / "shop", dirs_exist_ok=True, ignore=RUNNING)
    shop = Warehouse(tmp_path / "shop")
    moved = ledgers(shop)
    assert {"customer_key_log", "erasure_ledger", "consent_ledger", "segment_changes"} <= set(moved)
    rows = {name: shop.rows(f"from {place} order by all") for name, place in moved.items()}
    with duckdb.connect(str(shop.folder / "warehouse.duckdb")) as connection:
        for name, place in moved.items():
            connection.execute(f"create table main.{BEFORE.get(name, name)}_ as from {place}")
            connection.execute(f"drop table {place}")
            connection.execute(
                f"alter table main.{BEFORE.get(name, name)}_ rename to {BEFORE.get(name, name)}"
            )
        connection.execute(
            "update segment_changes set segment = 'new_subscriber' where segment = 'never_purchased'"
        )
        connection.execute("create table main.web_visits as select 1 as one")

    stopped = shop.dbt("run", "--select", "customer_key_log")
    assert not stopped.ok and "Run once: dbt run-operation upgrade" in stopped.output

    for _ in range(2):  # the second run has nothing to do
        run = shop.dbt("run-operation", "upgrade")
        assert run.ok, run.output
    assert {name: shop.rows(f"from {place} order by all") for name, place in moved.items()} == rows
    assert (
        shop.rows(
            "select table_name from duckdb_tables() where schema_name = 'main'"
            " and table_name in ('customer_key_log', 'suppression_count_log', 'web_visits')"
        )
        == []
    )
    again = shop.dbt("run", "--select", "customer_key_log", "segment_changes")
    assert again.ok, again.output
    assert shop.rows(f"from {moved['customer_key_log']} order by all") == rows["customer_key_log"]

"""Another dbt project installs Mailroom as a package and builds both: examples/as_a_package."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import dbt.include.global_project
import duckdb
import pytest

from conftest import DBT, ONLY_WARNS, PROJECT, Warehouse
from mailroom.show import show

# dbt-spark's incremental models call these two by their bare names: dbt looks in the model's package first.
# On Spark, a project takes Mailroom's way to load seeds with a macro of one line (docs/as-a-package.md).
REPLACED = {
    "dbt_spark_get_incremental_sql", "dbt_spark_validate_get_incremental_strategy", "materialization_seed",
}  # fmt: skip
ADAPTERS = "default|duckdb|spark|snowflake|bigquery"
# What the other project has that Mailroom has too: a source table, and a model in a folder, by their names.
OF_THE_SAME_NAMES = {
    "scores/customers.sql": "select 1 as customer_id",
    "shop/sources.yml": "sources: [{name: shop, tables: [{name: orders}, {name: vans}]}]",
}


def test_no_macro_replaces_one_of_dbt(parsed: Warehouse) -> None:
    """dbt looks for a replacement in the root project only, so a package would go without."""
    macros = parsed.manifest()["macros"].values()
    own = {
        re.sub(rf"^({ADAPTERS})__|_({ADAPTERS})$", "", macro["name"])
        for macro in macros
        if macro["package_name"] == "mailroom"
    }
    of_dbt = {
        match[2] if match[1] == "macro" else f"materialization_{match[2]}"
        for path in Path(dbt.include.global_project.__file__).parents[1].glob("*/macros/**/*.sql")
        for match in re.finditer(r"\{%-?\s*(macro|materialization)\s+(\w+)", path.read_text())
    }
    assert own & of_dbt <= REPLACED


@pytest.mark.slow
@pytest.mark.deep
def test_another_project_builds_with_mailroom_as_its_package(tmp_path: Path) -> None:
    host = tmp_path / "host"
    shutil.copytree(PROJECT / "examples" / "as_a_package", host)
    packages = host / "packages.yml"
    packages.write_text(packages.read_text().replace("../..", str(PROJECT)))
    for name, text in OF_THE_SAME_NAMES.items():
        (host / "models" / name).parent.mkdir()
        (host / "models" / name).write_text(text)
    environment = {**os.environ, "MAILROOM_DUCKDB_PATH": str(host / "warehouse.duckdb")}
    for command in (
        ["deps"],
        ["build", "--warn-error-options", '{"error": "all", "warn": ["LogTestResult"]}'],
    ):
        done = subprocess.run(
            [sys.executable, "-c", DBT, *command, "--profiles-dir", "."],
            cwd=host, env=environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr

    results = json.loads((host / "target" / "run_results.json").read_text())["results"]
    fine = ("success", "pass", "no-op")
    unfine = {result["unique_id"].split(".")[2] for result in results if result["status"] not in fine}
    assert unfine <= ONLY_WARNS
    assert "Customers: " in show(host / "warehouse.duckdb")
    with duckdb.connect(str(host / "warehouse.duckdb"), read_only=True) as connection:
        (n_customers,) = connection.execute("select count(*) from analytics.customers").fetchall()[0]
        found = connection.execute(
            "select count(*), count(distinct country_code), sum(n_orders), bool_or(may_get_promotions)"
            " from analytics_bi.customer_directory"
        ).fetchall()[0]
        own_segment = connection.execute(
            "select count(*), min(country_code), max(country_code) from analytics.segment_memberships"
            " inner join analytics.customers using (customer_id) where segment = 'austrian_buyers'"
        ).fetchall()[0]
    assert own_segment[0] > 0 and own_segment[1:] == ("AT", "AT")
    assert n_customers > 0 and found[0] == n_customers and found[1] > 1 and found[2] > 0 and found[3]

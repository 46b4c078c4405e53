"""The whole build on the demo shop: no warning, the same result twice, and with absent systems."""

import re
import shutil
from pathlib import Path

import pytest

from conftest import NO_UNIT_TESTS, PROJECT, RUNNING, STRICT, Rows, Warehouse
from mailroom.show import answer

pytestmark = pytest.mark.slow

SOURCES = ["crm", "shop", "web", "support", "esp", "privacy"]


def fingerprints(warehouse: Warehouse) -> dict[str, tuple[int, str]]:
    """Number of rows and an order-independent hash of all values, by model."""
    tables = warehouse.rows(
        """
        select table_schema || '.' || table_name
        from information_schema.tables
        where
            table_schema like 'main%'
            -- What differs from the last build, and who is in a source that its ledger had as erased.
            and table_name not in (
                'attribution_changes', 'returning_persons', 'requests_naming_erased_others'
            )
        """
    )
    found = {}
    for (table,) in tables:
        query = f"select count(*), sum(hash(row)::hugeint)::varchar from {table} as row"
        ((rows, digest),) = warehouse.rows(query)
        found[table] = (rows, digest)
    return found


@pytest.mark.deep
@pytest.mark.parametrize("options", [["--selector", "hourly"], ["--full-refresh"]], ids=["hourly", "full"])
def test_a_second_run_changes_nothing(demo: Warehouse, tmp_path: Path, options: list[str]) -> None:
    first = fingerprints(demo)
    assert len(first) > 30
    shutil.copytree(demo.folder, tmp_path, dirs_exist_ok=True, ignore=RUNNING)
    again = Warehouse(tmp_path)
    run = again.dbt("run", *options)
    assert run.ok, run.output
    assert fingerprints(again) == first


@pytest.mark.deep
def test_the_past_can_be_built_again(demo: Warehouse, tmp_path: Path) -> None:
    """As of an earlier moment no later data shows, and earlier days are as they are today.

    The warehouse is the same, because customers erased since must not reappear in the past.
    """
    past = Warehouse(tmp_path)
    shutil.copy(demo.folder / "warehouse.duckdb", tmp_path)
    run = past.dbt("build", *NO_UNIT_TESTS, as_of="2026-01-15 00:00:00")
    assert run.ok, run.output
    days = """
        select
            activity_on, sum(n_orders), sum(revenue), sum(returned_amount),
            sum(n_emails_sent), sum(n_human_clicks)
        from customer_daily_activity
        where activity_on < date '2026-01-15'
        group by activity_on
        order by activity_on
    """
    assert past.rows(days) == demo.rows(days)
    assert past.rows("select max(last_seen_at) < timestamp '2026-01-15' from customers") == [(True,)]


def test_the_hourly_run_leaves_identity_policy_and_field_checks_alone(demo: Warehouse) -> None:
    run = demo.dbt("ls", "--selector", "hourly", "--output", "path")
    assert run.ok, run.output
    paths = [line for line in run.output.splitlines() if "/" in line]
    assert not [path for path in paths if path.startswith(("models/identity/", "models/quality/", "seeds/"))]
    for folder in ("models/trust/consent/", "models/trust/suppression_rules/", "models/segments/intent/"):
        assert [path for path in paths if path.startswith(folder)], folder
    built = {path.rpartition("/")[2].removesuffix(".sql") for path in paths}
    hourly = demo.rows("select distinct model_name from field_dictionary where refresh = 'hourly'")
    assert hourly and not [model for (model,) in hourly if model not in built]


def test_every_analysis_returns_rows(demo: Warehouse) -> None:
    questions = sorted(path.stem for path in (PROJECT / "analyses").glob("*.sql"))
    run = demo.dbt("compile", "--select", "path:analyses")
    assert run.ok, run.output
    assert questions
    for question in questions:
        answer = demo.rows(demo.compiled(question))
        # A first build has no move to explain, and no customer of an experiment before it.
        may_be_empty = {"weekly_impossible_moves", "monthly_lift_without_the_largest_buyers"}
        assert answer or question in may_be_empty, question


def test_the_readmes_first_question_has_an_answer(demo: Warehouse) -> None:
    (question,) = re.findall(r'mailroom sql "(.*?)"', (PROJECT / "README.md").read_text(), re.DOTALL)
    header, *rows = answer(demo.folder / "warehouse.duckdb", question, "table").splitlines()
    assert header.split()[0] == "customer_id" and len(rows) == 3


@pytest.mark.parametrize(
    "absent",
    [["crm", "support", "web", "esp", "privacy"], ["shop"], SOURCES],
    ids=lambda names: "+".join(names),
)
@pytest.mark.deep
def test_a_shop_without_a_system_builds(tmp_path: Path, absent: list[str]) -> None:
    warehouse = Warehouse(tmp_path)
    run = warehouse.dbt(
        *STRICT, *NO_UNIT_TESTS, as_of="2026-07-01 00:00:00", **dict.fromkeys(absent, "absent")
    )
    assert run.ok, run.output
    rows: Rows = warehouse.rows("select source_name, sum(n_rows) from source_reconciliation group by all")
    assert {source for source, n_rows in rows if n_rows == 0} == {*absent, "billing", "deliverability"}

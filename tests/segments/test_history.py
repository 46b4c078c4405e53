"""Segments of the demo shop over three days: the ledger, builds of past days, and fresh builds."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from conftest import DBT, PROJECT, Rows, Warehouse

pytestmark = [pytest.mark.slow, pytest.mark.deep]

FIRST, MID, LAST = "2026-05-28 00:00:00", "2026-06-09 00:00:00", "2026-07-01 00:00:00"
TESTED = [
    "build", "--select", "+segment_health", "+lifecycle_transitions",
    "--indirect-selection", "cautious", "--exclude-resource-type", "unit_test",
]  # fmt: skip
MODELS = [*TESTED, "test"]
# Segments without a band: their members follow from the data of the day alone.
WITHOUT_BAND = """
    select customer_id, segment from segment_memberships
    where segment not in (select segment from segment_catalog where has_band)
"""
MEMBERS = "select customer_id, segment, since from segment_memberships"
KEPT_BY_BAND = """
    select distinct catalog.dwell_days is not null
    from segment_memberships as memberships
    inner join segment_catalog as catalog using (segment)
    where not memberships.is_qualified
"""
STAGES = "select customer_id, stage, previous_stage, since from lifecycle_stages"


def built(warehouse: Warehouse, as_of: str, command: list[str] = MODELS) -> None:
    run = warehouse.dbt(*command, as_of=as_of)
    assert run.ok, run.output


@pytest.fixture(scope="module")
def recorded() -> dict[str, dict[str, set[Any]]]:
    return {}


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory, recorded: dict[str, dict[str, set[Any]]]) -> Warehouse:
    """One warehouse, built as of three days in order. `recorded` holds the results of each day."""
    warehouse = Warehouse(tmp_path_factory.mktemp("kept"))
    for as_of in (FIRST, MID, LAST):
        built(warehouse, as_of)
        recorded[as_of] = {
            sql: set(warehouse.rows(sql)) for sql in (WITHOUT_BAND, MEMBERS, KEPT_BY_BAND, STAGES)
        }
    return warehouse


def ledger(warehouse: Warehouse) -> Rows:
    return warehouse.rows("select * from segment_changes order by all")


def test_a_fresh_build_of_a_day_agrees_with_its_record(
    kept: Warehouse, recorded: dict[str, dict[str, set[Any]]], tmp_path: Path
) -> None:
    fresh = Warehouse(tmp_path)
    built(fresh, MID)
    assert len(recorded[MID][WITHOUT_BAND]) > 1000
    assert set(fresh.rows(WITHOUT_BAND)) == recorded[MID][WITHOUT_BAND]
    assert set(fresh.rows(STAGES)) == recorded[MID][STAGES]
    # A band only adds to the members who enter by the rule.
    entering = {(customer_id, segment) for customer_id, segment, _ in fresh.rows(MEMBERS)}
    members = {(customer_id, segment) for customer_id, segment, _ in recorded[MID][MEMBERS]}
    assert entering <= members


def test_a_band_keeps_members_with_and_without_a_time_limit(
    kept: Warehouse, recorded: dict[str, dict[str, set[Any]]]
) -> None:
    assert recorded[FIRST][KEPT_BY_BAND] == set()
    assert recorded[MID][KEPT_BY_BAND] == {(False,), (True,)}


def test_time_and_orders_explain_all_moves_between_stages(kept: Warehouse) -> None:
    moves = kept.rows("""
        select moved_on::varchar, count(*), count(*) filter (where not is_possible)
        from lifecycle_transitions group by all order by all
    """)
    assert [(day, impossible) for day, _, impossible in moves] == [(MID[:10], 0), (LAST[:10], 0)]
    assert min(n_moves for _, n_moves, _ in moves) > 10


def test_health_does_not_report_three_weeks_of_changes_as_one(kept: Warehouse) -> None:
    """A build records all changes since the build before it."""
    reported = kept.rows("""
        select n_entered_7d, n_left_7d, churn_7d from segment_health where segment = 'at_risk'
    """)
    expected = kept.rows(f"""
        select
            count(*) filter (where is_member), count(*) filter (where not is_member), null
        from segment_changes
        where segment = 'at_risk' and changed_at = '{LAST}'
    """)
    assert reported == expected


def test_a_past_day_is_read_from_the_ledger_and_adds_nothing_to_it(
    kept: Warehouse, recorded: dict[str, dict[str, set[Any]]]
) -> None:
    """Runs with the tests of segments and their inputs: no rule is broken in hindsight."""
    before = ledger(kept)
    built(kept, MID, TESTED)
    assert ledger(kept) == before
    assert set(kept.rows(MEMBERS)) == recorded[MID][MEMBERS]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Return a copy of the project that a test may break."""
    copy = tmp_path / "project"
    copy.mkdir()
    for name in ("models", "python_models", "macros", "seeds", "tests", "dbt_project.yml", "profiles.yml"):
        if (PROJECT / name).is_dir():
            shutil.copytree(PROJECT / name, copy / name)
        else:
            shutil.copy(PROJECT / name, copy / name)
    return copy


def dbt_in(project: Path, warehouse: Path, *command: str) -> str:
    done = subprocess.run(
        [
            sys.executable, "-c", DBT, "--no-use-colors", *command,
            "--project-dir", str(project), "--profiles-dir", str(project),
            "--target-path", str(project / "target"), "--log-path", str(project / "logs"),
        ],
        cwd=project,
        env={**os.environ, "MAILROOM_DUCKDB_PATH": str(warehouse)},
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip
    return done.stdout + done.stderr


def test_a_name_on_the_list_without_its_model_is_a_named_error(project: Path) -> None:
    (project / "models/segments/value/vips.sql").unlink()
    output = dbt_in(project, project / "empty.duckdb", "parse")
    assert "segment_candidates" in output and "depends on a node named 'vips' which was not found" in output


def test_a_file_off_its_list_or_an_entry_without_a_key_stops_every_build(
    project: Path,
) -> None:
    files = {
        "models/segments/value/everybody.sql": "var segments",
        "models/trust/suppression_rules/on_holiday.sql": "var suppression_rules",
        "models/activation/audiences/all_buyers.sql": "var audiences",
    }
    for name in files:
        (project / name).write_text("select customer_id, 'Any.' as reason from {{ ref('customers') }}\n")
    (project / "tests/segments/no_vip_is_without_an_order_in_a_year.sql").unlink()
    entry = project / "models/segments/negative/_negative.yml"
    entry.write_text(entry.read_text().replace("label: Unhappy", "labelled: Unhappy"))
    output = dbt_in(project, project / "empty.duckdb", "run", "--select", "feature_cutoffs")
    for name, list_of in files.items():
        assert f"{name} is not in {list_of} of dbt_project.yml" in output
    assert "models/activation/audiences/all_buyers.sql: all_buyers lacks purpose" in output
    assert "models/segments/negative/_negative.yml: unhappy lacks label" in output
    assert "_value.yml: vips has hard_rules no_vip_is_without_an_order_in_a_year, which is no test" in output


def test_a_segment_with_a_repeated_or_unknown_customer_never_reaches_the_ledger(
    kept: Warehouse, project: Path
) -> None:
    before = ledger(kept)
    segment = project / "models/segments/lifecycle/dormant.sql"
    segment.write_text(
        f"{segment.read_text()}union all\n{segment.read_text()}union all select 'c_unknown', 'Any.'\n"
    )
    output = dbt_in(
        project, kept.folder / "warehouse.duckdb",
        "build", "--select", "dormant+", "--exclude-resource-type", "unit_test",
    )  # fmt: skip
    assert "Failure in test no_segment_returns_a_customer_twice" in output
    assert "Failure in test no_segment_returns_a_customer_who_does_not_exist" in output
    assert ledger(kept) == before

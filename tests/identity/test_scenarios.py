"""The identity models over all scenarios at once, day by day, and over small random worlds."""

import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from worlds import Scenario, customer_ids, groups, random_world, scenarios, write_day

from conftest import Rows, Warehouse

pytestmark = [pytest.mark.slow, pytest.mark.deep]

SCENARIOS = {scenario.name: scenario for scenario in scenarios()}
CHANGES = """
    select old_customer_id, new_customer_id, change_type, is_old_id_retired, n_records, changed_at
    from customer_id_changes
"""


@dataclass(frozen=True)
class History:
    """Three days of builds in one warehouse, with customer_keys and the ledger after each."""

    warehouse: Warehouse
    variables: dict[str, Any]
    worlds: list[Scenario]
    ids: dict[int, dict[str, str]]
    changes: dict[int, Rows]


def variables_for(folder: Path) -> dict[str, Any]:
    origins: dict[str, Any] = {
        system: {"files": f"{folder}/{system}/{{table}}.parquet"}
        for system in ["crm", "shop", "web", "support", "esp"]
    }
    origins["shop"]["absent"] = ["products", "order_lines", "refunds"]
    origins["esp"]["absent"] = ["campaigns", "message_events"]
    return {**origins, "privacy": "absent", "identity_max_records_per_customer": 80}


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> History:
    folder = tmp_path_factory.mktemp("history")
    variables = variables_for(folder)
    worlds = [*SCENARIOS.values(), *(random_world(f"w{i}-", random.Random(i)) for i in range(150))]
    warehouse = Warehouse(folder)
    ids: dict[int, dict[str, str]] = {}
    changes: dict[int, Rows] = {}
    for day in (1, 2, 3):
        write_day(folder, worlds, day)
        seeds = [] if day == 1 else ["--exclude", "resource_type:seed"]
        run = warehouse.dbt(
            "build",
            "--select",
            "+identity",
            "--indirect-selection",
            "cautious",
            *seeds,
            "--exclude-resource-type",
            "unit_test",
            **variables,
        )
        assert run.ok, run.output
        ids[day], changes[day] = customer_ids(warehouse), warehouse.rows(CHANGES)
    return History(warehouse, variables, worlds, ids, changes)


@pytest.mark.parametrize("name", SCENARIOS)
def test_scenario(history: History, name: str) -> None:
    for day, wanted in SCENARIOS[name].groups.items():
        ids = history.ids[day]
        labels = {label for group in wanted for label in group}
        found = [group for group in groups(ids) if group & labels]
        assert sorted(map(sorted, found)) == sorted(map(sorted, wanted)), f"day {day}"


def new_changes(history: History, day: int) -> dict[tuple[str, str | None], tuple[str, bool, int]]:
    rows = set(history.changes[day]) - set(history.changes.get(day - 1, []))
    return {(old, new): (kind, retired, n) for old, new, kind, retired, n, _ in rows}


def test_a_late_arrival_merges_and_the_older_id_lives(history: History) -> None:
    before, after = history.ids[1], history.ids[2]
    assert after["crm:late-b"] == after["esp:late-c"] == before["shop:late-a"] == after["shop:late-a"]
    assert new_changes(history, 2)[(before["crm:late-b"], before["shop:late-a"])] == ("merge", True, 1)


def test_a_corrected_identifier_splits_and_the_old_id_stays(history: History) -> None:
    before, after = history.ids[1], history.ids[2]
    assert before["crm:split-x"] == before["crm:split-y"] == after["crm:split-x"]
    assert new_changes(history, 2)[(before["crm:split-y"], after["crm:split-y"])] == ("split", False, 1)


def test_an_id_that_lost_its_oldest_record_retires(history: History) -> None:
    before, after = history.ids[1], history.ids[2]
    assert new_changes(history, 2)[(before["crm:heir"], after["crm:heir"])] == ("merge", True, 1)


def test_an_id_whose_last_record_went_is_a_removal_and_comes_back_the_same(history: History) -> None:
    assert new_changes(history, 2)[(history.ids[1]["crm:gone"], None)] == ("removal", True, 1)
    assert history.ids[1]["crm:gone"] == history.ids[3]["crm:gone"]
    assert new_changes(history, 3)[(history.ids[2]["crm:erased"], None)] == ("removal", True, 1)


def test_the_ledger_explains_every_change_and_forgets_none(history: History) -> None:
    for day in (2, 3):
        before = {label: key for label, key in history.ids[day - 1].items() if not label.startswith("web:")}
        after = {label: key for label, key in history.ids[day].items() if not label.startswith("web:")}
        explained = new_changes(history, day)
        assert set(history.changes[day - 1]) <= set(history.changes[day])
        for label, old in before.items():
            if label in after and after[label] != old:
                kind, retired, _ = explained[(old, after[label])]
                assert kind in ("merge", "split")
                assert retired == (old not in after.values())
        vanished = set(before.values()) - set(after.values())
        assert vanished <= {old for (old, _), (_, retired, _) in explained.items() if retired}
        assert not {old for (old, _), (_, retired, _) in explained.items() if retired} & set(after.values())


def test_what_the_guards_did_is_listed(history: History) -> None:
    issues = {
        (kind, subject): n
        for kind, subject, n in history.warehouse.rows(
            "select issue_type, subject, sum(n_records)::bigint from identity_issues group by 1, 2"
        )
    }
    assert issues[("cluster broken", "crm_contact:broken0")] == 90
    assert issues[("cluster quarantined", "esp_profile:knot0")] == 90
    assert issues[("identifier joins no records", "info@firma.de")] == 2
    assert issues[("not a person", "test@test.de")] == 1
    assert issues[("not a person", "till")] == issues[("not a person", "market")] == 8
    assert issues[("identifier joins no records", "+49891111111")] == 2
    assert 100 in issues.values()
    assert issues[("shared device", "tablet")] == 2
    assert issues[("identifier leads to several customers", "fam@x.de")] == 3
    assert issues[("phone number not understood", "n/a")] == 1


def test_running_again_or_as_of_the_past_adds_nothing(history: History) -> None:
    log = "select * from customer_key_log order by all"
    before = history.warehouse.rows(log)
    select = ["--select", "customer_key_log"]
    again = history.warehouse.dbt("run", "--full-refresh", *select, **history.variables)
    assert again.ok, again.output
    assert history.warehouse.rows(log) == before
    past = history.warehouse.dbt("run", *select, as_of="2022-06-01 00:00:00", **history.variables)
    assert past.ok, past.output
    assert history.warehouse.rows(log) == before


def test_a_full_rebuild_gives_the_ids_of_the_daily_runs(history: History, tmp_path: Path) -> None:
    rebuilt = Warehouse(tmp_path)
    run = rebuilt.dbt(
        "build",
        "--select",
        "+customer_keys",
        "--exclude-resource-type",
        "test",
        "unit_test",
        **history.variables,
    )
    assert run.ok, run.output
    assert customer_ids(rebuilt) == history.ids[3]

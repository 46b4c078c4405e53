"""Records that are easily joined or kept apart wrongly, against the groups of a careful reviewer."""

from pathlib import Path

import pytest
from hazards import Hazard, hazards
from test_scenarios import variables_for
from worlds import customer_ids, groups

from conftest import Warehouse, write_table

HAZARDS = {hazard.name: hazard for hazard in hazards()}
PERSON = "email phone first_name last_name birth_date street postal_code city country created_at updated_at"
COLUMNS = {
    "crm/contacts": f"contact_id {PERSON}",
    "crm/opportunities": "opportunity_id contact_id stage created_at",
    "shop/customers": f"customer_id {PERSON}",
    "shop/orders": "order_id customer_id visitor_id email phone first_name last_name country ordered_at"
    " updated_at",
    "esp/profiles": "profile_id external_id email phone first_name last_name birth_date country created_at"
    " updated_at",
    "support/tickets": "ticket_id customer_id requester_email requester_phone requester_name status"
    " created_at updated_at",
    "web/events": "event_id visitor_id customer_id email event_type occurred_at",
}
OWN = ("contact_id", "customer_id", "profile_id", "order_id", "ticket_id")
SHARED = ("email", "phone", "requester_email", "requester_phone", "external_id")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    """All hazards, built side by side."""
    folder: Path = tmp_path_factory.mktemp("hazards")
    for table, columns in COLUMNS.items():
        records = (record for hazard in HAZARDS.values() for record in hazard.all_records)
        rows = [record.row for record in records if record.table == table]
        write_table(folder / f"{table}.parquet", rows, columns.split())
    warehouse = Warehouse(folder)
    selected = ["--select", "+customer_keys", "--exclude-resource-type", "test", "unit_test"]
    run = warehouse.dbt("build", *selected, **variables_for(folder))
    assert run.ok, run.output
    return warehouse


@pytest.fixture(scope="module")
def ids(built: Warehouse) -> dict[str, str]:
    """The customer_id of every label."""
    return customer_ids(built)


@pytest.mark.slow
@pytest.mark.parametrize("name", HAZARDS)
def test_hazard(ids: dict[str, str], name: str) -> None:
    hazard = HAZARDS[name]
    labels = {label for group in hazard.all_groups for label in group}
    anywhere = {record.label for record in hazard.all_records} - labels
    assert labels <= ids.keys()
    found = [group - anywhere for group in groups(ids) if group & labels]
    assert sorted(map(sorted, found)) == sorted(map(sorted, hazard.all_groups)), hazard.why


def test_hazards_share_no_identifier() -> None:
    assert len(HAZARDS) == len(hazards()) >= 60
    assert all(hazard.why for hazard in HAZARDS.values())
    used: dict[str, str] = {}
    for hazard in HAZARDS.values():
        labels = [record.label for record in hazard.all_records]
        assert len(labels) == len(set(labels))
        for record in hazard.all_records:
            mine = [record.row.get(column) for column in (*OWN, *SHARED)]
            for value in (value for value in mine if value):
                assert used.setdefault(value, hazard.name) == hazard.name, value


def test_half_or_more_are_of_strangers() -> None:
    def has_strangers(hazard: Hazard) -> bool:
        return len(hazard.all_groups) > 1

    assert 2 * sum(map(has_strangers, HAZARDS.values())) >= len(HAZARDS)


@pytest.mark.slow
def test_the_ledger_of_erased_persons_knows_a_name_as_the_guard_does(built: Warehouse) -> None:
    """Hashes match only if equal: two names share a mark if compared_names takes them for the same."""
    people = "(select 'email' as identifier_type, name_key as identifier, * from person_names)"
    call = (
        "{{ name_marks(people, ['name_key'], 'erased') }} ==== {{ name_marks(people, ['name_key'], 'back') }}"
    )
    run = built.dbt("compile", "--quiet", "--inline", call.replace("people", f'"{people}"'))
    assert run.ok, run.output
    erased, back = run.output.split("====")
    verdicts = built.rows(
        f"""
        with shared as (
            select distinct erased.name_key, back.name_key as other_name_key
            from ({erased}) as erased inner join ({back}) as back on erased.mark = back.mark
        )
        select
            names.given_names,
            names.name_key || ' / ' || names.other_name_key,
            one.given_1,
            other.given_1,
            shared.name_key is not null as is_known
        from compared_names as names
        inner join person_names as one on names.name_key = one.name_key
        inner join person_names as other on names.other_name_key = other.name_key
        left join shared on names.name_key = shared.name_key and names.other_name_key = shared.other_name_key
        where one.given_1 is not null and other.given_1 is not null
        """
    )
    strangers = [row for row in verdicts if row[0] in ("different", "alike") and row[4] and row[2] != row[3]]
    assert strangers == []
    same = [row for row in verdicts if row[0] == "same"]
    missed = [row[1] for row in same if not row[4]]
    assert len(same) > 50 and len(missed) <= 0.1 * len(same), missed
    typos = [row for row in verdicts if row[0] == "typo"]
    assert len(typos) > 5 and sum(row[4] for row in typos) >= 0.7 * len(typos), typos

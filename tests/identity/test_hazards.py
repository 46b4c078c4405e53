"""What a careful person would say of records that are easily joined wrongly, or wrongly kept apart."""

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
def ids(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The customer_id of every label, with all hazards built side by side."""
    folder: Path = tmp_path_factory.mktemp("hazards")
    for table, columns in COLUMNS.items():
        records = (record for hazard in HAZARDS.values() for record in hazard.all_records)
        rows = [record.row for record in records if record.table == table]
        write_table(folder / f"{table}.parquet", rows, columns.split())
    warehouse = Warehouse(folder)
    selected = ["--select", "+customer_keys", "--exclude-resource-type", "test", "unit_test"]
    run = warehouse.dbt("build", *selected, **variables_for(folder))
    assert run.ok, run.output
    return customer_ids(warehouse)


@pytest.mark.slow
@pytest.mark.parametrize("name", HAZARDS)
def test_hazard(ids: dict[str, str], name: str) -> None:
    hazard = HAZARDS[name]
    labels = {label for group in hazard.all_groups for label in group}
    anywhere = {record.label for record in hazard.all_records} - labels
    assert labels <= ids.keys()
    found = [group - anywhere for group in groups(ids) if group & labels]
    assert sorted(map(sorted, found)) == sorted(map(sorted, hazard.all_groups)), hazard.why


def test_every_hazard_is_one_of_its_own() -> None:
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

"""`mailroom explain` says what the tables say of one customer, and nothing of it stays behind."""

import json
from pathlib import Path

import pytest

from conftest import Warehouse
from mailroom.cli import main
from mailroom.explain import as_json, as_text, customer

pytestmark = pytest.mark.slow
ANY = "select any_value(customer_id) from message_decisions where decision = 'send' and rule = 'sent'"
TABLES = {
    "consents": "reason", "suppressions": "reason", "contactability": "reason", "churn_scores": "reason",
    "segment_memberships": "reason", "audience_members": "reason", "audience_exclusions": "rule_reason",
    "flow_enrolments": "reason", "message_decisions": "reason",
}  # fmt: skip


@pytest.fixture(scope="module")
def customers(demo: Warehouse) -> list[str]:
    query = "select customer_id from customers order by md5(customer_id) limit 20"
    return [*(key for (key,) in demo.rows(query)), str(demo.rows(ANY)[0][0])]


def test_every_reason_in_the_tables_is_on_the_page(demo: Warehouse, customers: list[str]) -> None:
    for key in customers:
        page = " ".join(as_text(customer(demo.folder / "warehouse.duckdb", key)).split())
        for table, column in TABLES.items():
            for (reason,) in demo.rows(
                f"select {column} from {table} where customer_id = '{key}' and {column} is not null"
            ):
                assert " ".join(reason.split()) in page, f"{table} of {key}"


def test_an_address_leads_to_its_customer_in_any_case(demo: Warehouse, customers: list[str]) -> None:
    path = demo.folder / "warehouse.duckdb"
    rows = demo.rows(
        "select email, customer_id from customers where email is not null and email not in "
        "(select email from identity_records join customer_keys using (record_key) where email is not null "
        "group by email having count(distinct customer_id) > 1) order by md5(email) limit 5"
    )
    assert len(rows) == 5
    for email, key in rows:
        assert customer(path, f" {email.upper()} ").customer_id == key


def test_json_has_the_same_lines(demo: Warehouse, customers: list[str]) -> None:
    person = customer(demo.folder / "warehouse.duckdb", customers[0])
    parsed = json.loads(as_json(person))
    assert parsed["customer_id"] == customers[0]
    assert parsed["sections"].keys() == person.sections.keys()
    assert parsed["sections"]["CONSENT"][0]["text"] == person.sections["CONSENT"][0].text


def test_nothing_is_written(
    demo: Warehouse, customers: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.setenv("MAILROOM_DUCKDB_PATH", str(demo.folder / "warehouse.duckdb"))
    monkeypatch.chdir(tmp_path)
    assert main(["explain", customers[0], "--json"]) == 0
    assert customers[0] in capsys.readouterr().out
    assert list(tmp_path.iterdir()) == []


def test_a_customer_who_is_not_there_is_an_error_without_the_address(demo: Warehouse) -> None:
    path = demo.folder / "warehouse.duckdb"
    with pytest.raises(ValueError, match="no customer c_none"):
        customer(path, "c_none")
    with pytest.raises(ValueError, match=r"^no customer has this address$"):
        customer(path, "stranger@mail.example")

"""The picture of a customer says what the tables say, and that in the README is the demo's."""

import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from conftest import PROJECT, Warehouse
from mailroom.card import card

pytestmark = pytest.mark.slow
SHOWN = "c_a7ad97892c3327cd"  # in the README


def texts(picture: str) -> list[str]:
    return [
        node.text or "" for node in ElementTree.fromstring(picture).iter("{http://www.w3.org/2000/svg}text")
    ]


def test_the_picture_in_the_docs_is_of_the_demo(demo: Warehouse) -> None:
    drawn = card(demo.folder / "warehouse.duckdb", SHOWN)
    assert drawn == (PROJECT / "docs" / "customer.svg").read_text(encoding="utf-8"), "run `make pages`"


def test_every_record_reason_and_membership_is_on_it(demo: Warehouse) -> None:
    words = " ".join(texts(card(demo.folder / "warehouse.duckdb", SHOWN)))
    for table in ("contactability", "segment_memberships", "audience_members", "churn_scores"):
        for (reason,) in demo.rows(f"select reason from {table} where customer_id = '{SHOWN}'"):
            assert reason in words
    emails = demo.rows(
        "select email from identity_records inner join customer_keys using (record_key)"
        f" where customer_id = '{SHOWN}' and email is not null"
    )
    assert len(emails) >= 3 and all(email in words for (email,) in emails)


def test_any_customer_can_be_drawn_and_nothing_in_a_name_is_markup(demo: Warehouse) -> None:
    path = demo.folder / "warehouse.duckdb"
    for (customer_id,) in demo.rows("select customer_id from customers order by md5(customer_id) limit 25"):
        assert texts(card(path, customer_id))[1] == f"customer_id {customer_id}"


def test_a_customer_who_is_not_there_is_an_error(demo: Warehouse, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no customer c_none"):
        card(demo.folder / "warehouse.duckdb", "c_none")
    with pytest.raises(ValueError, match="build first"):
        card(tmp_path / "none.duckdb")

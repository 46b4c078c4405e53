"""What hundreds of records share (address, number, street, device) costs rows in proportion, no square."""

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest
from consent_shop import ConsentShop
from naive_sources import Delivery

from conftest import NO_UNIT_TESTS, Warehouse

pytestmark = pytest.mark.slow

N = 150  # records of each kind
TIMES = 30  # rows in any step of any model, for each record
FLOORS = ["+path:models/identity", "+path:models/trust", "+refused_addresses"]
BUILD = ["build", "--select", *FLOORS, "--indirect-selection", "cautious", *NO_UNIT_TESTS]
# Where a square is known and left: each yes to an address is an act of each record that has the address.
LEFT = {"own_acts"}
NAMES = ["Anna", "Bert", "Carla", "Dora", "Emil", "Fritz", "Greta", "Hans", "Ida", "Jan", "Karl", "Lena"]
PHONE, ADDRESS = "+491705558203", "all@x.de"


def tables() -> dict[str, list[dict[str, Any]]]:
    """Accounts, profiles, contacts, guests and requesters of one address, with every kind of answer."""
    found: dict[str, list[dict[str, Any]]] = {
        name: []
        for name in (
            "shop/customers", "shop/orders", "crm/contacts", "esp/profiles", "esp/message_events",
            "support/tickets", "web/events", "privacy/consent_events", "privacy/requests",
        )
    }  # fmt: skip
    for i in range(N):
        name, day = NAMES[i % len(NAMES)], f"2026-0{1 + i % 5}-{10 + i % 15}"
        person = {"first_name": name, "phone": PHONE, "country": "DE", "created_at": "2020-01-01 10:00:00"}
        home = {"street": "Lindenstr. 1", "postal_code": "80331", "city": "München"}
        yes_or_no = "false" if i % 3 else "true"
        box = {"accepts_marketing": yes_or_no, "accepts_marketing_at": f"{day} 10:00:00"}
        for key, email in ((f"a{i}", ADDRESS), (f"w{i}", f"w+{i}@unknown.example")):
            found["shop/customers"].append({"customer_id": key, "email": email, **person, **home, **box})
            said = {"channel": "email", "purpose": "marketing_email", "lawful_basis": "express",
                    "occurred_at": f"{day} 11:00:00", "recorded_by": "preference_centre"}  # fmt: skip
            for named, status in (
                ({"email": email}, "granted"), ({"email": email}, "withdrawn"),
                ({"customer_id": key, "email": email}, "granted"), ({"customer_id": key}, "granted"),
            ):  # fmt: skip
                found["privacy/consent_events"].append({**said, **named, "status": status})
        for status in ("granted", "withdrawn"):
            sms = {"phone": PHONE, "customer_id": f"a{i}", "channel": "sms", "purpose": "marketing_email"}
            when = {"status": status, "lawful_basis": "express", "occurred_at": f"{day} 12:00:00"}
            found["privacy/consent_events"].append({**sms, **when, "recorded_by": "crm"})
        found["crm/contacts"].append(
            {"contact_id": f"c{i}", "email": ADDRESS, "account_id": "office",
             "has_marketing_consent": yes_or_no, **person, **home}
        )  # fmt: skip
        found["esp/profiles"].append(
            {"profile_id": f"p{i}", "email": ADDRESS, "subscription_status": "unsubscribed", **person}
        )
        for hour, kind in enumerate(("sent", "bounced", "opened", "unsubscribed")):
            found["esp/message_events"].append(
                {"event_id": f"m{i}{kind}", "message_id": f"m{i}", "profile_id": f"p{i}", "event_type": kind,
                 "bounce_type": "hard" if kind == "bounced" else None, "occurred_at": f"{day} 1{hour}:00:00"}
            )  # fmt: skip
        found["shop/orders"].append(
            {"order_id": f"o{i}", "customer_id": f"a{i}", "total_amount": "10", "status": "paid",
             "ordered_at": f"{day} 09:00:00"}
        )  # fmt: skip
        found["support/tickets"].append(
            {"ticket_id": f"t{i}", "requester_email": ADDRESS, "requester_phone": f"+4917056{i:05}",
             "status": "closed", "topic": "product", "created_at": f"{day} 09:00:00"}
        )  # fmt: skip
        found["web/events"].append(
            {"event_id": f"v{i}", "visitor_id": "tablet", "customer_id": f"a{i}", "event_type": "page_view",
             "has_opt_out_signal": "true", "occurred_at": f"{day} 13:00:00"}
        )  # fmt: skip
        found["privacy/requests"].append(
            {"request_id": f"r{i}", "email": ADDRESS, "request_type": "access" if i % 2 else "objection",
             "status": "received", "received_at": f"{day} 14:00:00"}
        )  # fmt: skip
    for i, row in enumerate(found["privacy/consent_events"]):
        row["consent_event_id"] = f"e{i}"
    return found


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    """The models of identity and trust, what they rest on and who reads them first, and their tests."""
    shop = ConsentShop(Warehouse(tmp_path_factory.mktemp("crowds")))
    shop.build(Delivery(datetime(2026, 7, 1, 6), tables()), *BUILD)
    return shop.warehouse


def steps(plan: Mapping[str, Any]) -> Iterator[int]:
    """How many rows each step of a query that DuckDB has run gave to the next."""
    yield plan.get("intermediate_rows", 0)
    for child in [*plan.get("operator", []), *plan.get("children", [])]:
        yield from steps(child)


def test_the_address_and_the_number_are_named(built: Warehouse) -> None:
    issues: dict[str, str] = dict(
        built.rows("select subject, why from identity_issues where issue_type = 'identifier joins nobody'")
    )
    assert issues[ADDRESS] == issues[PHONE] == "seen on more than 20 records"


def test_no_step_of_a_model_makes_the_square_of_a_crowd(built: Warehouse) -> None:
    """A join may make a square that no table shows: of an aggregate, or of rows that are then left out."""
    (n_records,) = built.rows("select count(*) from identity_records")[0]
    assert n_records >= 5 * N
    found = {}
    with duckdb.connect(str(built.folder / "warehouse.duckdb"), read_only=True) as connection:
        connection.execute("set TimeZone = 'UTC'")
        for node in built.manifest()["nodes"].values():
            if node["resource_type"] in ("model", "test") and node["language"] == "sql":
                for path in Path(built.target / "compiled").rglob(f"{node['name']}.sql"):
                    ((_, plan),) = connection.execute(
                        f"explain (analyze, format json) {path.read_text()}"
                    ).fetchall()
                    found[node["name"]] = max(steps(json.loads(plan)))
    assert len(found) > 150
    squares = {name: n for name, n in found.items() if n > TIMES * n_records}
    assert set(squares) <= LEFT, squares

"""An identifier that hundreds of records share costs rows in proportion to them, not to their square."""

import json
from collections.abc import Collection, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest
from consent_shop import ConsentShop
from naive_sources import Delivery

from conftest import IN_MEMORY, NO_UNIT_TESTS, Warehouse

pytestmark = [pytest.mark.slow, pytest.mark.deep]

N = 150  # records of each kind
TIMES = 30  # rows in any step of any model, for each record
FLOORS = ["+path:models/identity", "+path:models/trust", "+refused_addresses"]
BUILD = ["build", "--select", *FLOORS, "--indirect-selection", "cautious", *NO_UNIT_TESTS]
# What an erasure changes, from the desk's requests on.
ERASURE = [
    "base_privacy__requests", "path:models/identity/erasure", "record_customers", "identifier_customers",
    "visitor_customers", "contact_point_customers", "subject_customers", "consent_history",
    "erased_or_objecting", "legal_hold", "privacy_request_status",
]  # fmt: skip
REBUILD = ["build", "--select", *ERASURE, "--indirect-selection", "cautious", *NO_UNIT_TESTS]
NAMES = ["Anna", "Bert", "Carla", "Dora", "Emil", "Fritz", "Greta", "Hans", "Ida", "Jan", "Karl", "Lena"]
PHONE, ADDRESS, AGENCY = "+491705558203", "all@x.de", "rights@agency.example"


def tables() -> dict[str, list[dict[str, Any]]]:
    """Accounts, profiles, contacts, guests and requesters of one address, with every consent event type."""
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


def erasures() -> list[dict[str, Any]]:
    """Erasure requests by a shared identifier, by an own one, and by an address that no record has."""
    found = []
    for i in range(N):
        mine, other, own = f"a{i}", f"w{i}", f"w+{i}@unknown.example"
        for kind, named in {
            "the address": {"email": ADDRESS},
            "the number": {"phone": PHONE},
            "address and number": {"email": ADDRESS, "phone": PHONE},
            "address and account": {"email": ADDRESS, "customer_id": mine},
            "address and own number": {"email": ADDRESS, "phone": f"+4917056{i:05}"},
            "own address and the number": {"email": own, "phone": PHONE},
            "agency": {"email": AGENCY, "customer_id": mine},
            "agency again": {"email": AGENCY, "customer_id": other},
            "one person each day": {"customer_id": "a0"},
        }.items():
            found.append(
                {"request_id": f"{kind} {i}", **named, "request_type": "erasure", "status": "received",
                 "received_at": f"2026-0{1 + i % 5}-{10 + i % 15} {8 if i % 2 else 20:02}:00:00"}
            )  # fmt: skip
    return found


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> ConsentShop:
    """The models of identity and trust with their inputs, first readers and tests."""
    shop = ConsentShop(Warehouse(tmp_path_factory.mktemp("crowds")))
    shop.build(Delivery(datetime(2026, 7, 1, 6), tables()), *BUILD)
    return shop


@pytest.fixture(scope="module")
def built(shop: ConsentShop) -> Warehouse:
    return shop.warehouse


def steps(plan: Mapping[str, Any]) -> Iterator[int]:
    """The number of rows that each step of an executed query gave to the next."""
    yield plan.get("intermediate_rows", 0)
    for child in [*plan.get("operator", []), *plan.get("children", [])]:
        yield from steps(child)


def test_the_address_and_the_number_are_named(built: Warehouse) -> None:
    issues: dict[str, str] = dict(
        built.rows(
            "select subject, why from identity_issues where issue_type = 'identifier joins no records'"
        )
    )
    assert issues[ADDRESS] == issues[PHONE] == "seen on more than 20 records"


def largest_steps(warehouse: Warehouse, names: Collection[str] | None = None) -> dict[str, int]:
    """The largest step of each model and test, in rows, of these names if given."""
    found = {}
    with duckdb.connect(
        str(warehouse.folder / "warehouse.duckdb"), read_only=True, config=IN_MEMORY
    ) as connection:
        connection.execute("set TimeZone = 'UTC'")
        for node in warehouse.manifest()["nodes"].values():
            is_sql = node["resource_type"] in ("model", "test") and node["language"] == "sql"
            if is_sql and (names is None or node["name"] in names):
                for path in Path(warehouse.target / "compiled").rglob(f"{node['name']}.sql"):
                    ((_, plan),) = connection.execute(
                        f"explain (analyze, format json) {path.read_text()}"
                    ).fetchall()
                    found[node["name"]] = max(steps(json.loads(plan)))
    return found


def squares(warehouse: Warehouse, found: Mapping[str, int]) -> dict[str, int]:
    (n_records,) = warehouse.rows("select count(*) from identity_records")[0]
    assert n_records >= 5 * N
    return {name: n for name, n in found.items() if n > TIMES * n_records}


def test_no_step_of_a_model_makes_the_square_of_a_crowd(built: Warehouse) -> None:
    """A join may make a square that no table shows, if the rows are then aggregated or filtered."""
    found = largest_steps(built)
    assert len(found) > 150
    assert squares(built, found) == {}


def test_no_step_of_an_erasure_makes_the_square_of_a_crowd(shop: ConsentShop) -> None:
    """A day with a legal hold on the address that all share, and a day after it has ended."""
    rows = tables()
    rows["privacy/requests"] += erasures()
    holds = "main_policy.legal_holds"
    outcomes: list[dict[str, int]] = []
    for day, change in {
        2: f"insert into {holds} values ('email', '{ADDRESS}', 'a claim', '2026-07-01', null)",
        3: f"update {holds} set held_until = '2026-07-02'",
    }.items():
        with duckdb.connect(str(shop.warehouse.folder / "warehouse.duckdb")) as connection:
            connection.execute(change)
        run = shop.build(Delivery(datetime(2026, 7, day, 6), rows), *REBUILD)
        assert squares(shop.warehouse, largest_steps(shop.warehouse, run.results)) == {}
        outcomes.append(
            dict(
                shop.warehouse.rows(f"select outcome, count(*) // {N} from erasure_requests group by outcome")
            )
        )
    # The requests are carried out, so the counts above are not small for lack of rows.
    assert outcomes == [
        {"names more than one person": 4, "held": 3, "erased": 2},
        {"names more than one person": 4, "erased": 5},
    ]
    for table in ("erased_records", "known_records", "returning_persons", "own_acts", "erasure_ledger"):
        ((n_rows,),) = shop.warehouse.rows(f"select count(*) from {table}")
        assert n_rows >= N, table

"""From the shop's records to an ESP and back: the first push, and the pushes after changes."""

import json
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from conftest import Rows, Warehouse, write_table
from mailroom.activation import ledger
from mailroom.activation.ledger import activation_folder
from mailroom.activation.pull import write_refusals, write_resubscriptions
from mailroom.activation.push import PushOptions, push
from mailroom.activation.rows import Refusal, Resubscription

pytestmark = [pytest.mark.slow, pytest.mark.deep]

TODAY = date(2026, 7, 1)
PRODUCTS = 6
# One customer per case: what happens to them from the first day to the second.
PEOPLE = (
    "steady", "renamed", "leaves", "erased", "withdraws", "nameless", "moves", "twin", "double", "returns",
    "refused",
)  # fmt: skip
Row = dict[str, Any]


class Shop:
    """A shop's files, written again for each day, and the warehouse over them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.warehouse = Warehouse(folder)
        self.customers: dict[str, Row] = {
            who: {
                "customer_id": who, "email": f"{who}@x.de", "first_name": who.capitalize(), "country": "DE",
                "language": "de", "created_at": "2026-01-01",
            }
            for who in PEOPLE
        }  # fmt: skip
        self.customers["nameless"]["first_name"] = None
        self.customers["double"]["email"] = "twin@x.de"
        self.orders: list[Row] = [
            {
                "order_id": f"{who}-{days}", "customer_id": who, "total_amount": "20.00",
                "ordered_at": TODAY - timedelta(days=days),
            }
            for who in PEOPLE for days in (10, 40)
        ]  # fmt: skip
        self.answers: list[Row] = [
            self.consent(who, purpose, "granted", "2026-02-01")
            for who in PEOPLE
            for purpose in ("marketing_email", "ai_recommendations")
            if who != "refused"
        ]
        self.requests: list[Row] = []

    def consent(self, who: str, purpose: str, status: str, on: str) -> Row:
        return {
            "consent_event_id": f"{who}-{purpose}-{on}", "email": self.customers[who]["email"],
            "channel": "email", "purpose": purpose, "status": status, "lawful_basis": "express",
            "recorded_by": "preference_centre", "occurred_at": on,
        }  # fmt: skip

    def build(
        self,
        day: date,
        changed: str = "+path:models/activation",
        tests: str = "empty",
        **variables: Any,
    ) -> Rows:
        """Build the changes as of a day, with an order on the day before, because older orders are no
        trigger. Run the tests of activation too, with tests="cautious" those of the other floors as well.
        Return the outbox."""
        newest = {
            "order_id": f"eve-of-{day}", "customer_id": "refused", "total_amount": "20.00",
            "ordered_at": day - timedelta(days=1),
        }  # fmt: skip
        if newest not in self.orders:
            self.orders.append(newest)
        lines = [
            {
                "order_line_id": f"{row['order_id']}-{number}", "order_id": row["order_id"],
                "product_id": f"p{number}", "quantity": "1", "unit_price": "10.00",
            }
            for row in self.orders for number in (1, 2)
        ]  # fmt: skip
        products = [
            {
                "product_id": f"p{number}", "name": f"Tea {number}", "category": "Tea", "price": "10.00",
                "stock_quantity": "5", "is_replenishable": "true", "created_at": "2025-01-01",
            }
            for number in range(1, PRODUCTS + 1)
        ]  # fmt: skip
        for table, rows in {
            "shop/customers": list(self.customers.values()), "shop/orders": self.orders,
            "shop/order_lines": lines, "shop/products": products,
            "privacy/consent_events": self.answers, "privacy/requests": self.requests,
        }.items():  # fmt: skip
            columns = (
                list(rows[0]) if rows else ["request_id", "email", "request_type", "status", "received_at"]
            )
            write_table(self.folder / f"{table}.csv", rows, columns)
        self.built_at = datetime.combine(day, datetime.min.time())
        run = self.warehouse.dbt(
            "build", "--select", changed, "path:models/activation", "path:tests/activation",
            "--exclude-resource-type", "unit_test", "--indirect-selection", tests,
            as_of=str(self.built_at),
            shop={"files": f"{self.folder}/shop/{{table}}.csv", "absent": ["refunds"]},
            privacy={"files": f"{self.folder}/privacy/{{table}}.csv"},
            **dict.fromkeys(("crm", "web", "support", "esp"), "absent"),
            **variables,
        )  # fmt: skip
        assert run.ok, run.output
        return self.outbox()

    def outbox(self) -> Rows:
        return self.warehouse.rows(
            "select audience, operation, email, payload from sync_outbox order by audience, operation, email"
        )

    def push(self) -> dict[str, int]:
        file = self.folder / "warehouse.duckdb"
        pushed = push(file, activation_folder(file), PushOptions(as_of=self.built_at))
        assert not any(sent.rejected for sent in pushed.sent) and not pushed.held
        return {f"{sent.audience} {sent.operation}": sent.accepted for sent in pushed.sent}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    return Shop(tmp_path_factory.mktemp("sync"))


@pytest.fixture(scope="module")
def days(shop: Shop) -> dict[str, Rows]:
    """The outbox on the first day, after the first push, and on the second day."""
    found = {"first": shop.build(TODAY)}
    shop.push()
    found["pushed"] = shop.build(TODAY, "path:models/activation")

    shop.customers["renamed"]["first_name"] = "Renata"
    shop.customers["moves"]["email"] = "moved@y.de"
    shop.answers += [
        {**shop.consent("moves", "marketing_email", "granted", "2026-07-01"), "email": "moved@y.de"},
        shop.consent("leaves", "marketing_email", "withdrawn", "2026-07-01"),
        shop.consent("withdraws", "ai_recommendations", "withdrawn", "2026-07-01"),
    ]
    shop.requests.append(
        {
            "request_id": "r1", "email": "erased@x.de", "request_type": "erasure", "status": "received",
            "received_at": "2026-07-01",
        }
    )  # fmt: skip
    shop.orders.append(
        {"order_id": "new", "customer_id": "returns", "total_amount": "20.00", "ordered_at": TODAY}
    )
    found["second"] = shop.build(TODAY + timedelta(days=1))
    found["receipts"] = [tuple(shop.push().items())]

    found["third"] = shop.build(TODAY + timedelta(days=1), "recent_conversion+", conversion_rest_days=0)
    found["held"] = shop.warehouse.rows("select distinct email from esp_profile_state")

    # Refusals given at the ESP, on the evening of the second day.
    at = datetime(2026, 7, 2, 20)
    refusals = [
        Refusal("1", "p1", "Steady@x.de", "unsubscribed", at),
        Refusal("2", "p2", "renamed@x.de", "bounced", at),
        Refusal("3", "p3", "stranger@x.de", "complained", at),
    ]  # fmt: skip
    write_refusals(activation_folder(shop.folder / "warehouse.duckdb"), "file", refusals)
    shop.customers["nameless"]["first_name"] = "Nora"
    found["fourth"] = shop.build(TODAY + timedelta(days=2), tests="cautious")
    found["reasons"] = shop.warehouse.rows("""
        select customers.email, rule, suppressions.reason
        from suppressions inner join customers using (customer_id)
        where
            customers.email in ('steady@x.de', 'renamed@x.de')
            and rule in ('hard_bounce', 'complaint', 'unsubscribed')
        order by 1
    """)
    return found


def of(rows: Rows, who: str, audience: str = "active_buyers") -> list[tuple[str, dict[str, Any]]]:
    return [
        (operation, json.loads(payload) if payload else {})
        for found, operation, email, payload in rows
        if email.split("@")[0] == who and found in (audience, "")
    ]


def test_the_first_push_adds_every_reachable_customer_with_all_fields(days: dict[str, Rows]) -> None:
    ((operation, payload),) = of(days["first"], "steady")
    assert operation == "add" and payload["first_name"] == "Steady" and payload["n_orders"] == 2
    assert payload["last_ordered_on"] == "2026-06-21" and payload["recommended_product_1"]
    assert of(days["first"], "refused") == []


def test_a_customer_without_a_name_has_a_greeting(days: dict[str, Rows]) -> None:
    ((_, payload),) = of(days["first"], "nameless")
    assert payload["first_name"] == "liebe Kundin, lieber Kunde"


def test_no_customer_is_added_at_an_address_of_two_customers(days: dict[str, Rows]) -> None:
    assert of(days["first"], "twin") == [], "the person of the opt-in is unknown"


def test_accepted_rows_are_not_sent_again(days: dict[str, Rows]) -> None:
    assert days["pushed"] == []


def test_only_changes_are_sent(days: dict[str, Rows]) -> None:
    assert of(days["second"], "steady") == []
    ((operation, payload),) = of(days["second"], "renamed")
    assert operation == "update" and set(payload) == {"customer_id", "first_name"}
    assert payload["first_name"] == "Renata"


def test_an_opt_out_removes_and_suppresses(days: dict[str, Rows]) -> None:
    assert of(days["second"], "leaves") == [("remove", {})]
    assert of(days["second"], "leaves", "do_not_mail") == [("suppress", {})]


def test_withdrawing_ai_consent_clears_the_fields_that_need_it(days: dict[str, Rows]) -> None:
    ((operation, payload),) = of(days["second"], "withdraws")
    assert operation == "update" and payload["recommended_product_1"] is None
    assert all(value is None for name, value in payload.items() if name.startswith("recommended"))


def test_an_erased_customer_is_deleted_and_nothing_else(days: dict[str, Rows]) -> None:
    found = [row[:3] for row in days["second"] if row[2].startswith("erased")]
    assert found == [("", "delete", "erased@x.de")]


def test_a_deleted_customer_is_held_nowhere(days: dict[str, Rows]) -> None:
    assert not any(row[2].startswith("erased") for row in days["third"])
    assert days["held"] and not any(row[0].startswith("erased") for row in days["held"])


def test_a_new_address_is_a_new_profile(days: dict[str, Rows]) -> None:
    assert of(days["second"], "moves") == [("remove", {})]
    ((operation, payload),) = of(days["second"], "moved")
    assert operation == "add" and payload["first_name"] == "Moves"


def test_a_removed_customer_who_returns_is_sent_again(days: dict[str, Rows]) -> None:
    assert of(days["second"], "returns") == [("remove", {})], "ordered yesterday: left alone for three days"
    ((operation, payload),) = of(days["third"], "returns")
    assert operation == "add" and payload["n_orders"] == 3


@pytest.mark.parametrize("who", ["steady", "renamed"])
def test_an_opt_out_at_the_esp_removes_and_suppresses_everywhere(days: dict[str, Rows], who: str) -> None:
    assert of(days["third"], who) == []
    assert of(days["fourth"], who) == [("remove", {})]
    assert of(days["fourth"], who, "do_not_mail") == [("suppress", {})]


def test_a_pulled_opt_out_is_a_row_of_its_source(days: dict[str, Rows]) -> None:
    assert [(email, rule) for email, rule, _ in days["reasons"]] == [
        ("renamed@x.de", "hard_bounce"), ("steady@x.de", "unsubscribed"),
    ]  # fmt: skip
    assert all("2026" in reason for *_, reason in days["reasons"])


def test_dbt_and_push_agree_on_the_columns_of_a_ledger(shop: Shop, days: dict[str, Rows]) -> None:
    assert days["fourth"]
    for name in ("receipts", "overrides", "pushes"):
        described = shop.warehouse.rows(f"describe select * from sync_{name}")
        assert [row[0] for row in described] == ledger.SCHEMAS[name].names


def test_the_status_has_what_was_pushed(shop: Shop, days: dict[str, Rows]) -> None:
    assert days["fourth"]
    ((n_members, n_to_send, match_share, outcome, lag_hours),) = shop.warehouse.rows("""
        select n_members, n_to_send, match_share, last_outcome, lag_hours
        from sync_status where audience = 'active_buyers'
    """)
    assert n_members > 0 and n_to_send >= 2 and 0 < match_share <= 1
    assert (outcome, lag_hours) == ("finished", 24.0), "the last push was of the day before"


def test_nothing_is_sent_after_a_failed_upstream_test(shop: Shop, days: dict[str, Rows]) -> None:
    assert of(days["fourth"], "nameless")[0][0] == "update", "there is something to hold"
    name = "primary_key_contactability_customer_id__message_class__channel"
    shop.warehouse.rows("insert into contactability select * from contactability limit 1")
    assert not shop.warehouse.dbt("test", "--select", name).ok
    file = shop.folder / "warehouse.duckdb"
    pushed = push(file, activation_folder(file))
    assert {sent.operation for sent in pushed.sent} == {"suppress", "remove"}, "a no waits for nothing"
    assert {guard for held in pushed.held for guard in held.guards} == {"failed_build"}
    assert name in pushed.held[0].guards["failed_build"]

    shop.warehouse.rows(
        "create or replace table main.contactability as select distinct * from main.contactability"
    )
    assert shop.warehouse.dbt("test", "--select", name).ok
    assert push(file, activation_folder(file)).held == []


def test_a_new_subscription_by_a_confirmed_form_counts(shop: Shop, days: dict[str, Rows]) -> None:
    assert of(days["fourth"], "steady") == [("remove", {})]
    again = Resubscription("4", "steady@x.de", "FORM", datetime(2026, 7, 3, 20))
    write_resubscriptions(activation_folder(shop.folder / "warehouse.duckdb"), "file", [again])
    ((operation, _),) = of(shop.build(TODAY + timedelta(days=3)), "steady")
    assert operation == "add"
    assert shop.warehouse.rows("""
        select history.recorded_by, history.form, history.confirmed_at
        from consents
        inner join customers using (customer_id)
        inner join consent_history as history on consents.deciding_event_id = history.consent_event_id
        where
            customers.email = 'steady@x.de'
            and consents.channel = 'email'
            and consents.purpose = 'marketing_email'
    """) == [("double_opt_in", "FORM", datetime(2026, 7, 3, 20))]

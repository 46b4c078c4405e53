"""A shop that edits, deletes and marks rows between two daily builds, without a date of the change."""

from collections.abc import Iterator
from typing import Any

import duckdb
import pytest

from conftest import NO_UNIT_TESTS, Run, Warehouse, write_table

pytestmark = [pytest.mark.slow, pytest.mark.deep]

DAYS = ("2026-06-20 00:00:00", "2026-07-01 00:00:00")
LONG_AGO, SPRING, SINCE = "2025-01-01 10:00:00", "2026-02-01 10:00:00", "2026-05-01 12:00:00"
DELETED = {"_fivetran_deleted": "true"}
LOGGED = {"_ab_cdc_deleted_at": "2026-06-25 08:00:00"}
PEOPLE = {
    # The shop's checkbox for each account. Its address is <name>@mail.example.
    **dict.fromkeys(["buyer", "unsubscribed", "complained", "bounced", "denied", "objecting"], "true"),
    **dict.fromkeys(["left", "tester", "closed"], None),
}
Row = dict[str, Any]
Tables = dict[str, list[Row]]


def address(name: str) -> str:
    return f"{name}@mail.example"


def order(key: str, amount: str, **more: str) -> Row:
    given = {"order_id": key, "customer_id": "buyer", "status": "paid", "currency": "EUR"}
    return {**given, "total_amount": amount, "ordered_at": SINCE, **more}


def line(key: str, of: str, price: str, **more: str) -> Row:
    return {"order_line_id": key, "order_id": of, "quantity": "1", "unit_price": price, **more}


def refund(key: str, of: str, amount: str, **more: str) -> Row:
    return {"refund_id": key, "order_id": of, "amount": amount, "refunded_at": SINCE, **more}


def ticket(key: str, status: str, **more: str) -> Row:
    return {"ticket_id": key, "customer_id": "buyer", "status": status, "created_at": SINCE, **more}


def profile(name: str, status: str, **more: str) -> Row:
    given = {"profile_id": name, "email": address(name), "subscription_status": status}
    return {**given, "created_at": LONG_AGO, **more}


def event(name: str, event_type: str, at: str = SPRING, **more: str) -> Row:
    given = {"event_id": f"{name} {event_type} {at}", "message_id": f"{name} {at}", "profile_id": name}
    return {**given, "event_type": event_type, "occurred_at": at, **more}


def page_view(at: str) -> Row:
    given = {"visitor_id": "device", "customer_id": "buyer", "event_type": "page_view"}
    return {**given, "event_id": at, "session_id": at, "occurred_at": at}


def account(name: str, ticked: str | None) -> Row:
    given = {"customer_id": name, "email": address(name), "country": "DE", "created_at": LONG_AGO}
    return {**given, "accepts_marketing": ticked, "accepts_marketing_at": SPRING if ticked else None}


def tables(day: int) -> Tables:
    """Each table on day 0 or 1. Rows of the first day only are deleted without a mark."""
    is_first = day == 0
    first, last = ([True], []) if is_first else ([], [True])
    return {
        "shop/customers": [
            *(account(name, ticked) for name, ticked in PEOPLE.items()),
            {**account("unticked", "false"), **DELETED},
            {**account("removed", "true"), **(DELETED if not is_first else {})},
        ],
        "shop/orders": [
            order("line taken out", "150.00" if is_first else "50.00"),
            order("line moved away", "30.00" if is_first else "10.00"),
            order("line moved here", "5.00" if is_first else "25.00"),
            order("price put right", "100.00" if is_first else "80.00"),
            *(order("deleted", "50.00") for _ in first),
            *(order("late", "50.00") for _ in last),
            order("refund deleted", "40.00"),
            order("cancelled", "60.00", status="paid" if is_first else "cancelled"),
            order("of another account", "70.00", customer_id="buyer" if is_first else "left"),
            order("of yesterday", "1.00", ordered_at="2026-06-19 12:00:00"),
            # Rows with marks.
            order("marked", "70.00", **DELETED),
            order("marked since", "71.00", **({} if is_first else LOGGED)),
            order("marked in time to come", "1.00", _ab_cdc_deleted_at="9999-12-31 00:00:00"),
            order("test", "999.00", test="True"),
            # Fivetran marks the earlier version in a table without a key. Airbyte adds a row to a log.
            order("new version", "1.00", **DELETED),
            order("new version", "2.00"),
            order("log", "72.00", updated_at=SINCE),
            {"order_id": "log", "_ab_cdc_deleted_at": "2026-06-01 00:00:00"},
            order("log, and back again", "1.00", updated_at="2026-05-01 13:00:00", _ab_cdc_deleted_at=SINCE),
            order("log, and back again", "3.00", updated_at="2026-05-01 14:00:00"),
        ],
        "shop/order_lines": [
            line("t1", "line taken out", "50"), *(line("t2", "line taken out", "100") for _ in first),
            line("m1", "line moved away", "10"),
            line("m2", "line moved away" if is_first else "line moved here", "20"),
            line("m3", "line moved here", "5"),
            line("p1", "price put right", "100" if is_first else "80"),
            line("r1", "refund deleted", "40"), line("r2", "refund deleted", "7", __deleted="true"),
            line("x1", "test", "999"), line("x2", "marked", "70"),
        ],
        "shop/refunds": [
            *(refund("taken back", "refund deleted", "40.00") for _ in first),
            refund("marked", "refund deleted", "15.00", _sdc_deleted_at="2026-05-02 00:00:00"),
            refund("of a test", "test", "999.00"),
        ],
        "support/tickets": [
            *(ticket("deleted", "open") for _ in first),
            ticket("closed since", "open" if is_first else "closed"),
            ticket("marked", "open", is_deleted="1"),
        ],
        "web/events": [page_view("2026-06-19 10:00:00"), *(page_view("2026-06-30 10:00:00") for _ in last)],
        "crm/contacts": [
            {"contact_id": "k", "email": address(name), "created_at": LONG_AGO, "_fivetran_active": is_active}
            for name, is_active in [("older", "false"), ("newer", "true")]
        ],
        "esp/profiles": [
            profile("buyer", "subscribed"),
            profile("unsubscribed", "unsubscribed", **DELETED),
            profile("complained", "subscribed", **DELETED),
            profile("bounced", "subscribed", **DELETED),
            profile("unticked", "subscribed"),
            profile("left", "subscribed", **({} if is_first else DELETED)),
        ],
        "esp/message_events": [
            event("complained", "complained", SINCE, **DELETED),
            event("bounced", "bounced", SINCE, bounce_type="hard", **DELETED),
            event("buyer", "delivered"), event("buyer", "clicked"),
            event("buyer", "delivered", SINCE, **DELETED),
            event("buyer", "sent", "2026-06-19 09:00:00"),
            *(event("buyer", "sent", "2026-06-30 09:00:00") for _ in last),
        ],
        "privacy/consent_events": [
            {
                "consent_event_id": "n", "email": address("denied"), "channel": "email",
                "purpose": "marketing_email", "status": "denied", "recorded_by": "preference_centre",
                "occurred_at": SINCE, "deleted_at": "2026-06-01 00:00:00",
            },
        ],
        "privacy/requests": [
            {
                "request_id": "q", "email": address("objecting"), "request_type": "objection",
                "status": "received", "received_at": SINCE, "is_deleted": "true",
            },
        ],
    }  # fmt: skip


class Shop(Warehouse):
    """A warehouse of these rows."""

    def build(self, day: int, *command: str) -> Run:
        folder = self.folder / f"day{day}"
        for table, rows in tables(day).items():
            columns = dict.fromkeys(column for row in rows for column in row)
            write_table(folder / f"{table}.csv", rows, columns)
        sources: dict[str, Any] = {
            source: {"files": f"{folder}/{source}/{{table}}.csv", "absent": absent}
            for source, absent in {
                "shop": ["products"], "support": [], "web": [], "esp": ["campaigns"], "privacy": [],
                "crm": ["opportunities"],
            }.items()
        }  # fmt: skip
        return self.dbt(*(command or ("build", *NO_UNIT_TESTS)), as_of=DAYS[day], **sources)

    def allowed(self) -> set[str]:
        """The customers who opted in to marketing mail."""
        found = self.rows(
            "select split_part(email, '@', 1) from consents inner join customers using (customer_id) "
            "where channel = 'email' and purpose = 'marketing_email' and is_allowed"
        )
        return {name for (name,) in found}


@pytest.fixture(scope="module")
def days(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Shop, set[str]]]:
    """The shop after both builds, and the customers who had opted in after the first."""
    shop = Shop(tmp_path_factory.mktemp("days"))
    run = shop.build(0)
    assert run.ok, run.output[-5_000:]
    allowed = shop.allowed()
    run = shop.build(1)
    assert run.ok, run.output[-5_000:]
    yield shop, allowed


def test_orders_are_as_in_the_source_today(days: tuple[Shop, set[str]]) -> None:
    shop, _ = days
    found = shop.rows("select order_id, n_lines, cast(net_revenue as varchar) from orders")
    assert {key: (n_lines, amount) for key, n_lines, amount in found} == {
        "line taken out": (1, "50.00"), "line moved away": (1, "10.00"), "line moved here": (2, "25.00"),
        "price put right": (1, "80.00"), "late": (0, "50.00"), "refund deleted": (1, "40.00"),
        "cancelled": (0, "0.00"), "of another account": (0, "70.00"), "of yesterday": (0, "1.00"),
        "marked in time to come": (0, "1.00"), "new version": (0, "2.00"), "log, and back again": (0, "3.00"),
    }  # fmt: skip
    assert shop.rows("select ticket_id, ticket_status from customer_tickets") == [("closed since", "closed")]
    assert shop.rows("select email from customers where email like '%er@mail.example' order by email") == [
        (address("buyer"),), (address("newer"),), (address("tester"),),
    ]  # fmt: skip


def test_the_daily_activity_of_a_customer_follows(days: tuple[Shop, set[str]]) -> None:
    shop, _ = days
    by_customer = """
        select split_part(any_value(email), '@', 1), sum(days.n_orders), cast(sum(days.revenue) as varchar)
        from customer_daily_activity as days inner join customers using (customer_id)
        group by customer_id having sum(days.n_orders) > 0 order by 1
    """
    assert shop.rows(by_customer) == [("buyer", 10, "262.00"), ("left", 1, "70.00")]


def test_rows_with_a_mark_are_listed_with_the_reason(days: tuple[Shop, set[str]]) -> None:
    shop, _ = days
    found = shop.rows("select source_name || '.' || table_name, row_key, reason from rejected_rows")
    assert sorted(found) == sorted(
        [
            ("shop.customers", "unticked", "deleted by the loader"),
            ("shop.customers", "removed", "deleted by the loader"),
            *(("shop.orders", key, "deleted by the loader") for key in ["marked", "marked since"]),
            *(("shop.orders", key, "deleted by the loader") for key in ["log", "log", "new version"]),
            ("shop.orders", "log, and back again", "deleted by the loader"),
            ("shop.orders", "test", "a test order"),
            ("shop.order_lines", "r2", "deleted by the loader"),
            ("shop.order_lines", "x1", "its order is a test order"),
            ("shop.order_lines", "x2", "its order is deleted by the loader"),
            ("shop.refunds", "marked", "deleted by the loader"),
            ("shop.refunds", "of a test", "its order is a test order"),
            ("support.tickets", "marked", "deleted in its system"),
            ("crm.contacts", "k", "an older version"),
            *(("esp.profiles", key, "deleted by the loader") for key in ["unsubscribed", "complained"]),
            *(("esp.profiles", key, "deleted by the loader") for key in ["bounced", "left"]),
            ("esp.message_events", f"buyer delivered {SINCE}", "deleted by the loader"),
            ("esp.message_events", f"bounced bounced {SINCE}", "its profile is deleted by the loader"),
            ("esp.message_events", f"complained complained {SINCE}", "its profile is deleted by the loader"),
            ("privacy.consent_events", "n", "deleted in its system"),
            ("privacy.requests", "q", "deleted in its system"),
        ]
    )  # fmt: skip


def test_a_deleted_opt_out_still_counts_and_a_deleted_opt_in_does_not(days: tuple[Shop, set[str]]) -> None:
    shop, before = days
    assert before == {"buyer", "bounced", "left", "removed"}
    assert shop.allowed() == {"buyer", "bounced"}
    reasons = """
        select split_part(email, '@', 1), rule from suppressions inner join customers using (customer_id)
        where rule in ('hard_bounce', 'erased_or_objecting')
    """
    assert sorted(shop.rows(reasons)) == [("bounced", "hard_bounce"), ("objecting", "erased_or_objecting")]


def test_errors_of_equal_size_do_not_cancel_out(days: tuple[Shop, set[str]]) -> None:
    """One order is missing from the public table, and another with its amount is there twice."""
    shop, _ = days
    with duckdb.connect(str(shop.folder / "warehouse.duckdb")) as connection:
        connection.execute(
            "update orders set order_id = 'line taken out' where order_id = 'late' and net_revenue = 50"
        )
    run = shop.build(1, "test", "--select", "test_type:singular,path:tests/quality")
    failed = {name for name, (status, _) in run.results.items() if status == "fail"}
    assert failed == {"every_raw_key_is_kept_or_set_aside"}
    for words in ("1 key read more often than", "such as late", "1 key kept or set aside more often"):
        assert words in run.output

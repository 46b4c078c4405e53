"""Tills, marketplaces and placeholder addresses over two days: no customers, and no person is lost."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from conftest import Warehouse, write_table

pytestmark = [pytest.mark.slow, pytest.mark.deep]

TABLES = {
    "shop/customers": "customer_id email first_name last_name created_at",
    "shop/orders": "order_id customer_id email phone first_name last_name status total_amount ordered_at",
    "shop/refunds": "refund_id order_id customer_id amount refunded_at",
    "esp/profiles": "profile_id external_id email subscription_status created_at",
    "privacy/requests": "request_id email customer_id request_type status received_at",
}
Row = dict[str, Any]
NAMES = ["Anna", "Ben", "Cleo", "Dora", "Emil", "Finn", "Gina", "Hugo", "Ida"]
BUILD = [
    "build", "--select", "+customers", "+source_reconciliation", "+customer_id_changes", "+erasure_requests",
    "+refused_mailboxes", "+identity_issues", "--indirect-selection", "cautious",
    "--exclude-resource-type", "unit_test",
]  # fmt: skip
BUYERS = "select email, n_orders::int from customers where n_orders > 0 order by email"
SHAPES = """
    select subject_type || ' ' || subject, why from identity_issues where issue_type = 'not a person'
"""


def account(key: str, email: str | None, first: str | None = None, last: str | None = None) -> Row:
    return {
        "customer_id": key,
        "email": email,
        "first_name": first,
        "last_name": last,
        "created_at": "2025-01-01",
    }


def orders(n: int, prefix: str, every_days: int = 1, **named: Any) -> Iterator[Row]:
    """n orders. A list has one value per order."""
    for i in range(n):
        day = i * every_days
        row = {key: value[i] if isinstance(value, list) else value for key, value in named.items()}
        yield {
            "order_id": f"{prefix}{i}", "status": "paid", "total_amount": "10",
            "ordered_at": f"{2025 + day // 336}-{1 + day // 28 % 12:02}-{1 + day % 28:02} 12:00:00", **row,
        }  # fmt: skip


ACCOUNTS = [
    account("K1", "kasse-2@shop.example", "Kasse", "Berlin"),
    account("4", "till.linde@mail.example", "Anna", "Till"),
    account("5", "till@linde.example", "Till", "Linde"),
    account("6", "whole@sale.example", "Wim"),
    account("7", "connector@shop.example"),
    account("8", "late@shop.example", "Kurt"),
]
FIRST_DAY = [
    *orders(9, "till-", customer_id="K1"),
    *orders(9, "anna-", customer_id="4"),
    *orders(9, "linde-", customer_id="5"),
    *orders(40, "whole-", customer_id="6"),
    *orders(
        9,
        "market-",
        7,
        customer_id="7",
        email=[f"b{i}@relay.example" for i in range(9)],
        first_name=NAMES,
    ),
    *orders(9, "none-", 14, email="none@till.example", first_name=NAMES),
    *orders(9, "guest-", email="guest-12@till.example"),
    *orders(9, "phone-", 14, phone="030 555 0001", first_name=NAMES),
    *orders(1, "named-", email="none@till.example", phone="0151 2345670", first_name="Zoe"),
    *orders(7, "late-", 7, customer_id="8", email=[f"l{i}@relay.example" for i in range(7)]),
    *orders(9, "slow-", 60, email="pos@slow.example"),
]
SECOND_DAY = [
    *FIRST_DAY,
    *orders(1, "later-", customer_id="8", email="l7@relay.example", ordered_at="2026-08-01"),
    *orders(1, "till-more-", customer_id="K1", first_name="Olga", ordered_at="2026-08-01"),
]
PEOPLE = [
    ("pos@slow.example", 9), ("till.linde@mail.example", 9), ("till@linde.example", 9),
    ("whole@sale.example", 40),
    *((f"b{i}@relay.example", 1) for i in range(9)),
]  # fmt: skip


def build(folder: Path, shop_orders: list[Row], requests: list[Row]) -> Warehouse:
    rows: dict[str, list[Row]] = {
        "shop/customers": ACCOUNTS,
        "shop/orders": shop_orders,
        "shop/refunds": [
            {"refund_id": "r", "order_id": "till-0", "amount": "1", "refunded_at": "2025-03-01"},
        ],
        "esp/profiles": [
            {"profile_id": "p1", "external_id": "K1", "email": "kasse-2@shop.example",
             "created_at": "2025-01-01", "subscription_status": "unsubscribed"},
            {"profile_id": "p2", "external_id": "K1", "email": "b0@relay.example",
             "created_at": "2025-01-01"},
        ],
        "privacy/requests": requests,
    }  # fmt: skip
    for table, columns in TABLES.items():
        write_table(folder / f"{table}.parquet", rows[table], columns.split())
    files = {
        system: {"files": f"{folder}/{system}/{{table}}.parquet"} for system in ("shop", "esp", "privacy")
    }
    warehouse = Warehouse(folder)
    run = warehouse.dbt(
        *BUILD,
        crm="absent", web="absent", support="absent",
        shop={**files["shop"], "absent": ["products", "order_lines"]},
        esp={**files["esp"], "absent": ["campaigns", "message_events"]},
        privacy={**files["privacy"], "absent": ["consent_events"]},
    )  # fmt: skip
    assert run.ok, run.output
    return warehouse


def test_two_days_of_tills_and_marketplaces(tmp_path: Path) -> None:
    day = build(tmp_path, FIRST_DAY, [])
    with_late = [("late@shop.example", 7), *PEOPLE]
    buyers = day.rows(BUYERS)
    assert sorted(row for row in buyers if row[0]) == sorted(with_late)
    assert [n for email, n in buyers if email is None] == [1], "Zoe is known by her phone number"
    found = {
        "email connector@shop.example": "the address of account 7, which is not a person",
        "email guest-12@till.example": "more than 7 orders in 30 days, and it is called guest",
        "email kasse-2@shop.example": "the address of account K1, which is not a person",
        "email none@till.example": "more than 7 names on its orders",
        "phone +49305550001": "more than 7 names on its orders",
        "shop_customer_id 7": "more than 7 names on its orders",
        "shop_customer_id K1": "more than 7 orders in 30 days, and it is called kasse",
    }
    assert dict(day.rows(SHAPES)) == found
    set_aside = (
        "select table_name, n_rows::int, amount::int from source_reconciliation"
        " where reason like '%no person'"
    )
    assert sorted(day.rows(set_aside), key=str) == [
        ("customers", 2, None), ("orders", 36, 360), ("profiles", 1, None), ("refunds", 1, 1),
    ]  # fmt: skip
    # A profile with the till's account is not the till, and is not joined to others with it.
    assert day.rows("select n_records::int from customers where email = 'b0@relay.example'") == [(2,)]
    # The till's mailbox has opted out, and no ESP may write to it.
    assert ("kasse-2@shop.example",) in day.rows("select distinct widest_mailbox from refused_mailboxes")

    ids: dict[str, str] = dict(day.rows("select email, customer_id from customers where email is not null"))
    requests = [
        {"request_id": "q1", "email": "b3@relay.example", "request_type": "erasure", "status": "received",
         "received_at": "2026-06-01"},
        {"request_id": "q2", "customer_id": "7", "request_type": "erasure", "status": "received",
         "received_at": "2026-06-01"},
        {"request_id": "q3", "email": "none@till.example", "request_type": "erasure", "status": "received",
         "received_at": "2026-06-01"},
    ]  # fmt: skip
    build(tmp_path, SECOND_DAY, requests)
    assert dict(day.rows("select request_id, outcome from erasure_requests")) == {
        "q1": "erased", "q2": "names no customer", "q3": "names no customer",
    }  # fmt: skip
    left = [
        *(row for row in PEOPLE if row[0] != "b3@relay.example"),
        *((f"l{i}@relay.example", 1) for i in range(8)),
    ]
    assert sorted(row for row in day.rows(BUYERS) if row[0]) == sorted(left)
    assert dict(day.rows(SHAPES)) == {
        **found, "shop_customer_id 8": "more than 7 addresses or phone numbers on its orders",
    }  # fmt: skip
    after: dict[str, str] = dict(day.rows("select email, customer_id from customers where email is not null"))
    assert all(after[email] == ids[email] for email in after if email in ids)
    changes = day.rows("select old_customer_id, change_type from customer_id_changes")
    assert sorted(changes) == sorted(
        [(ids["b3@relay.example"], "erasure"), (ids["late@shop.example"], "removal")]
    )

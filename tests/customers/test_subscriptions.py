"""Renewals and subscriptions of a small shop: a renewal is revenue, not an order of a person."""

from pathlib import Path
from typing import Any

import pytest

from conftest import Warehouse, write_table

pytestmark = [pytest.mark.slow, pytest.mark.deep]

TABLES = {
    "shop/customers": "customer_id email created_at",
    "shop/products": "product_id name category price is_replenishable created_at",
    "shop/orders": "order_id customer_id email status total_amount ordered_at",
    "shop/order_lines": "order_line_id order_id product_id quantity unit_price",
    "billing/subscriptions": "subscription_id customer_id email product_id status interval_days"
    " next_charge_at cancelled_at",
    "billing/subscription_orders": "order_id subscription_id is_renewal",
    "privacy/requests": "request_id customer_id request_type status received_at",
}
AS_OF = "2026-07-01 00:00:00"
PEOPLE = ("runs", "cancelled", "buys", "erased")
Row = dict[str, Any]


def rows() -> dict[str, list[Row]]:
    """Four people who buy coffee on the first of each month from January, three of them by subscription."""
    ordered = [(who, month) for who in PEOPLE for month in range(1, 7) if (who, month) != ("cancelled", 6)]
    return {
        "shop/customers": [
            {"customer_id": who, "email": f"{who}@x.de", "created_at": "2025-01-01"} for who in PEOPLE
        ],
        "shop/products": [
            {"product_id": "p", "name": "Beans", "category": "Coffee", "price": "10",
             "is_replenishable": "true", "created_at": "2025-01-01"}
        ],
        "shop/orders": [
            {"order_id": f"{who}-{month}", "customer_id": who, "status": "paid", "total_amount": "10",
             "ordered_at": f"2026-0{month}-01 03:00:00"}
            for who, month in ordered
        ],
        "shop/order_lines": [
            {"order_line_id": f"{who}-{month}", "order_id": f"{who}-{month}", "product_id": "p",
             "quantity": "1", "unit_price": "10"}
            for who, month in ordered
        ],
        "billing/subscriptions": [
            {"subscription_id": "s1", "customer_id": "runs", "product_id": "p", "status": "ACTIVE",
             "interval_days": "30", "next_charge_at": "2026-07-02 03:00:00"},
            {"subscription_id": "s2", "email": "cancelled@x.de", "product_id": "p", "status": "Canceled",
             "cancelled_at": "2026-05-20"},
            {"subscription_id": "s3", "customer_id": "erased", "status": "active"},
            {"subscription_id": "s4", "email": "stranger@x.de", "status": "active"},
            {"subscription_id": "s5", "status": "active"},
        ],
        "billing/subscription_orders": [
            *({"order_id": f"runs-{month}", "subscription_id": "s1"} for month in range(1, 7)),
            *({"order_id": f"cancelled-{month}", "subscription_id": "s2",
               "is_renewal": str(month > 1).lower()}
              for month in range(1, 6)),
            *({"order_id": f"erased-{month}", "subscription_id": "s3"} for month in range(1, 7)),
        ],
        # Renewals after the erasure do not bring the customer back.
        "privacy/requests": [
            {"request_id": "q", "customer_id": "erased", "request_type": "erasure", "status": "received",
             "received_at": "2026-05-15"}
        ],
    }  # fmt: skip


def test_a_renewal_counts_as_revenue_but_not_as_interest(tmp_path: Path) -> None:
    for table, table_rows in rows().items():
        write_table(tmp_path / f"{table}.csv", table_rows, TABLES[table].split())
    files: dict[str, Any] = {
        system: {"files": f"{tmp_path}/{system}/{{table}}.csv"} for system in ("shop", "billing", "privacy")
    }
    files["shop"]["absent"] = ["refunds"]
    files["privacy"]["absent"] = ["consent_events"]
    warehouse = Warehouse(tmp_path)
    run = warehouse.dbt(
        "build", "--exclude-resource-type", "unit_test",
        as_of=AS_OF, crm="absent", web="absent", support="absent", esp="absent", **files,
    )  # fmt: skip
    assert run.ok, run.output
    assert sorted(warehouse.rows(
        """
        select replace(email, '@x.de', ''), customers.n_orders::int, n_renewals::int, net_revenue::int,
            average_order_value::int, customers.last_ordered_at::date::varchar, n_active_subscriptions::int,
            next_charge_at::date::varchar, last_cancelled_at::date::varchar, stage, is_due
        from customers
        inner join lifecycle_stages using (customer_id)
        left join replenishment_scores using (customer_id)
        """
    )) == [
        ("buys", 6, 0, 60, 10, "2026-06-01", 0, None, None, "active", True),
        ("cancelled", 1, 4, 50, 10, "2026-01-01", 0, None, "2026-05-20", "lapsed", False),
        ("runs", 1, 5, 60, 10, "2026-01-01", 1, "2026-07-02", None, "active", None),
    ]  # fmt: skip
    assert warehouse.rows(
        "select subscription_id, subscription_status, n_renewals::int from subscriptions order by 1"
    ) == [("s1", "active", 5), ("s2", "cancelled", 4)]
    assert sorted(warehouse.rows(
        "select outcome, reason, n_rows::int from source_reconciliation where table_name = 'subscriptions'"
    ), key=str) == [
        ("in", None, 5), ("kept", None, 2),
        ("set aside", "its customer is not kept", 1),
        ("set aside", "no customer_id, email to identify the customer", 1),
        ("set aside", "of an erased person", 1),
    ]  # fmt: skip
    assert warehouse.rows(
        "select count(*)::int, sum(n_orders)::int, sum(revenue)::int from customer_daily_activity"
        " where revenue > 0"
    ) == [(17, 8, 170)]

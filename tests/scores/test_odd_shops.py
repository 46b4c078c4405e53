"""Unusual shops: every score has a state and a reason, no number is NaN, and nothing breaks."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from conftest import Warehouse, write_table

pytestmark = [pytest.mark.slow, pytest.mark.deep]

AS_OF = date(2026, 7, 1)
PEOPLE = 600  # more than the 500 from which models are trained
ABSENT = ("crm", "web", "support", "esp", "privacy")
SCORES = (
    "churn_scores", "value_scores", "next_order_scores", "send_time_scores", "recommendations",
    "category_intent_scores", "replenishment_scores", "lookalike_scores", "model_drift",
)  # fmt: skip
UNSCORED_STATES = ("'refused_profiling'", "'nothing_to_learn_from'")
Orders = list[dict[str, Any]]


def order(person: int, days_ago: int, amount: str = "10.00") -> dict[str, Any]:
    return {
        "order_id": f"o{person}-{days_ago}",
        "customer_id": f"p{person}",
        "total_amount": amount,
        "ordered_at": AS_OF - timedelta(days=days_ago),
    }


def paces(people: int) -> Orders:
    """Orders of equal amounts. One person in three orders once, the others every 20 to 70 days."""
    return [
        order(person, days_ago)
        for person in range(people)
        for first in [1 + 37 * person % 500]
        for days_ago in ([first] if person % 3 == 0 else range(first, 700, 20 + person % 51))
    ]


def odd_orders(people: int) -> Orders:
    return [
        *paces(people),
        *(order(person, 5 + person % 40, "-25.00") for person in range(0, people, 5)),
        *(order(person, -300) for person in range(0, people, 7)),
        *(order(person, 60 + person % 40, "NaN") for person in range(0, people, 11)),
        *(order(person, 150, "99999999999.99") for person in range(0, people, 200)),
    ]


def full_refunds(orders: Orders) -> list[dict[str, Any]]:
    return [
        {
            "refund_id": f"r{row['order_id']}",
            "order_id": row["order_id"],
            "amount": row["total_amount"],
            "refunded_at": row["ordered_at"] + timedelta(days=1),
        }
        for row in orders
    ]


SHOPS: dict[str, tuple[Orders, list[dict[str, Any]]]] = {
    "one customer": ([order(1, 30)], []),
    "all orders are refunded": (paces(PEOPLE), full_refunds(paces(PEOPLE))),
    "equal amounts, some negative, NaN, enormous or in the future": (odd_orders(PEOPLE), []),
}


@pytest.fixture(scope="module", params=SHOPS, ids=lambda name: name.replace(" ", "_"))
def built(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    folder: Path = tmp_path_factory.mktemp("odd_shop")
    orders, refunds = SHOPS[request.param]
    people = sorted({row["customer_id"] for row in orders})
    write_table(
        folder / "shop/customers.csv",
        [{"customer_id": who, "email": f"{who}@x.de", "created_at": "2024-01-01"} for who in people],
        ["customer_id", "email", "created_at"],
    )
    write_table(folder / "shop/orders.csv", orders, ["order_id", "customer_id", "total_amount", "ordered_at"])
    write_table(folder / "shop/refunds.csv", refunds, ["refund_id", "order_id", "amount", "refunded_at"])
    warehouse = Warehouse(folder)
    run = warehouse.dbt(
        "build", "--select", *(f"+{name}" for name in (*SCORES, "model_registry")), "tests/scores",
        "--exclude-resource-type", "unit_test", "--indirect-selection", "cautious",
        as_of=f"{AS_OF} 00:00:00",
        shop={"files": f"{folder}/shop/{{table}}.csv", "absent": ["products", "order_lines"]},
        **dict.fromkeys(ABSENT, "absent"),
    )  # fmt: skip
    assert run.ok, run.output
    return warehouse


def test_no_number_is_nan_or_infinite(built: Warehouse) -> None:
    for table in SCORES:
        numbers = [
            name
            for name, kind, *_ in built.rows(f"describe {table}")
            if kind.startswith(("DOUBLE", "DECIMAL"))
        ]
        for name in numbers:
            found = built.rows(f"select count(*) from {table} where not isfinite(cast({name} as double))")
            assert found == [(0,)], f"{table}.{name}"


def test_every_customer_has_a_state_and_every_score_a_reason(built: Warehouse) -> None:
    (n_buyers,) = built.rows("select count(*) from customers where n_orders > 0")[0]
    for table in ("churn_scores", "value_scores", "next_order_scores", "send_time_scores"):
        rows = built.rows(f"""
            select
                count(*), count(state),
                count(case when reason is null and state not in ({", ".join(UNSCORED_STATES)}) then 1 end)
            from {table}
        """)
        ((n_rows, n_states, n_without_reason),) = rows
        assert n_rows >= n_buyers and n_states == n_rows and n_without_reason == 0, f"{table}: {rows}"
    assert built.rows("select model_name from model_registry where coalesce(reason, '') = ''") == []


def test_expected_revenue_is_never_negative_or_absurd(built: Warehouse) -> None:
    rows = built.rows("select min(expected_revenue_365d), max(expected_revenue_365d) from value_scores")
    lowest, highest = rows[0]
    assert lowest is None or (lowest >= 0 and highest < 1e11)

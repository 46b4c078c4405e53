"""The customers that an experiment needs, by a shop's own last weeks."""

from datetime import datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from mailroom.measurement.intervals import needed_customers
from mailroom.measurement.plan import as_text, plan

NOW = datetime(2026, 7, 1)
N = 400


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A quarter of 400 customers ordered for 20 in the last week, and the same ones in each week before."""
    path = tmp_path / "shop.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute("""
            create table field_checks (checked_at timestamp);
            create table field_dictionary (n integer);
            create table customers (customer_id varchar);
            create table contactability (
                customer_id varchar, channel varchar, message_class varchar, is_allowed boolean
            );
            create table orders (
                customer_id varchar, ordered_at timestamp, net_revenue decimal(18, 2), is_sale boolean,
                is_renewal boolean
            );
            create table email_events (
                customer_id varchar, event_type varchar, is_machine boolean, occurred_at timestamp
            );
        """)
        connection.execute("insert into field_checks values (?)", [NOW])
        for number in range(N):
            connection.execute("insert into customers values (?)", [f"c{number}"])
            connection.execute(
                "insert into contactability values (?, 'email', 'promotional', ?)",
                [f"c{number}", number % 2 == 0],
            )
            for week in range(20 if number % 4 == 0 else 0):
                at = NOW - timedelta(days=7 * week, hours=1)
                connection.execute("insert into orders values (?, ?, 20, true, false)", [f"c{number}", at])
        connection.execute(
            "insert into orders values ('c1', ?, 9999, true, false)", [NOW + timedelta(hours=1)]
        )
        connection.execute("insert into email_events values ('c2', 'clicked', true, ?)", [NOW])
    return path


def test_it_is_the_formula_over_what_the_customers_did(shop: Path) -> None:
    found = plan(shop, "ordered", 0.1, 0.5, "everyone")
    one_week = found.windows[0]
    assert found.customers == N and one_week.mean == 0.25
    # Who ordered before orders again, so that spend before explains everything.
    assert one_week.saved == pytest.approx(1) and one_week.needed == 0
    revenue = plan(shop, "net_revenue", 0.1, 0.5, "contactable")
    assert revenue.customers == N // 2 and revenue.windows[1].mean == pytest.approx(20)


def test_without_a_history_the_needed_customers_are_those_of_the_formula(shop: Path) -> None:
    with duckdb.connect(str(shop)) as connection:
        connection.execute("delete from orders where ordered_at < timestamp '2026-06-30'")
    found = plan(shop, "ordered", 0.1, 0.2, "everyone")
    variance = 0.25 * 0.75 * N / (N - 1)
    assert found.windows[0].needed == pytest.approx(needed_customers(variance, 0.025, 0.2), abs=1)
    assert found.weeks is None and "at best, " in as_text(found, "ordered", 0.1)
    assert plan(shop, "ordered", 5, 0.5, "everyone").weeks == 1


def test_a_measure_that_never_happens_needs_what_no_one_can_say(shop: Path) -> None:
    found = plan(shop, "clicked", 0.1, 0.2)
    assert {window.needed for window in found.windows} == {None}
    assert "cannot say" in as_text(found, "clicked", 0.1)


@pytest.mark.parametrize(
    ("measure", "lift", "share", "population", "words"),
    [
        ("joy", 0.1, 0.2, "everyone", "measure joy"),
        ("ordered", 0, 0.2, "everyone", "a lift above 0"),
        ("ordered", 0.1, 1, "everyone", "between 0 and 1"),
        ("ordered", 0.1, 0.2, "friends", "population friends"),
    ],
)
def test_a_wrong_question_is_an_error(
    shop: Path, measure: str, lift: float, share: float, population: str, words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        plan(shop, measure, lift, share, population)

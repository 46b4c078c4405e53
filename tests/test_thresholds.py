"""mailroom thresholds on the rhythms of three shops, and the macros of stages and rest days on the same."""

import json
import random
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml
from jinja2 import Environment

from conftest import PROJECT, Warehouse
from mailroom.cli import main
from mailroom.thresholds import STAGE_PARTS, Report, Shop, report, stage_sizes
from mailroom.warehouse import opened

AS_OF = date(2026, 7, 1)
VARS: dict[str, Any] = yaml.safe_load((PROJECT / "dbt_project.yml").read_text())["vars"]
Orders = list[tuple[str, date]]


def histories(
    people: int, years: float, usual: Callable[[random.Random], float], once: float, leaving: float
) -> Orders:
    """Order days of customers. usual: days between orders of one customer. once: share with one order.
    leaving: chance to stop after an order. One gap in thirty has a holiday in it."""
    chance = random.Random(7)
    found = []
    for number in range(people):
        day = AS_OF - timedelta(days=chance.randrange(1, int(365 * years)))
        own = usual(chance)
        stays = chance.random() >= once
        while day < AS_OF:
            found.append((f"c{number}", day))
            if not stays or chance.random() < leaving:
                break
            gap = own * chance.uniform(0.7, 1.3) + (chance.uniform(10, 28) if chance.random() < 1 / 30 else 0)
            day += timedelta(days=max(1, round(gap)))
    return found


SHOPS: dict[str, Callable[[], Orders]] = {
    # Most twice a week, some weekly, a few monthly.
    "grocer": lambda: histories(400, 0.75, lambda chance: chance.choice([3.5, 3.5, 7, 30]), 0.05, 0.012),
    "fashion": lambda: histories(600, 4, lambda chance: chance.uniform(60, 120), 0.4, 0.15),
    "furniture": lambda: histories(900, 12, lambda chance: chance.uniform(365, 1095), 0.5, 0.2),
}


def expected_shares() -> list[tuple[str, float, float]]:
    """The expected share of every segment, from its YAML."""
    return [
        (model["name"], *model["config"]["meta"]["expected_share"])
        for path in sorted((PROJECT / "models" / "segments").glob("*/_*.yml"))
        for model in yaml.safe_load(path.read_text())["models"]
        if "expected_share" in model.get("config", {}).get("meta", {})
    ]


def built(
    orders: Orders, path: str = ":memory:", variables: Mapping[str, Any] | None = None
) -> duckdb.DuckDBPyConnection:
    """The tables that proposals are made from. Every order has a discount, and one product is refilled."""
    connection = duckdb.connect(path)
    values = [(name, json.dumps(value)) for name, value in {**VARS, **(variables or {})}.items()]
    for table, columns, rows in (
        ("days", ("customer_id", "ordered_on"), orders),
        ("segment_thresholds", ("threshold", "value"), values),
        ("segment_catalog", ("segment", "min_expected_share", "max_expected_share"), expected_shares()),
    ):
        unnested = ", ".join(f"unnest(?) as {column}" for column in columns)
        connection.execute(
            f"create table {table} as select {unnested}", [list(column) for column in zip(*rows, strict=True)]
        )
    connection.execute(f"""
        create table segment_health as select timestamp '{AS_OF}' as checked_at;
        create table orders as
        select
            customer_id, true as is_sale, cast(ordered_on as timestamp) + interval 10 hour as ordered_at,
            row_number() over one as sale_number,
            ordered_on - lag(ordered_on) over one as days_since_previous_order
        from days
        window one as (partition by customer_id order by ordered_on);
        create table customers as
        with spaced as (
            select *, row_number() over (partition by customer_id order by ordered_at desc) as newest_first
            from orders
        )
        select
            customer_id, count(*) as n_orders, max(ordered_at) as last_ordered_at,
            case
                when count(days_since_previous_order) >= {VARS["rhythm_min_intervals"]}
                    then median(days_since_previous_order)
                        filter (newest_first <= {VARS["rhythm_newest_intervals"]})
            end as usual_days_between_orders
        from spaced
        group by customer_id;
        create table lifecycle_stages as
        select customer_id, n_orders, date '{AS_OF}' - cast(last_ordered_at as date) as days_since_last_order
        from customers;
        create table customer_daily_activity as
        select customer_id, ordered_on as activity_on, 1 as n_orders, 0 as n_sessions, 0 as n_human_clicks
        from days;
        create table engagement_tiers as
        select
            customer_id, 0 as n_actions_30d, days_since_last_order as days_since_last_action,
            null::bigint as days_since_last_open
        from lifecycle_stages;
        create table rfm_scores as
        select customer_id, n_orders, n_orders as n_discounted_orders from customers;
        create table categories as select 'Milk' as category, false as is_sensitive;
        create table customer_products as
        select customer_id, 'Milk' as category, n_orders as interest from customers;
        create table replenishment_scores as
        select customer_id, usual_days_between_orders as rhythm_days, days_since_last_order
        from customers inner join lifecycle_stages using (customer_id);
    """)
    return connection


def proposed(found: Report) -> dict[str, float]:
    """Proposed values by threshold."""
    return {one.threshold: one.proposed for one in found.proposals if one.proposed is not None}


def share_of_buyers(found: Report, threshold: str) -> tuple[float, float]:
    """Shares of buyers that a threshold selects, with the current and with the proposed value."""
    (one,) = (one for one in found.proposals if one.threshold == threshold)
    assert one.n_then is not None
    return one.n_now / found.n_buyers, one.n_then / found.n_buyers


@pytest.fixture(scope="module")
def reports() -> dict[str, Report]:
    return {name: report(built(orders())) for name, orders in SHOPS.items()}


def test_stages_of_each_shop_follow_its_own_rhythm(reports: dict[str, Report]) -> None:
    for name, fewest, most in (("grocer", 28, 35), ("furniture", 700, 1_100)):
        first, active, at_risk, lapsed = (proposed(reports[name])[stage] for stage in STAGE_PARTS)
        assert fewest <= active <= most and 3 * first <= active == at_risk / 2 == lapsed / 4


def test_a_shop_keeps_days_that_fit(reports: dict[str, Report]) -> None:
    kept = [one for one in reports["fashion"].proposals if one.threshold in STAGE_PARTS]
    assert [one.proposed for one in kept] == [None] * 4
    assert all(one.because.startswith("kept: ") for one in kept)


def test_a_grocers_active_customers_are_neither_nearly_all_nor_few(reports: dict[str, Report]) -> None:
    now, then = share_of_buyers(reports["grocer"], "active_days")
    assert now > 0.8
    assert 0.2 < then < 0.8


def test_a_furniture_shops_customers_are_not_lapsed_between_two_sofas(reports: dict[str, Report]) -> None:
    now, then = share_of_buyers(reports["furniture"], "active_days")
    assert now < 0.1 < then


def test_no_share_is_proposed_if_every_order_has_a_discount(reports: dict[str, Report]) -> None:
    for found in reports.values():
        (one,) = (one for one in found.proposals if one.threshold == "discount_driven_min_share")
        assert one.proposed is None and one.because.startswith("kept: no value gives the expected size; 0.05")


def test_a_twice_weekly_shopper_is_due_for_a_refill_at_all(reports: dict[str, Report]) -> None:
    assert VARS["replenishment_min_days"] > 3.5 * VARS["replenishment_until"]
    now, then = share_of_buyers(reports["grocer"], "replenishment_min_days")
    assert proposed(reports["grocer"])["replenishment_min_days"] <= 3 and then > now


def test_the_same_shop_gets_the_same_proposals(reports: dict[str, Report]) -> None:
    orders = SHOPS["fashion"]()
    random.Random(1).shuffle(orders)
    assert report(built(orders)) == reports["fashion"]


def test_a_shop_that_adopted_the_proposals_gets_the_same_again(reports: dict[str, Report]) -> None:
    for name, orders in SHOPS.items():
        again = report(built(orders(), variables=proposed(reports[name])))
        assert proposed(again) == {}
        assert any(one.because.startswith("kept: 80% of repeat orders") for one in again.proposals)


def test_a_small_shop_gets_no_proposals() -> None:
    small = built(histories(20, 1, lambda chance: 40, 0.3, 0.1))
    for emptied in (None, "orders", "customers"):
        if emptied:
            small.execute(f"delete from {emptied}")
        found = report(small)
        assert proposed(found) == {}
        assert all("are too few; " in one.because for one in found.proposals)


def macros(**variables: Any) -> Any:
    """The macros of stages and rest days, with these vars."""
    text = "".join((PROJECT / "macros" / name).read_text() for name in ("segments.sql", "suppression.sql"))
    return (
        Environment(extensions=["jinja2.ext.do"])
        .from_string(text)
        .make_module({"var": {**VARS, **variables}.__getitem__})
    )


@pytest.mark.parametrize("by_rhythm", [False, True])
@pytest.mark.parametrize("name", SHOPS)
def test_stages_are_counted_as_the_build_makes_them(name: str, by_rhythm: bool) -> None:
    connection = built(SHOPS[name]())
    stage = macros(lifecycle_by_own_rhythm=by_rhythm).lifecycle_stage(
        "stages.n_orders", "days_since_last_order", "usual_days_between_orders"
    )
    by_dbt = dict(
        connection.execute(
            f"""
                select {stage}, count(*)
                from lifecycle_stages as stages
                inner join customers using (customer_id)
                group by 1
            """
        ).fetchall()
    )
    days = {name: VARS[name] for name in STAGE_PARTS}
    assert stage_sizes(Shop(connection), days, by_rhythm) == by_dbt
    assert len(by_dbt) > 3


def test_a_month_of_holiday_is_no_lapse_by_own_rhythm() -> None:
    stage_days = macros(lifecycle_by_own_rhythm=True).stage_days
    with duckdb.connect() as connection:
        (at_risk,) = connection.execute(f"select {stage_days('at_risk', '3.5')}").fetchone() or ()
    assert at_risk > 31


@pytest.mark.parametrize(("share", "is_shut_out"), [(VARS["rest_rhythm_share"], False), (10, True)])
def test_frequent_buyers_can_be_mailed_between_two_orders(share: float, is_shut_out: bool) -> None:
    """On at least a fifth of the midnights between their last ten orders, no rest applies to them."""
    rest_hours = macros(rest_rhythm_share=share).rest_hours(
        VARS["conversion_rest_days"], "usual_days_between_orders"
    )
    shut_out = built(SHOPS["grocer"]()).execute(f"""
        with waits as (
            select
                customer_id,
                lead(ordered_at) over one as next_ordered_at,
                ordered_at,
                ordered_at + to_hours({rest_hours}) as open_at,
                row_number() over (partition by customer_id order by ordered_at desc) as newest_first
            from orders
            inner join customers using (customer_id)
            where n_orders > 20
            window one as (partition by customer_id order by ordered_at)
        )
        select customer_id from waits
        where newest_first between 2 and 11
        group by customer_id
        having
            sum(greatest(date_diff('day', open_at, next_ordered_at), 0))
            < 0.2 * sum(date_diff('day', ordered_at, next_ordered_at))
    """)
    assert len(shut_out.fetchall()) > 50 if is_shut_out else shut_out.fetchall() == []


def test_the_output_can_be_pasted_and_no_file_is_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "own.duckdb"
    monkeypatch.setenv("MAILROOM_DUCKDB_PATH", str(path))
    assert main(["thresholds"]) == 1
    assert "does not exist: build first" in capsys.readouterr().err
    built(SHOPS["grocer"](), str(path)).close()
    before = path.read_bytes()
    assert main(["thresholds"]) == 0
    output = capsys.readouterr().out
    block = yaml.safe_load(output[output.index("\nvars:\n") :])["vars"]
    assert block["active_days"] < VARS["active_days"] and set(block) <= set(VARS)
    assert path.read_bytes() == before and max(map(len, output.splitlines()[1:])) <= 120
    with duckdb.connect(str(path)) as connection:
        connection.execute("drop table segment_thresholds")
    assert main(["thresholds"]) == 1
    assert "was built by another version, so build it first" in capsys.readouterr().err


@pytest.mark.slow
def test_current_shares_of_the_demo_match_its_segments(demo: Warehouse) -> None:
    members: dict[str, int] = dict(
        demo.rows("select segment, count(*) from segment_candidates where may_enter group by 1")
    )
    with opened(demo.folder / "warehouse.duckdb") as connection:
        found = report(connection)
    compared = {one.segment: one.n_now for one in found.proposals if one.segment in found.usual}
    entering = {segment: members.get(segment, 0) for segment in compared}
    assert compared == entering and len(compared) > 7

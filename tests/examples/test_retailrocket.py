"""Retailrocket, built with the documented command: every visitor is a customer, and agrees with the file."""

from collections.abc import Iterator

import pytest
from built import Built, build_example, shared_file

pytestmark = [pytest.mark.slow, pytest.mark.deep]


@pytest.fixture(scope="module")
def clicks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Built]:
    file = shared_file("retailrocket/events.parquet")
    yield from build_example("retailrocket", file, tmp_path_factory.mktemp("retailrocket"))


def test_every_row_reaches_the_top_floor(clicks: Built) -> None:
    assert clicks.one("select count(*) from raw_file") == 97_381
    assert clicks.floor("views")[0] == "75,374"
    assert clicks.floor("cart adds")[0] == "12,456"
    assert clicks.floor("purchased items")[:3] == ["9,551", "6,959", "2,174"]
    assert "Every floor adds up to the file." in clicks.printed
    assert clicks.one("select count(*) from main.rejected_rows where not is_kept") == 0


def test_every_visitor_is_a_customer(clicks: Built) -> None:
    assert clicks.one("select count(*) from main.customers") == 2174
    assert clicks.one("select count(*) from main.customers where first_record_type = 'web_visitor'") == 2174
    assert clicks.one("select count(*) from main.customers where n_orders = 0") == 0


def test_every_order_has_its_purchase_event_and_the_same_customer(clicks: Built) -> None:
    assert clicks.one("select count(*) from main.orders") == 6959
    assert clicks.one("select sum(n_purchases) from main_internal.web_sessions") == 6959
    wrong = clicks.rows("""
        select orders.order_id
        from main.orders
        left join main_staging.stg_web__events as events
            on orders.order_id = events.order_id and events.event_type = 'purchase'
        left join main.customer_keys as keys on keys.record_key = 'web_visitor:' || events.visitor_id
        where keys.customer_id is distinct from orders.customer_id
    """)
    assert wrong == []


def test_every_customer_agrees_with_the_file(clicks: Built) -> None:
    # Rows of a purchase less than a minute apart are one order, at the first row's moment. The last 90 days
    # are those since 21 June. A session across midnight counts on the day it began.
    wrong = clicks.rows("""
        with purchases as (
            select
                visitor_idx,
                event_at,
                event_at - lag(event_at) over (partition by visitor_idx order by event_at) as gap
            from raw_file
            where event = 'transaction'
        ),

        orders as (
            select
                visitor_idx,
                count(*) filter (where gap is null or gap > interval 1 minute) as n_orders,
                min(event_at) as first_ordered_at
            from purchases
            group by visitor_idx
        ),

        events as (
            select
                visitor_idx,
                min(event_at) as first_seen_at,
                max(event_at) as last_seen_at,
                max(event_at) filter (where event = 'addtocart') as last_cart_add_at,
                count(*) filter (where event = 'view' and event_at >= '2015-06-22') as n_views_at_least,
                count(*) filter (where event = 'view' and event_at >= '2015-06-21') as n_views_at_most
            from raw_file
            group by visitor_idx
        )

        select events.visitor_idx
        from events
        inner join orders on events.visitor_idx = orders.visitor_idx
        inner join main.customer_keys as keys on keys.record_key = 'web_visitor:v' || events.visitor_idx
        left join main.customers on keys.customer_id = customers.customer_id
        where
            customers.n_orders is distinct from orders.n_orders
            or customers.first_ordered_at is distinct from orders.first_ordered_at
            or customers.first_seen_at is distinct from events.first_seen_at
            or customers.last_seen_at > events.last_seen_at
            or customers.last_seen_at < events.last_seen_at - interval 10 second
            or customers.last_cart_add_at is distinct from events.last_cart_add_at
            or customers.n_product_views_90d not between events.n_views_at_least and events.n_views_at_most
    """)
    assert wrong == []


def test_no_table_has_money_because_the_file_has_none(clicks: Built) -> None:
    assert clicks.rows("select sum(net_revenue), max(average_order_value) from main.customers") == [(0, 0)]
    assert clicks.one("select count(price) from main.products") == 0

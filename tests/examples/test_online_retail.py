"""Online Retail, built with the documented command: published figures, every customer against the file."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from built import Built, build_example, run_example, shared_file

pytestmark = [pytest.mark.slow, pytest.mark.deep]
CHARGES = "('POST', 'DOT', 'C2', 'BANK CHARGES', 'AMAZONFEE', 'CRUK')"
AMOUNT = "cast(round(quantity * cast(price as decimal(18, 4)), 2) as decimal(18, 2))"


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Built]:
    file = shared_file("online_retail/online_retail.parquet")
    yield from build_example("online_retail", file, tmp_path_factory.mktemp("online_retail"))


def test_the_published_figures_are_printed(shop: Built) -> None:
    assert shop.floor("every line") == ["541,909", "25,900", "4,372", "9,747,747.93"]
    assert "Every floor adds up to the file." in shop.printed


def test_money_and_lines_of_every_contract_table_reconcile(shop: Built) -> None:
    gaps = shop.rows("""
        select source_name, table_name
        from main.source_reconciliation
        group by 1, 2
        having
            sum(case when outcome = 'in' then n_rows else -n_rows end) <> 0
            or sum(case when outcome = 'in' then coalesce(amount, 0) else -coalesce(amount, 0) end) <> 0
    """)
    assert gaps == []


def test_no_known_customer_is_lost(shop: Built) -> None:
    assert shop.one("select count(distinct customer_id) from raw_file") == 4372
    assert shop.one("select count(*) from main.customers") == 4372
    only_cancelled = """
        select customer_id from raw_file where customer_id is not null
        group by 1 having bool_and(invoice like 'C%')
    """
    assert shop.one(f"select count(*) from ({only_cancelled})") == 33
    there = shop.one(f"""
        select count(*)
        from ({only_cancelled}) as raw_customers
        inner join main.customer_keys as keys on keys.record_id = cast(raw_customers.customer_id as varchar)
        inner join main.customers on keys.customer_id = customers.customer_id
        where customers.n_orders = 0
    """)
    assert there == 33


def test_lines_without_a_customer_are_set_aside_with_the_reason(shop: Built) -> None:
    assert shop.one("select count(*) from raw_file where customer_id is null") == 135_080
    reasons = shop.rows("""
        select table_name, reason, count(*), sum(amount)
        from main.rejected_rows
        where not is_kept and table_name in ('orders', 'refunds')
        group by all order by all
    """)
    assert [reason[:2] for reason in reasons] == [
        ("orders", "no customer_id, email, phone to identify the customer"),
        ("refunds", "no order_id, customer_id to identify the customer"),
    ]
    anonymous = shop.one(f"select sum({AMOUNT}) from raw_file where customer_id is null")
    assert reasons[0][3] - reasons[1][3] == anonymous


def test_customers_revenue_is_goods_less_refunds(shop: Built) -> None:
    # From the file: payments and refunds of known customers. Among charges only bank charges on an order with
    # goods count, as a line without a product.
    expected = shop.one(f"""
        select sum({AMOUNT})
        from raw_file
        left join main.orders on raw_file.invoice = orders.order_id
        where
            raw_file.customer_id is not null
            and (
                raw_file.stock_code not in {CHARGES}
                or raw_file.stock_code = 'BANK CHARGES' and orders.is_sale
            )
    """)
    assert shop.one("select sum(net_revenue) from main.customers") == expected


def test_every_customer_agrees_with_the_file(shop: Built) -> None:
    # Orders are invoices that are no cancellation, not free, not only charges, not cancelled within a day.
    wrong = shop.rows(f"""
        with sales as (
            select raw_file.*
            from raw_file
            inner join main.orders on raw_file.invoice = orders.order_id
            where orders.is_sale
        ),

        expected as (
            select
                cast(customer_id as varchar) as record_id,
                count(distinct invoice) as n_orders,
                min(invoice_date) at time zone 'Europe/London' at time zone 'UTC' as first_ordered_at,
                max(cast(invoice_date as date)) as last_ordered_on,
                sum({AMOUNT})
                    filter (where stock_code not in ('POST', 'DOT', 'C2')) as net_amount,
                case
                    when count(distinct cast(invoice_date as date)) > 1
                        then (max(cast(invoice_date as date)) - min(cast(invoice_date as date)))
                            / (count(distinct cast(invoice_date as date)) - 1)
                end as mean_days_between_orders
            from sales
            group by customer_id
        )

        select expected.record_id
        from expected
        inner join main.customer_keys as keys on expected.record_id = keys.record_id
        left join main.customers on keys.customer_id = customers.customer_id
        where
            customers.n_orders is distinct from expected.n_orders
            or customers.first_ordered_at is distinct from expected.first_ordered_at
            or cast(customers.last_ordered_at as date) is distinct from expected.last_ordered_on
            or abs(customers.average_order_value - greatest(customers.net_revenue, 0) / expected.n_orders)
            > 0.01
            or customers.net_revenue > expected.net_amount
            or (customers.mean_days_between_orders is null) <> (expected.mean_days_between_orders is null)
            or abs(customers.mean_days_between_orders - expected.mean_days_between_orders) > 1e-6
    """)
    assert wrong == []


def test_the_usual_time_between_orders_is_the_median_of_the_newest_ten(shop: Built) -> None:
    assert shop.one("select count(usual_days_between_orders) from main.customers") > 1_500
    wrong = shop.rows("""
        with days as (
            select distinct customer_id, cast(ordered_at as date) as ordered_on from main.orders where is_sale
        ),

        gaps as (
            select
                customer_id,
                ordered_on - lag(ordered_on) over (partition by customer_id order by ordered_on) as gap_days,
                row_number() over (partition by customer_id order by ordered_on desc) as newest_first
            from days
        ),

        expected as (
            select customer_id, median(gap_days) as usual_days
            from gaps
            where newest_first <= 10
            group by customer_id
            having count(gap_days) >= 2
        )

        select customer_id from main.customers
        left join expected using (customer_id)
        where usual_days_between_orders is distinct from usual_days
    """)
    assert wrong == []


def test_a_refund_of_a_line_never_exceeds_its_purchase(shop: Built) -> None:
    assert shop.one("select count(*) from main.refunds where order_line_id is not null") > 6_500
    wrong = shop.rows("""
        select lines.order_line_id
        from main.refunds
        inner join main.order_lines as lines on refunds.order_line_id = lines.order_line_id
        group by lines.order_line_id, lines.quantity, lines.gross_amount, lines.customer_id, lines.ordered_at
        having
            coalesce(sum(refunds.quantity), 0) > lines.quantity
            or sum(refunds.refund_amount) > lines.gross_amount
            or min(refunds.refunded_at) < lines.ordered_at
            or bool_or(refunds.customer_id <> lines.customer_id)
    """)
    assert wrong == []


def test_an_order_cancelled_within_a_day_is_no_sale(shop: Built) -> None:
    # 74,215 storage jars for 77,183.60, cancelled a quarter of an hour later: account 12346 bought nothing.
    assert shop.rows("""
        select customers.n_orders, customers.net_revenue, customers.average_order_value
        from main.customers
        inner join main.customer_keys as keys on customers.customer_id = keys.customer_id
        where keys.record_id = '12346'
    """) == [(0, Decimal("0.00"), None)]


def test_a_shop_without_categories_builds_without_them(shop: Built) -> None:
    assert shop.one("select count(*) from main.products") > 3_900
    assert shop.one("select count(category) from main.products") == 0
    assert shop.one("select count(*) from main.customer_categories") == 0
    assert shop.one("select count(top_category) + sum(n_categories) from main.customers") == 0


def test_a_stock_code_has_one_name_and_not_a_note_of_the_warehouse(shop: Built) -> None:
    assert shop.one("select count(*) - count(distinct product_id) from main.products") == 0
    names: dict[str, str] = dict(
        shop.rows("select product_id, product_name from main.products where product_name is not null")
    )
    assert names["85123A"] == "WHITE HANGING HEART T-LIGHT HOLDER"
    assert not [name for name in names.values() if "damage" in name.lower() or name.strip("? ") == ""]


def test_a_missing_file_is_reported(tmp_path: Path) -> None:
    done = run_example("online_retail", MAILROOM_SHARED_DATA=str(tmp_path))
    assert done.returncode == 2
    assert "is missing. Set MAILROOM_SHARED_DATA" in done.stdout


def test_every_customer_is_in_the_stage_of_their_orders(shop: Built) -> None:
    """Computed independently, from the orders only."""
    today = date(2011, 12, 10)
    orders: dict[str, list[date]] = {
        key: [] for (key,) in shop.rows("select customer_id from main.customers")
    }
    for key, day in shop.rows("select customer_id, ordered_at::date from main.orders where is_sale"):
        orders[key].append(day)

    def stage(days: list[date]) -> str:
        if not days:
            return "never_purchased"
        away = (today - max(days)).days
        if away > 365:
            return "dormant"
        if away > 180:
            return "lapsed"
        if away > 90:
            return "at_risk"
        if len(days) > 1:
            return "active"
        return "second_order_window" if away > 30 else "first_time_buyer"

    stages: dict[str, str] = dict(shop.rows("select customer_id, stage from main.lifecycle_stages"))
    assert stages == {key: stage(days) for key, days in orders.items()}
    members = shop.rows("""
        select memberships.customer_id, memberships.segment
        from main.segment_memberships as memberships
        inner join main.segment_catalog as catalog using (segment)
        where catalog.kind = 'lifecycle'
    """)
    assert dict(members) == stages and len(members) == len(stages)


def test_no_customer_of_a_shop_without_consents_may_get_promotional_mail(shop: Built) -> None:
    """The file has no consents and no addresses, so none of the 4,372 customers may get any."""
    assert shop.rows("select count(*) from main.contactability where is_allowed") == [(0,)]
    assert shop.rows("select count(distinct customer_id) from main.suppressions") == [(4372,)]

"""A shop of several hundred orders of known value, as shops record them: every cent is found again.

Expected values are those that were drawn, not computed from the recorded tables.
"""

import random
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

import duckdb
import pytest

from conftest import Warehouse, write_table

pytestmark = pytest.mark.deep

AS_OF = "2026-07-01 00:00:00"
N_ORDERS = 600
RATES = [("USD", "2026-01-01", "0.91"), ("usd", "2026-04-01", "0.875")]
COLUMNS = {
    "customers": "customer_id email country created_at",
    "products": "product_id name is_gift_card unit_cost",
    "orders": "order_id customer_id status currency total_amount discount_amount shipping_amount tax_amount "
    "tip_amount gift_card_amount prices_include_tax ordered_at",
    "order_lines": "order_line_id order_id product_id quantity unit_price line_amount discount_amount",
    "refunds": "refund_id order_id order_line_id customer_id amount shipping_amount tax_amount refunded_at",
}
Row = dict[str, object]


def cents(amount: Decimal) -> Decimal:
    return amount.quantize(Decimal("0.01"), ROUND_HALF_UP)


def percent(amount: Decimal, share: str) -> Decimal:
    return cents(amount * Decimal(share) / 100)


@dataclass
class Order:
    """A drawn order: amounts in its currency, and the price of goods with tax if tax_mode is inside."""

    key: str
    customer: str
    currency: str
    day: str
    status: str
    tax_mode: str  # unknown, on_top, inside
    lines: list[tuple[Decimal, Decimal, Decimal]]  # quantity, price of the line, its discount
    order_discount: Decimal
    shipping: Decimal
    tip: Decimal
    card_sold: Decimal
    card_paid: Decimal = Decimal(0)
    refunds: list[Row] = field(default_factory=list)
    returned: Decimal = Decimal(0)  # of net, in the shop's currency

    @property
    def price(self) -> Decimal:
        return sum((price - off for _, price, off in self.lines), Decimal(0)) - self.order_discount

    @property
    def tax(self) -> Decimal:
        taxed = self.price + self.shipping
        return {"unknown": Decimal(0), "on_top": percent(taxed, "8"), "inside": cents(taxed * 19 / 119)}[
            self.tax_mode
        ]

    @property
    def goods_tax(self) -> Decimal:
        taxed = self.price + self.shipping
        return cents(self.tax * self.price / taxed) if taxed else Decimal(0)

    @property
    def net(self) -> Decimal:
        return self.price - (self.goods_tax if self.tax_mode == "inside" else 0)

    @property
    def total(self) -> Decimal:
        on_top = self.tax if self.tax_mode == "on_top" else Decimal(0)
        return self.price + self.shipping + on_top + self.tip + self.card_sold

    @property
    def rate(self) -> Decimal:
        return {"EUR": Decimal(1), "USD": Decimal("0.91" if self.day < "2026-04-01" else "0.875")}[
            self.currency
        ]

    @property
    def is_kept(self) -> bool:
        return self.currency != "CHF"

    @property
    def left(self) -> Decimal:
        """Net revenue in the shop's currency."""
        if not self.is_kept or self.status == "cancelled":
            return Decimal(0)
        return cents(self.net * self.rate) - self.returned


def draw(chance: random.Random, n: int) -> Order:
    lines = []
    for _ in range(chance.randint(1, 4)):
        quantity = Decimal(chance.choice(["1", "2", "3", "0.25"]))
        price = cents(quantity * chance.randint(400, 9000) / 100)
        lines.append((quantity, price, percent(price, chance.choice(["0", "0", "10", "25"]))))
    after = sum(price - off for _, price, off in lines)
    order = Order(
        key=f"o{n}",
        customer=f"c{n // 3}",
        status="cancelled" if chance.random() < 0.08 else "paid",
        currency=chance.choices(["EUR", "USD", "CHF"], [80, 14, 6])[0],
        day=f"2026-0{chance.randint(1, 5)}-{chance.randint(10, 28)}",
        tax_mode=chance.choices(["unknown", "on_top", "inside"], [30, 25, 45])[0],
        lines=lines,
        order_discount=percent(Decimal(after), chance.choice(["0", "0", "5", "20"])),
        shipping=Decimal(chance.choice(["0", "4.90", "7.50"])),
        tip=Decimal(chance.choice(["0", "0", "0", "3"])),
        card_sold=Decimal(chance.choice(["0"] * 9 + ["50"])),
    )
    if chance.random() < 0.15:
        order.card_paid = percent(order.total, chance.choice(["30", "100"]))
    return order


def record_order(chance: random.Random, order: Order, tables: dict[str, list[Row]]) -> None:
    """Record the order as shops do: with or without lines, total and flags, discounts once or twice."""
    sign = chance.choice([1, -1])
    line_discount = sum((off for _, _, off in order.lines), Decimal(0))
    ways = ["as it is"]
    if line_discount and order.order_discount:
        ways.append("the order's has those of lines")
    if line_discount and not order.order_discount:
        ways += ["twice", "the order's, and prices are after it"]
    if line_discount:
        ways.append("prices are after it")
    way = chance.choice(ways)
    has_lines = bool(order.card_paid) or bool(order.card_sold) or chance.random() < 0.7
    is_plain = order.card_paid == 0 and way == "as it is" and line_discount != order.order_discount
    has_total = not (has_lines and is_plain and order.tax_mode != "on_top" and chance.random() < 0.2)
    on_order = {
        "as it is": order.order_discount,
        "the order's has those of lines": order.order_discount + line_discount,
        "twice": line_discount,
        "prices are after it": order.order_discount,
        "the order's, and prices are after it": line_discount,
    }[way]
    is_after_card = order.card_paid > 0 and chance.random() < 0.5
    # Without lines an order cannot show where its tax is. Most orders of the shop do.
    states_tax_mode = order.tax_mode != "unknown" and (
        not has_total or (not has_lines and order.tax_mode == "on_top") or chance.random() < 0.3
    )
    tables["orders"].append(
        {
            "order_id": order.key,
            "customer_id": order.customer,
            "status": order.status,
            "currency": None if order.currency == "EUR" and chance.random() < 0.3 else order.currency,
            "total_amount": order.total - (order.card_paid if is_after_card else 0) if has_total else None,
            "discount_amount": sign * on_order
            if has_lines or way == "as it is"
            else sign * (order.order_discount + line_discount),
            "shipping_amount": order.shipping,
            "tip_amount": order.tip,
            "tax_amount": None if order.tax_mode == "unknown" else order.tax,
            "gift_card_amount": sign * order.card_paid if order.card_paid else None,
            "prices_include_tax": str(order.tax_mode == "inside").lower() if states_tax_mode else None,
            "ordered_at": f"{order.day} 10:00:00",
        }
    )
    if not has_lines:
        return
    for number, (quantity, price, off) in enumerate(order.lines):
        is_after = way.endswith("prices are after it")
        tables["order_lines"].append(
            {
                "order_line_id": f"{order.key}-{number}",
                "order_id": order.key,
                "product_id": "tea",
                "quantity": quantity,
                "unit_price": price / quantity,
                "line_amount": price - off if is_after else price,
                "discount_amount": 0 if is_after else chance.choice([1, -1]) * off,
            }
        )
    if order.card_sold:
        tables["order_lines"].append(
            {
                "order_line_id": f"{order.key}-card",
                "order_id": order.key,
                "quantity": 1,
                "unit_price": order.card_sold,
                "product_id": chance.choice(["Geschenk-Gutschein-50", "carte", "e_gift_card"]),
            }
        )


def draw_refunds(chance: random.Random, order: Order) -> None:
    """Draw the refunds of an order, and the returned price of goods among them."""
    kind = chance.choices(
        ["nothing", "all", "all in parts", "too much", "goods", "parts known", "head and lines", "by day"],
        [40, 8, 8, 4, 14, 12, 8, 6],
    )[0]
    later = "2026-06-10 12:00:00"
    refund: Row = {"order_id": order.key, "customer_id": order.customer, "refunded_at": later}
    goods = order.price + (order.goods_tax if order.tax_mode == "on_top" else 0)
    half = percent(goods, "50")
    everything = order.total
    if kind == "all":
        order.refunds = [{**refund, "amount": everything}]
    elif kind == "all in parts":
        first = percent(everything, "37")
        order.refunds = [
            {**refund, "amount": first},
            {**refund, "amount": everything - first, "refunded_at": "2026-06-20"},
        ]
    elif kind == "too much":
        order.refunds = [{**refund, "amount": everything + 10}]
    elif kind == "goods":
        order.refunds = [{**refund, "amount": half}]
    elif kind == "parts known":
        tax = percent(half, "7") if order.tax_mode != "unknown" else Decimal(0)
        order.refunds = [
            {**refund, "amount": half + order.shipping, "shipping_amount": order.shipping, "tax_amount": tax}
        ]
    elif kind == "head and lines":
        order.refunds = [
            {**refund, "refund_id": f"r{order.key}", "amount": half},
            {**refund, "refund_id": f"r{order.key}.1", "order_line_id": f"{order.key}-0", "amount": half},
        ]
    elif kind == "by day":
        third = percent(half, "33")
        order.refunds = [
            {
                **refund,
                "refund_id": f"a{order.key}",
                "amount": half + order.shipping,
                "refunded_at": "2026-06-11",
            },
            {
                **refund,
                "refund_id": f"b{order.key}",
                "order_line_id": f"{order.key}-0",
                "amount": third,
                "refunded_at": "2026-06-11 08:00",
            },
            {
                **refund,
                "refund_id": f"c{order.key}",
                "order_line_id": f"{order.key}-0",
                "amount": half - third,
                "refunded_at": "2026-06-11 09:00",
            },
        ]
    if kind == "nothing" or not order.is_kept:
        return
    net, tax = cents(order.net * order.rate), cents(order.goods_tax * order.rate)
    if kind in ("all", "all in parts", "too much"):
        order.returned = net
    elif kind == "parts known":
        (known,) = order.refunds
        shipping, tax = (Decimal(str(known[name])) for name in ("shipping_amount", "tax_amount"))
        refunded = cents(Decimal(str(known["amount"])) * order.rate)
        order.returned = min(refunded - cents(shipping * order.rate) - cents(tax * order.rate), net)
    else:
        # Goods first, with their share of tax.
        amounts = [third, half - third] if kind == "by day" else [half]
        refunded = sum((cents(amount * order.rate) for amount in amounts), Decimal(0))
        order.returned = min(cents(min(refunded, net + tax) * net / (net + tax)), net)


@dataclass(frozen=True)
class Shop:
    orders: list[Order]
    warehouse: Warehouse


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    folder: Path = tmp_path_factory.mktemp("money")
    chance = random.Random(27)
    orders = [draw(chance, n) for n in range(N_ORDERS)]
    tables: dict[str, list[Row]] = defaultdict(list)
    for order in orders:
        record_order(chance, order, tables)
        draw_refunds(chance, order)
        for number, refund in enumerate(order.refunds):
            sign = -1 if chance.random() < 0.3 else 1
            tables["refunds"].append(
                {
                    "refund_id": f"{order.key}/{number}",
                    **refund,
                    "amount": sign * Decimal(str(refund["amount"])),
                }
            )
    tables["products"] = [
        {"product_id": "tea", "name": "Tea", "unit_cost": "2.5"},
        {"product_id": "carte", "name": "Carte cadeau", "unit_cost": "0"},
        {"product_id": "Geschenk-Gutschein-50", "name": "For a friend", "is_gift_card": "true"},
    ]
    customers = sorted({order.customer for order in orders})
    others = ["sampled", "brought_back", "till"]
    tables["customers"] = [
        {"customer_id": key, "email": f"{key}@mail.example", "country": "DE", "created_at": "2025-01-01"}
        for key in [*customers, *others]
    ]
    at = "2026-03-01 10:00:00"
    tables["orders"] += [
        {
            "order_id": "free 1",
            "customer_id": "sampled",
            "total_amount": 0,
            "currency": "EUR",
            "ordered_at": at,
        },
        {
            "order_id": "free 2",
            "customer_id": "sampled",
            "total_amount": 0,
            "currency": "EUR",
            "ordered_at": at,
        },
        {
            "order_id": "bought",
            "customer_id": "brought_back",
            "total_amount": 50,
            "currency": "EUR",
            "ordered_at": at,
        },
        {
            "order_id": "brought",
            "customer_id": "brought_back",
            "total_amount": -30,
            "currency": "EUR",
            "ordered_at": at,
        },
    ]
    tables["order_lines"] += [
        {"order_line_id": "f1", "order_id": "free 1", "product_id": "tea", "quantity": 1, "unit_price": 0},
        {"order_line_id": "b1", "order_id": "brought", "product_id": "tea", "quantity": -1, "unit_price": 30},
    ]
    tables["refunds"].append(
        {"refund_id": "no order", "customer_id": "till", "amount": 12, "refunded_at": at}
    )
    for table, rows in tables.items():
        write_table(folder / f"shop/{table}.csv", rows, COLUMNS[table].split())
    warehouse = Warehouse(folder)
    variables = {
        "as_of": AS_OF,
        "shop": {"files": f"{folder}/shop/{{table}}.csv"},
        "crm": "absent",
        "web": "absent",
        "support": "absent",
        "esp": "absent",
        "privacy": "absent",
    }
    seeded = warehouse.dbt("seed", **variables)
    assert seeded.ok, seeded.output
    with duckdb.connect(str(folder / "warehouse.duckdb")) as connection:
        connection.executemany("insert into main_policy.exchange_rates values (?, ?, ?)", RATES)
    built = warehouse.dbt(
        "build",
        "--exclude-resource-type",
        "unit_test",
        "--exclude",
        "resource_type:seed",
        "--select",
        "+revenue_bridge",
        "+order_issues",
        "+unrated_currencies",
        "+source_reconciliation",
        "+customer_categories",
        "--indirect-selection",
        "buildable",
        **variables,
    )
    unexpected = {
        name: result
        for name, result in built.results.items()
        if result[0] not in ("success", "pass", "no-op") and name not in ("most_orders_add_up",)
    }
    assert not unexpected, built.output
    yield Shop(orders, warehouse)


def test_net_revenue_of_every_order_and_customer_is_right_to_the_cent(shop: Shop) -> None:
    found: dict[str, Decimal] = dict(shop.warehouse.rows("select order_id, net_revenue from main.orders"))
    expected = {order.key: order.left for order in shop.orders if order.is_kept}
    assert {key: (found[key], left) for key, left in expected.items() if found[key] != left} == {}
    by_customer: dict[str, Decimal] = defaultdict(Decimal)
    for order in shop.orders:
        by_customer[f"{order.customer}@mail.example"] += order.left
    people: dict[str, Decimal] = dict(shop.warehouse.rows("select email, net_revenue from main.customers"))
    assert {who: (people[who], left) for who, left in by_customer.items() if people[who] != left} == {}


def test_all_parts_of_the_payment_are_found(shop: Shop) -> None:
    found = {
        row[0]: row[1:]
        for row in shop.warehouse.rows(
            "select order_id, paid_amount, net_amount, tip_amount, gift_card_sold_amount,"
            " gift_card_paid_amount from main.orders"
        )
    }
    wrong = {}
    for order in shop.orders:
        if order.is_kept and order.rate == 1:
            expected = (order.total, order.net, order.tip, order.card_sold, order.card_paid)
            if found[order.key] != expected:
                wrong[order.key] = (found[order.key], expected)
    assert wrong == {}


def test_each_kind_of_order_is_in_the_shop(shop: Shop) -> None:
    assert {order.tax_mode for order in shop.orders} == {"unknown", "on_top", "inside"}
    assert {order.currency for order in shop.orders} == {"EUR", "USD", "CHF"}
    bases = {row[0] for row in shop.warehouse.rows("select distinct discount_basis from order_amounts")}
    assert bases == {"both", "line", "order", "none"}
    issues = {row[0] for row in shop.warehouse.rows("select distinct issue from main.order_issues")}
    assert issues == {
        "discount recorded twice",
        "prices include discount",
        "refund recorded twice",
        "refunds exceed payment",
        "refund of an order that is not kept",
        "unusual sign",
    }


def test_samples_are_no_sales_and_orders_below_zero_are_returns(shop: Shop) -> None:
    assert shop.warehouse.rows("""
        select split_part(email, '@', 1) as who, n_orders, net_revenue
        from main.customers where email not like 'c%' order by 1
    """) == [("brought_back", 1, Decimal(20)), ("sampled", 0, Decimal(0)), ("till", 0, Decimal(-12))]


def test_orders_without_an_exchange_rate_are_counted(shop: Shop) -> None:
    unrated = [order for order in shop.orders if not order.is_kept]
    with_others = {order.customer for order in shop.orders if order.is_kept and order.status == "paid"}
    customers = {order.customer for order in unrated}
    ((currency, n_orders, n_customers, n_without, sentence),) = shop.warehouse.rows(
        "select currency, n_orders, n_customers, n_customers_without_order, sentence"
        " from main_internal.unrated_currencies"
    )
    assert (currency, n_orders, n_customers, n_without) == (
        "CHF",
        len(unrated),
        len(customers),
        len(customers - with_others),
    )
    assert sentence.startswith(f"{len(unrated)} orders of {len(customers)} customers in CHF are in no total")


def test_the_summary_counts_orders_without_a_rate_and_with_amounts_to_check(shop: Shop) -> None:
    rows = shop.warehouse.rows
    (line,) = [
        text for (text,) in rows("select sentence from main.build_summary") if text.startswith("Orders: ")
    ]
    for currency, n in rows("select currency, n_orders from main_internal.unrated_currencies"):
        assert f", {n:,} in {currency} without an exchange rate" in line
    ((n_wrong,),) = rows("select count(distinct order_id) from main.order_issues")
    assert n_wrong > 1 and line.endswith(f", {n_wrong:,} with amounts to check.")


def test_an_order_without_net_revenue_has_no_margin(shop: Shop) -> None:
    wrong = shop.warehouse.rows("""
        select order_id
        from main.revenue_bridge inner join main.orders using (order_id)
        group by order_id, orders.net_revenue
        having orders.net_revenue = 0 and sum(revenue_bridge.margin_amount) <> 0
    """)
    assert wrong == []
    ((n_known,),) = shop.warehouse.rows("select count(*) from main.revenue_bridge where margin_amount > 0")
    assert n_known > 200

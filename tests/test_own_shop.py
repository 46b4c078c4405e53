"""The first build of a shop's own data: the README's command, for shops unlike the demo.

Every setting has another value, so that no test, unit tests included, depends on a currency, a country, a
threshold or a moment.
"""

import csv
import os
import random
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import yaml

from conftest import PROJECT, STRICT, Warehouse
from mailroom.cli import main
from mailroom.show import show

pytestmark = [pytest.mark.slow, pytest.mark.deep]

N_CUSTOMERS, N_ORDERS, DAYS = 80, 600, 400
SOURCES = ("crm", "shop", "web", "support", "esp", "privacy")
IN_ORDER = {"first_time_buyer_days", "active_days", "at_risk_days", "lapsed_days"}  # none may pass the next
TAKEN_FROM_A_LIST = {
    "row_marks", "suppression_rules", "segments", "triggers", "audiences", "destinations",
    "suppressed_at_esp", "offer_levels_by_band",
}  # fmt: skip


@dataclass(frozen=True)
class Kind:
    """A kind of shop. spelled: the country in its records. zone, locale: of its machine. decimals: of its
    currency. weighed: sells by weight."""

    currency: str
    country: str
    spelled: str
    zone: str
    locale: str
    decimals: int
    weighed: bool
    categories: tuple[str, ...]


KINDS = {
    "american_grocer": Kind(
        "USD", "US", "USA", "America/Los_Angeles", "en_US.UTF-8", 2, True, ("Produce", "Dairy")
    ),
    "japanese_furniture": Kind("JPY", "JP", "Japan", "Asia/Tokyo", "ja_JP.UTF-8", 0, False, ("椅子", "机")),
    "swiss_fashion": Kind("CHF", "CH", "Schweiz", "Europe/Zurich", "de_CH", 2, False, ("Schuhe", "Hosen")),
}
# CI has time for one shop.
CHOSEN = list(KINDS)[: int(os.environ.get("MAILROOM_SHOPS", "1"))]


def write(folder: Path, table: str, rows: Iterable[Mapping[str, Any]]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    rows = list(rows)
    with (folder / f"{table}.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)


def shop(folder: Path, kind: Kind) -> Decimal:
    """Write a shop's four files, up to yesterday, without names. Returns the sum of its lines."""
    chance = random.Random(kind.currency)
    began = datetime.now(UTC).replace(tzinfo=None, microsecond=0) - timedelta(days=DAYS)
    cent = Decimal(1).scaleb(-kind.decimals)
    n_products = 12
    price = [Decimal(chance.randint(100, 5_000)) * cent for _ in range(n_products)]
    write(
        folder, "customers",
        (
            {
                "customer_id": f"k{number}", "email": f"k{number}@example.org", "country": kind.spelled,
                "accepts_marketing": number % 3 == 0, "accepts_marketing_at": began, "created_at": began,
            }
            for number in range(N_CUSTOMERS)
        ),
    )  # fmt: skip
    write(
        folder, "products",
        (
            {"product_id": f"p{number}", "name": f"Thing {number}", "price": price[number],
             "category": kind.categories[number % len(kind.categories)]}
            for number in range(n_products)
        ),
    )  # fmt: skip
    orders, lines, total = [], [], Decimal(0)
    for number in range(N_ORDERS):
        product = chance.randrange(n_products)
        quantity = (
            Decimal(chance.randint(1, 3_000)) / 1_000 if kind.weighed else Decimal(chance.randint(1, 3))
        )
        amount = (quantity * price[product]).quantize(Decimal("0.01"), ROUND_HALF_UP)
        total += amount
        ordered_at = began + timedelta(minutes=chance.randrange(60 * 24 * (DAYS - 1)))
        orders.append(
            {
                "order_id": f"o{number}", "customer_id": f"k{chance.randrange(N_CUSTOMERS)}",
                "status": "paid", "currency": kind.currency, "total_amount": amount,
                # Orders of the store have only a day, those of the app UTC, all others local time.
                "ordered_at": ordered_at.date() if number % 10 == 0
                else f"{ordered_at}Z" if number % 3 == 0 else ordered_at,
            }
        )  # fmt: skip
        lines.append(
            {
                "order_line_id": f"l{number}", "order_id": f"o{number}", "product_id": f"p{product}",
                "quantity": quantity, "unit_price": price[product],
            }
        )  # fmt: skip
    write(folder, "orders", orders)
    write(folder, "order_lines", lines)
    return total


def as_printed(kind: Kind, folder: Path) -> dict[str, Any]:
    """The vars that docs/getting-started.md gives for own data, with the values of this shop."""
    page = (PROJECT / "docs" / "getting-started.md").read_text()
    (printed,) = re.findall(r"```yaml\n(vars:\n +currency: .*?)```", page, re.DOTALL)
    found: dict[str, Any] = yaml.safe_load(printed.replace("data/own", str(folder)))["vars"]
    assert (found["currency"], found["default_country"]) == ("USD", "US")
    assert found["time_zone"] == "America/New_York"
    return {**found, "currency": kind.currency, "default_country": kind.country, "time_zone": kind.zone}


def changed(value: Any, up: bool) -> Any:
    """Another value of the same type."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value * 2 + 1 if up else max(1, value // 2)
    if isinstance(value, float):
        return round(value * (0.9 if value <= 1 else 1.5 if up else 0.75), 4)
    if isinstance(value, dict):
        return {name: changed(one, up) for name, one in value.items()}
    if isinstance(value, list) and all(isinstance(one, int) for one in value):
        return [one + 1 for one in value]
    if isinstance(value, list) and all(isinstance(one, float) for one in value):
        return [changed(one, up) for one in value]
    return [*value[:-1], "another"] if isinstance(value, list) else value


def other_policy() -> dict[str, Any]:
    """Every threshold and list of dbt_project.yml as another shop may set it, some higher, some lower."""
    known = yaml.safe_load((PROJECT / "dbt_project.yml").read_text())["vars"]
    found = {
        name: changed(value, name in IN_ORDER or number % 2 == 0)
        for number, (name, value) in enumerate(known.items())
        if name not in {*SOURCES, *TAKEN_FROM_A_LIST}
    }
    return {name: value for name, value in found.items() if value != known[name]}


@pytest.mark.parametrize("name", CHOSEN)
def test_a_build_of_own_data_passes_every_test(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """mailroom validate passes, too, without the fields that the shop does not have."""
    kind = KINDS[name]
    monkeypatch.setenv("TZ", kind.zone)
    monkeypatch.setenv("LC_ALL", kind.locale)
    total = shop(tmp_path / "own", kind)
    warehouse = Warehouse(tmp_path)
    run = warehouse.dbt(*STRICT, **other_policy() | as_printed(kind, tmp_path / "own"))
    assert run.ok, run.output
    ((n_orders, n_customers, revenue),) = warehouse.rows(
        "select sum(n_orders), count(*), sum(net_revenue) from customers"
    )
    assert (n_orders, n_customers, revenue) == (N_ORDERS, N_CUSTOMERS, total)
    assert warehouse.rows("select sentence from source_flaws") == []
    # Categories that the seed does not have keep their own names.
    assert {category for (category,) in warehouse.rows("select category from categories")} == set(
        kind.categories
    )
    _check_days_are_in_the_shops_time_zone(warehouse, kind, tmp_path / "own")
    _check_the_summary(run.output, warehouse, kind, total)
    monkeypatch.setenv("MAILROOM_DUCKDB_PATH", str(tmp_path / "warehouse.duckdb"))
    code = main(["validate", "--output", str(tmp_path / "gx")])
    output = capsys.readouterr().out
    assert code == 0, output
    assert "because the shop has no shop.customers.street: customers.street, customers.household_id" in output


def _check_days_are_in_the_shops_time_zone(warehouse: Warehouse, kind: Kind, folder: Path) -> None:
    """Days since the last order, and days with an order, are calendar days of the shop."""
    zone = ZoneInfo(kind.zone)

    def day(moment: datetime) -> date:
        return moment.replace(tzinfo=UTC).astimezone(zone).date()

    ordered: dict[str, set[date]] = {}
    with (folder / "orders.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            moment = datetime.fromisoformat(row["ordered_at"])
            on = day(moment) if row["ordered_at"].endswith("Z") else moment.date()
            ordered.setdefault(row["customer_id"], set()).add(on)
    ((as_of,),) = warehouse.rows("select max(checked_at) from segment_health")
    found = warehouse.rows("""
        select keys.record_id, stages.days_since_last_order, count(*)
        from lifecycle_stages as stages
        inner join customer_keys as keys on stages.customer_id = keys.customer_id
        inner join customer_daily_activity as days
            on stages.customer_id = days.customer_id and days.n_orders > 0
        where keys.record_type = 'shop_customer'
        group by all
    """)
    assert {who: (days, n_days) for who, days, n_days in found} == {
        who: ((day(as_of) - max(days)).days, len(days)) for who, days in ordered.items()
    }


def _check_the_summary(output: str, warehouse: Warehouse, kind: Kind, total: Decimal) -> None:
    """The build ends with at most ten lines from its tables, and mailroom show prints the same."""
    lines = [line for (line,) in warehouse.rows("select sentence from build_summary order by line_number")]
    assert 5 <= len(lines) <= 10
    printed = output.index(lines[0])
    assert all(line in output[printed:] for line in lines), "they are printed in one go"
    assert all(line in show(warehouse.folder / "warehouse.duckdb") for line in lines)
    n_lines = N_CUSTOMERS + 12 + 2 * N_ORDERS
    assert lines[0] == (
        f"Rows: {n_lines:,} read from 4 tables, {n_lines:,} kept (100.0%)."
        " Absent sources: crm, web, support, esp, privacy."
    )
    assert lines[1] == f"Orders: {N_ORDERS} read, all kept ({total:,.2f} {kind.currency})."
    assert f"Unmapped: {len(kind.categories)} category spellings (12 products)." in lines
    ((n_buyers, n_allowed),) = warehouse.rows("""
        select
            (select count(*) from customers where n_orders > 0),
            (select count(*) from contactability where message_class = 'promotional' and is_allowed)
    """)
    (customers,) = [line for line in lines if line.startswith("Customers: ")]
    assert customers.split(": ")[1] == (
        f"{N_CUSTOMERS} in total, {n_buyers} with an order, {n_allowed} may get promotional mail."
    )
    (segments,) = [line for line in lines if line.startswith("Segments: ")]
    ((n_segments, n_unfounded),) = warehouse.rows(
        "select count(*), count(case when problem like 'Rests on %' then 1 end) from segment_health"
    )
    assert segments.startswith(f"Segments: {n_segments}, {n_unfounded} based on sparse or stale fields.")
    ((largest,),) = warehouse.rows("""
        select coalesce(max(share_beyond_expected), 0) from segment_health
        where coalesce(problem not like 'Rests on %', true)
    """)
    assert ("Larger than expected" in segments) == (largest > 0)
    assert "unmapped_spellings" in lines[-1] and "segment_health" in lines[-1]

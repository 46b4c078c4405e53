"""The field dictionary on the demo shop: complete both ways, and used by signal_readiness and validate."""

import copy
import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from conftest import RUNNING, Warehouse
from mailroom.cli import main

pytestmark = pytest.mark.slow

Columns = dict[str, list[str]]


@pytest.fixture(scope="module")
def shop(demo: Warehouse, tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    """A copy of the demo that a test may change."""
    folder = tmp_path_factory.mktemp("quality")
    shutil.copytree(demo.folder, folder, dirs_exist_ok=True, ignore=RUNNING)
    return Warehouse(folder)


def catalogue(warehouse: Warehouse) -> Columns:
    """The columns that each table has in the warehouse."""
    columns: Columns = {}
    for table, column in warehouse.rows(
        "select table_name, column_name from information_schema.columns where table_schema = 'main'"
    ):
        columns.setdefault(table, []).append(column)
    return columns


def gaps(manifest: dict[str, Any], columns: Columns) -> list[str]:
    """Public columns without an entry, entries without a column, public tables without a contract."""
    found = []
    for node in manifest["nodes"].values():
        if node["resource_type"] != "model" or node["config"]["access"] != "public":
            continue
        name, entries, there = node["name"], set(node["columns"]), set(columns.get(node["name"], []))
        found += [f"{name}.{column} has no entry" for column in there - entries]
        found += [f"{name}.{column} has no column" for column in entries - there]
        if not node["config"]["contract"]["enforced"]:
            found.append(f"{name} has no enforced contract")
    return sorted(found)


def test_every_public_column_has_an_entry_and_every_entry_a_column(shop: Warehouse) -> None:
    manifest, columns = shop.manifest(), catalogue(shop)
    assert gaps(manifest, columns) == []

    changed = copy.deepcopy(manifest)
    orders = changed["nodes"]["model.mailroom.orders"]
    del orders["columns"]["coupon_code"]
    orders["columns"]["voucher"] = {}
    changed["nodes"]["model.mailroom.refunds"]["config"]["contract"]["enforced"] = False
    assert gaps(changed, columns) == [
        "orders.coupon_code has no entry",
        "orders.voucher has no column",
        "refunds has no enforced contract",
    ]


def test_the_dictionary_holds_the_entries_of_the_yaml(shop: Warehouse) -> None:
    public = {
        (node["name"], column)
        for node in shop.manifest()["nodes"].values()
        if node["resource_type"] == "model" and node["config"]["access"] == "public"
        for column in node["columns"]
    }
    assert set(shop.rows("select model_name, column_name from field_dictionary")) == public
    assert shop.rows("""
        select format, source_of_truth, min_fill_share, pii, purposes, dated_by, is_key
        from field_dictionary
        where model_name = 'customers' and column_name = 'street'
    """) == [("text", "shop_customer, crm_contact", 0.7, "personal", "service", "updated_at", False)]
    assert shop.rows("""
        select column_name from field_dictionary where model_name = 'customer_daily_activity' and is_key
    """) == [("customer_id",), ("activity_on",)]


# The source tables of a shop: columns with their types. Empty: absent. None: all columns, as in the demo.
TYPES: dict[str, dict[str, str] | None] = {
    "shop.customers": {"customer_id": "varchar", "city": "varchar", "country": "varchar", "email": "varchar"},
    "crm.contacts": {"contact_id": "varchar", "street": "varchar", "postal_code": "varchar"},
    "esp.profiles": {},
    "shop.orders": {"order_id": "varchar", "ordered_at": "timestamp", "updated_at": "absent"},
    "shop.products": None,
    "web.events": {},
    "support.tickets": {"ticket_id": "varchar", "requester_name": "varchar"},
}


# Fields with their sources of truth, the absent ones among them, and the record types that still have them.
ABSENT: list[tuple[str, str | list[str], list[str], list[str] | None]] = [
    ("orders.channel", "shop.orders.sales_channel", ["shop.orders.sales_channel"], None),
    ("orders.coupon_code", "shop.orders", ["shop.orders.coupon_code (did you mean coupon_cod?)"], None),
    ("orders.updated_at", "shop.orders", [], None),  # present, without a value
    ("orders.sale_number", "shop.orders", [], None),  # no source column: it is counted
    ("products.brand", "shop.products", [], None),
    ("sessions.viewed", "web.events", ["web.events"], None),
    ("sessions.seen_on", "web.events, shop.orders", [], None),
    ("customers.city", ["shop_customer", "esp_profile"], [], None),
    ("customers.country_code", ["esp_profile", "shop_customer"], [], None),
    ("customers.street", ["shop_customer", "crm_contact"], ["shop.customers.street"], ["crm_contact"]),
    ("customers.first_name", ["shop_customer", "support_requester"], ["shop.customers.first_name"],
     ["support_requester"]),
    ("customers.time_zone", ["esp_profile"], ["esp.profiles"], None),
    ("customers.household_id", ["customers.city", "customers.street"], ["shop.customers.street"],
     ["crm_contact"]),
    ("customers.top_channel", "orders.channel", ["shop.orders.sales_channel"], None),
    ("lines.channel", "orders", ["shop.orders.sales_channel"], None),
    ("lines.rank", "orders", [], None),
    ("lines.reason", "mailroom push", [], None),
]  # fmt: skip


def test_the_dictionary_lists_the_absent_sources_of_a_field(parsed: Warehouse) -> None:
    entries = {
        field: {"column_name": field.split(".")[1], "source_of_truth": source_of_truth}
        for field, source_of_truth, *_ in ABSENT
    }
    places: dict[str, Any] = {table: {"types": types} for table, types in TYPES.items()}
    places["shop.orders"]["unread"] = {"coupon_code": ["coupon_cod"]}
    run = parsed.dbt(
        "compile", "--quiet", "--inline",
        "{% set entries = fromjson('" + json.dumps(entries) + "') %}"
        "{% set places = fromjson('" + json.dumps(places) + "') %}"
        "{% for name, entry in entries.items() if execute %}"
        "{{ tojson([name, absent_sources(entry, entries, places)]) }}\n"
        "{% endfor %}",
    )  # fmt: skip
    assert run.ok, run.output
    found = dict(json.loads(line) for line in run.output.splitlines() if line.startswith("["))
    assert found == {
        field: {"not_given": not_given, "given_by": given_by} if not_given else {}
        for field, _, not_given, given_by in ABSENT
    }


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ("description = ''", "description is missing or not valid"),
        ("data_type = null", "data_type is missing or not valid"),
        ("pii = 'private'", "pii is missing or not valid"),
        ("purposes = 'service, resale'", "purposes is missing or not valid"),
        ("format = 'colour'", "format is none of macro field_formats()"),
        ("max_staleness_days = null", "dated_by and max_staleness_days go together"),
        ("dated_by = 'orders.packed_at'", "dated_by is no public field"),
    ],
)
def test_an_incomplete_entry_fails_the_build(shop: Warehouse, change: str, problem: str) -> None:
    """The test of the build, on a dictionary with one incomplete entry."""
    check = shop.compiled("every_public_field_has_a_complete_entry")
    assert shop.rows(check) == []
    with_gap = f"""
        create temp table incomplete_dictionary as from field_dictionary;
        update incomplete_dictionary set {change} where model_name = 'customers' and column_name = 'email';
    """
    found = shop.rows(
        with_gap + re.sub(r'"warehouse"\."main"\."field_dictionary"', "incomplete_dictionary", check)
    )
    assert found == [("customers", "email", problem)]


@pytest.mark.deep
def test_the_demo_shop_validates_and_no_address_is_shown(
    shop: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MAILROOM_DUCKDB_PATH", str(shop.folder / "warehouse.duckdb"))
    code = main(["validate", "--output", str(tmp_path)])
    shown = capsys.readouterr().out
    assert code == 0, shown
    for path in [*tmp_path.rglob("*.html"), *tmp_path.rglob("*.json")]:
        shown += path.read_text()
    domains = {domain for (domain,) in shop.rows("select distinct split_part(email, '@', 2) from customers")}
    assert not [domain for domain in domains if domain and f"@{domain}" in shown]


def test_a_stale_feed_must_not_trigger_anything_time_critical(shop: Warehouse) -> None:
    """Runs last, because it leaves the warehouse three days later."""
    ready = """
        select column_name, may_steer_time_critical
        from signal_readiness
        where model_name = 'customers'
            and column_name in ('has_open_cart_1d', 'email', 'n_open_opportunities')
        order by column_name
    """
    assert shop.rows(ready) == [("email", True), ("has_open_cart_1d", True), ("n_open_opportunities", False)]
    run = shop.dbt(
        "run", "--select", "field_counts", "field_checks", "signal_readiness", as_of="2026-07-04 00:00:00"
    )
    assert run.ok, run.output
    assert shop.rows(ready) == [
        ("email", True),
        ("has_open_cart_1d", False),
        ("n_open_opportunities", False),
    ]
    assert shop.rows("""
        select finding from field_checks
        where model_name = 'customers' and column_name = 'has_open_cart_1d' and source = 'all'
    """) == [("100% filled. Newest value 4 days old, over the limit of 1 day.",)]

"""The base models over dirty files: each row is kept or rejected with a reason. A broken table is named."""

import csv
import re
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conftest import Run, Warehouse

pytestmark = pytest.mark.slow

AS_OF = "2026-01-01 00:00:00"
GOOD = {"customer_id": "c1", "currency": "EUR", "ordered_at": "2025-03-01T10:00:00Z"}
ORDERS: list[dict[str, Any]] = [
    {**GOOD, "order_id": "good"},
    {**GOOD, "order_id": "  spaced  ", "email": " <Anna@X.de> "},
    {**GOOD, "order_id": "no offset", "ordered_at": "2025-03-01 10:00:00"},
    {**GOOD, "order_id": "offset", "ordered_at": "2025-03-01T10:00:00+02:00"},
    {**GOOD, "order_id": "no time", "ordered_at": "yesterday"},
    {**GOOD, "order_id": "endless time", "ordered_at": "infinity"},
    {**GOOD, "order_id": "endless past", "ordered_at": "-infinity"},
    {**GOOD, "order_id": "year one", "ordered_at": "0001-01-01 00:00:00"},
    {**GOOD, "order_id": "empty time", "ordered_at": " "},
    {**GOOD, "order_id": "future", "ordered_at": "2026-01-01 00:00:01"},
    {**GOOD, "order_id": "just now", "ordered_at": AS_OF},
    {**GOOD, "order_id": "bad update", "updated_at": "soon"},
    {**GOOD, "order_id": "bad amount", "total_amount": "12,50,1", "updated_at": "soon"},
    {**GOOD, "order_id": "comma amount", "total_amount": "12,50 €", "ordered_at": "1740823200"},
    {**GOOD, "order_id": "2401.0", "customer_id": "gid://shopify/Customer/7"},
    {**GOOD, "order_id": "guest", "customer_id": "0", "email": "ann@x.de"},
    {**GOOD, "order_id": "guest only", "customer_id": "Guest"},
    {**GOOD, "order_id": "null", "customer_id": "c1"},
    {**GOOD, "order_id": "euros", "currency": "eur"},
    {**GOOD, "order_id": "1001", "store": "north", "status": "wc-Cancelled"},
    {
        **GOOD,
        "order_id": "1001.0",
        "customer_id": "0",
        "email": "bo@x.de",
        "store": "south",
        "status": "gone fishing",
    },
    {**GOOD, "order_id": "huge amount", "total_amount": "1" + "0" * 30},
    {**GOOD, "order_id": "dollars", "currency": "USD"},
    {**GOOD, "order_id": "no currency", "currency": None},
    {**GOOD, "order_id": "no contact", "customer_id": None},
    {**GOOD, "order_id": "bad address only", "customer_id": "", "email": "n/a"},
    {**GOOD, "order_id": "bad address", "email": "n/a"},
    {**GOOD, "order_id": None},
    {**GOOD, "order_id": " "},
    {**GOOD, "order_id": "same", "total_amount": "1"},
    {**GOOD, "order_id": "same ", "total_amount": "1"},
    {**GOOD, "order_id": "same", "total_amount": "1"},
    {**GOOD, "order_id": "newer", "total_amount": "2", "updated_at": "2025-04-01"},
    {**GOOD, "order_id": "newer", "total_amount": "3", "updated_at": "2025-05-01"},
    {**GOOD, "order_id": "newer", "total_amount": "1"},
    {
        **GOOD,
        "order_id": "good and bad",
        "total_amount": "4",
        "ordered_at": "soon",
        "updated_at": "2025-05-01",
    },
    {**GOOD, "order_id": "good and bad", "total_amount": "5"},
    {**GOOD, "order_id": "spreadsheet 1", "ordered_at": "1/25/2025 9:30 PM"},
    {**GOOD, "order_id": "spreadsheet 2", "ordered_at": "1/4/2025 9:30 AM"},
    {**GOOD, "order_id": 'it\'s "quoted";\n--', "coupon_code": "it's"},
]
SUBSCRIPTIONS = {
    "ACTIVE": "active",  # Recharge
    "trialing": "active",  # Stripe
    "canceled": "cancelled",
    "past_due": "paused",
    "wc-pending-cancel": "cancelled",  # WooCommerce
    "On hold": "paused",
    "non_renewing": "cancelled",  # Chargebee
    "future": "pending",
    "frozen solid": "unknown",
}
ORDER_COLUMNS = [
    "order_id",
    "customer_id",
    "email",
    "currency",
    "store",
    "status",
    "total_amount",
    "coupon_code",
    "ordered_at",
    "updated_at",
]


def write_csv(path: Path, rows: list[dict[str, Any]], columns: list[str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, columns, quoting=csv.QUOTE_ALL)
        writer.writeheader()
        writer.writerows({name: row.get(name) or "" for name in columns} for row in rows)


def write_parquet(path: Path, sql: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with duckdb.connect() as connection:
        connection.execute(f"copy ({sql}) to '{path}' (format parquet)")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    """Dirty CSV, typed Parquet, tables in the warehouse, and what is absent."""
    folder = tmp_path_factory.mktemp("base")
    write_csv(folder / "shop/orders.csv", ORDERS, ORDER_COLUMNS)
    write_parquet(
        folder / "esp/profiles.parquet",
        """select * from (values
            (1001.0::double, 'hourly', null, date '2025-01-02', timestamptz '2025-01-02 01:00:00+01', true),
            (1001.0, 'daily', null, date '2025-01-02', timestamptz '2025-02-02 01:00:00+01', true),
            (1002.0, null, null, null, timestamptz '2025-01-02 01:00:00+01', false)
        ) as profiles (profile_id, preferred_frequency, first_name, created_at, updated_at, extra)""",
    )
    write_parquet(
        folder / "esp/campaigns.parquet",
        "select 7 as campaign_id, null as sent_at, 'promotional' as message_class",
    )
    write_parquet(
        folder / "crm/opportunities.parquet",
        """select * from (values
            (1::bigint, 2::bigint, 'open', 12.345::decimal(38, 3), timestamp '2025-01-01'),
            (2::bigint, 2::bigint, 'open', 1e30::decimal(38, 3), timestamp '2025-01-01')
        ) as opportunities (opportunity_id, contact_id, stage, amount, created_at)""",
    )
    write_csv(
        folder / "billing/subscriptions.csv",
        [{"subscription_id": word, "customer_id": "1", "status": word} for word in SUBSCRIPTIONS],
        ["subscription_id", "customer_id", "status"],
    )
    with duckdb.connect(str(folder / "warehouse.duckdb")) as connection:
        connection.execute("create schema help_desk")
        connection.execute(
            "create table help_desk.tickets as select uuid() as ticket_id, 7::ubigint as customer_id,"
            " 'open'::enum ('open', 'solved') as status, 5.0::double as satisfaction,"
            " '2025-01-01'::date as \"Created_At\", 'a@x.de' as \"Requester E-Mail\", 'late' as subjetc,"
            " 'Ann' as \"RequesterName\", 'Bo' as requester__name, '+49 40 1' as requester_phones,"
            " 'x' as topics"
        )
    warehouse = Warehouse(folder)
    run = warehouse.dbt(
        "build",
        "--exclude-resource-type",
        "test",
        "unit_test",
        "--select",
        "source_words",
        "blocked_identifiers",
        "base_crm__opportunities",
        "base_support__tickets",
        "base_shop__orders",
        "base_esp__profiles",
        "base_esp__campaigns",
        "base_crm__contacts",
        "base_billing__subscriptions",
        as_of=AS_OF,
        shop={"files": f"{folder}/shop/{{table}}.csv"},
        esp={"files": f"{folder}/esp/{{table}}.parquet", "absent": ["message_events"]},
        crm={"files": f"{folder}/crm/{{table}}.parquet", "absent": ["contacts"]},
        support={"schema": "help_desk"},
        billing={"files": f"{folder}/billing/{{table}}.csv", "absent": ["subscription_orders"]},
        web="absent",
        privacy="absent",
    )
    assert run.ok, run.output
    return warehouse


@pytest.fixture(scope="module")
def orders(built: Warehouse) -> dict[str | None, list[dict[str, Any]]]:
    columns = [*ORDER_COLUMNS, "reject_reason", "blanked_columns"]
    by_key: dict[str | None, list[dict[str, Any]]] = {}
    for row in built.rows(f"select {', '.join(columns)} from main_staging.base_shop__orders"):
        by_key.setdefault(row[0], []).append(dict(zip(columns, row, strict=True)))
    return by_key


def test_no_row_is_lost(orders: dict[str | None, list[dict[str, Any]]]) -> None:
    assert sum(len(rows) for rows in orders.values()) == len(ORDERS)


def test_each_flaw_has_its_reason(orders: dict[str | None, list[dict[str, Any]]]) -> None:
    reasons = {
        "good": None,
        "spaced": None,
        "no offset": None,
        "offset": None,
        "just now": None,
        "no currency": None,
        "bad update": None,
        "bad amount": None,
        "huge amount": None,
        "bad address": None,
        'it\'s "quoted";\n--': None,
        "no time": "ordered_at is not a timestamp",
        "endless time": "ordered_at is not a timestamp",
        "endless past": "ordered_at is not a timestamp",
        "year one": "ordered_at is missing",
        "comma amount": None,
        "2401": None,
        "guest": None,
        "euros": None,
        "guest only": "no customer_id, email, phone to identify the customer",
        "empty time": "ordered_at is missing",
        "future": "ordered_at is after as_of",
        "dollars": None,  # base_shop__rated_orders checks currencies
        "no contact": "no customer_id, email, phone to identify the customer",
        "bad address only": "no customer_id, email, phone to identify the customer",
    }
    assert {key: orders[key][0]["reject_reason"] for key in reasons} == reasons
    assert [row["reject_reason"] for row in orders[None]] == ["order_id is missing"] * 3


def test_an_optional_value_that_does_not_parse_is_blanked_and_named(
    orders: dict[str | None, list[dict[str, Any]]],
) -> None:
    blanked = {
        "good": None,
        "bad update": "updated_at",
        "bad amount": "total_amount, updated_at",
        "huge amount": "total_amount",
        "bad address": "email",
    }
    assert {key: orders[key][0]["blanked_columns"] for key in blanked} == blanked
    assert orders["bad amount"][0]["total_amount"] is None


def test_times_are_utc_and_text_is_trimmed(orders: dict[str | None, list[dict[str, Any]]]) -> None:
    assert str(orders["no offset"][0]["ordered_at"]) == "2025-03-01 10:00:00"
    assert str(orders["offset"][0]["ordered_at"]) == "2025-03-01 08:00:00"
    assert str(orders["comma amount"][0]["ordered_at"]) == "2025-03-01 10:00:00"
    assert orders["spaced"][0]["email"] == "anna@x.de"


def test_ids_and_words_are_written_in_one_way(
    orders: dict[str | None, list[dict[str, Any]]],
) -> None:
    assert orders["comma amount"][0]["total_amount"] == Decimal("12.50")
    assert orders["2401"][0]["customer_id"] == "7"
    assert orders["guest"][0]["customer_id"] is None
    assert orders["euros"][0]["currency"] == "EUR"
    assert orders["good"][0]["customer_id"] == "c1"
    assert [(row["customer_id"], row["status"]) for row in orders["north:1001"]] == [
        ("north:c1", "cancelled")
    ]
    assert [(row["customer_id"], row["status"]) for row in orders["south:1001"]] == [(None, "unknown")]


def test_an_unknown_word_is_recorded_as_it_came(built: Warehouse) -> None:
    assert built.rows(
        "select order_id, unmapped_words from main_staging.base_shop__orders where unmapped_words is not null"
        " order by unmapped_words"
    ) == [("south:1001", "status=gone fishing")]


def test_a_subscription_status_is_mapped_from_its_system(built: Warehouse) -> None:
    found = built.rows(
        "select subscription_id, status, unmapped_words from main_staging.base_billing__subscriptions"
    )
    assert {row[0]: row[1] for row in found} == SUBSCRIPTIONS
    assert [row[2] for row in found if row[2]] == ["status=frozen solid"]


def test_one_date_of_a_column_shows_the_order_of_all(orders: dict[str | None, list[dict[str, Any]]]) -> None:
    assert [orders[f"spreadsheet {n}"][0]["ordered_at"] for n in (1, 2)] == [
        datetime(2025, 1, 25, 21, 30),
        datetime(2025, 1, 4, 9, 30),
    ]


def test_of_copies_the_newest_good_one_is_kept(orders: dict[str | None, list[dict[str, Any]]]) -> None:
    duplicate = "order_id is a duplicate"
    assert sorted(row["reject_reason"] or "" for row in orders["same"]) == ["", duplicate, duplicate]
    assert {int(row["total_amount"]): row["reject_reason"] for row in orders["newer"]} == {
        1: duplicate,
        2: duplicate,
        3: None,
    }
    assert {int(row["total_amount"]): row["reject_reason"] for row in orders["good and bad"]} == {
        4: "ordered_at is not a timestamp",
        5: None,
    }


def test_typed_files_are_taken_as_they_are(built: Warehouse) -> None:
    rows = built.rows(
        "select profile_id, preferred_frequency, first_name, email, created_at::text, updated_at::text,"
        " reject_reason, blanked_columns from main_staging.base_esp__profiles order by profile_id, updated_at"
    )
    january, february = "2025-01-02 00:00:00", "2025-02-02 00:00:00"
    assert rows == [
        ("1001", None, None, None, january, january, "profile_id is a duplicate", "preferred_frequency"),
        ("1001", "daily", None, None, january, february, None, None),
        ("1002", None, None, None, None, january, None, None),
    ]
    assert built.rows(
        "select campaign_id, name, sent_at, reject_reason from main_staging.base_esp__campaigns"
    ) == [("7", None, None, None)]


def test_a_number_that_does_not_fit_is_blanked(built: Warehouse) -> None:
    assert built.rows(
        "select opportunity_id, amount::text, blanked_columns"
        " from main_staging.base_crm__opportunities order by opportunity_id"
    ) == [("1", "12.35", None), ("2", None, "amount")]


def test_tables_in_the_warehouse_are_read_where_they_are(built: Warehouse) -> None:
    assert built.rows(
        "select customer_id, status, satisfaction, created_at::text, reject_reason, blanked_columns"
        " from main_staging.base_support__tickets"
    ) == [("7", "open", 5, "2025-01-01 00:00:00", None, None)]


def test_a_column_of_a_similar_name_is_read_or_reported(built: Warehouse) -> None:
    """Read only if it differs in case, spaces and underscores, and no other column does. Logged once."""
    assert built.rows(
        "select requester_email, requester_name, requester_phone, subject"
        " from main_staging.base_support__tickets"
    ) == [("a@x.de", None, None, None)]
    output = (built.folder / "dbt_output.txt").read_text()
    assert re.findall(r"support\.tickets: (.*)", output) == [
        "requester e-mail is read as requester_email; "
        "requester_phones is not read (did you mean requester_phone?); "
        "requestername, requester__name are not read (did you mean requester_name?); "
        "subjetc is not read (did you mean subject?); "
        "topics is not read (did you mean topic?)."
    ]


# Bare names, and whether one looks like the other with a typing error.
NEAR = {
    ("emial", "email"): True, ("emai", "email"): True, ("emails", "email"): True, ("enail", "email"): True,
    ("mail", "email"): True, ("xemail", "email"): True, ("eamli", "email"): False, ("female", "email"): False,
    ("customerssid", "customerid"): True, ("orddate", "orderdate"): True, ("ordredat", "orderedat"): True,
    ("updatedby", "updatedat"): False, ("createdat", "updatedat"): False, ("citys", "city"): True,
    ("urls", "url"): False, ("uri", "url"): False, ("aaa", "aaaa"): False, ("aaaaa", "aaaa"): True,
}  # fmt: skip


def test_a_misspelt_name_is_separated_from_another_word(tmp_path: Path) -> None:
    calls = (f"{{{{ is_misspelt('{found}', '{wanted}') }}}}" for found, wanted in NEAR)
    run = Warehouse(tmp_path).dbt("compile", "--quiet", "--inline", " ".join(calls))
    assert run.ok, run.output
    assert run.output.split() == [str(near) for near in NEAR.values()]


def test_an_absent_table_is_empty_and_of_the_right_types(built: Warehouse) -> None:
    assert built.rows("select * from main_staging.base_crm__contacts") == []
    types: dict[str, str] = dict(
        built.rows(
            "select column_name, data_type from information_schema.columns"
            " where table_name = 'base_crm__contacts'"
        )
    )
    assert types["contact_id"] == "VARCHAR" and types["created_at"] == "TIMESTAMP"


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Each source broken in its own way."""
    folder = tmp_path_factory.mktemp("broken")
    write_csv(folder / "crm/contacts.csv", [], ["email", "first_name"])
    write_csv(folder / "crm/opportunities.csv", [], ["opportunity_id", "ContactID", "stage", "creatd_at"])
    write_parquet(
        folder / "support/tickets.parquet",
        "select 't1' as ticket_id, 'open' as status, {'day': 1} as created_at, 1 as satisfaction",
    )
    write_parquet(folder / "esp/profiles.parquet", "select 'p' as profile_id, ['2025-01-01'] as created_at")
    (folder / "web").mkdir()
    (folder / "web/events.csv").write_text("event_id,visitor_id,event_type,occurred_at\n1,2\n3,4,5,6,7\n")
    return Warehouse(folder).dbt(
        "run",
        "--select",
        "base_crm__contacts",
        "base_crm__opportunities",
        "base_support__tickets",
        "base_esp__profiles",
        "base_web__flawed_events",
        "base_shop__orders",
        "base_shop__refunds",
        "base_privacy__requests",
        crm={"files": f"{folder}/crm/{{table}}.csv"},
        support={"files": f"{folder}/support/{{table}}.parquet"},
        esp={"files": f"{folder}/esp/{{table}}.parquet"},
        web={"files": f"{folder}/web/{{table}}.csv"},
        shop={"files": f"{folder}/shop/{{table}}.csv", "absent": ["refund"]},
        privacy={"files": "no/such/{table}/*.parquet", "absent": ["consent_events"]},
    )


@pytest.mark.parametrize(
    ("model", "words"),
    [
        (
            "base_crm__contacts",
            ["crm.contacts has no required column contact_id", "It has email, first_name."],
        ),
        (
            "base_crm__opportunities",
            [
                "crm.opportunities has no required column created_at (did you mean creatd_at?) in",
                "It has opportunity_id, contactid, stage, creatd_at.",
            ],
        ),
        ("base_support__tickets", ["support.tickets.created_at has type struct", "expects timestamp"]),
        ("base_esp__profiles", ["esp.profiles.created_at has type varchar[]", "expects timestamp"]),
        ("base_web__flawed_events", ["web/events.csv", "base_web__flawed_events"]),
        ("base_shop__orders", ["shop.refund", "no source contract"]),
        (
            "base_privacy__requests",
            ["base_privacy__requests", "No files found", "no/such/requests/*.parquet"],
        ),
    ],
)
def test_a_broken_table_is_named(broken: Run, model: str, words: list[str]) -> None:
    status, message = broken.results[model]
    assert status == "error"
    for word in words:
        assert word in message


def test_files_without_a_place_for_the_table_are_refused(tmp_path: Path) -> None:
    """Otherwise every table of the source would be read from the same files."""
    run = Warehouse(tmp_path).dbt(
        "compile", "--select", "base_support__tickets", support={"files": "all/*.csv"}
    )
    assert (
        not run.ok
        and "var support: files: all/*.csv must contain {table} where the table's name goes" in run.output
    )


# Vars of two tests, which so share a parse.
OWN_SCHEMAS = {
    "shop": {"schema": "raw_shop"},
    "support": {"schema": "raw_help", "database": "elsewhere"},
}


def test_a_database_is_not_passed_over(tmp_path: Path) -> None:
    """A table of the same name in the warehouse itself must not replace the configured one."""
    warehouse = Warehouse(tmp_path)
    with duckdb.connect(str(tmp_path / "warehouse.duckdb")) as connection:
        connection.execute(
            "create schema raw_help; create table raw_help.tickets as select 'T1' as ticket_id"
        )
    run = warehouse.dbt("compile", "--select", "base_support__tickets", **OWN_SCHEMAS)
    assert not run.ok and "elsewhere" in run.output


def test_the_demo_is_not_mixed_with_a_source_of_ones_own(tmp_path: Path) -> None:
    """A forgotten source would mix the demo's people with the shop's own."""
    run = Warehouse(tmp_path).dbt("compile", "--select", "base_crm__contacts", **OWN_SCHEMAS)
    assert not run.ok and "var crm is demo, but var shop is your own data" in run.output


def test_an_unknown_origin_is_named(tmp_path: Path) -> None:
    run = Warehouse(tmp_path).dbt("parse", "--no-partial-parse", shop="dmeo")
    assert not run.ok and "var shop: dmeo is not one of demo, absent, {schema: …}, {files: …}" in run.output


order_rows = st.lists(
    st.fixed_dictionaries(
        {
            "order_id": st.one_of(
                st.sampled_from(["", "😀"]),
                st.builds("{}o{}".format, st.sampled_from(["", " "]), st.integers(1, 60)),
            ),
            "customer_id": st.sampled_from(["c1", "", "c'2"]),
            "email": st.sampled_from(["", "bad", "Anna@x.de"]),
            "currency": st.sampled_from(["EUR", "", "USD"]),
            "total_amount": st.sampled_from(["1", "", "NaN", "x", "-5", "1e3"]),
            "ordered_at": st.sampled_from(
                ["2025-01-01", "2025-06-01T00:00:00+02:00", "", "-infinity", "x", "2026-01-02", "2025-02-30"]
            ),
            "updated_at": st.sampled_from(["", "2025-07-01", "2025-08-01", "infinity"]),
        }
    ),
    min_size=100,
    max_size=200,
)


@pytest.fixture(scope="module")
def orders_sql(built: Warehouse) -> Iterator[tuple[Path, str, duckdb.DuckDBPyConnection]]:
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        yield built.folder / "shop/orders.csv", built.compiled("base_shop__orders"), connection


@settings(max_examples=6)  # planning the SQL takes seconds, and each example has many orders
@given(rows=order_rows)
def test_each_dirty_row_is_kept_once_or_rejected(
    orders_sql: tuple[Path, str, duckdb.DuckDBPyConnection], rows: list[dict[str, str]]
) -> None:
    path, sql, connection = orders_sql
    write_csv(path, rows, ORDER_COLUMNS)
    found = connection.execute(f"select order_id, updated_at, reject_reason from ({sql})").fetchall()
    good = Counter(
        row["order_id"].strip()
        for row in rows
        if row["order_id"]
        and row["ordered_at"] in ("2025-01-01", "2025-06-01T00:00:00+02:00")
        and (row["customer_id"] or row["email"] == "Anna@x.de")
    )
    assert len(found) == len(rows)
    assert Counter(key for key, _, reason in found if reason is None) == Counter(good.keys())
    assert sum(reason == "order_id is a duplicate" for _, _, reason in found) == good.total() - len(good)

"""The demo shop keeps the source contract, is reproducible, and is consistent."""

import hashlib
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from mailroom.cli import main
from mailroom.demo import generate
from mailroom.demo.contract import SOURCES, TRUTH, key_of, schema
from mailroom.demo.world import Config
from mailroom.demo.write import write_parquet

ROOT = Path(__file__).parents[2]
SEEDS = ROOT / "seeds" / "demo"
TYPES = {
    "text": pa.string(),
    "timestamp": pa.timestamp("us"),
    "date": pa.date32(),
    "boolean": pa.bool_(),
    "integer": pa.int32(),
    "decimal(18,2)": pa.decimal128(18, 2),
    "decimal(18,4)": pa.decimal128(18, 4),
}
LARGEST_SEED = 900_000  # bytes
LARGEST_SEEDS = 4_000_000  # bytes

Contract = dict[tuple[str, str], dict[str, Any]]
ABSENT = ("billing", "deliverability")


def read_contract() -> Contract:
    """(source, table) -> the table's entry in the sources YAML. The demo sells no subscriptions and has no
    reports of mailbox providers."""
    contract = {}
    for path in sorted((ROOT / "models" / "staging").glob("*/_*__sources.yml")):
        for source in yaml.safe_load(path.read_text(encoding="utf-8"))["sources"]:
            for table in source["tables"] if source["name"] not in ABSENT else []:
                contract[source["name"], table["name"]] = table
    return contract


CONTRACT = read_contract()


def meta(entry: dict[str, Any]) -> dict[str, Any]:
    """config.meta of a column or table; empty where there is none."""
    found: dict[str, Any] = entry.get("config", {}).get("meta", {})
    return found


def digests(folder: Path) -> dict[str, str]:
    """SHA-256 of every file under a folder, by relative path."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.suffix in (".csv", ".parquet", ".yml")
    }


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small shop in Parquet, at the intensity of a big one."""
    folder = tmp_path_factory.mktemp("shop")
    generate(customers=1_200, days=540, seed=11, to=folder)
    return folder


@pytest.fixture(scope="module")
def seeds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo seeds, written again."""
    folder = tmp_path_factory.mktemp("seeds")
    assert (
        main(
            [
                "demo",
                "--customers",
                "1000",
                "--days",
                "540",
                "--seed",
                "7",
                "--to",
                str(folder),
                "--format",
                "seeds",
            ]
        )
        == 0
    )
    return folder


@pytest.fixture(scope="module")
def database(shop: Path) -> duckdb.DuckDBPyConnection:
    """The small shop as views <source>_<table>; clean_<source>_<table> without the rows listed as dirt."""
    connection = duckdb.connect()
    for source, table in (*SOURCES, *TRUTH):
        files = shop / source / table / "*.parquet"
        connection.execute(f"create view {source}_{table} as select * from read_parquet('{files}')")
    for source, table in SOURCES:
        key = key_of((source, table))
        connection.execute(
            f"""
            create view clean_{source}_{table} as
            select distinct * from {source}_{table}
            where {key} is not null and {key} not in (
                select key from truth_dirt
                where source = '{source}' and "table" = '{table}'
                    and kind not in ('missing_key', 'exact_duplicate')
            )
            """
        )
    return connection


def count(database: duckdb.DuckDBPyConnection, query: str) -> int:
    """The single number a query gives."""
    row = database.execute(query).fetchone()
    assert row is not None
    return int(row[0])


def rows(database: duckdb.DuckDBPyConnection, query: str) -> list[Any]:
    """The rows a query gives."""
    found: list[Any] = database.execute(query).fetchall()
    return found


def written(shop: Path, source: str, table: str) -> pa.Schema:
    """The schema of a table's files, the same in each."""
    parts = sorted((shop / source / table).glob("part-*.parquet"))
    assert parts and pq.read_metadata(parts[0]).num_rows > 0, (source, table)
    (found,) = {pq.read_schema(part) for part in parts}
    return found


def test_tables_are_those_of_the_contract(shop: Path) -> None:
    assert set(SOURCES) == set(CONTRACT)
    for name in SOURCES:
        found = written(shop, *name)
        # The demo may lack a column that a shop may lack.
        promised = [
            (column["name"], TYPES[column["data_type"]])
            for column in CONTRACT[name]["columns"]
            if "copy_of" not in meta(column) and (column["name"] in found.names or "required" in meta(column))
        ]
        assert [(field.name, field.type) for field in found] == promised, name
    for name, expected in TRUTH.items():
        assert written(shop, *name).equals(expected), name


def test_a_column_that_the_contract_does_not_know_or_requires_is_refused() -> None:
    columns = {column["name"] for column in CONTRACT["shop", "refunds"]["columns"]}
    with pytest.raises(ValueError, match=r"writes column mood.*shop.refunds in models/staging/shop"):
        schema(("shop", "refunds"), dict.fromkeys([*columns, "mood"]))
    with pytest.raises(ValueError, match=r"lacks column refund_id.*requires.*shop.refunds"):
        schema(("shop", "refunds"), dict.fromkeys(columns - {"refund_id"}))


def test_every_column_is_used(shop: Path, database: duckdb.DuckDBPyConnection) -> None:
    for source, table in SOURCES:
        for column in written(shop, source, table).names:
            assert count(database, f"select count({column}) from {source}_{table}") > 0, (
                source,
                table,
                column,
            )


@pytest.mark.parametrize(("source", "table"), list(CONTRACT))
def test_rules_hold_except_for_listed_dirt(
    database: duckdb.DuckDBPyConnection, source: str, table: str
) -> None:
    entry = CONTRACT[source, table]
    clean = f"clean_{source}_{table}"
    for column in entry["columns"]:
        name, rules = column["name"], meta(column)
        if rules.get("required"):
            assert count(database, f"select count(*) from {clean} where {name} is null") == 0, name
        if rules.get("key"):
            assert count(database, f"select count(*) - count(distinct {name}) from {clean}") == 0, name
        if rules.get("event_time"):
            assert (
                count(database, f"select count(*) from {clean} where {name} >= timestamp '2026-07-01'") == 0
            ), name
        if "accepted" in rules:
            accepted = ["EUR" if "{{" in value else value for value in rules["accepted"]]
            values = {row[0] for row in database.execute(f"select distinct {name} from {clean}").fetchall()}
            assert values - {None} <= set(accepted), name
    if "identified_by" in meta(entry):
        no_identifier = " and ".join(f"{name} is null" for name in meta(entry)["identified_by"])
        assert count(database, f"select count(*) from {clean} where {no_identifier}") == 0


def test_dirt_exists_and_is_listed(database: duckdb.DuckDBPyConnection, seeds: Path) -> None:
    kinds = {row[0] for row in database.execute("select distinct kind from truth_dirt").fetchall()}
    assert {"duplicate_key", "missing_key", "unknown_value", "future", "foreign_currency"} <= kinds
    assert count(database, "select count(*) from shop_orders where currency = 'USD'") > 0
    assert count(database, "select count(*) from web_events where event_id is null") > 0
    text = (seeds / "shop" / "demo_shop__orders.csv").read_text(encoding="utf-8")
    assert "2026-02-30T10:00:00Z" in text
    assert "+02:00" in (seeds / "crm" / "demo_crm__contacts.csv").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("child", "key", "parent"),
    [
        ("shop_order_lines", "order_id", "shop_orders"),
        ("shop_order_lines", "product_id", "shop_products"),
        ("shop_refunds", "order_id", "shop_orders"),
        ("shop_refunds", "order_line_id", "shop_order_lines"),
        ("shop_orders", "customer_id", "shop_customers"),
        ("web_events", "customer_id", "shop_customers"),
        ("web_events", "order_id", "shop_orders"),
        ("web_events", "product_id", "shop_products"),
        ("esp_message_events", "profile_id", "esp_profiles"),
        ("esp_message_events", "campaign_id", "esp_campaigns"),
        ("crm_opportunities", "contact_id", "crm_contacts"),
        ("support_tickets", "customer_id", "shop_customers"),
        ("privacy_consent_events", "customer_id", "shop_customers"),
        ("truth_machine_events", "event_id", "esp_message_events"),
    ],
)
def test_children_have_parents(
    database: duckdb.DuckDBPyConnection, child: str, key: str, parent: str
) -> None:
    child = child if child.startswith("truth") else f"clean_{child}"
    orphans = f"select count(*) from {child} anti join {parent} using ({key}) where {key} is not null"
    assert count(database, orphans) == 0


def test_orders_add_up(database: duckdb.DuckDBPyConnection) -> None:
    wrong = """
        with sums as (
            select order_id, sum(quantity * unit_price - discount_amount) as net
            from clean_shop_order_lines group by order_id
        )
        select count(*) from clean_shop_orders left join sums using (order_id)
        where net - discount_amount + shipping_amount is distinct from total_amount or total_amount < 0
    """
    assert count(database, wrong) == 0
    too_much = """
        with sums as (select order_id, sum(amount) as back from clean_shop_refunds group by order_id)
        select count(*) from clean_shop_orders join sums using (order_id) where back > total_amount
    """
    assert count(database, too_much) == 0
    early = """
        select count(*) from clean_shop_refunds join clean_shop_orders using (order_id)
        where refunded_at <= ordered_at
    """
    assert count(database, early) == 0


def test_a_session_follows_the_funnel(database: duckdb.DuckDBPyConnection) -> None:
    wrong = """
        with firsts as (
            select
                session_id,
                product_id,
                min(occurred_at) filter (event_type = 'product_view') as viewed_at,
                min(occurred_at) filter (event_type = 'add_to_cart') as carted_at
            from clean_web_events where product_id is not null group by session_id, product_id
        ),
        purchases as (
            select session_id, min(occurred_at) as bought_at, max(order_id) as order_id
            from clean_web_events where event_type = 'purchase' group by session_id
        )
        select count(*) from firsts left join purchases using (session_id)
        where carted_at is not null and (viewed_at is null or viewed_at > carted_at or carted_at > bought_at)
    """
    assert count(database, wrong) == 0
    unlike_the_order = """
        select count(*) from clean_web_events as events
        join clean_shop_orders as orders using (order_id)
        where events.visitor_id is distinct from orders.visitor_id
            or events.occurred_at not between ordered_at and ordered_at + interval 20 seconds
    """
    assert count(database, unlike_the_order) == 0
    sessions = "select session_id from clean_web_events group by 1 having count(distinct visitor_id) > 1"
    assert rows(database, sessions) == []


def test_clicks_bring_sessions_and_orders(database: duckdb.DuckDBPyConnection) -> None:
    visits = "select count(distinct session_id) from clean_web_events where utm_source = 'email'"
    assert count(database, visits) > 100
    orders = "select count(distinct order_id) from clean_web_events where utm_source = 'email'"
    assert count(database, orders) > 5
    unknown = """
        select utm_campaign from clean_web_events
        anti join esp_campaigns on utm_campaign = campaign_id
        where utm_source = 'email'
    """
    assert rows(database, unknown) == []


def test_message_events_are_in_order(database: duckdb.DuckDBPyConnection) -> None:
    wrong = """
        with messages as (
            select
                message_id,
                min(occurred_at) filter (event_type = 'sent') as sent_at,
                min(occurred_at) filter (event_type = 'delivered') as delivered_at,
                min(occurred_at) filter (event_type in ('opened', 'clicked', 'unsubscribed')) as touched_at
            from clean_esp_message_events group by message_id
        )
        select count(*) from messages
        where sent_at is null or delivered_at < sent_at or touched_at < delivered_at
            or (delivered_at is null and touched_at is not null)
    """
    assert count(database, wrong) == 0
    after_goodbye = """
        with goodbyes as (
            select profile_id, min(occurred_at) as left_at from clean_esp_message_events
            where event_type in ('unsubscribed', 'complained') group by profile_id
        )
        select count(*) from clean_esp_message_events as events
        join goodbyes using (profile_id)
        join esp_campaigns using (campaign_id)
        where event_type = 'sent' and message_class = 'promotional' and occurred_at > left_at
    """
    assert count(database, after_goodbye) == 0


def test_every_kind_of_machine_exists(database: duckdb.DuckDBPyConnection) -> None:
    kinds = {row[0] for row in database.execute("select distinct kind from truth_machine_events").fetchall()}
    assert kinds == {"mpp", "prefetch", "bot", "scanner"}
    human_image_proxy = """
        select count(*) from clean_esp_message_events
        anti join truth_machine_events using (event_id)
        where user_agent like '%GoogleImageProxy%'
    """
    assert count(database, human_image_proxy) > 100


def test_people_have_the_records_they_should(database: duckdb.DuckDBPyConnection) -> None:
    for source, table, key in [
        ("crm", "contacts", "contact_id"),
        ("shop", "customers", "customer_id"),
        ("esp", "profiles", "profile_id"),
        ("support", "tickets", "ticket_id"),
    ]:
        unlike = f"""
            select count(*) from clean_{source}_{table} as records
            full join (select * from truth_records where source = '{source}.{table}') as truth
                on records.{key} = truth.record_id
            where records.{key} is null or truth.record_id is null
        """
        # A good row with the key of a bad one counts as dirt here. No other row may differ.
        doubled = f"select count(*) from truth_dirt where \"table\" = '{table}' and kind = 'duplicate_key'"
        assert count(database, unlike) <= count(database, doubled)
    strangers = "select visitor_id from clean_web_events anti join truth_records on visitor_id = record_id"
    assert rows(database, strangers) == []
    shared = (
        "select record_id from truth_records where source = 'web.visitors' group by 1 having count(*) > 1"
    )
    assert len(rows(database, shared)) > 0
    several = (
        "select person_id from truth_records where source = 'shop.customers' group by 1 having count(*) > 1"
    )
    assert len(rows(database, several)) > 50
    mailboxes = """
        with typed as (
            select person_id, lower(trim(email)) as email from shop_customers
            join truth_records on record_id = customer_id and truth_records.source = 'shop.customers'
        )
        select email from typed where email not like '%.example'
        group by 1 having count(distinct person_id) > 1
    """
    families = len(rows(database, mailboxes))
    assert families < 10, "people who are no family share an address by accident"


def test_doubled_events_are_listed(database: duckdb.DuckDBPyConnection) -> None:
    unlisted = """
        select count(*) from (
            select event_id from web_events where event_id is not null group by 1 having count(*) > 1
        ) where event_id not in (select event_id from truth_duplicate_events where kind = 'same_id')
    """
    assert count(database, unlisted) == 0
    seconds = """
        select count(*) from truth_duplicate_events as listed
        join clean_web_events as events using (event_id)
        where kind = 'second_purchase' and event_type = 'purchase' and events.order_id = listed.order_id
    """
    listed = count(database, "select count(*) from truth_duplicate_events where kind = 'second_purchase'")
    assert count(database, seconds) == listed > 0


def test_intensities_are_met(database: duckdb.DuckDBPyConnection) -> None:
    people = count(database, "select count(*) from truth_people")
    orders = count(database, "select count(*) from shop_orders")
    assert orders / people == pytest.approx(5, rel=0.15)
    assert count(database, "select count(*) from web_events") / orders == pytest.approx(10, rel=0.1)
    assert count(database, "select count(*) from esp_message_events") / people == pytest.approx(50, rel=0.15)


def test_same_seed_same_bytes(shop: Path, tmp_path: Path) -> None:
    generate(customers=1_200, days=540, seed=11, to=tmp_path)
    assert digests(tmp_path) == digests(shop)


def test_the_number_of_processes_changes_no_byte(tmp_path: Path) -> None:
    until = int(datetime(2024, 3, 1, tzinfo=UTC).timestamp())
    config = Config(customers=250, days=60, seed=3, until=until, chunk_people=150)
    for jobs in (1, 2):
        write_parquet(config, tmp_path / str(jobs), jobs)
    assert digests(tmp_path / "1") == digests(tmp_path / "2")
    events = tmp_path / "1" / "web" / "events"
    assert len(list(events.glob("*.parquet"))) == 2
    chunks = [set(pq.read_table(part)["session_id"].to_pylist()) for part in events.glob("*.parquet")]
    assert not chunks[0] & chunks[1]


def test_another_seed_is_another_shop(shop: Path, tmp_path: Path) -> None:
    generate(customers=50, days=60, seed=12, to=tmp_path / "a")
    generate(customers=50, days=60, seed=13, to=tmp_path / "b")
    assert digests(tmp_path / "a") != digests(tmp_path / "b")


def test_seeds_in_the_repository_are_generated(seeds: Path) -> None:
    assert digests(SEEDS) == digests(seeds), "run `make demo`"


def test_seeds_are_small_enough_to_read(seeds: Path) -> None:
    sizes = [path.stat().st_size for path in seeds.rglob("*.csv")]
    assert max(sizes) < LARGEST_SEED
    assert sum(sizes) < LARGEST_SEEDS


def test_seeds_have_every_lifecycle_stage(seeds: Path) -> None:
    stages = duckdb.execute(
        f"""
        with truth as (select * from read_csv('{seeds}/truth/demo_truth__records.csv', all_varchar = true)),
        orders as (
            select
                coalesce(accounts.person_id, guests.person_id) as person_id,
                date_diff('day', max(try_cast(ordered_at as timestamptz)), timestamptz '2026-07-01') as days,
                count(*) as n_orders
            from read_csv('{seeds}/shop/demo_shop__orders.csv', all_varchar = true) as orders
            left join truth as accounts
                on accounts.source = 'shop.customers' and accounts.record_id = customer_id
            left join truth as guests on guests.source = 'shop.orders' and guests.record_id = order_id
            where try_cast(ordered_at as timestamptz) < timestamptz '2026-07-01'
            group by 1
        )
        select
            case
                when n_orders is null then 'never purchased'
                when days > 365 then 'dormant'
                when days > 180 then 'lapsed'
                when days > 90 then 'at risk'
                when n_orders = 1 then 'one order'
                else 'active'
            end as stage,
            count(*) as n_people
        from read_csv('{seeds}/truth/demo_truth__people.csv', all_varchar = true) as people
        left join orders using (person_id)
        group by 1
        """
    ).fetchall()
    assert {stage for stage, people in stages if people >= 40} == {
        "never purchased", "one order", "active", "at risk", "lapsed", "dormant",
    }  # fmt: skip


def test_a_shop_too_small_is_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["demo", "--customers", "3", "--to", str(tmp_path)]) == 1
    assert "at least 10 customers" in capsys.readouterr().err


def test_help_imports_no_heavy_module() -> None:
    code = "import sys, mailroom.cli; print([m for m in ('numpy', 'pyarrow', 'duckdb') if m in sys.modules])"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "[]"

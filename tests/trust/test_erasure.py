"""Erasure over days of a small world: nothing of an erased person to read, and nobody comes back."""

from dataclasses import dataclass
from typing import Any

import duckdb
import pytest

from conftest import Run, Warehouse, write_table

pytestmark = pytest.mark.slow

TABLES = {
    "crm/contacts": "contact_id email phone first_name last_name street created_at",
    "shop/customers": "customer_id email phone first_name last_name street postal_code accepts_marketing"
    " accepts_marketing_at created_at",
    "shop/orders": "order_id customer_id visitor_id email phone first_name total_amount ordered_at",
    "esp/profiles": "profile_id external_id email first_name created_at",
    "esp/message_events": "event_id message_id profile_id event_type occurred_at",
    "support/tickets": "ticket_id customer_id requester_email requester_name status created_at",
    "web/events": "event_id visitor_id customer_id email event_type occurred_at",
    "privacy/consent_events": "consent_event_id email phone customer_id channel purpose status lawful_basis"
    " recorded_by occurred_at",
    "privacy/requests": "request_id email phone customer_id request_type status received_at",
}
ABSENT = {"crm": ["opportunities"], "shop": ["products", "order_lines", "refunds"], "esp": ["campaigns"]}
FIRST = ["build", "--exclude-resource-type", "unit_test"]
AGAIN = [
    "run",
    "--select",
    "+customers",
    "+rejected_rows",
    "+consent_issues",
    "+customer_id_changes",
    "+erasure_requests",
]
TESTED = ["build", "--select", "identity", "--exclude-resource-type", "unit_test"]
HELD = "emilia.mr717@gmx.de"  # whom the seed legal_holds names
Row = dict[str, str | None]

# All that the sources hold of Anna; what others share of it is not hers alone.
ANNAS = [
    "anna.berg@gmail.com", "annaberg@gmail.com", "anna@work.de", "+49304711001", "030 4711001", "030 4711002",
    "+49304711002", "Bergstraße 7", "a1", "ka1", "fa1", "va1", "Annabel",
]  # fmt: skip


def person(table: str, key: str, name: str, email: str | None, phone: str | None = None, **more: str) -> Row:
    return {
        TABLES[table].split()[0]: key, "first_name": name, "email": email, "phone": phone,
        "created_at": "2020-01-01", **more,
    }  # fmt: skip


def request(key: str, status: str = "received", kind: str = "erasure", **named: str) -> Row:
    return {"request_id": key, "request_type": kind, "status": status, "received_at": "2026-01-01", **named}


def order(key: str, **named: str) -> Row:
    return {"order_id": key, "total_amount": "10", "ordered_at": "2021-02-01", **named}


def ticket(key: str, **named: str) -> Row:
    return {"ticket_id": key, "status": "open", "created_at": "2021-01-01", **named}


def message(key: str, kind: str) -> Row:
    return {
        "event_id": key, "message_id": "m", "profile_id": "fa1", "event_type": kind,
        "occurred_at": "2021-01-02",
    }  # fmt: skip


def visit(key: str, visitor: str, account: str, kind: str = "page_view") -> Row:
    return {
        "event_id": key, "visitor_id": visitor, "customer_id": account, "event_type": kind,
        "occurred_at": "2021-01-01",
    }  # fmt: skip


def world() -> dict[str, list[Row]]:
    """Anna in every system, and who shares something with her."""
    return {
        "shop/customers": [
            person("shop/customers", "a1", "Annabel", "anna.berg@gmail.com", "030 4711001",
                   last_name="Berg", street="Bergstraße 7", postal_code="10115",
                   accepts_marketing="true", accepts_marketing_at="2021-01-01"),
            person("shop/customers", "b1", "Ben", "ben@x.de", "030 4711001"),
            person("shop/customers", "e1", "Eva", HELD, "030 4711005"),
            person("shop/customers", "g1", "Gus", "gus@x.de"),
            person("shop/customers", "h1", "Hanna", "home@x.de"),
            person("shop/customers", "h2", "Heinz", "home@x.de"),
            person("shop/customers", "k1", "Katharina", "family@x.de"),
        ],
        "crm/contacts": [
            person("crm/contacts", "ka1", "Annabel", "anna@work.de", "030 4711001"),
            person("crm/contacts", "kc", "Carl", "info@firma.de"),
            person("crm/contacts", "kd", "Dora", "info@firma.de"),
            person("crm/contacts", "kp", "Paul", None, "030 4711007"),
            person("crm/contacts", "ka1", "Annabel", "anna@work.de", "030 4711001", created_at="2019-01-01"),
        ],
        "shop/orders": [
            order("o1", customer_id="a1", visitor_id="va1"),
            order("o2", email="annaberg@gmail.com", phone="030 4711002", first_name="Annabel"),
            order("o3", customer_id="b1", visitor_id="tablet"),
            {**order("o4", customer_id="a1"), "ordered_at": None},
        ],
        "esp/profiles": [person("esp/profiles", "fa1", "Annabel", "anna.berg@gmail.com", external_id="a1")],
        "esp/message_events": [message("m1", "sent"), message("m2", "unsubscribed")],
        "support/tickets": [ticket("t1", requester_email="anna@work.de", requester_name="Annabel Berg")],
        "web/events": [
            visit("w1", "va1", "a1"),
            visit("w2", "tablet", "a1"),
            visit("w3", "tablet", "b1"),
            visit("w4", "va1", "a1", "nonsense"),
        ],
        "privacy/consent_events": [
            consent("y1", "granted", "sms", customer_id="a1", phone="+49304711001"),
            consent("n1", "withdrawn", "sms", phone="+49304711001", customer_id="a1"),
            consent("n2", "withdrawn", "email", email="anna@work.de"),
            consent("y2", "granted", "email", email="ben@x.de"),
        ],
        "privacy/requests": [
            request("of anna", email="anna.berg@gmail.com"),
            request("of anna again", kind="complaint", email="anna.berg@gmail.com", phone="030 4711002"),
            request("of carl", email="info@firma.de"),
            request("by a landline", phone="030 4711001"),
            request("of paul", phone="+49 30 4711007"),
            request("of eva", customer_id="e1", email=HELD),
            request("of gus", customer_id="g1"),
            request("of katharina", email="family@x.de"),
            request("of hanna or heinz", email="home@x.de"),
            request("of a stranger", email="stranger@x.de"),
            request("refused", status="refused", email="ben@x.de"),
        ],
    }  # fmt: skip


def consent(key: str, status: str, channel: str, **named: str) -> Row:
    return {
        "consent_event_id": key, "channel": channel, "purpose": "marketing_email", "status": status,
        "lawful_basis": "express", "recorded_by": "preference_centre", "occurred_at": "2022-01-01", **named,
    }  # fmt: skip


@dataclass(frozen=True)
class Shop:
    """A warehouse over files that change from day to day."""

    warehouse: Warehouse

    @property
    def variables(self) -> dict[str, Any]:
        systems = ["crm", "shop", "web", "support", "esp", "privacy"]
        return {
            system: {
                "files": f"{self.warehouse.folder}/{system}/{{table}}.parquet",
                "absent": ABSENT.get(system, []),
            }
            for system in systems
        }

    def build(self, rows: dict[str, list[Row]], day: int, *command: str) -> Run:
        for table, columns in TABLES.items():
            write_table(self.warehouse.folder / f"{table}.parquet", rows.get(table, []), columns.split())
        run = self.warehouse.dbt(*command, **self.variables, as_of=f"2026-07-0{day} 00:00:00")
        assert run.ok, run.output
        return run

    def customers(self) -> set[str]:
        return {key for (key,) in self.warehouse.rows("select record_id from customer_keys")}

    def outcomes(self) -> dict[str, str]:
        return dict(self.warehouse.rows("select request_id, outcome from erasure_requests"))


def read_tables(warehouse: Warehouse) -> list[str]:
    """The tables people read, and the lists of what to look at."""
    models = [node for node in warehouse.manifest()["nodes"].values() if node["resource_type"] == "model"]
    return sorted(
        f"{model['schema']}.{model['name']}"
        for model in models
        if model["config"]["access"] == "public" or model["name"].endswith("_issues")
    )


def places(warehouse: Warehouse, values: set[str]) -> list[tuple[str, str, str]]:
    """Where the values stand: table, column and the text, of every text column; a value must stand whole."""
    found = []
    with duckdb.connect(str(warehouse.folder / "warehouse.duckdb"), read_only=True) as connection:
        connection.execute("create temp table looked_for as select unnest(?) as wanted", [sorted(values)])
        for table in read_tables(warehouse):
            for name, data_type, *_ in connection.execute(f"describe {table}").fetchall():
                if data_type != "VARCHAR":
                    continue
                texts = connection.execute(
                    f"""
                    select distinct {name} from {table} inner join looked_for on contains({name}, wanted)
                    where {name} = wanted or regexp_matches(
                        {name}, '(^|[^A-Za-z0-9.+-])' || regexp_escape(wanted) || '($|[^A-Za-z0-9.])'
                    )
                    """
                ).fetchall()
                found += [(table, name, text) for (text,) in texts]
    return found


@pytest.fixture(scope="module")
def first_day(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    shop = Shop(Warehouse(tmp_path_factory.mktemp("erasure")))
    shop.build(world(), 1, *FIRST)
    return shop


def test_nothing_of_an_erased_person_stands_in_a_table_people_read(first_day: Shop) -> None:
    shared = {"+49304711001", "030 4711001"}
    assert places(first_day.warehouse, set(ANNAS) - shared) == []
    assert {column for _, column, _ in places(first_day.warehouse, {"ben@x.de"})} >= {"email"}


def test_who_shares_a_phone_a_mailbox_or_a_device_with_them_is_still_there(first_day: Shop) -> None:
    keys = first_day.customers()
    assert {"b1", "kc", "kd", "h1", "h2", "e1", "tablet"} <= keys
    assert not {"a1", "ka1", "fa1", "va1", "kp", "g1", "k1"} & keys
    assert first_day.warehouse.rows(
        "select customer_id is null, n_customers from visitor_customers where visitor_id = 'tablet'"
    ) == [(True, 2)]


def test_what_became_of_each_request_is_said(first_day: Shop) -> None:
    assert first_day.outcomes() == {
        "of anna": "erased",
        "of carl": "names more than one person",
        "by a landline": "names more than one person",
        "of paul": "erased",
        "of eva": "held",
        "of gus": "erased",
        "of katharina": "erased",
        "of hanna or heinz": "names more than one person",
        "of a stranger": "names nobody",
        "refused": "refused",
    }


def test_a_no_that_binds_others_outlives_them_and_a_yes_does_not(first_day: Shop) -> None:
    assert set(
        first_day.warehouse.rows(
            "select consent_status, channel, phone, email, shop_customer_id from consent_history"
            " where source_system = 'consent tool'"
        )
    ) == {
        ("withdrawn", "sms", "+49304711001", None, None),
        ("granted", "email", None, "ben@x.de", None),
    }


def test_nobody_comes_back(first_day: Shop) -> None:
    """The days after, in order: each build goes on from the one before."""
    shop = first_day
    again = shop.warehouse.rows("select * from erasure_ledger order by all")
    shop.build(world(), 1, *AGAIN)
    assert shop.warehouse.rows("select * from erasure_ledger order by all") == again

    # The sources have done it and the privacy desk has forgotten it; Anna buys again, others move in.
    rows = world()
    rows["privacy/requests"] = [request("of gus", customer_id="g1", status="refused")]
    for table in rows:
        named = ("email", "requester_email", "customer_id", "external_id")
        rows[table] = [
            row for row in rows[table]
            if not {row.get(column) for column in named}
            & {"anna.berg@gmail.com", "anna@work.de", "annaberg@gmail.com", "a1", "family@x.de"}
        ]  # fmt: skip
    rows["shop/customers"] += [
        person("shop/customers", "a2", "Annabel", "annaberg+new@gmail.com", "030 4711003"),
        person("shop/customers", "k2", "Kathi", "family@x.de"),
        person("shop/customers", "k3", "Konrad", "family@x.de"),
        person("shop/customers", "s1", "Sam", "stranger@x.de"),
    ]
    shop.build(rows, 2, *AGAIN)
    assert not {"a2", "k2", "s1", "va1"} & shop.customers()
    assert {"k3", "g1", "b1", "e1"} <= shop.customers()
    assert shop.warehouse.rows("select email from erased_addresses order by 1") == [
        ("family@x.de",), ("home@x.de",), ("info@firma.de",),
    ]  # fmt: skip
    assert (
        shop.warehouse.rows(
            "select change_type, n_records from customer_id_changes where new_customer_id is null"
        )
        == []
    )
    assert places(shop.warehouse, {"annaberg+new@gmail.com", "030 4711003", "+49304711003", "a2"}) == []

    # By what was learned of her the second time; and the hold on Eva has ended.
    with duckdb.connect(str(shop.warehouse.folder / "warehouse.duckdb")) as connection:
        connection.execute("update main_policy.legal_holds set held_until = timestamp '2026-07-02'")
    rows["shop/customers"] = [row for row in rows["shop/customers"] if row["customer_id"] != "a2"]
    rows["crm/contacts"] += [person("crm/contacts", "ka3", "Annabel", "new@x.de", "+49 30 4711003")]
    shop.build(rows, 3, *AGAIN)
    assert not {"ka3", "e1"} & shop.customers()
    assert shop.outcomes()["of eva"] == "erased"
    assert shop.warehouse.rows(
        "select change_type, n_records from customer_id_changes where new_customer_id is null"
    ) == [("erasure", 1)]

    # Looking back does not undo it, nor does a full refresh.
    shop.build(rows, 1, *TESTED)
    assert not {"a2", "ka3", "va1"} & shop.customers()
    ledger = shop.warehouse.rows("select count(*), count(distinct salt_id) from erasure_ledger")
    shop.build(rows, 3, *TESTED, "--full-refresh")
    assert shop.warehouse.rows("select count(*), count(distinct salt_id) from erasure_ledger") == ledger
    assert not {"a2", "ka3", "e1"} & shop.customers()


def test_the_ledgers_are_purged_of_them_and_of_what_outlived_its_days(first_day: Shop) -> None:
    """After the days above: what the ledgers still hold of erased persons goes, and nothing else."""
    shop = first_day
    options = {**shop.variables, "as_of": "2026-07-03 00:00:00"}
    kept = "select count(*) from consent_history"
    answers = shop.warehouse.rows(kept)
    assert shop.warehouse.rows("select 1 from consent_ledger where email = 'anna@work.de'")
    assert shop.warehouse.rows("select 1 from customer_key_log where record_key = 'shop_customer:e1'")
    stays = (
        "select 1 from segment_changes where customer_id in"
        " (select old_customer_id from customer_id_changes where change_type = 'erasure')"
    )
    assert shop.warehouse.rows(stays)
    purged = shop.warehouse.dbt("run-operation", "purge_erased", **options)
    assert purged.ok, purged.output
    assert "@" not in purged.output
    assert (
        shop.warehouse.rows("select 1 from consent_ledger where shop_customer_id = 'a1' and email <> ''")
        == []
    )
    assert shop.warehouse.rows("select 1 from customer_key_log where record_key = 'shop_customer:e1'") == []
    assert shop.warehouse.rows(stays) == []
    assert shop.warehouse.rows("select count(*) from consent_ledger") == answers

    with duckdb.connect(str(shop.warehouse.folder / "warehouse.duckdb")) as connection:
        connection.execute("update consent_ledger set recorded_at = timestamp '2015-01-01',"
                           " occurred_at = timestamp '2015-01-01'")  # fmt: skip
    noes = "select count(*) from consent_ledger where consent_status not in ('granted', 'pending')"
    before = shop.warehouse.rows(noes)
    listed = shop.warehouse.dbt("run-operation", "retain", **options)
    assert listed.ok and "for its owner: delete from" in listed.output, listed.output
    assert shop.warehouse.rows("select count(*) from consent_ledger") == answers
    deleted = shop.warehouse.dbt("run-operation", "retain", "--args", "{delete: true}", **options)
    assert deleted.ok, deleted.output
    assert shop.warehouse.rows(noes) == before
    assert shop.warehouse.rows(
        "select count(*) from consent_ledger where consent_status in ('granted', 'pending')"
        " and consent_event_id not in (select deciding_event_id from consents where deciding_event_id <> '')"
    ) == [(0,)]

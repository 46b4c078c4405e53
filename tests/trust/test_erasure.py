"""Erasure over several days: no table shows an erased person, and none comes back by accident."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest

from conftest import Run, Warehouse, write_table
from mailroom.validate import validate

pytestmark = [pytest.mark.slow, pytest.mark.deep]

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
CAUTIOUS = ["--indirect-selection", "cautious"]  # no test of a table that was not built
HELD = "emilia.mr717@gmx.de"  # in seed legal_holds
Row = dict[str, str | None]

# Every value about Anna in the sources. She shares some with others.
ANNAS = [
    "anna.berg@gmail.com", "annaberg@gmail.com", "anna@work.de", "+49304711001", "030 4711001", "030 4711002",
    "+49304711002", "Bergstraße 7", "a1", "ka1", "fa1", "va1", "Annabel", "a.nna.berg+news@googlemail.com",
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
    """Anna in every system, and the people who share an identifier with her."""
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
            # Anna's mailbox in a spelling that none of her records has.
            consent("n3", "withdrawn", "email", email="a.nna.berg+news@googlemail.com"),
            {**consent("n4", "granted", "email", email="a.nna.berg+news@googlemail.com"), "occurred_at": "x"},
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
    """The public tables and the *_issues lists."""
    models = [node for node in warehouse.manifest()["nodes"].values() if node["resource_type"] == "model"]
    return sorted(
        f"{model['schema']}.{model['name']}"
        for model in models
        if model["config"]["access"] == "public" or model["name"].endswith("_issues")
    )


def places(warehouse: Warehouse, values: set[str]) -> list[tuple[str, str, str]]:
    """Every text with one of the values as a whole word: table, column, text."""
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


def validated(shop: Shop) -> None:
    """Great Expectations passes on the public tables, except for values that a small shop lacks."""
    checked = validate(shop.warehouse.folder / "warehouse.duckdb", shop.warehouse.folder / "gx")
    unknown_here = {"customers", "customer_daily_activity", "orders"}
    failed = {
        (suite.name, *failure)
        for suite in checked
        for failure in suite.failed
        if not (suite.name in unknown_here and failure[1] == "expect_column_values_to_not_be_null")
    }
    assert failed == set()


@pytest.fixture(scope="module")
def first_day(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    shop = Shop(Warehouse(tmp_path_factory.mktemp("erasure")))
    shop.build(world(), 1, *FIRST)
    return shop


def test_no_public_table_shows_an_erased_person(first_day: Shop) -> None:
    shared = {"+49304711001", "030 4711001"}
    assert places(first_day.warehouse, set(ANNAS) - shared) == []
    assert {column for _, column, _ in places(first_day.warehouse, {"ben@x.de"})} >= {"email"}


def test_customers_who_share_an_identifier_with_them_stay(first_day: Shop) -> None:
    keys = first_day.customers()
    assert {"b1", "kc", "kd", "h1", "h2", "e1", "tablet"} <= keys
    assert not {"a1", "ka1", "fa1", "va1", "kp", "g1", "k1"} & keys
    assert first_day.warehouse.rows(
        "select customer_id is null, n_customers from visitor_customers where visitor_id = 'tablet'"
    ) == [(True, 2)]


def test_each_request_has_an_outcome(first_day: Shop) -> None:
    assert first_day.outcomes() == {
        "of anna": "erased",
        "of carl": "names more than one person",
        "by a landline": "names more than one person",
        "of paul": "erased",
        "of eva": "held",
        "of gus": "erased",
        "of katharina": "erased",
        "of hanna or heinz": "names more than one person",
        "of a stranger": "names no customer",
        "refused": "refused",
    }


def test_an_opt_out_that_concerns_others_stays_and_an_opt_in_does_not(first_day: Shop) -> None:
    assert set(
        first_day.warehouse.rows(
            "select consent_status, channel, phone, email, shop_customer_id from consent_history"
            " where source_system = 'consent tool'"
        )
    ) == {
        ("withdrawn", "sms", "+49304711001", None, None),
        ("granted", "email", None, "ben@x.de", None),
    }


def test_the_public_tables_validate_after_an_erasure_a_hold_and_a_refusal(first_day: Shop) -> None:
    validated(first_day)


def test_no_erased_person_comes_back(first_day: Shop) -> None:
    """The following days in order. Each build continues from the one before."""
    shop = first_day
    again = shop.warehouse.rows("select * from erasure_ledger order by all")
    shop.build(world(), 1, *TESTED)
    assert shop.warehouse.rows("select * from erasure_ledger order by all") == again

    # The sources erased Anna and the desk deleted the request. Anna buys again, others take her address.
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

    # Anna is recognised by her second phone number, and the hold on Eva has ended.
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

    # Neither a build as of the past nor a full refresh undoes it.
    shop.build(rows, 1, *TESTED)
    assert not {"a2", "ka3", "va1"} & shop.customers()
    ledger = shop.warehouse.rows("select count(*), count(distinct salt_id) from erasure_ledger")
    shop.build(rows, 3, *TESTED, "--full-refresh")
    assert shop.warehouse.rows("select count(*), count(distinct salt_id) from erasure_ledger") == ledger
    assert not {"a2", "ka3", "e1"} & shop.customers()


def test_purge_and_retain_delete_erased_and_expired_ledger_rows(first_day: Shop) -> None:
    """After the days above. purge_erased deletes the ledger rows of erased persons and nothing else."""
    shop = first_day
    options = {**shop.variables, "as_of": "2026-07-03 00:00:00"}
    # A refused erasure is no consent event, but stays in the ledger.
    kept = (
        "select count(*) from consent_ledger where source_key = 'of gus'"
        " or consent_event_id in (select consent_event_id from consent_history)"
    )
    answers = shop.warehouse.rows(kept)
    of_anna = "select 1 from consent_ledger where email in ('anna@work.de', 'a.nna.berg+news@googlemail.com')"
    assert len(shop.warehouse.rows(of_anna)) == 2
    assert shop.warehouse.rows("select 1 from customer_key_log where record_key = 'shop_customer:e1'")
    erased_changes = (
        "select 1 from segment_changes where customer_id in"
        " (select old_customer_id from customer_id_changes where change_type = 'erasure')"
    )
    assert shop.warehouse.rows(erased_changes)
    purged = shop.warehouse.dbt("run-operation", "purge_erased", **options)
    assert purged.ok, purged.output
    assert "@" not in purged.output
    assert (
        shop.warehouse.rows("select 1 from consent_ledger where shop_customer_id = 'a1' and email <> ''")
        == []
    )
    assert shop.warehouse.rows(of_anna) == []
    assert shop.warehouse.rows("select 1 from customer_key_log where record_key = 'shop_customer:e1'") == []
    assert shop.warehouse.rows(erased_changes) == []
    assert shop.warehouse.rows("select count(*) from consent_ledger") == answers

    with duckdb.connect(str(shop.warehouse.folder / "warehouse.duckdb")) as connection:
        connection.execute("update main_internal.consent_ledger set recorded_at = timestamp '2015-01-01',"
                           " occurred_at = timestamp '2015-01-01'")  # fmt: skip
    noes = "select count(*) from consent_ledger where consent_status not in ('granted', 'pending')"
    before = shop.warehouse.rows(noes)
    listed = shop.warehouse.dbt("run-operation", "retain", **options)
    assert listed.ok and "its owner may run: delete from" in listed.output, listed.output
    assert shop.warehouse.rows("select count(*) from consent_ledger") == answers
    deleted = shop.warehouse.dbt("run-operation", "retain", "--args", "{delete: true}", **options)
    assert deleted.ok, deleted.output
    assert shop.warehouse.rows(noes) == before
    assert shop.warehouse.rows(
        "select count(*) from consent_ledger where consent_status in ('granted', 'pending')"
        " and consent_event_id not in (select deciding_event_id from consents where deciding_event_id <> '')"
    ) == [(0,)]


# People with an account each, named by a letter: ada's account is "ada", her address ada@x.de.
NAMES = [
    "ada", "bea", "cyd", "dan", "eli", "fay", "gil", "hal", "ida", "jon", "kim", "lea", "moe", "ned", "ola",
    "pia", "quinn", "rob", "sue", "tom", "uma", "vic", "wes", "xia", "yan", "zoe", "abe", "ben", "cal", "dot",
]  # fmt: skip
PHONES = {name: f"+4930900{number:04}" for number, name in enumerate(NAMES, 1000)}
NEXT = ["run", "--select", "+erasure_requests", "+privacy_request_status"]


def account(name: str, key: str | None = None, **more: str) -> Row:
    return person(
        "shop/customers", key or name, name.title(), f"{name}@x.de", PHONES[name], last_name="X", **more
    )


def flawed(key: str | None, kind: str | None, status: str | None, received: str | None, **named: str) -> Row:
    return {"request_id": key, "request_type": kind, "status": status, "received_at": received, **named}


DATE = "2026-06-01"
TWO_PEOPLE = [
    request("account and address", customer_id="ada", email="bea@x.de"),
    request("account and phone", customer_id="cyd", phone=PHONES["dan"]),
    request("address and phone", email="eli@x.de", phone=PHONES["fay"]),
    request("two and one", customer_id="gil", email="gil@x.de", phone=PHONES["hal"]),
    request("one and two", customer_id="ida", email="jon@x.de", phone=PHONES["ida"]),
]
ONE_PERSON = [
    request("all three", customer_id="kim", email="kim@x.de", phone=PHONES["kim"]),
    request("account of no one", customer_id="nowhere", email="lea@x.de"),
    request("phone of no one", customer_id="moe", phone="030 1234599"),
]
FLAWED = [
    flawed("undated", "erasure", "received", None, email="ned@x.de"),
    flawed("unreadable date", "erasure", "received", "in June", email="ola@x.de"),
    flawed("of tomorrow", "erasure", "received", "2026-07-02 12:00:00", email="pia@x.de"),
    flawed("epoch", "erasure", "done", "1970-01-01", email="quinn@x.de"),
    flawed("no status", "erasure", None, DATE, email="rob@x.de"),
    flawed("status of a no", "erasure", "Rejected", DATE, email="sue@x.de"),
    flawed("status of ours", "erasure", "open", DATE, email="tom@x.de"),
    flawed("type in capitals", "ERASURE", "received", DATE, email="uma@x.de"),
    flawed("unknown type", "complaint", "received", DATE, email="vic@x.de"),
    flawed("no type", None, "received", DATE, email="vic@x.de"),
    flawed(None, "erasure", "received", DATE, email="wes@x.de"),
    flawed("twice", "erasure", "received", "2026-06-02", email="xia@x.de"),
    flawed("twice", "erasure", "received", DATE, email="yan@x.de"),
    flawed("two types", "access", "received", "2026-06-02", email="zoe@x.de"),
    flawed("two types", "erasure", "received", DATE, email="zoe@x.de"),
    flawed("unreadable address", "erasure", "received", DATE, email="abe(at)x.de"),
    flawed("names no one", "erasure", "received", DATE),
    flawed("an objection", "objection", "refused", None, email="ben@x.de"),
]


def people_who_ask() -> dict[str, list[Row]]:
    return {
        "shop/customers": [account(name) for name in NAMES],
        "shop/orders": [order(f"old of {name}", customer_id=name) for name in NAMES],
        "privacy/requests": TWO_PEOPLE + ONE_PERSON + FLAWED + [request("of cal", email="cal@x.de")],
    }


def clocks(shop: Shop) -> dict[str, tuple[Any, ...]]:
    found = shop.warehouse.rows(
        "select request_id, received_at::date::text, due_on::text, issue from privacy_request_status"
    )
    return {row[0]: row[1:] for row in found}


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """A privacy desk with every kind of flawed request. All tests of its tables pass."""
    shop = Shop(Warehouse(tmp_path_factory.mktemp("desk")))
    read = ["+contactability", "+customer_keys", "+privacy_request_status", "+rejected_rows"]
    shop.build(people_who_ask(), 1, *FIRST, *CAUTIOUS, "--select", *read)
    return shop


def test_a_request_that_names_two_people_erases_none_of_them(desk: Shop) -> None:
    outcomes = desk.outcomes()
    assert {outcomes[row["request_id"] or ""] for row in TWO_PEOPLE} == {"names more than one person"}
    assert {outcomes[row["request_id"] or ""] for row in ONE_PERSON} == {"erased"}
    assert set(NAMES[:10]) <= desk.customers()
    assert not {"kim", "lea", "moe"} & desk.customers()
    stopped = desk.warehouse.rows(
        "select message_class, bool_or(is_allowed) from contactability join customers using (customer_id)"
        " where customers.email in ('ada@x.de', 'bea@x.de', 'dan@x.de', 'hal@x.de') group by all"
    )
    assert dict(stopped) == {
        "transactional": True, "promotional": False, "lifecycle": False, "onboarding": False,
    }  # fmt: skip


def test_a_rejected_request_is_carried_out_if_it_can_be_read(desk: Shop) -> None:
    outcomes = desk.outcomes()
    (without_id,) = [key for key in outcomes if key.startswith("without id ")]
    (second,) = [key for key in outcomes if key.startswith("twice / ")]
    erased = {
        "undated", "unreadable date", "of tomorrow", "epoch", "no status", "status of ours",
        "type in capitals", without_id, "twice", second, "two types / erasure",
    }  # fmt: skip
    assert {key for key in erased if outcomes[key] != "erased"} == set()
    for key in ("status of a no", "unreadable address", "names no one"):
        assert outcomes[key] == "not readable"
    gone = {"ned", "ola", "pia", "quinn", "rob", "tom", "uma", "wes", "xia", "yan", "zoe", "cal"}
    assert not gone & desk.customers()
    assert {"sue", "vic", "abe", "ben"} <= desk.customers()


def test_every_request_has_a_due_date_and_an_issue_to_fix(desk: Shop) -> None:
    found = clocks(desk)
    assert len(found) == len(people_who_ask()["privacy/requests"])
    assert found["undated"] == ("2026-07-01", "2026-08-01", "it has no readable date")
    assert found["unreadable date"] == found["undated"]
    assert found["of tomorrow"] == ("2026-07-01", "2026-08-01", "it is dated in the future")
    assert found["epoch"] == ("2026-07-01", "2026-08-01", "it is dated before 2000-01-01")
    assert found["status of a no"] == (DATE, "2026-07-01", "its status is unknown")
    assert found["unknown type"] == (DATE, "2026-07-01", "its type is unknown")
    assert found["no type"] == (DATE, "2026-07-01", "its type is missing")
    assert found["twice"][2] == found["two types"][2] == "another request has the same id"
    assert "its e-mail address is not readable" in found["unreadable address"][2]
    assert found["of cal"] == ("2026-01-01", "2026-02-01", None)
    ((reason,),) = desk.warehouse.rows(
        "select reason from privacy_request_status where request_id = 'an objection'"
    )
    assert "cannot be refused (GDPR art. 21(3)), so marketing stops" in reason


def test_a_due_date_never_restarts_and_an_erasure_stays_recorded(desk: Shop) -> None:
    """The desk dates, edits, reuses and deletes its requests. The people leave every source."""
    done = desk.warehouse.rows("select request_id, erased_at from erasure_requests where outcome = 'erased'")
    before = clocks(desk)
    rows = people_who_ask()
    edited: dict[str, Row] = {
        "all three": {"request_type": "access"},
        "account of no one": {"email": None, "customer_id": None},
        "phone of no one": {"customer_id": "dot", "phone": None, "status": "refused"},
        "of cal": {"received_at": "2026-07-01 10:00:00"},
        "no status": {"status": "a word"},
        "type in capitals": {"request_type": "deletion"},
    }
    forgotten = {"status of ours", "epoch"}
    rows["privacy/requests"] = [
        {**row, **edited.get(row["request_id"] or "", {})}
        for row in rows["privacy/requests"] if row["request_id"] not in forgotten
    ]  # fmt: skip
    gone = {"kim", "lea", "moe", "ned", "rob", "tom", "uma", "wes", "cal"}
    rows["shop/customers"] = [row for row in rows["shop/customers"] if row["customer_id"] not in gone]
    rows["shop/orders"] = [row for row in rows["shop/orders"] if row["customer_id"] not in gone]
    desk.build(rows, 2, *NEXT)
    after = clocks(desk)
    for key in ("undated", "unreadable date", "of tomorrow"):
        assert after[key][:2] == before[key][:2]
    # With a new date it counts from the day we learned of it, never from a later day.
    assert after["of cal"][0] == "2026-07-01"
    assert set(done) <= set(
        desk.warehouse.rows("select request_id, erased_at from erasure_requests where outcome = 'erased'")
    )
    assert not (gone | {"quinn", "pia"}) & desk.customers()
    assert "dot" in desk.customers()
    # A build as of the past, and a full refresh.
    desk.build(rows, 1, *NEXT)
    desk.build(rows, 3, *NEXT, "--full-refresh")
    assert clocks(desk)["undated"][:2] == before["undated"][:2]
    assert set(done) <= set(
        desk.warehouse.rows("select request_id, erased_at from erasure_requests where outcome = 'erased'")
    )


def test_a_request_that_names_an_erased_person_and_another_erases_no_one(desk: Shop) -> None:
    """After the days above: Kim is erased and in no source any more."""
    rows = people_who_ask()
    rows["shop/customers"] = [
        row for row in rows["shop/customers"] if row["customer_id"] not in ("kim", "lea")
    ]
    rows["privacy/requests"] += [
        request("account of an erased person", customer_id="kim", email="dot@x.de"),
        request("address of an erased person", customer_id="dot", email="lea@x.de"),
    ]
    desk.build(rows, 4, *NEXT)
    assert desk.outcomes()["account of an erased person"] == "names more than one person"
    assert desk.outcomes()["address of an erased person"] == "names more than one person"
    assert "dot" in desk.customers()


# More models that the test of returning customers reads.
KNOWN = ["+contactability", "+orders", "+source_reconciliation", "+customer_id_changes", "+erasure_requests"]
BACK = "2026-07-01 12:00:00"  # after each request, which came in on 2026-06-01
RETURNING = ["amy", "bob", "cat", "dan", "eva", "fin", "gia", "hue", "ian", "jil", "kai", "lou"]


def returning() -> dict[str, list[Row]]:
    """People with an old account, profile, order and opt-in each, who request erasure."""
    return {
        "shop/customers": [account_of(name) for name in RETURNING],
        "shop/orders": [order(f"old of {name}", customer_id=name) for name in RETURNING]
        + [order("old of a guest", email="guest@x.de", first_name="Gus")],
        "esp/profiles": [profile(f"profile of {name}", f"{name}@y.de") for name in RETURNING],
        "privacy/consent_events": [
            consent(f"old yes of {name}", "granted", "email", email=f"{name}@y.de") for name in RETURNING
        ],
        "privacy/requests": [
            {**request(f"of {name}", email=f"{name}@y.de"), "received_at": DATE} for name in RETURNING
        ]
        + [{**request("of a guest", email="guest@x.de"), "received_at": DATE}],
    }


def account_of(name: str, key: str | None = None, **more: str) -> Row:
    return person("shop/customers", key or name, name.title(), f"{name}@y.de", **more)


def profile(key: str, email: str, **more: str) -> Row:
    return person("esp/profiles", key, email.split("@")[0].title(), email, **more)


def come_back() -> dict[str, list[Row]]:
    rows = returning()
    rows["shop/customers"] += [
        account_of("amy", "amy again", created_at=BACK),
        account_of("bob", "bob of before", created_at="2026-05-01"),
        account_of("cat", "cat undated", created_at=""),
        account_of("lou", "lou again", created_at=BACK),
    ]
    rows["shop/orders"] += [
        {**order("new of dan", email="dan@y.de", first_name="Dan"), "ordered_at": BACK},
        {**order("new of eva", customer_id="eva"), "ordered_at": BACK},
        {**order("new of the guest", email="guest@x.de", first_name="Gus"), "ordered_at": BACK},
        {**order("late copy of fin", email="fin@y.de", first_name="Fin"), "ordered_at": "2026-05-01"},
    ]
    rows["esp/profiles"] += [
        profile("new of amy", "amy@y.de", created_at=BACK),
        profile("new of gia", "gia@y.de", created_at=BACK),
        profile("new of hue", "hue@y.de", created_at=BACK),
        profile("new of kai", "kai@y.de", created_at=BACK),
    ]
    rows["crm/contacts"] = [person("crm/contacts", "new of ian", "Ian", "ian@y.de", created_at=BACK)]
    rows["support/tickets"] = [{**ticket("new of jil", requester_email="jil@y.de"), "created_at": BACK}]
    later = {"occurred_at": BACK}
    rows["privacy/consent_events"] += [
        {**consent("new yes of gia", "granted", "email", email="gia@y.de"), **later},
        {**consent("import of hue", "granted", "email", email="hue@y.de"), **later, "recorded_by": "crm"},
        {
            **consent("implied of kai", "granted", "email", email="kai@y.de"),
            **later,
            "lawful_basis": "implied",
        },
        {**consent("new yes of lou", "granted", "email", email="lou@y.de"), **later},
    ]
    return rows


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(Warehouse(tmp_path))


def test_a_person_who_comes_back_by_their_own_act_is_a_new_customer(shop: Shop) -> None:
    shop.build(returning(), 1, *FIRST, *CAUTIOUS, "--select", *KNOWN)
    assert shop.customers() == set()
    before: dict[str, str] = dict(shop.warehouse.rows("select record_key, customer_id from record_clusters"))
    shop.build(come_back(), 2, *AGAIN, *KNOWN)
    assert {"amy again", "new of amy", "eva", "new of gia", "lou again"} <= shop.customers()
    assert not {
        "amy", "bob", "bob of before", "cat", "cat undated", "dan", "profile of amy", "profile of eva",
        "new of hue", "new of kai", "new of ian", "gia", "profile of gia",
    } & shop.customers()  # fmt: skip
    kept = shop.warehouse.rows("select email, customer_id, first_seen_at from customers order by 1")
    assert [row[0] for row in kept] == [
        "amy@y.de", "dan@y.de", "eva@y.de", "gia@y.de", "guest@x.de", "lou@y.de",
    ]  # fmt: skip
    assert not {row[1] for row in kept} & set(before.values())
    assert {str(row[2]) for row in kept} == {BACK}
    assert {key for (key,) in shop.warehouse.rows("select order_id from orders")} == {
        "new of dan", "new of eva", "new of the guest",
    }  # fmt: skip
    may = shop.warehouse.rows(
        "select customers.email, message_class from contactability join customers using (customer_id)"
        " where contactability.is_allowed and message_class in ('transactional', 'promotional')"
    )
    assert {email for email, message_class in may if message_class == "transactional"} == {
        row[0] for row in kept
    }
    assert {email for email, message_class in may if message_class == "promotional"} == {
        "gia@y.de", "lou@y.de",
    }  # fmt: skip
    assert shop.warehouse.rows("from customer_id_changes where change_type <> 'erasure'") == []
    assert set(shop.outcomes().values()) == {"erased"}
    ids = {email: customer_id for email, customer_id, _ in kept}

    # The sources erase them. Returned customers keep their id. Amy requests erasure again and is erased.
    rows = come_back()
    rows["shop/customers"] = [row for row in rows["shop/customers"] if row["customer_id"] not in RETURNING]
    rows["shop/customers"] += [account_of("eva")]
    rows["esp/profiles"] = [row for row in rows["esp/profiles"] if row["created_at"] == BACK]
    rows["shop/orders"] = [row for row in rows["shop/orders"] if row["ordered_at"] == BACK]
    rows["privacy/requests"] += [
        {**request("of amy again", email="amy@y.de"), "received_at": "2026-07-02 12:00:00"}
    ]
    shop.build(rows, 3, *AGAIN, *KNOWN)
    kept = shop.warehouse.rows("select email, customer_id from customers order by 1")
    assert dict(kept) == {email: customer_id for email, customer_id in ids.items() if email != "amy@y.de"}
    assert shop.outcomes()["of amy again"] == "erased"
    shop.build(rows, 3, *TESTED, *CAUTIOUS)

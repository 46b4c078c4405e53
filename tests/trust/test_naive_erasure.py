"""Which persons requests erase and which return, checked against plain loops over every pair."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from random import Random
from typing import Any

import duckdb
import pytest

from conftest import IN_MEMORY, Warehouse

pytestmark = [pytest.mark.slow, pytest.mark.deep]

AS_OF = datetime(2026, 7, 1)
WORLDS = 300
MODELS = ["erasure_subjects", "requests_naming_erased_others", "own_acts", "known_records"]
TABLES = {
    "privacy_request_identifiers": "named_by text, named_by_id text, identifier_type text, identifier text,"
    " person_identifier text",
    "privacy_request_matches": "identifier_type text, identifier text, customer_id text, n_customers bigint",
    "legal_hold_customers": "customer_id text, held_until timestamp",
    "erasure_salt": "salt text",
    "erasure_ledger": "request_id text, identifier_type text, identifier_hash text, recorded_at timestamp",
    "returning_persons": "request_id text, customer_id text",
    "privacy_requests": "request_id text, request_type text, request_status text",
    "request_ledger": "received_at timestamp",
    "mailbox_domains": "email_domain text, canonical_domain text, ignores_dots boolean,"
    " ignores_plus_part boolean",
    "stg_privacy__consent_events": "email text, shop_customer_id text, consent_status text,"
    " lawful_basis text, recorded_by text, confirmed_at timestamp, occurred_at timestamp",
    "stg_shop__customers": "shop_customer_id text, created_at timestamp, accepts_marketing boolean,"
    " accepts_marketing_at timestamp",
    "order_records": "record_key text, is_renewal boolean, ordered_at timestamp",
    "identity_records": "record_key text, widest_mailbox text, first_seen_at timestamp",
    "record_clusters": "record_key text, record_type text, record_id text, customer_id text,"
    " first_seen_at timestamp",
    "stg_web__sessions": "visitor_id text",
    "erased_identifiers": "identifier_hash text, received_at timestamp",
}
Names = dict[str, str]  # the identifiers of a request by type
Act = tuple[str, datetime]  # a record's key, and when its person did something


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The models' SQL as of a day on which there is a ledger, over tables by their bare names."""
    warehouse = Warehouse(tmp_path_factory.mktemp("naive_erasure"))
    warehouse.rows("create schema if not exists main_internal")
    warehouse.rows(f"create table main_internal.erasure_ledger ({TABLES['erasure_ledger']})")
    run = warehouse.dbt("compile", "--select", *MODELS, as_of=f"{AS_OF}")
    assert run.ok, run.output
    names = re.compile(r'"[a-z0-9_]+"\."[a-z_]+"\."([a-z_]+)"')
    return {model: names.sub(r"\1", warehouse.compiled(model)) for model in MODELS}


@pytest.fixture
def tables() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(config=IN_MEMORY) as connection:
        for table, columns in TABLES.items():
            connection.execute(f"create table {table} ({columns})")
        connection.execute("insert into erasure_salt values ('salt')")
        yield connection


def insert(tables: duckdb.DuckDBPyConnection, table: str, rows: list[list[Any]]) -> None:
    if rows:
        tables.executemany(f"insert into {table} values ({', '.join('?' * len(rows[0]))})", rows)


def hashed(identifier_type: str, identifier: str) -> str:
    return sha256(f"salt/{identifier_type}/{identifier}".encode()).hexdigest()


# ------------------------------------------------------------------------------ whom a request erases


def subject(names: Names, leads_to: dict[tuple[str, str], set[str]]) -> tuple[str, str | None]:
    """The verdict on a request, and the person it erases."""
    found = {kind: leads_to.get((kind, identifier), set()) for kind, identifier in names.items()}
    phone = found.pop("phone", set()) if set(names) != {"phone"} else set()
    leads = [customers for customers in found.values() if customers]
    if not leads:
        return "names no customer", None
    both = set.intersection(*leads)
    if not both or (phone and not phone & both):
        return "contradicts itself", None
    return ("one person", min(both)) if len(both) == 1 else ("shared by several", None)


def mark(kind: str, identifier: str) -> tuple[str, str]:
    """The ledger entry for an identifier of a request."""
    return {
        "email": ("mailbox", f"{identifier}|no name"), "phone": ("phone", identifier),
        "shop_customer_id": ("record", f"shop_customer:{identifier}"),
    }[kind]  # fmt: skip


def test_whom_requests_erase(compiled: dict[str, str], tables: duckdb.DuckDBPyConnection) -> None:
    chance = Random(7)
    requests: dict[str, Names] = {}
    leads_to: dict[tuple[str, str], set[str]] = {}
    known: list[tuple[str, tuple[str, str]]] = []  # a request, and a mark that the ledger has from it
    carried_out: set[str] = set()
    refused: set[str] = set()
    back: set[tuple[str, str]] = set()
    for world in range(WORLDS):
        values = [f"{world}{letter}" for letter in "xyz"]
        people = [f"{world}p{i}" for i in range(chance.choice([2, 3, 30]))]
        for kind in ("email", "phone", "shop_customer_id"):
            for value in values[:2]:
                if led := {p for p in people if chance.random() < chance.choice([0.0, 0.1, 0.6])}:
                    leads_to[kind, value] = led
        for i in range(6):
            kinds = chance.sample(["email", "phone", "shop_customer_id"], chance.randint(1, 3))
            key = f"{world}r{i}"
            requests[key] = {kind: chance.choice(values) for kind in kinds}
            for sets, share in ((carried_out, 0.2), (refused, 0.2)):
                if chance.random() < share:
                    sets.add(key)
            back |= {(key, person) for person in people[:3] if chance.random() < 0.3}
            known += [(key, mark(*name)) for name in requests[key].items() if chance.random() < 0.3]

    insert(tables, "privacy_request_identifiers", [
        ["erasure request", key, kind, name, name]
        for key, names in requests.items() for kind, name in names.items()
    ])  # fmt: skip
    insert(tables, "privacy_request_matches", [
        [*name, person, len(people)] for name, people in leads_to.items() for person in people
    ])  # fmt: skip
    verdicts = {key: subject(names, leads_to) for key, names in requests.items()}
    judged = tables.execute(compiled["erasure_subjects"]).fetchall()
    assert {row[0]: (row[1], row[2]) for row in judged} == verdicts
    assert {verdict for verdict, _ in verdicts.values()} == {
        "names no customer", "contradicts itself", "one person", "shared by several",
    }  # fmt: skip

    insert(tables, "privacy_requests", [[key, "erasure", "refused"] for key in refused])
    insert(tables, "returning_persons", [list(pair) for pair in back])
    insert(tables, "erasure_ledger", [[key, of[0], hashed(*of), AS_OF] for key, of in known])
    insert(tables, "erasure_ledger", [[key, "carried out", "", AS_OF] for key in carried_out])
    tables.execute(f"create table erasure_subjects as {compiled['erasure_subjects']}")
    expected = {
        key
        for key, names in requests.items()
        if verdicts[key][0] == "one person" and key not in carried_out
        for kind, name in names.items()
        if not leads_to.get((kind, name))
        for other, of in known
        if of == mark(kind, name) and other != key and other not in refused
        and (other, verdicts[key][1]) not in back
    }  # fmt: skip
    assert len(expected) > 20
    assert {
        key for (key,) in tables.execute(compiled["requests_naming_erased_others"]).fetchall()
    } == expected


# ------------------------------------------------------------------------------ who is back since


@dataclass(frozen=True)
class Record:
    key: str
    customer: str
    mailbox: str | None
    first_seen: datetime | None
    erased_until: datetime | None  # when the erasing request came in


def moment(chance: Random, ahead: int = 0) -> datetime:
    return AS_OF - timedelta(days=chance.randint(-ahead, 12))


def test_who_is_back_since(compiled: dict[str, str], tables: duckdb.DuckDBPyConnection) -> None:
    """own_acts has only the last opt-in per address, which gives its readers the same result as all."""
    chance = Random(7)
    first_request = AS_OF - timedelta(days=10)
    records: list[Record] = []
    yeses: list[tuple[str, datetime]] = []
    orders: list[Act] = []
    for world in range(WORLDS):
        mailboxes = [f"{world}{letter}@x.de" for letter in "ab"]
        for i in range(chance.randint(1, 5)):
            key = f"crm_contact:{world}k{i}"
            dated = moment(chance, ahead=2) if chance.random() < 0.9 else None
            asked = moment(chance) if chance.random() < 0.7 else None
            records.append(
                Record(
                    key, f"{world}p{chance.randint(1, 2)}", chance.choice([*mailboxes, None]), dated, asked
                )
            )
            if chance.random() < 0.2:
                orders += [(key, moment(chance)) for _ in range(chance.randint(1, 3))]
        yeses += [(chance.choice(mailboxes), moment(chance, ahead=4)) for _ in range(chance.randint(0, 4))]

    insert(tables, "request_ledger", [[first_request]])
    insert(tables, "stg_privacy__consent_events", [
        [address, None, "granted", "express", "preference_centre", said_at, None]
        for address, said_at in yeses
    ])  # fmt: skip
    insert(tables, "order_records", [[key, False, ordered_at] for key, ordered_at in orders])
    insert(tables, "identity_records", [[r.key, r.mailbox, r.first_seen] for r in records])
    insert(tables, "record_clusters", [
        [r.key, "crm_contact", r.key, r.customer, r.first_seen] for r in records
    ])  # fmt: skip
    insert(tables, "erased_identifiers", [
        [hashed("record", r.key), r.erased_until] for r in records if r.erased_until
    ])  # fmt: skip
    tables.execute(f"create table own_acts as {compiled['own_acts']}")

    acts: dict[str, list[datetime]] = {r.key: [] for r in records}
    for key, ordered_at in orders:
        acts[key].append(ordered_at)
    for record in records:
        for address, said_at in yeses:
            if address == record.mailbox and record.first_seen:
                acts[record.key].append(min(said_at, record.first_seen))
    acts = {key: [at for at in found if first_request < at <= AS_OF] for key, found in acts.items()}
    expected = {}
    for record in records:
        if until := record.erased_until:
            own = [at for at in acts[record.key] if at > until]
            persons = [
                at
                for other in records
                if other.customer == record.customer
                for at in acts[other.key]
                if at > until
            ]
            is_newer = record.first_seen is not None and record.first_seen > until
            is_back = bool(own) or (is_newer and bool(persons))
            since = None
            if is_back:
                since = record.first_seen if is_newer else min(own)
            expected[record.key] = (is_back, since)
    found = tables.execute(
        f"select record_key, is_back, back_since from ({compiled['known_records']})"
    ).fetchall()
    assert {key: (is_back, since) for key, is_back, since in found} == expected
    assert len({(is_back, since is None) for is_back, since in expected.values()}) == 2
    assert dict(tables.execute("select record_key, max(acted_at) from own_acts group by 1").fetchall()) == {
        key: max(found) for key, found in acts.items() if found
    }
    assert tables.execute(
        "select max(n) from (select count(*) as n from own_acts group by record_key)"
    ).fetchone()

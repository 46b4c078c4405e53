"""Consent decided twice: the models and naive_consent must agree on thousands of random histories.

The models are compiled once and run on small made-up tables in memory: thousands of histories a minute.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any, TypeVar

import duckdb
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from naive_consent import (
    IDENTIFIERS,
    Answer,
    Customer,
    Law,
    Point,
    Purpose,
    World,
    is_allowed,
    mailbox,
    widest,
)

from conftest import IN_MEMORY, Warehouse

pytestmark = [pytest.mark.slow, pytest.mark.deep]

AS_OF = datetime(2026, 7, 1)
LATER = AS_OF + timedelta(days=1)
LEDGER_BEGAN = AS_OF - timedelta(days=100)
REGISTER = [
    Purpose("email", "marketing_email", True, False, frozenset({"express", "soft_opt_in", "implied"})),
    Purpose("sms", "marketing_email", True, False, frozenset({"express"})),
    Purpose("web", "behavioural_advertising", True, True, frozenset({"express"})),
    Purpose("web", "automated_pricing", False, False, frozenset({"express"})),
]
LAWS = {
    "DE": Law("denied", True, None, None),
    "CA": Law("denied", False, 730, 180),
    "PL": Law("denied", False, None, None),
    "XX": Law("granted", False, None, None),  # in no shipped row, but a user may add it
}
ACCOUNT, SHARED, PROFILE = ("shop_customer_id", "1"), ("shop_customer_id", "3"), ("profile_id", "f1")
CONTACT, BLOCKED, DELETED = ("contact_id", "k1"), ("contact_id", "k2"), ("profile_id", "f9")
ALIAS, MOVED = ("profile_id", "f3"), ("contact_id", "k4")
WORLD = World(
    points=(
        Point("a", ACCOUNT, "a@x.de", True),
        Point("a", ACCOUNT, "old-a@x.de", False),
        Point("a", PROFILE, "a.a@g.x", True),
        Point("a", ("contact_id", "k3"), "shared@x.de", True),
        Point("b", SHARED, "shared@x.de", True),
        Point("b", CONTACT, "b@x.de", True),
        Point("a", DELETED, "gone@x.de", False),
        Point("a", ACCOUNT, "+491", True),
        Point("b", CONTACT, "+491", True),
        Point("c", ALIAS, "shared+c@x.de", False),
        Point("c", ALIAS, "c@x.de", True),
        Point("d", MOVED, "shared@x.de", False),
        Point("d", MOVED, "d@x.de", True),
        Point("d", MOVED, "+491", False),
    ),
    records={
        **{key: "a" for key in (ACCOUNT, PROFILE, BLOCKED, ("contact_id", "k3"), ("visitor_id", "v1"))},
        **{key: "b" for key in (CONTACT, SHARED)},
        ALIAS: "c",
        MOVED: "d",
    },
    merging=frozenset({"g.x"}),
)
RECORD_TYPES = {"shop_customer_id": "shop_customer", "contact_id": "crm_contact", "profile_id": "esp_profile"}
FOUNDED = datetime(2010, 1, 1)
TABLES = {
    "consent_history": "consent_event_id varchar, source_system varchar, source_key varchar, email varchar, "
    "phone varchar, shop_customer_id varchar, contact_id varchar, profile_id varchar, visitor_id varchar, "
    "channel varchar, purpose varchar, consent_status varchar, lawful_basis varchar, recorded_by varchar, "
    "form varchar, text_version varchar, confirmed_at timestamp, occurred_at timestamp, "
    "recorded_at timestamp, email_then varchar",
    "blocked_identifiers": "identifier_type varchar, identifier varchar",
    "contact_point_customers": "customer_id varchar, record_key varchar, contact_type varchar, "
    "contact varchar, mailbox varchar, widest_mailbox varchar, is_current boolean",
    "identity_records": "record_type varchar, record_id varchar, record_key varchar",
    "record_customers": "record_key varchar, record_type varchar, customer_id varchar",
    "visitor_customers": "visitor_id varchar, customer_id varchar, n_customers integer",
    "mailbox_domains": "email_domain varchar, canonical_domain varchar, ignores_dots boolean, "
    "ignores_plus_part boolean",
    "order_customers": "order_id varchar, customer_id varchar, is_sale boolean",
    "stg_shop__orders": "order_id varchar, email varchar, shop_customer_id varchar",
    "customers": "customer_id varchar, email varchar, phone varchar, country_code varchar, "
    "last_ordered_at timestamp",
    "customer_tickets": "customer_id varchar, topic varchar, asks_to_stop boolean, created_at timestamp",
    "consent_purposes": "channel varchar, purpose varchar, label varchar, is_marketing boolean, "
    "stops_on_opt_out_signal boolean, accepted_bases varchar",
    "jurisdictions": "country_code varchar, lawful_default varchar, has_soft_opt_in boolean, "
    "implied_purchase_days integer, implied_inquiry_days integer",
}
# Each reads those before it.
MODELS = (
    "consent_subjects", "subject_customers", "mailbox_customers", "crowd_customers", "consent_event_subjects",
    "consent_event_customers", "consent_event_effects", "crowd_consent_events", "consents",
)  # fmt: skip
T = TypeVar("T")
Case = tuple[list[Answer], list[Customer]]

# The weight of each value. Values are few and mostly plain, so that conflicting events meet at one address,
# purpose and moment, without another reason for an opt-out.
DAYS_AGO = {40: 4, 30: 6, 20: 4, 0: 1, 180: 1, 181: 1, 730: 1, 900: 1}
PAST: dict[datetime | None, int] = {AS_OF - timedelta(days=days): weight for days, weight in DAYS_AGO.items()}
OCCURRED = {**PAST, None: 2, LATER: 1, datetime(1970, 1, 1): 1, AS_OF - timedelta(days=30, hours=-9): 4}
CONFIRMED = {
    None: 20,
    datetime(1970, 1, 1): 1,
    AS_OF - timedelta(days=30): 1,
    AS_OF - timedelta(days=20): 1,
    AS_OF: 1,
    LATER: 1,
}
RECORDED = {LEDGER_BEGAN: 6, AS_OF - timedelta(days=25): 1, AS_OF - timedelta(days=10): 1, LATER: 1}
NAME = {
    ("email", "a@x.de"): 40,
    ("email", "a+news@x.de"): 6,
    ("email", "old-a@x.de"): 6,
    ("email", "aa@g.x"): 4,
    ("email", "a.a+1@g.x"): 4,
    ("email", "b@x.de"): 2,
    ("email", "shared@x.de"): 2,
    ("email", "gone@x.de"): 2,
    ("email", "stranger@x.de"): 1,
    ("phone", "+491"): 2,
    ("visitor_id", "v1"): 2,
    **{key: 3 for key in (ACCOUNT, SHARED, PROFILE, CONTACT, BLOCKED, DELETED)},
}
# For identifiers that several customers have.
NAME_OF_SEVERAL = {
    ("email", "shared@x.de"): 12,
    ("email", "shared+c@x.de"): 4,
    ("email", "shared+x@x.de"): 2,
    ("email", "a@x.de"): 4,
    ("phone", "+491"): 6,
    **{key: 3 for key in (ACCOUNT, SHARED, PROFILE, CONTACT, ALIAS, MOVED, ("contact_id", "k3"))},
}
THEN = {None: 6, "a@x.de": 3, "old-a@x.de": 2, "a.a@g.x": 1}
ROWS = {None: 12, "row 1": 2, "row 2": 1}  # most events have their own row
ABOUT = {
    ("email", "marketing_email"): 12,
    ("sms", "marketing_email"): 2,
    ("web", "behavioural_advertising"): 2,
    ("web", "automated_pricing"): 2,
    ("email", "every marketing purpose"): 4,
    ("email", "every purpose"): 2,
    ("web", "every purpose of an opt-out signal"): 2,
    ("email", "newsletter"): 1,
    ("post", "marketing_email"): 1,
}
STATUS = {"granted": 12, "withdrawn": 4, "denied": 2, "pending": 2, "maybe": 1, "not said": 1}
BASIS = {"express": 12, "soft_opt_in": 4, "implied": 4, "legitimate_interest": 1, None: 1}
RECORDER = {"preference_centre": 6, "shop_checkbox": 2, "crm": 3, "esp": 1, None: 2}
EMAILS: dict[str, dict[str | None, int]] = {
    "a": {"a@x.de": 8, "aa+shop@g.x": 3, "old-a@x.de": 1, None: 1},
    "b": {"b@x.de": 1, "shared@x.de": 1},
    "c": {"c@x.de": 1},
    "d": {"d@x.de": 1},
}
COUNTRY = {"DE": 6, "CA": 6, "PL": 1, "XX": 1, "ZZ": 1, None: 1}
SOLD: dict[str, dict[tuple[str, ...], int]] = {
    "a": {(): 2, ("a@x.de",): 4, ("a.a@g.x",): 2, ("1",): 2, ("other@x.de",): 1},
    "b": {(): 1, ("b@x.de",): 1},
    "c": {(): 1, ("c@x.de",): 1},
    "d": {(): 1},
}
ORDERED_DAYS_AGO = {(): 4, (30,): 4, (30, 20): 1, (900,): 1, (730,): 1, (900, 0): 1}
ASKED_DAYS_AGO = {None: 3, 30: 1, 180: 1, 181: 1}
N_ANSWERS = {1: 2, 2: 3, 3: 3, 4: 2, 5: 1}
N_ANSWERS_OF_SEVERAL = {1: 1, 2: 2, 4: 3, 8: 2}


KEPT = {"consent_purposes", "jurisdictions", "mailbox_domains", "blocked_identifiers"}


def naive(customer: Customer) -> Customer:
    """The customer with the account's addresses instead of its key in `sales`."""
    account = ("a@x.de", "old-a@x.de")
    sales = tuple(address for sale in customer.sales for address in (account if sale == "1" else (sale,)))
    return replace(customer, sales=sales)


def pick(chance: Random, weights: Mapping[T, int]) -> T:
    return chance.choices(list(weights), list(weights.values()))[0]


def history(chance: Random, of_several: bool = False) -> list[Answer]:
    topics = [pick(chance, ABOUT), pick(chance, ABOUT)]
    answers = []
    for number in range(pick(chance, N_ANSWERS_OF_SEVERAL if of_several else N_ANSWERS)):
        channel, purpose = chance.choice(topics)
        names = dict(
            pick(chance, NAME_OF_SEVERAL if of_several else NAME) for _ in range(pick(chance, {1: 9, 2: 1}))
        )
        answers.append(
            Answer(
                event_id=f"e{number}",
                row=pick(chance, ROWS) or f"e{number}",
                names=tuple(names.items()),
                email_then=None if "email" in names else pick(chance, THEN),
                channel=channel,
                purpose=purpose,
                status=pick(chance, STATUS),
                basis=pick(chance, BASIS),
                recorded_by=pick(chance, RECORDER),
                confirmed_at=pick(chance, CONFIRMED),
                occurred_at=pick(chance, OCCURRED),
                recorded_at=pick(chance, RECORDED),
            )
        )
    return answers


def customers(chance: Random) -> list[Customer]:
    people = []
    for customer_id, emails in EMAILS.items():
        ordered = [AS_OF - timedelta(days=days) for days in pick(chance, ORDERED_DAYS_AGO)]
        asked_days_ago = pick(chance, ASKED_DAYS_AGO)
        people.append(
            Customer(
                customer_id,
                email=pick(chance, emails),
                phone=pick(chance, {"+491": 1, "+492": 1, None: 1}),
                country=pick(chance, COUNTRY),
                sales=pick(chance, SOLD[customer_id]),
                last_order=ordered[-1] if ordered else None,
                last_ticket=None if asked_days_ago is None else AS_OF - timedelta(days=asked_days_ago),
            )
        )
    return people


@dataclass(frozen=True, repr=False)
class Models:
    """The models' SQL and a database with their inputs and results."""

    connection: duckdb.DuckDBPyConnection
    compiled: Mapping[str, str]

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        return self.connection.execute(sql).fetchall()

    def build(self) -> None:
        for model, sql in self.compiled.items():
            self.connection.execute(f"create or replace table {model} as {sql}")


@contextmanager
def compiled_models(folder: Path, **variables: int) -> Iterator[Models]:
    """A database in memory with tables of the names that the models read."""
    warehouse = Warehouse(folder)
    compiled = warehouse.dbt(
        "compile", "--select", *MODELS, as_of=f"{AS_OF}", founded_on=f"{FOUNDED:%Y-%m-%d}", **variables
    )
    assert compiled.ok, compiled.output
    with duckdb.connect(config=IN_MEMORY) as connection:
        for table, columns in TABLES.items():
            connection.execute(f"create table {table} ({columns})")
        for item in REGISTER:
            bases = ", ".join(sorted(item.bases))
            row = [item.channel, item.purpose, item.purpose, item.is_marketing, item.stops_on_signal, bases]
            connection.execute("insert into consent_purposes values (?, ?, ?, ?, ?, ?)", row)
        for country, law in LAWS.items():
            terms = [country, law.default, law.soft_opt_in, law.purchase_days, law.inquiry_days]
            connection.execute("insert into jurisdictions values (?, ?, ?, ?, ?)", terms)
        connection.execute("insert into mailbox_domains values ('g.x', 'g.x', true, true)")
        names = re.compile(r'"[a-z0-9_]+"\."[a-z_]+"\."([a-z_]+)"')
        yield Models(connection, {model: names.sub(r"\1", warehouse.compiled(model)) for model in MODELS})


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Models]:
    with compiled_models(tmp_path_factory.mktemp("consent")) as found:
        yield found


@pytest.fixture(scope="module")
def crowded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Models]:
    """The same models, with two customers of one address as a crowd."""
    folder = tmp_path_factory.mktemp("crowded")
    with compiled_models(folder, identity_max_records_per_identifier=1) as found:
        yield found


def fill(models: Models, worlds: list[Case], ledger_began: datetime) -> None:
    """Write the worlds as rows, with their number in every key. A stranger's event begins the ledger."""
    rows: dict[str, list[list[Any]]] = {table: [] for table in TABLES if table not in KEPT}
    rows["consent_history"].append(
        [
            "0",
            "test",
            "0",
            *[None] * 6,
            "email",
            "marketing_email",
            "granted",
            *[None] * 6,
            ledger_began,
            None,
        ]
    )
    for number, (answers, people) in enumerate(worlds):
        for point in WORLD.points:
            kind, value = point.record
            contact = f"{number}{point.contact}"
            mailboxes: list[str | None] = [None, None]
            if "@" in contact:
                mailboxes = [mailbox(contact, WORLD), widest(contact, WORLD)]
            rows["contact_point_customers"].append(
                [
                    f"{number}{point.customer_id}", f"{RECORD_TYPES[kind]}:{number}{value}",
                    "email" if "@" in contact else "phone", contact, *mailboxes, point.is_current,
                ]
            )  # fmt: skip
        for (kind, value), who in WORLD.records.items():
            if kind == "visitor_id":
                rows["visitor_customers"].append([f"{number}{value}", f"{number}{who}", 1])
                continue
            key = f"{RECORD_TYPES[kind]}:{number}{value}"
            rows["identity_records"].append([RECORD_TYPES[kind], f"{number}{value}", key])
            rows["record_customers"].append([key, RECORD_TYPES[kind], f"{number}{who}"])
        for answer in answers:
            names = {kind: f"{number}{value}" for kind, value in answer.names}
            rows["consent_history"].append(
                [
                    f"{number}{answer.event_id}", "test", f"{number}{answer.row}",
                    *(names.get(kind) for kind in IDENTIFIERS),
                    answer.channel, answer.purpose, answer.status, answer.basis, answer.recorded_by,
                    None, None, answer.confirmed_at, answer.occurred_at, answer.recorded_at,
                    answer.email_then and f"{number}{answer.email_then}",
                ]
            )  # fmt: skip
        for customer in people:
            who = f"{number}{customer.customer_id}"
            email, phone = (value and f"{number}{value}" for value in (customer.email, customer.phone))
            rows["customers"].append([who, email, phone, customer.country, customer.last_order])
            for sale in customer.sales:
                rows["order_customers"].append([f"{who}{sale}", who, True])
                given = f"{number}{sale}"
                rows["stg_shop__orders"].append(
                    [f"{who}{sale}", given if "@" in sale else None, None if "@" in sale else given]
                )
            if customer.last_ticket:
                rows["customer_tickets"].append([who, "product", False, customer.last_ticket])
    for table, found in rows.items():
        models.connection.execute(f"delete from {table}")
        columns = [column.split()[0] for column in TABLES[table].split(", ")]
        given_rows = pa.table({column: [row[at] for row in found] for at, column in enumerate(columns)})
        models.connection.register("given", given_rows)
        models.connection.execute(f"insert into {table} select {', '.join(columns)} from given")
    models.build()


def cases(chance: Random, ledger_began: datetime, of_several: bool = False) -> list[Case]:
    """Two hundred random worlds: a query costs more than a world, so all run at once."""
    return [
        (
            [
                replace(answer, recorded_at=max(answer.recorded_at, ledger_began))
                for answer in history(chance, of_several)
            ],
            customers(chance),
        )
        for _ in range(200)
    ]


def judge(models: Models, worlds: list[Case], ledger_began: datetime) -> None:
    """Assert that both judges agree on every customer and purpose. The message shows the history."""
    decided = models.rows("select customer_id, channel, purpose, is_allowed, reason from consents")
    found = {(who, channel, purpose): (allowed, reason) for who, channel, purpose, allowed, reason in decided}
    assert len(found) == len(decided) == len(EMAILS) * len(worlds) * len(REGISTER)
    for number, (answers, people) in enumerate(worlds):
        for customer in people:
            for purpose in REGISTER:
                allowed, reason = found[f"{number}{customer.customer_id}", purpose.channel, purpose.purpose]
                expected = is_allowed(
                    naive(customer), purpose, answers, WORLD, REGISTER, LAWS, AS_OF, ledger_began, FOUNDED
                )
                assert allowed == expected, "\n".join(map(str, [reason, purpose, customer, *answers]))
                assert reason.endswith(".")


SEEDS = st.integers(0, 2**32 - 1)
BEGINNINGS = st.sampled_from([*[LEDGER_BEGAN] * 3, LATER])


def tries(n: int) -> settings:
    return settings(
        max_examples=n, suppress_health_check=list(HealthCheck), phases=[Phase.reuse, Phase.generate]
    )


@tries(80)
@given(seed=SEEDS, ledger_began=BEGINNINGS)
def test_two_judges_never_disagree(models: Models, seed: int, ledger_began: datetime) -> None:
    worlds = cases(Random(seed), ledger_began)
    fill(models, worlds, ledger_began)
    judge(models, worlds, ledger_began)


@tries(20)
@given(seed=SEEDS, ledger_began=BEGINNINGS)
def test_a_crowd_gets_the_decisions_of_its_customers(
    models: Models, crowded: Models, seed: int, ledger_began: datetime
) -> None:
    """The other judge has no crowds. Status, day, reason and deciding event must also be equal."""
    worlds = cases(Random(seed), ledger_began, of_several=True)
    for found in (models, crowded):
        fill(found, worlds, ledger_began)
    assert crowded.rows("from crowd_consent_events") and not models.rows("from crowd_consent_events")
    judge(crowded, worlds, ledger_began)
    every_column = "from consents order by all"
    for together, alone in zip(crowded.rows(every_column), models.rows(every_column), strict=True):
        assert together == alone

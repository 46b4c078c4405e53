"""Small worlds of records for the identity tests: the scenarios of docs/identity-scenarios.md, day by day."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from conftest import Warehouse, write_table

COLUMNS = {
    "crm/contacts": "contact_id email phone first_name created_at",
    "crm/opportunities": "opportunity_id contact_id stage created_at",
    "shop/customers": "customer_id email phone first_name created_at",
    "shop/orders": "order_id customer_id visitor_id email phone first_name ordered_at",
    "esp/profiles": "profile_id external_id email phone first_name created_at",
    "support/tickets": "ticket_id customer_id requester_email requester_phone"
    " requester_name status created_at",
    "web/events": "event_id visitor_id customer_id email event_type occurred_at",
}


@dataclass(frozen=True)
class Record:
    """One raw row of a source table, and its label in the tests (system and key)."""

    table: str
    row: dict[str, str | None]

    @property
    def label(self) -> str:
        key = "visitor_id" if self.table == "web/events" else COLUMNS[self.table].split()[0]
        return f"{self.table.split('/')[0]}:{self.row[key]}"


def crm(
    key: str, email: str | None = None, phone: str | None = None, name: str | None = "Anna", since: int = 2020
) -> Record:
    return Record(
        "crm/contacts",
        {
            "contact_id": key,
            "email": email,
            "phone": phone,
            "first_name": name,
            "created_at": f"{since}-01-01",
        },
    )


def shop(
    key: str, email: str | None = None, phone: str | None = None, name: str | None = "Anna", since: int = 2020
) -> Record:
    return Record(
        "shop/customers",
        {
            "customer_id": key,
            "email": email,
            "phone": phone,
            "first_name": name,
            "created_at": f"{since}-01-01",
        },
    )


def esp(
    key: str,
    email: str | None = None,
    phone: str | None = None,
    account: str | None = None,
    name: str | None = "Anna",
    since: int = 2020,
) -> Record:
    return Record(
        "esp/profiles",
        {
            "profile_id": key,
            "email": email,
            "phone": phone,
            "external_id": account,
            "first_name": name,
            "created_at": f"{since}-01-01",
        },
    )


def guest(
    key: str,
    email: str | None = None,
    phone: str | None = None,
    name: str | None = "Anna",
    visitor: str | None = None,
    account: str | None = None,
) -> Record:
    return Record(
        "shop/orders",
        {
            "order_id": key,
            "email": email,
            "phone": phone,
            "first_name": name,
            "visitor_id": visitor,
            "customer_id": account,
            "ordered_at": "2021-01-01",
        },
    )


def ticket(
    key: str,
    email: str | None = None,
    phone: str | None = None,
    account: str | None = None,
    name: str | None = "Anna Berg",
) -> Record:
    return Record(
        "support/tickets",
        {
            "ticket_id": key,
            "requester_email": email,
            "requester_phone": phone,
            "customer_id": account,
            "requester_name": name,
            "status": "open",
            "created_at": "2022-01-01",
        },
    )


def visit(visitor: str, account: str | None = None, email: str | None = None) -> Record:
    return Record(
        "web/events",
        {
            "event_id": f"{visitor} {account} {email}",
            "visitor_id": visitor,
            "customer_id": account,
            "email": email,
            "event_type": "page_view",
            "occurred_at": "2023-01-01",
        },
    )


@dataclass(frozen=True)
class Scenario:
    """Records by day, as their source has them, and the customers of each day as groups of labels."""

    name: str
    records: dict[int, list[Record]]
    groups: dict[int, list[set[str]]] = field(default_factory=dict)


def always(name: str, records: list[Record], *groups: set[str]) -> Scenario:
    return Scenario(name, {day: records for day in (1, 2, 3)}, {day: list(groups) for day in (1, 2, 3)})


def phone_number(n: int) -> str:
    return f"+4989{20_000_000 + 137 * n}"


def chain(prefix: str, n: int, first_phone: int) -> list[Record]:
    """A chain of records, joined in turn by an address and by a phone number."""
    return [
        crm(f"{prefix}{i}", f"{prefix}{i // 2}@x.de", phone_number(first_phone + (i + 1) // 2))
        for i in range(n)
    ]


def singles(records: list[Record]) -> list[set[str]]:
    return [{record.label} for record in records]


def scenarios() -> list[Scenario]:
    landline, junk, broken_phone = phone_number(1), phone_number(2), 5000
    long_chain = chain("long", 60, 100)
    junk_records = [crm(f"junk{i}", phone=junk) for i in range(100)]
    broken = [
        crm(f"broken{i}", f"broken{i // 10}@x.de", phone_number(broken_phone + (i + 5) // 10))
        for i in range(90)
    ]
    quarantined = [esp(f"knot{i}", f"knot{i // 2}@x.de", account=f"knot{(i + 1) // 2}") for i in range(90)]
    empty = [crm("empty1", name=None), crm("empty2", name=None), crm("empty3", "n/a", "n/a", "test")]
    late = [crm("late-b", "late-b@x.de", phone_number(10), since=2021), shop("late-a", "late-a@x.de")]
    typo = [crm("split-x", "split@x.de"), crm("split-y", "split@x.de", since=2021)]
    older = [crm("oldest", "oldest@x.de", since=2018), crm("heir", "oldest@x.de", since=2019)]
    return [
        always(
            "chain",
            [
                crm("chain-a", "chain1@x.de"),
                shop("chain-b", "chain1@x.de", "089 555 0001"),
                esp("chain-c", "chain2@x.de", "+49 89 5550001"),
            ],
            {"crm:chain-a", "shop:chain-b", "esp:chain-c"},
        ),
        always(
            "fan-in",
            [
                shop("fan", "fan@x.de", "+49895550002"),
                esp("fan1", "fan1@x.de", account="fan"),
                crm("fan2", " FAN@x.de "),
                ticket("fan3", phone="0895550002"),
                guest("fan4", "fan@x.de", name=None),
                ticket("fan5", account="fan"),
            ],
            {"shop:fan", "esp:fan1", "crm:fan2", "support:fan3", "shop:fan4", "support:fan5"},
        ),
        always(
            "diamond",
            [
                shop("dia-a", "dia1@x.de", "+49895550003"),
                crm("dia-b", "dia1@x.de"),
                crm("dia-c", "dia2@x.de", "+49895550003"),
                esp("dia-d", "dia2@x.de", account="dia-a"),
                ticket("dia-e", "dia1@x.de"),
            ],
            {"shop:dia-a", "crm:dia-b", "crm:dia-c", "esp:dia-d", "support:dia-e"},
        ),
        always("long chain", long_chain, {record.label for record in long_chain}),
        Scenario(
            "late arrival",
            {
                1: late,
                2: [*late, esp("late-c", "late-a@x.de", phone_number(10), since=2022)],
                3: [*late, esp("late-c", "late-a@x.de", phone_number(10), since=2022)],
            },
            {
                1: [{"crm:late-b"}, {"shop:late-a"}],
                2: [{"crm:late-b", "shop:late-a", "esp:late-c"}],
                3: [{"crm:late-b", "shop:late-a", "esp:late-c"}],
            },
        ),
        Scenario(
            "split",
            {
                1: typo,
                2: [typo[0], crm("split-y", "corrected@x.de", since=2021)],
                3: [typo[0], crm("split-y", "corrected@x.de", since=2021)],
            },
            {
                1: [{"crm:split-x", "crm:split-y"}],
                2: [{"crm:split-x"}, {"crm:split-y"}],
                3: [{"crm:split-x"}, {"crm:split-y"}],
            },
        ),
        Scenario(
            "the oldest record goes",
            {1: older, 2: older[1:], 3: older[1:]},
            {1: [{"crm:oldest", "crm:heir"}], 2: [{"crm:heir"}], 3: [{"crm:heir"}]},
        ),
        Scenario(
            "gone for a day",
            {1: [crm("gone", "gone@x.de")], 3: [crm("gone", "gone@x.de")]},
            {1: [{"crm:gone"}], 3: [{"crm:gone"}]},
        ),
        Scenario(
            "gone for good",
            {1: [crm("erased", "e@x.de")], 2: [crm("erased", "e@x.de")]},
            {1: [{"crm:erased"}]},
        ),
        always(
            "conflicting ids",
            [
                shop("two1", "two@x.de"),
                shop("two2", "two@x.de"),
                esp("two3", "two@x.de", account="two1"),
                ticket("two4", account="two2"),
            ],
            {"shop:two1", "shop:two2", "esp:two3", "support:two4"},
        ),
        always(
            "self-bridge",
            [
                shop("self", "self@x.de"),
                esp("self1", "self@x.de", account="self"),
                crm("alone", "alone@x.de", "+49895550004"),
            ],
            {"shop:self", "esp:self1"},
            {"crm:alone"},
        ),
        always(
            "role account",
            [crm("role1", "info@firma.de"), crm("role2", "INFO@firma.de")],
            {"crm:role1"},
            {"crm:role2"},
        ),
        always(
            "blocked value",
            [crm("blocked1", "test@test.de"), guest("blocked2", "Test@Test.de")],
            {"crm:blocked1"},
        ),
        always(
            "till",
            [
                shop("till", "till@x.de", name="Till"),
                esp("till1", "own@x.de", account="till"),
                *(guest(f"till2{i}", account="till") for i in range(8)),
            ],
            {"esp:till1"},
        ),
        always(
            "marketplace",
            [
                shop("market", "owner@x.de"),
                crm("market1", "buyer1@x.de"),
                *(guest(f"market2{i}", f"buyer{i}@x.de", account="market") for i in range(8)),
            ],
            {"crm:market1", "shop:market21"},
            {"shop:market22"},
        ),
        always(
            "placeholder number",
            [crm("fill1", phone="0891111111"), crm("fill2", phone="0891111111")],
            {"crm:fill1"},
            {"crm:fill2"},
        ),
        always("junk phone", junk_records, *singles(junk_records)),
        always(
            "couple with one landline",
            [
                shop("anna", "anna@x.de", landline),
                shop("ben", "ben@x.de", landline, "Ben"),
                guest("ben2", None, landline, "Ben"),
                crm("whose", None, landline, None),
            ],
            {"shop:anna"},
            {"shop:ben", "shop:ben2"},
            {"crm:whose"},
        ),
        always(
            "family mailbox",
            [
                crm("fam1", "fam@x.de"),
                shop("fam2", "fam@x.de", None, "Ben"),
                guest("fam3", "fam@x.de", None, "ANNA"),
                crm("fam4", "fam@x.de", None, None),
            ],
            {"crm:fam1", "shop:fam3"},
            {"shop:fam2"},
            {"crm:fam4"},
        ),
        always(
            "nickname",
            [
                crm("nick1", "nick@x.de", "+49895550005", "Katharina"),
                shop("nick2", "nick@x.de", None, "Kathi"),
                crm("nick3", None, "+49895550005", "Kati"),
            ],
            {"crm:nick1", "shop:nick2", "crm:nick3"},
        ),
        always(
            "accents",
            [crm("acc1", None, "+49895550006", "Jürgen"), crm("acc2", None, "0895550006", "Juergen")],
            {"crm:acc1", "crm:acc2"},
        ),
        always(
            "alias mailbox",
            [
                shop("alias1", "anna.berg+shop@googlemail.com"),
                crm("alias2", "annaberg@gmail.com"),
                crm("alias3", "annaberg@gmx.de"),
                crm("alias4", "anna.berg@gmx.de"),
            ],
            {"shop:alias1", "crm:alias2"},
            {"crm:alias3"},
            {"crm:alias4"},
        ),
        always(
            "same name only",
            [crm("name1", "name1@x.de"), crm("name2", "name2@x.de")],
            {"crm:name1"},
            {"crm:name2"},
        ),
        always("empty records", empty, *singles(empty)),
        always(
            "shared device",
            [
                shop("dev1", "dev1@x.de"),
                shop("dev2", "dev2@x.de"),
                visit("tablet", "dev1"),
                visit("tablet", "dev2"),
                visit("phone", "dev1"),
                visit("phone"),
                guest("dev3", account="dev2", visitor="laptop"),
                visit("laptop"),
            ],
            {"shop:dev1", "web:phone"},
            {"shop:dev2", "web:laptop"},
            {"web:tablet"},
        ),
        Scenario(
            "visitor who logs in later",
            {
                1: [shop("login", "login@x.de"), visit("cookie")],
                2: [shop("login", "login@x.de"), visit("cookie"), visit("cookie", email="Login@x.de")],
                3: [shop("login", "login@x.de"), visit("cookie"), visit("cookie", "login")],
            },
            {
                1: [{"shop:login"}, {"web:cookie"}],
                2: [{"shop:login", "web:cookie"}],
                3: [{"shop:login", "web:cookie"}],
            },
        ),
        always(
            "oversized cluster broken at phones",
            broken,
            *({f"crm:broken{i}" for i in range(k * 10, k * 10 + 10)} for k in range(9)),
        ),
        always("oversized cluster quarantined", quarantined, *singles(quarantined)),
    ]


def random_world(prefix: str, chance: random.Random) -> Scenario:
    """Up to eight records that come, go and change, with a handful of addresses, numbers and accounts."""
    emails = [None, *(f"{prefix}e{i}@x.de" for i in range(4))]
    phones = [None, *(phone_number(chance.randrange(10**4)) for _ in range(3))]
    accounts = [None, *(f"{prefix}s{i}" for i in range(3))]

    def any_record(key: str) -> Record:
        email, phone = chance.choice(emails), chance.choice(phones)
        name, since = chance.choice(["Anna", "Ben", None]), chance.randint(2015, 2022)
        kind = chance.choice([crm, esp, shop])
        if kind is esp:
            return esp(key, email, phone, chance.choice(accounts), name, since)
        if kind is shop:
            return shop(chance.choice(accounts[1:]) or key, email, phone, name, since)
        return crm(key, email, phone, name, since)

    days: dict[int, list[Record]] = {}
    records = [any_record(f"{prefix}r{i}") for i in range(chance.randint(2, 8))]
    for day in (1, 2, 3):
        unique = {record.label: record for record in records if chance.random() < 0.8}
        days[day] = list(unique.values())
        if records:
            records[chance.randrange(len(records))] = any_record(f"{prefix}r{chance.randint(0, 9)}")
    return Scenario(prefix, days)


def write_day(folder: Path, worlds: list[Scenario], day: int) -> None:
    """Writes the raw files of a day."""
    rows: dict[str, list[dict[str, str | None]]] = {table: [] for table in COLUMNS}
    for world in worlds:
        for record in world.records.get(day, []):
            rows[record.table].append(record.row)
    for table, columns in COLUMNS.items():
        write_table(folder / f"{table}.parquet", rows[table], columns.split())


def customer_ids(warehouse: Warehouse) -> dict[str, str]:
    """The customer_id of every label."""
    rows = warehouse.rows(
        """
        select case record_type when 'crm_contact' then 'crm:' when 'shop_customer' then 'shop:'
               when 'esp_profile' then 'esp:' else 'web:' end || record_id as label, customer_id
        from customer_keys where record_type in ('crm_contact', 'shop_customer', 'esp_profile', 'web_visitor')
        union all
        select 'shop:' || order_id, customer_id from order_records as orders
        inner join customer_keys on customer_keys.record_key = 'guest_checkout:' || orders.guest_id
        union all
        select 'support:' || ticket_id, customer_id from main_staging.stg_support__tickets as tickets
        inner join customer_keys on customer_keys.record_key = 'support_requester:' || tickets.requester_id
        """
    )
    return dict(rows)


def groups(ids: dict[str, str]) -> Iterator[set[str]]:
    """The labels of each customer."""
    for customer_id in set(ids.values()):
        yield {label for label, other in ids.items() if other == customer_id}

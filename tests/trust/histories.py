"""Random worlds as the sources would deliver them: many persons, each with a short history of consent events.

A world has addresses in many spellings, wrong dates, and rows that change, vanish, return or repeat. It has
nothing that could make identity resolution merge two persons: each has their own addresses, keys and number.
Two may share a mailbox, but not a given name.
"""

import unicodedata
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import TypeVar

import idna
from naive_sources import Delivery, Person, Row

T = TypeVar("T")
Cells = dict[str, str | None]
Versions = list[Cells | None]  # the row in each delivery, None if absent


def pick(chance: Random, weights: Mapping[T, float]) -> T:
    return chance.choices(list(weights), list(weights.values()))[0]


# ------------------------------------------------------------------------------------------- spellings


def display_name(address: str, chance: Random) -> str:
    name = chance.choice(["Anna Berg", '"Berg, Anna"', "anna", "Anna (work)"])
    return f"{name} <{address}>"


def in_letters_of_the_web(address: str, chance: Random) -> str:
    local, _, domain = address.partition("@")
    return f"{local}@{idna.encode(domain).decode()}"


def inner_space(address: str, chance: Random) -> str:
    at = address.index("@") + chance.choice([0, 1])
    return f"{address[:at]} {address[at:]}"


def dots(address: str, chance: Random) -> str:
    local, _, domain = address.partition("@")
    local = local.replace(".", "")
    at = chance.randrange(1, len(local))
    return f"{local[:at]}.{local[at:]}@{domain}"


def plus(address: str, chance: Random) -> str:
    local, _, domain = address.partition("@")
    return f"{local}+{chance.choice(['shop', 'x', 'news.2'])}@{domain}"


def other_domain(*domains: str) -> Callable[[str, Random], str]:
    return lambda address, chance: f"{address.partition('@')[0]}@{chance.choice(domains)}"


Spelling = Callable[[str, Random], str]
WRITING: list[Spelling] = [
    lambda address, chance: address.upper(),
    lambda address, chance: address.title(),
    lambda address, chance: f" {address}  ",
    lambda address, chance: f"\t{address}\u00a0",
    inner_space,
    lambda address, chance: f"mailto:{address}",
    lambda address, chance: f"<{address}>",
    display_name,
    lambda address, chance: f"'{address}'",
    lambda address, chance: f"{address}.",
]
OF_UMLAUTS: list[Spelling] = [
    lambda address, chance: unicodedata.normalize("NFD", address),
    in_letters_of_the_web,
]
OF_PROVIDER: dict[str, list[Spelling]] = {
    "gmail.com": [dots, plus, other_domain("googlemail.com", "gmail.com")],
    "icloud.com": [plus, other_domain("me.com", "mac.com", "icloud.com")],
    "hotmail.com": [plus],
}


def spelled(address: str, chance: Random, often: float = 0.6) -> str:
    """The address as a person may write it, for the same mailbox."""
    if chance.random() > often:
        return address
    of_mailbox = list(OF_PROVIDER.get(address.partition("@")[2], []))
    if not address.isascii():
        of_mailbox += OF_UMLAUTS
    if of_mailbox and chance.random() < 0.7:
        address = chance.choice(of_mailbox)(address, chance)
        if chance.random() < 0.5:
            return address
    return chance.choice(WRITING)(address, chance)


def spelled_wider(address: str, chance: Random) -> str:
    """As above, or for the widest mailbox only, which an opt-out covers and an opt-in does not."""
    wider = address.partition("@")[2] not in OF_PROVIDER and chance.random() < 0.25
    if chance.random() < 0.05:
        return address.replace("@", "\uff20")
    if chance.random() < 0.05:
        return f"{address[:1]} {address[1:]}"  # no address; an opt-out covers every address it may mean
    return spelled(plus(address, chance) if wider else address, chance)


# ---------------------------------------------------------------------------------------------- people

COUPLES = [("Anna", "Bernhard"), ("Clara", "Detlef"), ("Frieda", "Gregor"), ("Ingrid", "Karsten")]
DOMAINS = {
    "gmail.com": 5, "icloud.com": 2, "hotmail.com": 2, "web.de": 2, "firma{n}.de": 5, "müller{n}.de": 2,
}  # fmt: skip
COUNTRIES = {"DE": 8, "Österreich": 1, "CA": 4, "Canada": 1, "PL": 1, "US": 1, None: 1}
BLOCKED = ["test@test.com", "Test@Test.com ", "<a@a.com>"]


@dataclass
class SimulatedPerson:
    """A person while the world writes their history."""

    n: int
    first_name: str
    address: str
    old_address: str
    phone: str | None
    country: str | None
    has_account: bool = True
    has_contact: bool = False
    has_profile: bool = False
    has_device: bool = False
    shares: bool = False
    is_blocked: bool = False
    addresses: list[str] = field(default_factory=list)  # one per delivery

    @property
    def records(self) -> frozenset[tuple[str, str]]:
        has = {"account": self.has_account, "contact": self.has_contact, "profile": self.has_profile}
        has["device"] = self.has_device
        return frozenset((kind, self.key(kind)) for kind, is_there in has.items() if is_there)

    def key(self, kind: str) -> str:
        return f"random-{kind[0]}{self.n}"


def new_address(n: int, local: str, chance: Random) -> str:
    domain = pick(chance, DOMAINS).format(n=n)
    if domain not in ("gmail.com", "icloud.com", "hotmail.com", "web.de") and chance.random() < 0.2:
        local = local.replace("u", "ü")
    return f"{local}{n}@{domain}"


def simulated_person(n: int, n_deliveries: int, chance: Random) -> SimulatedPerson:
    one = SimulatedPerson(
        n=n,
        first_name=chance.choice(chance.choice(COUPLES)),
        address=new_address(n, "munter", chance),
        old_address=new_address(n, "alt", chance),
        phone=f"+49152{n:08d}" if chance.random() < 0.7 else None,
        country=pick(chance, COUNTRIES),
        has_account=chance.random() < 0.85,
        has_profile=chance.random() < 0.5,
    )
    one.has_contact = not (one.has_account or one.has_profile) or chance.random() < 0.3
    one.has_device = one.has_account and chance.random() < 0.3
    one.addresses = [one.address] * n_deliveries
    if one.has_account and chance.random() < 0.02:
        one.has_contact = one.has_profile = False
        one.is_blocked, one.phone, one.address = True, None, chance.choice(BLOCKED)
        one.addresses = [one.address] * n_deliveries
    elif one.phone and chance.random() < 0.08:
        since = chance.randrange(1, n_deliveries)
        one.addresses[:since] = [one.old_address] * since
    return one


# --------------------------------------------------------------------------------------------- history

REGISTER = {
    ("email", "marketing_email"): 12, ("sms", "marketing_email"): 2, ("post", "marketing_email"): 1,
    ("web", "behavioural_advertising"): 3, ("web", "automated_pricing"): 2,
    ("email", "ai_recommendations"): 1, ("web", "profiling"): 1,
}  # fmt: skip
UNKNOWN = {("email", "newsletter"): 1, ("push", "marketing_email"): 1, ("all", "all"): 1}
BASES = {"express": 30, "soft_opt_in": 5, "implied": 5, "legitimate_interest": 1, None: 1}
RECORDERS = {"preference_centre": 8, "shop_checkbox": 2, "crm": 3, None: 1}
REFUSALS = {"withdrawn": 5, "denied": 3, "paused": 1, "opt-out": 1}
DAYS_BEFORE = {400: 1, 200: 2, 150: 2, 100: 3, 40: 4, 20: 4, 10: 4, 5: 3}
HOURS = {"12:00:00": 5, "00:00:00": 2, "18:00:00": 1, "23:59:59": 1}
BAD_DATES = ["1970-01-01 00:00:00", "1900-01-01", "0001-01-01 00:00:00", "2126-06-01 12:00:00", None, "soon"]
NAMED = {
    ("email",): 12, ("email", "account"): 6, ("account",): 4, ("email", "phone"): 1, ("phone",): 1,
    ("device",): 1, ("account", "device"): 1,
}  # fmt: skip
BOXES: dict[str, tuple[str, str, dict[str | None, float]]] = {
    "account": (
        "accepts_marketing",
        "accepts_marketing_at",
        {"true": 6, "false": 2, None: 8, "nein": 0.1},
    ),
    "contact": ("has_marketing_consent", "marketing_consent_at", {"true": 4, "false": 1, None: 8}),
    "profile": (
        "subscription_status",
        "updated_at",
        {"subscribed": 6, None: 4, "never_subscribed": 2, "pending": 1, "unsubscribed": 1, "cleaned": 0.5,
         "suppressed": 0.5, "paused": 0.5},
    ),
}  # fmt: skip
MESSAGES = {
    "unsubscribed": 3, "complained": 1, "list_unsubscribed": 1, "clicked": 6, "delivered": 6, "forwarded": 2,
}  # fmt: skip


class History:
    """Writes the rows of a world."""

    def __init__(self, moments: list[datetime], n_people: int, seed: int) -> None:
        self.chance = Random(seed)
        self.moments = moments
        self.people: list[SimulatedPerson] = []
        self.tables: list[dict[str, list[Row]]] = [defaultdict(list) for _ in moments]
        self.n_rows = 0
        n = 1
        while len(self.people) < n_people:
            one = simulated_person(n, len(moments), self.chance)
            self.people.append(one)
            if one.has_account and not one.is_blocked and self.chance.random() < 0.04:
                n += 1
                other = simulated_person(n, len(moments), self.chance)
                one.first_name, other.first_name = self.chance.choice(COUPLES)
                other.is_blocked, other.has_account, other.shares, one.shares = False, True, True, True
                other.phone = f"+49152{n:08d}"
                other.address, other.addresses = one.address, list(one.addresses)
                if self.chance.random() < 0.3:  # one of them moves on
                    other.addresses[-1] = other.old_address
                self.people.append(other)
            n += 1
        for one in self.people:
            self.write(one)

    def deliveries(self) -> list[Delivery]:
        return [Delivery(as_of, table) for as_of, table in zip(self.moments, self.tables, strict=True)]

    def persons(self) -> list[Person]:
        return [Person(f"person {one.n}", one.records) for one in self.people]

    def next_key(self, letter: str) -> str:
        self.n_rows += 1
        return f"random-{letter}{self.n_rows}"

    def is_one_of(self, n: int) -> bool:
        """One of n times."""
        return self.chance.random() < 1 / n

    # Moments.

    def date(self, since: int = 0) -> tuple[str, int]:
        """A moment and the first delivery that can have it, from delivery `since` on if given."""
        build = pick(self.chance, {0: 8, 1: 1, 2: 1}) if since == 0 else since
        days = pick(self.chance, DAYS_BEFORE) if build == 0 else 2
        day = (self.moments[build] - timedelta(days=days)).date()
        return f"{day} {pick(self.chance, HOURS)}", build

    def bad_date(self, build: int) -> str | None:
        ahead = [self.moments[build] + timedelta(hours=1), self.moments[build] + timedelta(days=1)]
        return self.chance.choice([*BAD_DATES, *(str(moment) for moment in ahead)])

    # Rows.

    def put(self, table: str, versions: Versions) -> None:
        for build, row in enumerate(versions):
            if row is not None:
                self.tables[build][table].append(row)

    def from_build(self, row: Cells, build: int) -> Versions:
        """The row in each delivery from `build` on, sometimes one later."""
        if self.is_one_of(8):
            build = min(build + 1, len(self.moments) - 1)
        return [None] * build + [dict(row) for _ in self.moments[build:]]

    def write(self, one: SimulatedPerson) -> None:
        self.write_records(one)
        self.write_sales(one)
        for _ in range(pick(self.chance, {0: 1, 1: 3, 2: 4, 3: 2, 4: 1})):
            kinds: dict[Callable[[SimulatedPerson], None], float] = {
                self.write_consent: 12,
                self.write_signal: 2 if one.has_device else 0,
                self.write_message: 1 if one.has_profile else 0,
                self.write_request: 0.8,
                self.write_flawed: 1,
            }
            pick(self.chance, kinds)(one)

    # Records, with what is ticked in them.

    def write_records(self, one: SimulatedPerson) -> None:
        has_old_profile = one.has_profile and one.has_account and not one.shares and self.is_one_of(10)
        person: Cells = {"first_name": one.first_name, "phone": one.phone, "country": one.country}
        moves = one.addresses[0] != one.addresses[-1]
        for kind, table, key, is_there in (
            ("account", "shop/customers", "customer_id", one.has_account),
            ("contact", "crm/contacts", "contact_id", one.has_contact),
            ("profile", "esp/profiles", "profile_id", one.has_profile),
        ):
            if not is_there:
                continue
            said = self.box(kind, len(self.moments))
            often = 0 if one.is_blocked else 0.3
            spelling = {
                mail: spelled(mail, self.chance, often)
                for mail in dict.fromkeys([*one.addresses, one.old_address])
            }
            lags = moves and kind != "account" and one.has_account and self.is_one_of(4)
            versions: Versions = []
            for build, mail in enumerate(one.addresses):
                if kind == "profile" and has_old_profile:
                    mail = one.old_address
                elif lags:
                    mail = one.addresses[0]
                row: Cells = {key: one.key(kind), **person, "email": spelling[mail], **said[build]}
                row["created_at"] = "2020-01-01 10:00:00"
                if kind == "profile" and one.has_account:
                    row["external_id"] = one.key("account")
                versions.append(row)
            self.put(table, versions)
            if self.is_one_of(40):  # a duplicate key: an older opt-in, or the same
                self.put(table, [version and dict(version) for version in versions])

    def box(self, kind: str, n: int) -> list[Cells]:
        """The value of the consent field in each delivery."""
        column, dated, values = BOXES[kind]
        value = pick(self.chance, values)
        date, build = self.date()
        is_no = value not in (None, "true", "subscribed", "never_subscribed", "pending")
        is_bad = self.is_one_of(4 if is_no else 20)
        said: Cells = {column: value, dated: self.bad_date(build) if is_bad else date}
        nothing: Cells = {column: None, dated: None}
        found = [nothing] * build + [said] * (n - build)
        if build < n - 1 and self.is_one_of(6):
            since = self.chance.randrange(build + 1, n)
            changed: Cells = {column: pick(self.chance, values), dated: self.date(since)[0]}
            if self.is_one_of(5):
                changed[dated] = None
            found[since:] = [changed] * (n - since)
            if since + 1 < n and self.is_one_of(3):
                found[since + 1 :] = [said] * (n - since - 1)
        return found

    # Sales and questions.

    def write_sales(self, one: SimulatedPerson) -> None:
        def ago() -> str:
            days = self.chance.choice([20, 60, 150, 200, 400, 700, 800])
            return f"{(self.moments[0] - timedelta(days=days)).date()} 11:00:00"

        if self.is_one_of(2):
            row: Cells = {
                "order_id": self.next_key("o"), "total_amount": "10", "first_name": one.first_name,
                "ordered_at": ago(), "status": pick(self.chance, {"paid": 6, "cancelled": 1, None: 1}),
            }  # fmt: skip
            if one.has_account and (one.shares or not self.is_one_of(4)):
                row["customer_id"] = one.key("account")
                if self.is_one_of(2) and not one.is_blocked:
                    row["email"] = spelled(one.addresses[0], self.chance)
            else:
                row |= {"email": spelled(one.addresses[0], self.chance), "phone": one.phone}
            if not (one.is_blocked and "customer_id" not in row):
                self.put("shop/orders", [row] * len(self.moments))
        if one.has_account and self.is_one_of(5):
            topic = pick(self.chance, {"product": 3, "quote": 1, "delivery": 2, None: 1})
            subject = pick(self.chance, {"A question": 4, "Please stop writing to me": 1, None: 1})
            question: Cells = {
                "ticket_id": self.next_key("t"), "customer_id": one.key("account"), "status": "closed",
                "topic": topic, "subject": subject, "created_at": ago(),
            }  # fmt: skip
            self.put("support/tickets", [question] * len(self.moments))

    # Answers.

    def names(self, one: SimulatedPerson, is_no: bool) -> Cells:
        named: Cells = {}
        mail = self.chance.choice(
            [*one.addresses, one.old_address] if self.is_one_of(8) else one.addresses[-1:]
        )
        for kind in pick(self.chance, NAMED):
            if kind == "email":
                named["email"] = spelled_wider(mail, self.chance) if is_no else spelled(mail, self.chance)
                if not is_no and self.is_one_of(12):
                    named["email"] = plus(mail, self.chance)
            elif kind == "account" and one.has_account:
                named["customer_id"] = one.key("account")
            elif kind == "phone" and one.phone:
                named["phone"] = self.chance.choice([one.phone, one.phone.replace("+49", "0049 ")])
            elif kind == "device" and one.has_device:
                named["visitor_id"] = one.key("device")
        return named or {"email": spelled(mail, self.chance)}

    def consent(self, one: SimulatedPerson, is_no: bool, build: int = 0) -> tuple[Cells, int]:
        date: str | None
        date, build = self.date(build)
        topic = pick(self.chance, REGISTER)
        if self.is_one_of(25):
            topic = pick(self.chance, UNKNOWN)
        row: Cells = {
            **self.names(one, is_no), "channel": topic[0], "purpose": topic[1], "status": "granted",
            "lawful_basis": pick(self.chance, BASES), "recorded_by": pick(self.chance, RECORDERS),
        }  # fmt: skip
        if is_no:
            row["status"] = pick(self.chance, REFUSALS)
            if self.is_one_of(25):
                row["recorded_by"] = "esp_unsubscribe"
        elif self.is_one_of(8):
            row["status"] = "pending" if self.is_one_of(2) else "granted"
            row["confirmed_at"] = self.chance.choice([date, date, *BAD_DATES[:5], self.date(build)[0]])
        if self.is_one_of(4 if is_no else 15):
            date = self.bad_date(build)
        return {**row, "occurred_at": date}, build

    def write_consent(self, one: SimulatedPerson) -> None:
        is_no = self.is_one_of(4)
        row, build = self.consent(one, is_no)
        row["consent_event_id"] = self.next_key("e")
        versions = self.from_build(row, build)
        if self.is_one_of(6):
            self.correct(one, versions, is_no)
        self.put("privacy/consent_events", versions)
        if self.is_one_of(25):
            self.put("privacy/consent_events", [self.copy(one, version, is_no) for version in versions])

    def correct(self, one: SimulatedPerson, versions: Versions, is_no: bool) -> None:
        """Change the row in the newer deliveries."""
        since = self.chance.randrange(1, len(versions))
        if versions[since - 1] is None:
            return
        what = self.chance.choice(
            ["address", "channel", "purpose", "status", "basis", "account", "date", "gone", "gone for a day"]
        )
        for build in range(since, len(versions)):
            row = versions[build]
            assert row is not None
            if what == "address":
                other = self.chance.choice(self.people)
                row["email"] = (
                    other.addresses[-1] if self.is_one_of(2) else spelled(one.addresses[-1], self.chance)
                )
            elif what == "channel":
                row["channel"] = "post"
            elif what == "purpose":
                row["channel"], row["purpose"] = "web", "behavioural_advertising"
            elif what == "status":
                row["status"] = "granted" if is_no else "withdrawn"
                row["recorded_by"] = "preference_centre"
                row["occurred_at"] = self.date(since)[0] if self.is_one_of(2) else row["occurred_at"]
            elif what == "basis":
                row["lawful_basis"] = pick(self.chance, BASES)
            elif what == "account" and one.has_account:
                row["customer_id"] = one.key("account")
            elif what == "date":
                row["occurred_at"] = self.date()[0]
            elif what == "gone" or (what == "gone for a day" and build == since):
                versions[build] = None
            if build > since and what not in ("gone", "gone for a day"):
                versions[build] = versions[since]

    def copy(self, one: SimulatedPerson, row: Cells | None, is_no: bool) -> Cells | None:
        """A second row with the same key: the same, of another person, or an opt-out beside an opt-in."""
        if row is None:
            return None
        what = self.chance.choice(["the same", "of another person", "an opt-out beside an opt-in"])
        other = self.people[(one.n + 7) % len(self.people)]
        if what == "of another person" and not (
            one.shares or other.shares or one.is_blocked or other.is_blocked
        ):
            named = dict.fromkeys(("email", "customer_id", "phone", "visitor_id"))
            return {**row, **named, "email": other.addresses[-1]}
        if what == "an opt-out beside an opt-in" and not is_no and len(row["occurred_at"] or "") > 10:
            return {**row, "status": "withdrawn"}
        return dict(row)

    def write_signal(self, one: SimulatedPerson) -> None:
        account = one.key("account")
        known: Cells = {
            "event_id": self.next_key("w"), "visitor_id": one.key("device"), "customer_id": account,
            "event_type": "page_view", "occurred_at": "2026-01-05 12:00:00",
        }  # fmt: skip
        self.put("web/events", [known] * len(self.moments))
        date, build = self.date()
        signal: Cells = {**known, "event_id": self.next_key("w"), "occurred_at": date}
        signal["has_opt_out_signal"] = "true"
        if self.is_one_of(2):
            signal["customer_id"] = None
        self.put("web/events", self.from_build(signal, build))

    def write_message(self, one: SimulatedPerson) -> None:
        given, build = self.date()
        date: str | None = self.bad_date(build) if self.is_one_of(4) else given
        key = self.next_key("m")
        row: Cells = {
            "event_id": None if self.is_one_of(12) else key,
            "message_id": key,
            "profile_id": one.key("profile"),
            "event_type": pick(self.chance, MESSAGES),
            "occurred_at": date,
        }
        self.put("esp/message_events", self.from_build(row, build))

    def write_request(self, one: SimulatedPerson) -> None:
        kinds = {"objection": 4, "erasure": 0 if one.shares else 3, "access": 2, "complaint": 2, None: 1}
        given, build = self.date()
        row: Cells = {
            "request_id": self.next_key("d"), "request_type": pick(self.chance, kinds),
            "status": pick(self.chance, {"received": 3, "done": 2, "refused": 2, "rejected": 1}),
            "received_at": self.bad_date(build) if self.is_one_of(5) else given,
        }  # fmt: skip
        if one.has_account and self.is_one_of(2):
            row["customer_id"] = one.key("account")
        else:
            row["email"] = spelled(one.addresses[-1], self.chance)
        versions = self.from_build(row, build)
        if self.is_one_of(2) and versions[-1] is not None:
            versions[-1]["status"] = "refused"
        self.put("privacy/requests", versions)

    def write_flawed(self, one: SimulatedPerson) -> None:
        """A row that staging has to reject."""
        mail = one.addresses[-1]
        date, build = self.date()
        row: Cells
        what = self.chance.choice(["consent", "consent", "request", "account", "contact", "profile"])
        is_no = self.is_one_of(2)
        if what == "consent":
            row, build = self.consent(one, is_no)
            row["consent_event_id"] = self.next_key("e")
            flaw = self.chance.choice(["consent_event_id", "channel", "purpose", "status", "occurred_at"])
            row[flaw] = None
            self.put("privacy/consent_events", self.from_build(row, build))
        elif what == "request":
            row = {"email": spelled(mail, self.chance), "request_type": "objection", "received_at": date}
            self.put("privacy/requests", self.from_build(row, build))
        else:
            table, column, dated, noes = {
                "account": ("shop/customers", "accepts_marketing", "accepts_marketing_at", "false"),
                "contact": ("crm/contacts", "has_marketing_consent", "marketing_consent_at", "false"),
                "profile": ("esp/profiles", "subscription_status", "updated_at", "unsubscribed"),
            }[what]
            yeses = "subscribed" if what == "profile" else "true"
            keyless: Cells = {
                "email": spelled(mail, self.chance), "first_name": one.first_name, dated: date,
                column: noes if is_no else yeses, "created_at": "2020-01-01 10:00:00",
            }  # fmt: skip
            self.put(table, self.from_build(keyless, build))

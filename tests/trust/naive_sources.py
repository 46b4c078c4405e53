"""A second judge of consent: over the rows of the sources as delivered, in several builds.

Written from docs/consent.md alone, in plain loops, so that an error in the models is not here a second time.
Where that page is silent the judge takes the reading that says no; such a place is marked `Reading`.

A row becomes an `Answer`. `Judge` keeps what was once recorded, finds whom each answer concerns, and decides.
"""

import csv
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cache, cached_property
from pathlib import Path
from typing import Any, NamedTuple

import idna
import yaml

Row = Mapping[str, str | None]
Tables = Mapping[str, Sequence[Row]]  # "privacy/consent_events": its rows, every value a text
Topic = tuple[str, str]  # channel and purpose
MAIL: Topic = ("email", "marketing_email")
BEFORE_ALL = datetime.min
DAY = timedelta(days=1)
FULL_WIDTH_AT = "\uff20"
NOT_OF_AN_ADDRESS = "<>()[]\"'`\u2018\u2019\u201c\u201d\u200b\ufeff"


@dataclass(frozen=True)
class Delivery:
    """All source rows at the moment of one build."""

    as_of: datetime
    tables: Tables


@dataclass(frozen=True)
class Person:
    """A person with their records: ("account", "a1"), also "contact", "profile" and "device"."""

    name: str
    records: frozenset[tuple[str, str]]


class Written(NamedTuple):
    """The address and phone number that the project uses for a person."""

    email: str | None
    phone: str | None = None


class Verdict(NamedTuple):
    """A decision and its reason."""

    allowed: bool
    why: str


# ---------------------------------------------------------------------------------------------- policy


@dataclass(frozen=True)
class Purpose:
    is_marketing: bool
    stops_on_signal: bool
    bases: frozenset[str]


@dataclass(frozen=True)
class Law:
    soft_opt_in: bool
    purchase_days: int | None
    inquiry_days: int | None


@dataclass(frozen=True)
class Domain:
    canonical: str
    ignores_dots: bool
    ignores_plus: bool


@dataclass(frozen=True)
class Policy:
    """The settings: seeds and vars."""

    register: Mapping[Topic, Purpose]
    laws: Mapping[str, Law]
    countries: Mapping[str, str]
    calling_codes: Mapping[str, tuple[str, str]]
    domains: Mapping[str, Domain]
    blocked: frozenset[tuple[str, str]]
    by_the_person: frozenset[str]
    default_country: str
    founded_on: datetime = datetime(2000, 1, 1)
    buying_topics: frozenset[str] = frozenset({"product", "sales", "quote"})
    refusal_words: str = "unsub"  # a regular expression
    unsubscribed: frozenset[str] = frozenset()
    subscribed: frozenset[str] = frozenset()
    silent: frozenset[str] = frozenset()
    pending: frozenset[str] = frozenset()
    granted: frozenset[str] = frozenset()
    unconfirmed: frozenset[str] = frozenset()
    refused_events: frozenset[str] = frozenset()
    harmless_events: frozenset[str] = frozenset()
    sales: frozenset[str] = frozenset()

    @classmethod
    def of(cls, project: Path) -> "Policy":
        """The policy as shipped."""

        def seed(name: str) -> list[dict[str, str]]:
            with (project / "seeds/policy" / f"{name}.csv").open(encoding="utf-8", newline="") as file:
                return list(csv.DictReader(file))

        given: dict[str, Any] = yaml.safe_load((project / "dbt_project.yml").read_text(encoding="utf-8"))[
            "vars"
        ]

        def days(text: str) -> int | None:
            return int(text) if text else None

        policy = cls(
            register={
                (row["channel"], row["purpose"]): Purpose(
                    row["is_marketing"] == "true",
                    row["stops_on_opt_out_signal"] == "true",
                    frozenset(basis.strip() for basis in row["accepted_bases"].split(",")),
                )
                for row in seed("consent_purposes")
            },
            laws={
                row["country_code"]: Law(
                    row["has_soft_opt_in"] == "true",
                    days(row["implied_purchase_days"]),
                    days(row["implied_inquiry_days"]),
                )
                for row in seed("jurisdictions")
            },
            countries={row["country_name"]: row["country_code"] for row in seed("country_names")},
            calling_codes={
                row["country_code"]: (row["calling_code"], row["trunk_prefix"]) for row in seed("countries")
            },
            domains={
                row["email_domain"]: Domain(
                    row["canonical_domain"], row["ignores_dots"] == "true", row["ignores_plus_part"] == "true"
                )
                for row in seed("mailbox_domains")
            },
            blocked=frozenset(),
            by_the_person=frozenset(given["consent_by_the_person"]),
            default_country=given["default_country"],
        )
        blocked = frozenset(
            (kind, policy.mailbox(value) if kind == "email" else value)
            for kind, value in (
                (row["identifier_type"], row["identifier"]) for row in seed("blocked_identifiers")
            )
        )
        policy = replace(policy, blocked=blocked)
        if given.get("founded_on"):
            policy = replace(policy, founded_on=datetime.fromisoformat(str(given["founded_on"])))
        if given.get("buying_inquiry_topics"):
            policy = replace(policy, buying_topics=frozenset(given["buying_inquiry_topics"]))
        if given.get("refusal_words"):
            policy = replace(policy, refusal_words=str(given["refusal_words"]))

        def words(table: str, column: str, *kinds: str) -> frozenset[str]:
            """The words in a column that mean one of the given values."""
            return frozenset(map(bare, kinds)) | frozenset(
                bare(row["word"])
                for row in seed("source_words")
                if (row["table_name"], row["column_name"]) == (table, column)
                and row["value"] in kinds
                and "*" not in row["word"]
            )

        def of_status(*kinds: str) -> frozenset[str]:
            return words("profiles", "subscription_status", *kinds)

        harmless = ("sent", "delivered", "opened", "clicked", "bounced")
        return replace(
            policy,
            unsubscribed=of_status("unsubscribed"),
            subscribed=of_status("subscribed"),
            silent=of_status("never_subscribed"),
            pending=of_status("pending"),
            granted=words("consent_events", "status", "granted"),
            unconfirmed=words("consent_events", "status", "pending"),
            refused_events=words("message_events", "event_type", "complained", "unsubscribed"),
            harmless_events=words("message_events", "event_type", *harmless),
            sales=words("orders", "status", "paid", "shipped", "completed", "partially_refunded"),
        )

    def mailbox(self, address: str) -> str:
        """The mailbox of an address, by its provider's rules."""
        local, _, name = address.rpartition("@")
        domain = self.domains.get(name)
        if domain is None:
            return address
        if domain.ignores_plus:
            local = local.partition("+")[0] or local
        if domain.ignores_dots:
            local = local.replace(".", "")
        return f"{local}@{domain.canonical}"

    def widest(self, address: str) -> str:
        """The mailbox, and at a domain that the seed lacks without the part after a plus."""
        local, _, name = address.rpartition("@")
        if name not in self.domains:
            return f"{local.partition('+')[0] or local}@{name}"
        return self.mailbox(address)

    def phone(self, text: str | None) -> str | None:
        """A phone number as E.164."""
        if not text:
            return None
        plain = unicodedata.normalize("NFKC", text).strip()
        digits = "".join(sign for sign in plain if sign.isdigit())
        code, trunk = self.calling_codes[self.default_country]
        if plain.startswith("+"):
            number = digits
        elif digits.startswith("00"):
            number = digits[2:]
        elif trunk and digits.startswith(trunk):
            number = code + digits[len(trunk) :]
        else:
            number = code + digits
        return f"+{number}" if 7 <= len(number) <= 15 else None

    def reads_like_refusal(self, word: str) -> bool:
        """Whether a word reads like a refusal (var refusal_words)."""
        return re.search(self.refusal_words, key_of(word)) is not None


# ------------------------------------------------------------------------------------- reading of texts


def key_of(word: str) -> str:
    """A word as var refusal_words has it."""
    return re.sub(r"[\W_]+", "_", word.lower()).strip("_")


def bare(word: str) -> str:
    """A word as the seed source_words is looked up by."""
    return re.sub(r"[\W_]+", "", word.lower())


def text(row: Row, column: str) -> str | None:
    """The value of a column; blank is None."""
    value = row.get(column)
    return value.strip() or None if value else None


@cache
def address(given: str | None, is_guess: bool = False) -> str | None:
    """An e-mail address in its one spelling, or none where the text is no address. is_guess: what a no may
    mean by one with space in it."""
    if not given:
        return None
    plain = unicodedata.normalize("NFC", given).replace(FULL_WIDTH_AT, "@").lower()
    if "<" in plain and ">" in plain[plain.rindex("<") :]:
        plain = plain[plain.rindex("<") + 1 :].partition(">")[0]
    if not is_guess and re.search(r"[^\s@.]\s+[^\s@.]", plain.strip()):
        return None
    plain = "".join(sign for sign in plain if not sign.isspace() and sign not in NOT_OF_AN_ADDRESS)
    plain = plain.removeprefix("mailto:").rstrip(".,;")
    local, at, domain = plain.rpartition("@")
    if not at or not local or "@" in local or "." not in domain or ".." in domain or domain.startswith("."):
        return None
    labels = []
    for label in domain.split("."):
        try:
            labels.append(idna.decode(label) if label.startswith("xn--") else label)
        except idna.IDNAError:
            labels.append(label)
    return unicodedata.normalize("NFC", f"{local}@{'.'.join(labels)}")


@cache
def moment(given: str | None) -> datetime | None:
    """A moment in UTC without its zone, or None if the text is no moment."""
    if not given:
        return None
    try:
        found = datetime.fromisoformat(given.strip())
    except ValueError:
        return None
    if found.tzinfo is not None:
        found = (found - (found.utcoffset() or timedelta())).replace(tzinfo=None)
    return found


def date_of(given: str | None) -> datetime | None:
    """A date as given: None if empty, the earliest date if unreadable."""
    return moment(given) or (BEFORE_ALL if given else None)


def flag(given: str | None) -> bool | None:
    """Reading: a filled value that is neither yes nor no is a no."""
    return None if given is None else given.lower() in {"true", "t", "yes", "y", "1"}


def asks_to_stop(subject: str | None) -> bool:
    words = (
        "stop",
        "unsub",
        "opt out",
        "opt-out",
        "remove me",
        "abmeld",
        "abbestell",
        "keine werbung",
        "no more",
    )
    return subject is not None and any(word in subject.lower() for word in words)


# --------------------------------------------------------------------------------- answers, row by row


@dataclass(frozen=True)
class Said:
    """The content of a row. A change in any field makes a new event."""

    status: str  # yes, pending or no
    scope: frozenset[Topic]
    closes_all: bool  # a no to all marketing, after which only the person's own express yes counts
    date: datetime | None
    set_aside: bool = False
    basis: str | None = None
    recorded_by: str | None = None
    confirmed_at: datetime | None = None
    email: str | None = None
    misread_email: bool = False  # an address is named that cannot be read, or only by guessing
    phone: str | None = None
    records: frozenset[tuple[str, str]] = frozenset()  # account, contact, profile, device
    topic: Topic | None = None  # channel and purpose as the row has them
    given: str | None = None  # the address as it was typed, which tells rows without a key apart
    is_erasure: bool = False
    is_refused: bool = False


@dataclass(frozen=True)
class Answer:
    """A recorded event and the build that recorded it."""

    said: Said
    table: str
    key: str | None
    build: int
    is_current: bool  # the row still says so, as far as its system has it


class Reader:
    """The events in the rows of one delivery."""

    def __init__(self, policy: Policy, as_of: datetime) -> None:
        self.policy = policy
        self.as_of = as_of
        self.marketing = frozenset(topic for topic, entry in policy.register.items() if entry.is_marketing)
        self.everything = frozenset(policy.register)
        self.on_signal = frozenset(topic for topic, entry in policy.register.items() if entry.stops_on_signal)
        self.readers = {
            "privacy/consent_events": ("consent_event_id", self.consent_event),
            "privacy/requests": ("request_id", self.request),
            "shop/customers": ("customer_id", self.checkbox),
            "crm/contacts": ("contact_id", self.crm_flag),
            "esp/profiles": ("profile_id", self.profile),
            "esp/message_events": ("event_id", self.message),
            "web/events": ("event_id", self.signal),
        }

    def read(self, table: str, row: Row) -> tuple[str | None, Said | None]:
        key, reader = self.readers[table]
        said = reader(row)
        if said is not None and text(row, key) is None:
            said = replace(said, given=row.get("email"))
        return text(row, key), said

    def is_aside(self, row: Row, event_time: str, *required: str) -> bool:
        """Whether staging rejects the row: a value is missing, or its date is in the future."""
        when = moment(text(row, event_time))
        return when is None or when > self.as_of or any(text(row, column) is None for column in required)

    def named(self, row: Row, email: str = "email", phone: str = "phone", **records: str) -> dict[str, Any]:
        """The identifiers in a row; `records` maps columns to the records whose key they hold."""
        given = text(row, email)
        number = self.policy.phone(text(row, phone))
        return {
            "email": address(given, is_guess=True),
            "misread_email": given is not None and address(given) is None,
            "phone": None if ("phone", number) in self.policy.blocked else number,
            "records": frozenset(
                (kind, key) for kind, column in records.items() if (key := text(row, column)) is not None
            ),
        }

    def of_record(self, row: Row, kind: str, key: str, **records: str) -> dict[str, Any]:
        """Reading: what a record says of e-mail names its phone number only where the record has no key."""
        return self.named(row, phone="" if text(row, key) else "phone", **{kind: key}, **records)

    def topics(self, channel: str | None, purpose: str | None, is_no: bool) -> tuple[frozenset[Topic], bool]:
        """What an answer covers, and whether it closes all marketing."""
        topic = (channel or "", purpose or "")
        if topic in self.policy.register:
            return frozenset({topic}), False
        return (self.marketing, True) if is_no else (frozenset(), False)

    def consent_event(self, row: Row) -> Said:
        word = bare(text(row, "status") or "")
        status = "yes" if word in self.policy.granted else "no"
        status = "pending" if word in self.policy.unconfirmed else status
        recorded_by = text(row, "recorded_by")
        scope, closes_all = self.topics(text(row, "channel"), text(row, "purpose"), status == "no")
        if status == "no" and recorded_by == "esp_unsubscribe":  # Reading: it is an unsubscribe
            scope, closes_all = self.marketing, True
        named = self.named(row, account="customer_id", device="visitor_id")
        is_aside = self.is_aside(row, "occurred_at", "consent_event_id", "channel", "purpose", "status")
        return Said(
            status, scope, closes_all, date_of(text(row, "occurred_at")), is_aside,
            text(row, "lawful_basis"), recorded_by, date_of(text(row, "confirmed_at")),
            topic=(text(row, "channel") or "", text(row, "purpose") or ""), **named,
        )  # fmt: skip

    def request(self, row: Row) -> Said | None:
        kind = text(row, "request_type")
        if kind in {"access", "rectification", "portability"}:
            return None
        return Said(
            "no", self.everything, True, date_of(text(row, "received_at")),
            is_erasure=kind == "erasure", is_refused=kind == "erasure" and text(row, "status") == "refused",
            **self.named(row, account="customer_id"),
        )  # fmt: skip

    def of_a_box(self, row: Row, box: str, dated: str, key: str, by: str, kind: str) -> Said | None:
        """A checkbox. Reading: a yes in it is an express one."""
        ticked = flag(text(row, box))
        if ticked is None:
            return None
        return Said(
            "yes" if ticked else "no", frozenset({MAIL}), False, date_of(text(row, dated)),
            self.is_aside(row, "created_at", key), "express", by, **self.of_record(row, kind, key),
        )  # fmt: skip

    def checkbox(self, row: Row) -> Said | None:
        return self.of_a_box(
            row, "accepts_marketing", "accepts_marketing_at", "customer_id", "shop_checkbox", "account"
        )

    def crm_flag(self, row: Row) -> Said | None:
        return self.of_a_box(
            row, "has_marketing_consent", "marketing_consent_at", "contact_id", "crm", "contact"
        )

    def profile(self, row: Row) -> Said | None:
        """Reading: no status says nothing. The status has no date: the row's dates are the profile's."""
        given = text(row, "subscription_status") or "never subscribed"
        word = bare(given)
        if word in self.policy.silent:
            return None
        status = "yes" if word in self.policy.subscribed else "no"
        status = "pending" if word in self.policy.pending else status
        is_refusal = word in self.policy.unsubscribed or self.policy.reads_like_refusal(given)
        closes_all = status == "no" and is_refusal
        return Said(
            status, self.marketing if closes_all else frozenset({MAIL}), closes_all,
            None, self.is_aside(row, "created_at", "profile_id"), "express", "esp",
            **self.of_record(row, "profile", "profile_id"),
        )  # fmt: skip

    def message(self, row: Row) -> Said | None:
        """An event whose type is a refusal, or reads like one."""
        given = text(row, "event_type") or ""
        word = bare(given)
        is_refusal = word in self.policy.refused_events or (
            word not in self.policy.harmless_events and self.policy.reads_like_refusal(given)
        )
        if not is_refusal:
            return None
        return Said(
            "no", self.marketing, True, date_of(text(row, "occurred_at")),
            **self.named(row, email="", phone="", profile="profile_id"),
        )  # fmt: skip

    def signal(self, row: Row) -> Said | None:
        if not flag(text(row, "has_opt_out_signal")) or self.is_aside(
            row, "occurred_at", "event_id", "visitor_id", "event_type"
        ):
            return None
        return Said(
            "no", self.on_signal, False, moment(text(row, "occurred_at")),
            **self.named(row, phone="", device="visitor_id", account="customer_id"),
        )  # fmt: skip


# ------------------------------------------------------------------------------------------- the judge

Subject = tuple[str, str]  # ("mail", mailbox), ("phone", number), or a record: what an answer was given for


@dataclass
class Bound:
    """The events of one person: opt-outs by subject, and opt-ins."""

    noes: list[tuple[Answer, Subject]] = field(default_factory=list)
    yeses: list[tuple[Answer, frozenset[Subject]]] = field(default_factory=list)
    may_be_erased: bool = False


class Judge:
    """Decides after the last of the deliveries, by all that they and those before have recorded."""

    def __init__(self, policy: Policy, people: Iterable[Person], deliveries: Sequence[Delivery]) -> None:
        self.policy = policy
        self.people = {person.name: person for person in people}
        self.deliveries = deliveries
        self.now = deliveries[-1].as_of
        self.owner = {record: person.name for person in self.people.values() for record in person.records}
        self.mails: list[dict[tuple[str, str], set[str]]] = []  # addresses of a record, by delivery
        self.has_phone: dict[str, set[str]] = defaultdict(set)  # now or ever
        self.has_mailbox: dict[str, set[str]] = defaultdict(set)
        self.has_mailbox_today: dict[str, set[str]] = defaultdict(set)
        self.has_widest: dict[str, set[str]] = defaultdict(set)
        self.device_people: dict[str, set[str]] = defaultdict(set)
        self.country: dict[str, str] = {}
        self.default_address: dict[str, str] = {}
        self.default_phone: dict[str, str] = {}
        for delivery in deliveries:
            self._records(delivery)
        self._devices()
        self.answers, self.copies = self._ledger()

    # Who is who.

    def _has(self, owner: str, mail: str | None, number: str | None, is_last: bool) -> None:
        """A record of a person carries an address and a phone number."""
        if mail and not self.is_blocked(mail):
            mailbox = self.policy.mailbox(mail)
            self.has_mailbox[mailbox].add(owner)
            self.has_widest[self.policy.widest(mail)].add(owner)
            if is_last:
                self.has_mailbox_today[mailbox].add(owner)
        if number and ("phone", number) not in self.policy.blocked:
            self.has_phone[number].add(owner)

    def _records(self, delivery: Delivery) -> None:
        mails: dict[tuple[str, str], set[str]] = defaultdict(set)
        is_last = delivery is self.deliveries[-1]
        for table, kind, key in (
            ("esp/profiles", "profile", "profile_id"),
            ("crm/contacts", "contact", "contact_id"),
            ("shop/customers", "account", "customer_id"),
        ):
            for row in delivery.tables.get(table, ()):
                record = (kind, text(row, key) or "")
                owner = self.owner.get(record)
                if owner is None:
                    continue
                mail, number = address(text(row, "email")), self.policy.phone(text(row, "phone"))
                self._has(owner, mail, number, is_last)
                if mail:
                    mails[record].add(mail)
                    if is_last:
                        self.default_address[owner] = mail
                if number and ("phone", number) not in self.policy.blocked and is_last:
                    self.default_phone[owner] = number
                if (country := text(row, "country")) is not None:
                    self.country[owner] = self.policy.countries.get(country.lower(), country)
        self.mails.append(mails)
        for table, email in (("shop/orders", "email"), ("support/tickets", "requester_email")):
            for row in delivery.tables.get(table, ()):
                mail, number = address(text(row, email)), self.policy.phone(text(row, "phone"))
                if text(row, "customer_id") is not None:
                    continue  # the account is the record, not what it was used for
                for owner in self.people_of(None, mail, number):
                    self._has(owner, mail, number, is_last)

    def _devices(self) -> None:
        """Who is known on a device: those who logged in or left an address there."""
        for delivery in self.deliveries:
            for row in delivery.tables.get("web/events", ()):
                device, account = text(row, "visitor_id"), text(row, "customer_id")
                if device is None:
                    continue
                if account is not None and ("account", account) in self.owner:
                    self.device_people[device].add(self.owner["account", account])
                if mail := address(text(row, "email")):
                    self.device_people[device] |= self.has_mailbox.get(self.policy.mailbox(mail), set())

    def is_blocked(self, mail: str) -> bool:
        return ("email", self.policy.mailbox(mail)) in self.policy.blocked

    # The ledger.

    def _ledger(self) -> tuple[list[Answer], dict[tuple[str, str], frozenset[Said]]]:
        """Every event that a build recorded, and the newest content of each key."""
        latest: dict[tuple[str, str | None], frozenset[Said | None]] = {}
        recorded: list[tuple[Said, str, str | None, int]] = []
        for build, delivery in enumerate(self.deliveries):
            reader = Reader(self.policy, delivery.as_of)
            found: dict[tuple[str, str | None], set[Said | None]] = defaultdict(set)
            for table in reader.readers:
                for row in delivery.tables.get(table, ()):
                    key, said = reader.read(table, row)
                    found[table, key].add(said)
            for (table, key), says in found.items():
                before = latest.get((table, key), frozenset())
                recorded += [(said, table, key, build) for said in says - before if said is not None]
                # Without a key a row can't be said to have changed: all of them stay.
                latest[table, key] = frozenset(says) if key is not None else before | says
        answers = [
            Answer(said, table, key, build, said in latest[table, key])
            for said, table, key, build in recorded
        ]
        copies = {
            (table, key): frozenset(said for said in says if said is not None)
            for (table, key), says in latest.items()
            if key is not None
        }
        return answers, copies

    def recorded_at(self, answer: Answer) -> datetime:
        return self.deliveries[answer.build].as_of

    # Whom an answer concerns.

    def mails_of(self, record: tuple[str, str], builds: Iterable[int]) -> set[str]:
        return {mail for build in builds for mail in self.mails[build].get(record, ())}

    def concerned_by_no(self, answer: Answer) -> set[tuple[str, Subject]]:
        said = answer.said
        mails = {said.email} if said.email else set()
        concerned: set[tuple[str, Subject]] = set()
        for record in said.records:
            if record[0] == "device":
                concerned |= {(name, record) for name in self.device_people.get(record[1], ())}
                continue
            theirs = self.mails_of(record, range(len(self.deliveries)))
            reachable = {mail for mail in theirs if not self.is_blocked(mail)}
            if owner := self.owner.get(record):
                concerned |= {(owner, self.mail_subject(mail)) for mail in reachable}
                if not reachable:
                    concerned.add((owner, record))
            mails |= reachable
        for mail in mails:
            if not self.is_blocked(mail):
                holders = self.has_widest.get(self.policy.widest(mail), set())
                concerned |= {(name, self.mail_subject(mail)) for name in holders}
        if said.phone:
            concerned |= {(name, ("phone", said.phone)) for name in self.has_phone.get(said.phone, ())}
        return concerned

    def mail_subject(self, mail: str) -> Subject:
        return ("mail", self.policy.mailbox(mail))

    def concerned_by_yes(self, answer: Answer) -> tuple[set[str], frozenset[Subject]]:
        """All whom a yes leads to, and what it is for: who has the mailbox, or else who had it."""
        said = answer.said
        people: set[str] = set()
        subjects: set[Subject] = set()
        mails: set[str] = {said.email} if said.email and not said.misread_email else set()
        for record in said.records:
            if record[0] == "device":
                people |= self.device_people.get(record[1], set())
                subjects.add(record)
                continue
            if owner := self.owner.get(record):
                people.add(owner)
            if said.email is None and not said.misread_email:
                # By e-mail for the address it had then, on any other channel for the person today.
                is_mail = any(channel == "email" for channel, _ in said.scope)
                theirs = self.mails_of(record, [answer.build if is_mail else len(self.deliveries) - 1])
                mails |= theirs
                if not any(not self.is_blocked(mail) for mail in theirs):
                    subjects.add(record)
        for mail in mails:
            if not self.is_blocked(mail):
                mailbox = self.policy.mailbox(mail)
                today = self.has_mailbox_today.get(mailbox)
                people |= today or self.has_mailbox.get(mailbox, set())
            subjects.add(self.mail_subject(mail))
        if said.phone:
            people |= self.has_phone.get(said.phone, set())
            subjects.add(("phone", said.phone))
        return people, frozenset(subjects)

    @cached_property
    def bound(self) -> dict[str, Bound]:
        bound: dict[str, Bound] = defaultdict(Bound)
        led_to: dict[tuple[str, str], list[tuple[Said, set[str]]]] = defaultdict(list)
        for answer in self.answers:
            if answer.said.status == "no":
                if answer.said.is_erasure and self.is_refused(answer):
                    continue
                for name, subject in self.concerned_by_no(answer):
                    bound[name].noes.append((answer, subject))
                    bound[name].may_be_erased |= answer.said.is_erasure
            if (
                answer.key is not None
                and len(self.copies[answer.table, answer.key]) > 1
                and answer.is_current
            ):
                people = (
                    {name for name, _ in self.concerned_by_no(answer)}
                    if answer.said.status == "no"
                    else self.concerned_by_yes(answer)[0]
                )
                led_to[answer.table, answer.key].append((answer.said, people))
        for answer in self.answers:
            if answer.said.status == "no":
                continue
            people, subjects = self.concerned_by_yes(answer)
            # Of copies about one person the newest counts, and none where two are.
            contested = answer.key is not None and any(
                other != answer.said
                and not other.set_aside
                and people & theirs
                and (other.date or BEFORE_ALL) >= (answer.said.date or BEFORE_ALL)
                for other, theirs in led_to[answer.table, answer.key]
            )
            if len(people) == 1 and answer.is_current and not answer.said.set_aside and not contested:
                bound[next(iter(people))].yeses.append((answer, subjects))
        return bound

    def is_refused(self, answer: Answer) -> bool:
        """Whether a request for erasure is refused by now, by what its desk said last."""
        if answer.key is None:
            return answer.said.is_refused
        says = self.copies[answer.table, answer.key]
        return bool(says) and all(said.is_refused for said in says)

    # When an answer counts.

    def has_usable_date(self, answer: Answer) -> bool:
        date = answer.said.date
        return date is not None and self.policy.founded_on <= date <= self.recorded_at(answer)

    def no_counts_from(self, answer: Answer) -> datetime:
        date = answer.said.date
        if date is None or not self.has_usable_date(answer):
            return self.recorded_at(answer)
        confirmed = answer.said.confirmed_at
        if confirmed is not None and confirmed > date:  # it takes back what was confirmed then
            return min(confirmed, self.recorded_at(answer))
        if date == date.replace(hour=0, minute=0, second=0, microsecond=0):
            return date + DAY - timedelta(microseconds=1)
        return date

    def yes_counts_from(self, answer: Answer, as_of: datetime) -> datetime | None:
        """None where it opens nothing. A yes that was confirmed counts from its confirmation."""
        said = answer.said
        if said.date is not None and not self.policy.founded_on <= said.date <= as_of:
            return None
        confirmed = said.confirmed_at
        if confirmed is not None and not self.policy.founded_on <= confirmed <= as_of:
            return None
        if said.status == "pending" or confirmed is not None:
            return confirmed
        return said.date or BEFORE_ALL

    def is_known(self, answer: Answer, as_of: datetime) -> bool:
        """Whether it had been recorded by then; what the first build took in counts as known before."""
        return answer.build == 0 or self.recorded_at(answer) <= as_of

    # What a yes rests on.

    @cached_property
    def sales(self) -> dict[str, list[tuple[datetime, str | None, str | None]]]:
        """By person: when, the order's mailbox, its account. An order stays when its shop forgets it."""
        orders = {
            key: row
            for delivery in self.deliveries
            for row in delivery.tables.get("shop/orders", ())
            if (key := text(row, "order_id"))
        }
        found: dict[str, list[tuple[datetime, str | None, str | None]]] = defaultdict(list)
        for row in orders.values():
            when = moment(text(row, "ordered_at"))
            status = text(row, "status")
            if when is None or (status and bare(status) not in self.policy.sales):
                continue
            mail, account = address(text(row, "email")), text(row, "customer_id")
            mailbox = self.policy.mailbox(mail) if mail else None
            for name in self.people_of(account, mail, self.policy.phone(text(row, "phone"))):
                found[name].append((when, mailbox, account))
        return found

    @cached_property
    def inquiries(self) -> dict[str, list[datetime]]:
        tickets = {
            key: row
            for delivery in self.deliveries
            for row in delivery.tables.get("support/tickets", ())
            if (key := text(row, "ticket_id"))
        }
        found: dict[str, list[datetime]] = defaultdict(list)
        for row in tickets.values():
            when = moment(text(row, "created_at"))
            is_about_buying = text(row, "topic") in self.policy.buying_topics
            if when is None or not is_about_buying or asks_to_stop(text(row, "subject")):
                continue
            mail = address(text(row, "requester_email"))
            number = self.policy.phone(text(row, "phone"))
            for name in self.people_of(text(row, "customer_id"), mail, number):
                found[name].append(when)
        return found

    def people_of(self, account: str | None, mail: str | None, number: str | None) -> set[str]:
        """Whose an order or ticket is: the account's, else the one person's who has the mailbox or number."""
        if account is not None:
            owner = self.owner.get(("account", account))
            return {owner} if owner else set()
        holders = self.has_mailbox.get(self.policy.mailbox(mail), set()) if mail else set()
        holders = holders or self.has_phone.get(number or "", set())
        return holders if len(holders) == 1 else set()

    def rests_on_law(
        self, name: str, answer: Answer, topic: Topic, mailbox: str | None, as_of: datetime
    ) -> bool:
        basis = answer.said.basis
        if basis not in self.policy.register[topic].bases:
            return False
        law = self.law_of(name)
        sales = [sale for sale in self.sales.get(name, ()) if sale[0] <= as_of]
        if basis == "soft_opt_in":
            return law.soft_opt_in and any(
                mailbox is not None
                and (
                    sold_to == mailbox
                    or mailbox
                    in {
                        self.policy.mailbox(mail)
                        for mail in self.mails[-1].get(("account", account or ""), ())
                    }
                )
                for _, sold_to, account in sales
            )
        if basis == "implied":
            counted = self.yes_counts_from(answer, as_of)
            return self.is_implied(name, as_of, [] if counted is None else [counted])
        return basis == "express"

    def law_of(self, name: str) -> Law:
        return self.policy.laws.get(self.country.get(name, ""), Law(False, None, None))

    def is_implied(self, name: str, as_of: datetime, otherwise: Sequence[datetime] = ()) -> bool:
        """Whether a purchase or an inquiry implies consent, or what was recorded without saying which."""
        law = self.law_of(name)
        sold = [when for when, *_ in self.sales.get(name, ()) if when <= as_of]
        asked = [when for when in [*self.inquiries.get(name, ()), *otherwise] if when <= as_of]
        return any(
            days is not None and as_of - when < days * DAY
            for days, moments in ((law.purchase_days, sold), (law.inquiry_days, asked))
            for when in moments
        )

    # The decision.

    def decide(
        self, written: Mapping[str, Written] | None = None, as_of: datetime | None = None
    ) -> dict[tuple[str, str, str], Verdict]:
        """Every person's verdict on every channel and purpose, as of the last delivery or a moment before it.

        `written`: where the project writes to. Without it: to the account's address, else the contact's, else
        the profile's.
        """
        found = {}
        for name in self.people:
            to = (written or {}).get(name) or Written(
                self.default_address.get(name), self.default_phone.get(name)
            )
            for topic in self.policy.register:
                found[name, *topic] = self.verdict(name, topic, to, as_of or self.now)
        return found

    def verdict(self, name: str, topic: Topic, to: Written, as_of: datetime) -> Verdict:
        bound = self.bound.get(name, Bound())
        mail = address(to.email)
        written_to = self.mail_subject(mail) if mail else None
        if topic[0] == "email" and (mail is None or self.is_blocked(mail)):
            return Verdict(False, "no address to write to")
        yeses = []  # when, whether the person gave it expressly, what it is for, whether it opens
        for answer, subjects in bound.yeses:
            when = self.yes_counts_from(answer, as_of)
            if (
                answer.said.scope != {topic}
                or when is None
                or when > as_of
                or not self.is_known(answer, as_of)
            ):
                continue
            mailbox = next((value for kind, value in subjects if kind == "mail"), None)
            if not self.rests_on_law(name, answer, topic, mailbox, as_of):
                continue
            is_own = answer.said.basis == "express" and (
                answer.said.recorded_by in self.policy.by_the_person or answer.said.confirmed_at is not None
            )
            if topic[0] == "email":
                opens = written_to in subjects
            else:  # An address that the person no longer has opens nothing.
                opens = all(kind != "mail" or self.is_current_mail(name, value) for kind, value in subjects)
                if topic[0] == "sms" and answer.said.phone:
                    opens = opens and answer.said.phone == self.policy.phone(to.phone)
            yeses.append((when, is_own, subjects, opens))
        noes = []
        for answer, subject in bound.noes:
            begins = answer.said.date if self.has_usable_date(answer) else BEFORE_ALL
            if topic in answer.said.scope and self.is_known(answer, as_of) and (begins or as_of) <= as_of:
                noes.append((self.no_counts_from(answer), answer.said.closes_all, subject, answer))
        opening = [(when, is_own) for when, is_own, _, opens in yeses if opens]
        if not opening:
            # Reading: a purchase or inquiry implies consent of a person who said nothing about it.
            is_accepted = "implied" in self.policy.register[topic].bases
            if is_accepted and not noes and self.is_implied(name, as_of):
                return Verdict(True, "implied by a purchase or an inquiry")
            return Verdict(False, "no yes that opens")
        for when, closes_all, subject, answer in noes:
            if not any(
                later > when
                and self.widened(subject) in map(self.widened, subjects)
                and (is_own or not closes_all)
                for later, is_own, subjects, _ in yeses
            ):
                return Verdict(False, f"not lifted for {subject}: {answer}")
            # A later yes for the mailbox we write to beats a no for another spelling of the widest one.
            is_same = (
                mail and subject[0] == "mail" and self.policy.widest(subject[1]) == self.policy.widest(mail)
            )
            if topic[0] == "email" and is_same:
                opening = [(later, own) for later, own in opening if later > when and (own or not closes_all)]
                if not opening:
                    return Verdict(False, f"the mailbox is closed: {answer}")
        return Verdict(True, f"opened by a yes of {max(yeses)[0]}")

    def widened(self, subject: Subject) -> Subject:
        return (subject[0], self.policy.widest(subject[1])) if subject[0] == "mail" else subject

    def may_be_erased(self, name: str) -> bool:
        """Whether a request for erasure that is not refused concerns the person."""
        return name in self.bound and self.bound[name].may_be_erased

    def is_current_mail(self, name: str, mailbox: str) -> bool:
        return name in self.has_mailbox_today.get(mailbox, set()) or any(
            self.policy.mailbox(mail) == mailbox
            for record in self.people[name].records
            for mail in self.mails[-1].get(record, ())
        )

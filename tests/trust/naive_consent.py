"""The consent rules a second time: person by person, in plain loops, without SQL.

It deliberately shares nothing with models/trust except the rules in docs/consent.md.
"""

from dataclasses import dataclass
from datetime import datetime, time, timedelta

BY_THE_PERSON = {"preference_centre", "shop_checkbox"}
IDENTIFIERS = ("email", "phone", "shop_customer_id", "contact_id", "profile_id", "visitor_id")


@dataclass(frozen=True)
class Purpose:
    channel: str
    purpose: str
    is_marketing: bool
    stops_on_signal: bool
    bases: frozenset[str]


@dataclass(frozen=True)
class Law:
    default: str
    soft_opt_in: bool
    purchase_days: int | None
    inquiry_days: int | None


@dataclass(frozen=True)
class Customer:
    customer_id: str
    email: str | None  # the address to write to
    phone: str | None
    country: str | None
    sales: tuple[str, ...]  # addresses of orders, or of the accounts that placed them
    last_order: datetime | None
    last_ticket: datetime | None


@dataclass(frozen=True)
class Point:
    """A current or past address (with @) or phone number of a customer's record."""

    customer_id: str
    record: tuple[str, str]  # such as ("shop_customer_id", "1")
    contact: str
    is_current: bool


@dataclass(frozen=True)
class World:
    """The identifiers of all customers.

    records: the customer of each record and device, with or without an address.
    merging: domains that ignore dots and what follows a plus.
    """

    points: tuple[Point, ...]
    records: dict[tuple[str, str], str]
    merging: frozenset[str]


@dataclass(frozen=True)
class Answer:
    """One row of consent_history. `names` maps an identifier's type to its value; `row` is its source key."""

    event_id: str
    row: str
    names: tuple[tuple[str, str], ...]
    email_then: str | None
    channel: str
    purpose: str
    status: str
    basis: str | None
    recorded_by: str | None
    confirmed_at: datetime | None
    occurred_at: datetime | None
    recorded_at: datetime


def mailbox(address: str, world: World) -> str:
    """The mailbox of an address, by its provider's rules."""
    local, domain = address.split("@")
    return local.split("+")[0].replace(".", "") + "@" + domain if domain in world.merging else address


def widest(address: str, world: World) -> str:
    """The widest mailbox: at an unknown domain the part after a plus does not count either."""
    local, domain = address.split("@")
    return mailbox(address, world) if domain in world.merging else local.split("+")[0] + "@" + domain


def _concerns(answer: Answer, yes: bool, purpose: Purpose, register: list[Purpose]) -> bool:
    """Whether the event concerns the purpose. Only an opt-out can concern more than the one it names."""
    for known in register:
        if (known.channel, known.purpose) == (answer.channel, answer.purpose):
            return known == purpose
    if yes:
        return False
    if answer.purpose == "every purpose":
        return True
    if answer.purpose == "every purpose of an opt-out signal":
        return purpose.stops_on_signal
    return purpose.is_marketing


def _is_closing(answer: Answer, yes: bool, register: list[Purpose]) -> bool:
    """Whether it is an opt-out of every marketing purpose at once."""
    if yes:
        return False
    if answer.purpose in ("every purpose", "every marketing purpose"):
        return True
    if answer.purpose == "every purpose of an opt-out signal":
        return False
    return all((known.channel, known.purpose) != (answer.channel, answer.purpose) for known in register)


def _concerned_by_opt_out(answer: Answer, world: World) -> set[tuple[str, str]]:
    """Return (customer, subject) for every customer who has or had an identifier that it names."""
    subjects = set()
    for kind, value in answer.names:
        if kind == "email":
            subjects.add(widest(value, world))
        elif kind == "phone":
            subjects.add(value)
        else:
            ever = {
                widest(point.contact, world) for point in _addresses(world) if point.record == (kind, value)
            }
            subjects |= ever or {f"{kind} {value}"}
    return {(who, subject) for subject in subjects for who in _answering(subject, world, only_today=False)}


def _addresses(world: World) -> list[Point]:
    return [point for point in world.points if "@" in point.contact]


def _answering(subject: str, world: World, only_today: bool) -> set[str]:
    """Customers who have a mailbox, a phone number or a record without an address."""
    found = {who for record, who in world.records.items() if " ".join(record) == subject}
    for point in world.points:
        is_it = (widest(point.contact, world) if "@" in point.contact else point.contact) == subject
        if is_it and (point.is_current or not only_today):
            found.add(point.customer_id)
    return found


def _concerned_by_opt_in(answer: Answer, world: World) -> set[tuple[str, str]]:
    """Return (customer, subject). An opt-in by e-mail is for the one mailbox that it was given for."""
    found = set()
    given = dict(answer.names).get("email") or (answer.email_then if answer.channel == "email" else None)
    for kind, value in answer.names:
        today = [p for p in _addresses(world) if p.record == (kind, value) and p.is_current]
        ever = [p for p in _addresses(world) if p.record == (kind, value)]
        if kind == "email":
            continue
        if kind == "phone":
            subjects = {value}
        else:
            subjects = {widest(p.contact, world) for p in today} if ever else {f"{kind} {value}"}
        for subject in subjects:
            for who in _answering(subject, world, only_today=True):
                if answer.channel != "email" or given is None:
                    found.add((who, subject))
                    continue
                if kind in ("phone", "visitor_id"):
                    found.add((who, subject))
                if subject != widest(given, world):
                    found.add((who, widest(given, world)))
    if given is not None:
        owners = [p for p in _addresses(world) if mailbox(p.contact, world) == mailbox(given, world)]
        for point in [p for p in owners if p.is_current] or owners:
            found.add((point.customer_id, widest(given, world)))
    return found


def is_allowed(
    customer: Customer,
    purpose: Purpose,
    answers: list[Answer],
    world: World,
    register: list[Purpose],
    laws: dict[str, Law],
    as_of: datetime,
    ledger_began: datetime,
    founded_on: datetime,
) -> bool:
    """Whether the purpose is allowed. Without a valid opt-in it is not."""
    law = laws.get(customer.country or "")
    has_spoken = False
    said: list[tuple[str, datetime, bool, bool, Answer]] = []  # subject, moment, yes, closing, answer
    known = [a for a in answers if a.recorded_at <= as_of or a.recorded_at == ledger_began]
    for answer in known:
        if answer.status == "not said":
            continue
        yes = answer.status in ("granted", "pending")
        if not _concerns(answer, yes, purpose, register):
            continue
        if yes:
            if (answer.occurred_at or answer.recorded_at) > as_of:
                continue
            moment = answer.confirmed_at or answer.occurred_at or datetime(1900, 1, 1)
            binds = _concerned_by_opt_in(answer, world)
        else:
            is_likely = (
                answer.occurred_at is not None and founded_on <= answer.occurred_at <= answer.recorded_at
            )
            if is_likely and answer.occurred_at is not None:
                if answer.occurred_at > as_of:
                    continue
                moment = answer.occurred_at
                if answer.confirmed_at is not None and answer.confirmed_at > moment:
                    moment = min(answer.confirmed_at, answer.recorded_at)
                elif moment.time() == time(0):
                    moment = min(moment + timedelta(days=1, seconds=-1), answer.recorded_at)
            else:
                moment = min(answer.recorded_at, as_of)
            binds = _concerned_by_opt_out(answer, world)
        has_spoken = has_spoken or any(who == customer.customer_id for who, _ in binds)
        if yes and (
            len({who for who, _ in binds}) != 1
            or any(other.row == answer.row and other.recorded_at > answer.recorded_at for other in known)
            or (answer.occurred_at is not None and answer.occurred_at < founded_on)
            or (answer.status == "pending" and answer.confirmed_at is None)
            or (answer.confirmed_at is not None and not founded_on <= answer.confirmed_at <= as_of)
        ):
            continue
        for who, subject in binds:
            if who == customer.customer_id:
                said.append((subject, moment, yes, _is_closing(answer, yes, register), answer))

    closings = [moment for _, moment, _, closing, _ in said if closing]
    counting: list[tuple[str, datetime, bool, bool]] = []  # subject, moment, yes, opens
    for subject, moment, yes, _, answer in said:
        opens = yes
        if yes:
            given = dict(answer.names).get("email") or answer.email_then
            number = dict(answer.names).get("phone")
            today = {
                mailbox(p.contact, world)
                for p in _addresses(world)
                if p.is_current and p.customer_id == customer.customer_id
            }
            if (
                purpose.channel != "email"
                and "email" in dict(answer.names)
                and given is not None
                and mailbox(given, world) not in today
            ):
                continue
            if purpose.channel == "sms" and number and customer.phone and number != customer.phone:
                continue
            if answer.basis not in purpose.bases:
                continue
            sales = {mailbox(sale, world) for sale in customer.sales}
            has_sale = given is not None and mailbox(given, world) in sales
            if answer.basis == "soft_opt_in" and not (law is not None and law.soft_opt_in and has_sale):
                continue
            if answer.basis == "implied":
                days = (
                    [] if law is None else [n for n in (law.purchase_days, law.inquiry_days) if n is not None]
                )
                if not days or moment + timedelta(days=min(days)) <= as_of:
                    continue
            is_own = answer.recorded_by in BY_THE_PERSON or answer.confirmed_at is not None
            by_the_person = is_own and answer.basis == "express"
            if any(closed <= moment for closed in closings) and not by_the_person:
                continue
            if purpose.channel == "email":
                written_to = customer.email and mailbox(customer.email, world)
                opens = given is not None and mailbox(given, world) == written_to
        counting.append((subject, moment, yes, opens))

    decided = []
    for subject in {subject for subject, _, _, _ in counting}:
        here = [(moment, yes, opens) for where, moment, yes, opens in counting if where == subject]
        last_no = max((moment for moment, yes, _ in here if not yes), default=datetime.min)
        later = [opens for moment, yes, opens in here if yes and moment > last_no]
        if not later:
            return False
        decided.append(any(later))
    if any(decided):
        return True

    if (purpose.channel, purpose.purpose) != ("email", "marketing_email") or law is None:
        return False
    if (
        law.purchase_days
        and customer.email
        and customer.last_order
        and customer.last_order + timedelta(days=law.purchase_days) > as_of
    ):
        return True
    if (
        law.inquiry_days
        and customer.email
        and customer.last_ticket
        and customer.last_ticket + timedelta(days=law.inquiry_days) > as_of
    ):
        return True
    return law.default == "granted" and not has_spoken

"""The rules of consent a second time: one person at a time, in plain loops, slowly and with no SQL.

Deliberately shares nothing with models/trust but the words of docs/consent.md.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

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
    country: str | None
    first_order: datetime | None
    last_order: datetime | None
    last_ticket: datetime | None


@dataclass(frozen=True)
class Answer:
    """One row of consent_history; `names` maps an identifier's type to its value."""

    event_id: str
    names: tuple[tuple[str, str], ...]
    channel: str
    purpose: str
    status: str
    basis: str | None
    recorded_by: str | None
    confirmed_at: datetime | None
    occurred_at: datetime | None
    recorded_at: datetime


Subjects = dict[tuple[str, str], set[tuple[str, str]]]  # identifier -> {(customer, address)}


def _concerns(answer: Answer, yes: bool, purpose: Purpose, register: list[Purpose]) -> bool:
    """Whether the answer speaks of the purpose. Only a no can speak of more than the one it names."""
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
    """Whether it is a no to every marketing purpose at once."""
    if yes:
        return False
    if answer.purpose in ("every purpose", "every marketing purpose"):
        return True
    if answer.purpose == "every purpose of an opt-out signal":
        return False
    return all((known.channel, known.purpose) != (answer.channel, answer.purpose) for known in register)


def is_allowed(
    customer: Customer,
    purpose: Purpose,
    answers: list[Answer],
    subjects: Subjects,
    register: list[Purpose],
    laws: dict[str, Law],
    as_of: datetime,
    ledger_began: datetime,
) -> bool:
    """May we? Anything that is not plainly a yes is a no."""
    law = laws.get(customer.country or "")
    has_spoken = False
    said: list[tuple[str, datetime, bool, bool, Answer]] = []  # address, moment, yes, closing, answer
    for answer in answers:
        if answer.recorded_at > as_of and answer.recorded_at != ledger_began:
            continue
        if answer.occurred_at is not None and answer.occurred_at > as_of:
            continue
        if answer.occurred_at is None and answer.recorded_at > as_of and answer.status == "granted":
            continue
        confirmed = answer.confirmed_at is not None and answer.confirmed_at <= as_of
        yes = answer.status == "granted" or (answer.status == "pending" and confirmed)
        if confirmed and answer.status in ("granted", "pending"):
            assert answer.confirmed_at is not None
            moment = answer.confirmed_at
        elif answer.occurred_at is not None:
            moment = answer.occurred_at
        else:
            moment = datetime(1900, 1, 1) if answer.status == "granted" else min(answer.recorded_at, as_of)
        meant = {who for name in answer.names for who in subjects.get(name, set())}
        if not _concerns(answer, yes, purpose, register):
            continue
        has_spoken = has_spoken or any(customer_id == customer.customer_id for customer_id, _ in meant)
        if yes and len({customer_id for customer_id, _ in meant}) != 1:
            continue
        for customer_id, address in meant:
            if customer_id == customer.customer_id:
                said.append((address, moment, yes, _is_closing(answer, yes, register), answer))

    closings = [moment for _, moment, _, closing, _ in said if closing]
    counting: list[tuple[str, datetime, bool]] = []
    for address, moment, yes, _, answer in said:
        if yes:
            if answer.basis not in purpose.bases:
                continue
            is_address = address.startswith("email:")
            if purpose.channel == "email" and is_address and address != f"email:{customer.email}":
                continue
            knows_soft_opt_in = law is not None and law.soft_opt_in
            if answer.basis == "soft_opt_in" and not (knows_soft_opt_in and customer.first_order):
                continue
            if answer.basis == "implied":
                days = (
                    [] if law is None else [n for n in (law.purchase_days, law.inquiry_days) if n is not None]
                )
                if not days or moment + timedelta(days=min(days)) <= as_of:
                    continue
            by_the_person = answer.recorded_by in BY_THE_PERSON and answer.basis == "express"
            if any(closed <= moment for closed in closings) and not by_the_person:
                continue
        counting.append((address, moment, yes))

    if counting:
        for address in {address for address, _, _ in counting}:
            here = [(moment, yes) for where, moment, yes in counting if where == address]
            last = max(moment for moment, _ in here)
            if not all(yes for moment, yes in here if moment == last):
                return False
        return True

    if (purpose.channel, purpose.purpose) != ("email", "marketing_email") or law is None:
        return False
    if (
        law.purchase_days
        and customer.last_order
        and customer.last_order + timedelta(days=law.purchase_days) > as_of
    ):
        return True
    if (
        law.inquiry_days
        and customer.last_ticket
        and customer.last_ticket + timedelta(days=law.inquiry_days) > as_of
    ):
        return True
    return law.default == "granted" and not has_spoken

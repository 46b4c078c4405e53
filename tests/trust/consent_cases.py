"""Hand-made cases of docs/consent.md, one or more per rule, in the order of that page.

Each is a small world of its own: `{n}` in a value becomes the number of the case. The judge decides them in
test_naive_sources, the models in test_refusals and test_mutations, all in one warehouse.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from naive_sources import MAIL, Delivery, Person, Row

# Not at midnight, and days apart: what is recorded by a build is another day than what is dated by the day.
BUILDS = [datetime(2026, 6, 20, 6), datetime(2026, 6, 26, 6), datetime(2026, 7, 1, 6)]
Given = tuple[str, dict[str, str | None]]  # a table and a row of it
Topics = Mapping[tuple[str, ...], bool]  # by person, or by person, channel and purpose

SMS, WEB, PRICES, POST = (
    ("sms", "marketing_email"),
    ("web", "behavioural_advertising"),
    ("web", "automated_pricing"),
    ("post", "marketing_email"),
)
OWN = ("email", "marketing_email")
PEOPLE = {
    "anna": [("account", "a{n}"), ("contact", "k{n}"), ("profile", "f{n}"), ("device", "v{n}")],
    "ben": [("account", "b{n}"), ("contact", "kb{n}"), ("profile", "fb{n}"), ("device", "vb{n}")],
}
ANNA, OLD, BEN, BOTH = "anna@firma{n}.de", "old@firma{n}.de", "ben@other{n}.de", "family@home{n}.de"
PHONE, OTHER_PHONE = "+49151{n:08d}", "+49160{n:08d}"
D1, D2, D3, D4 = (f"2026-06-{day} 12:00:00" for day in ("02", "05", "08", "11"))
DAY2 = "2026-06-22 12:00:00"  # between the first two builds
DAY3 = "2026-06-28 12:00:00"
NEXT_HOUR, NEXT_CENTURY, EPOCH, BADLY = (
    "2026-06-20 07:00:00",
    "2126-06-05 12:00:00",
    "1970-01-01 00:00:00",
    "soon",
)


@dataclass(frozen=True)
class Case:
    """What stands in the sources day by day (the last day stays), and what is allowed in the end."""

    name: str
    days: Sequence[Sequence[Given]]
    allowed: bool | Topics  # a bool: Anna, marketing e-mail

    @property
    def expected(self) -> dict[tuple[str, str, str], bool]:
        given = {("anna",): self.allowed} if isinstance(self.allowed, bool) else self.allowed
        return {(who[0], *(who[1:] or MAIL)): allowed for who, allowed in given.items()}  # type: ignore[misc]


# ------------------------------------------------------------------------------------------------ rows


def account(**more: str | None) -> Given:
    row = {"customer_id": "a{n}", "email": ANNA, "phone": PHONE, "first_name": "Anna", "country": "DE"}
    return "shop/customers", {**row, "created_at": "2020-01-01 10:00:00", **more}


def bens(**more: str | None) -> Given:
    return account(**{"customer_id": "b{n}", "email": BEN, "phone": None, "first_name": "Ben", **more})


def contact(**more: str | None) -> Given:
    row = {"contact_id": "k{n}", "email": ANNA, "phone": PHONE, "first_name": "Anna", "country": "DE"}
    return "crm/contacts", {**row, "created_at": "2020-01-02 10:00:00", **more}


def profile(status: str | None = None, when: str | None = D1, **more: str | None) -> Given:
    row = {
        "profile_id": "f{n}", "external_id": "a{n}", "email": ANNA, "first_name": "Anna",
        "subscription_status": status, "updated_at": when,
    }  # fmt: skip
    return "esp/profiles", {**row, "created_at": "2020-01-03 10:00:00", **more}


def event(kind: str | None, when: str | None, **more: str | None) -> Given:
    row = {
        "event_id": "m{n}",
        "message_id": "m{n}",
        "profile_id": "f{n}",
        "event_type": kind,
        "occurred_at": when,
    }
    return "esp/message_events", {**row, **more}


def answer(status: str | None, when: str | None, key: str | None = "1", **more: str | None) -> Given:
    """An answer in the preference centre to marketing e-mail."""
    row = {
        "consent_event_id": key and f"c{{n}}-{key}", "email": ANNA, "channel": "email",
        "purpose": "marketing_email", "status": status, "lawful_basis": "express",
        "recorded_by": "preference_centre", "occurred_at": when,
    }  # fmt: skip
    return "privacy/consent_events", {**row, **more}


def yes(when: str | None, key: str | None = "yes", **more: str | None) -> Given:
    return answer("granted", when, key, **more)


def no(when: str | None, key: str | None = "no", **more: str | None) -> Given:
    return answer("withdrawn", when, key, **more)


def about(topic: tuple[str, str]) -> dict[str, str | None]:
    return {"channel": topic[0], "purpose": topic[1]}


def request(kind: str | None, when: str | None, **more: str | None) -> Given:
    row = {
        "request_id": "d{n}",
        "email": ANNA,
        "request_type": kind,
        "status": "received",
        "received_at": when,
    }
    return "privacy/requests", {**row, **more}


def order(when: str, **more: str | None) -> Given:
    row = {
        "order_id": "o{n}",
        "customer_id": "a{n}",
        "total_amount": "10",
        "status": "paid",
        "ordered_at": when,
    }
    return "shop/orders", {**row, "first_name": "Anna", **more}


def ticket(topic: str, when: str, **more: str | None) -> Given:
    row = {"ticket_id": "t{n}", "customer_id": "a{n}", "status": "closed", "topic": topic, "created_at": when}
    return "support/tickets", {**row, "subject": "A question", **more}


def visit(when: str, signal: str | None = "true", **more: str | None) -> Given:
    row = {"event_id": "w{n}", "visitor_id": "v{n}", "event_type": "page_view", "has_opt_out_signal": signal}
    return "web/events", {**row, "occurred_at": when, **more}


# ----------------------------------------------------------------------------------------------- cases

A = account()
B = bens()
NAMELESS: dict[str, str | None] = {"email": None}
BY_ACCOUNT: dict[str, str | None] = {"email": None, "customer_id": "a{n}"}
IMPORTED: dict[str, str | None] = {"recorded_by": "crm"}
CANADA = account(country="CA")
IMPLIED: dict[str, str | None] = {"lawful_basis": "implied"}
SOFT: dict[str, str | None] = {"lawful_basis": "soft_opt_in"}


def spelling(name: str, of_record: str, of_answer: str, is_same: bool = True) -> list[Case]:
    """A later no in another spelling, and a yes in another one."""
    me = account(email=of_record)
    return [
        Case(f"a no, {name}", [[me, yes(D1, email=of_record), no(D2, email=of_answer)]], not is_same),
        Case(f"a yes, {name}", [[me, yes(D1, email=of_answer)]], is_same),
    ]


ADDRESSES = [
    *spelling("capitals", "anna@firma{n}.de", "ANNA@Firma{n}.DE"),
    *spelling("spaces around and inside", "anna@firma{n}.de", "  anna @firma{n}.de "),
    *spelling("mailto", "anna@firma{n}.de", "mailto:anna@firma{n}.de"),
    *spelling("brackets", "anna@firma{n}.de", "<anna@firma{n}.de>"),
    *spelling("display name", "anna@firma{n}.de", "Anna Berg <ANNA@firma{n}.de.>"),
    *spelling("display name in quotes", "anna@firma{n}.de", '"Berg, Anna" <anna@firma{n}.de>'),
    *spelling("quotes", "anna@firma{n}.de", "'anna@firma{n}.de'"),
    *spelling("trailing dot", "anna@firma{n}.de", "anna@firma{n}.de."),
    *spelling("punycode for umlaut", "anna{n}@müller.de", "anna{n}@xn--mller-kva.de"),
    *spelling("umlaut for punycode", "anna{n}@xn--mller-kva.de", "Anna{n}@MÜLLER.de"),
    *spelling("decomposed domain", "anna{n}@müller.de", "anna{n}@mu\u0308ller.de"),
    *spelling("decomposed local part", "jürgen@firma{n}.de", "ju\u0308rgen@firma{n}.de"),
    *spelling("dots at Gmail", "annaberg{n}@gmail.com", "anna.berg{n}@gmail.com"),
    *spelling("plus at Gmail", "annaberg{n}@gmail.com", "annaberg{n}+shop@gmail.com"),
    *spelling("googlemail", "annaberg{n}@gmail.com", "anna.berg{n}+x@GoogleMail.com"),
    *spelling("me for icloud", "annaberg{n}@icloud.com", "annaberg{n}@me.com"),
    *spelling("mac for me", "annaberg{n}@me.com", "annaberg{n}+x@mac.com"),
    *spelling("plus at hotmail", "annaberg{n}@hotmail.com", "annaberg{n}+shop@hotmail.com"),
    *spelling("dots at hotmail count", "annaberg{n}@hotmail.com", "anna.berg{n}@hotmail.com", False),
    *spelling("plus at web.de counts", "annaberg{n}@web.de", "annaberg{n}+shop@web.de", False),
    *spelling("dots at an unknown domain count", "annaberg@firma{n}.de", "anna.berg@firma{n}.de", False),
    Case(
        "a no with a plus at an unknown domain", [[A, yes(D1), no(D2, email="anna+shop@firma{n}.de")]], False
    ),
    Case("a yes with a plus at an unknown domain", [[A, yes(D1, email="anna+shop@firma{n}.de")]], False),
    Case(
        "a no without the plus of the record",
        [[account(email="anna+shop@firma{n}.de"), yes(D1, email="anna+shop@firma{n}.de"), no(D2)]],
        False,
    ),
    Case("a no with a full-width at sign", [[A, yes(D1), no(D2, email="anna\uff20firma{n}.de")]], False),
]

WORDS = [
    Case("granted is a yes", [[A, yes(D1)]], True),
    Case("no answer", [[A]], False),
    Case("denied is a no", [[A, yes(D1), answer("denied", D2)]], False),
    Case("an unknown status is a no", [[A, yes(D1), answer("paused", D2)]], False),
    Case("pending decides nothing", [[A, yes(D1), answer("pending", D2)]], True),
    Case("pending alone", [[A, answer("pending", D2)]], False),
    Case("pending, confirmed", [[A, answer("pending", D1, confirmed_at=D2)]], True),
    Case(
        "pending counts from its confirmation",
        [[A, answer("pending", D1, confirmed_at=D3), no(D2)]],
        True,
    ),
    Case("a no after the confirmation", [[A, answer("pending", D1, confirmed_at=D2), no(D3)]], False),
    Case("confirmed tomorrow", [[A, yes(D1, confirmed_at="2026-07-02 06:00:00")]], False),
    Case("confirmed at the very moment", [[A, yes(D1, confirmed_at="2026-07-01 06:00:00")]], True),
    Case("confirmed before the shop was founded", [[A, yes(D1, confirmed_at=EPOCH)]], False),
    Case("pending, confirmed in 1970", [[A, answer("pending", D1, confirmed_at=EPOCH)]], False),
    Case("confirmed between the builds", [[A, yes(D1, confirmed_at=DAY2)]], True),
    Case("ESP: subscribed", [[A, profile("subscribed")]], True),
    Case("ESP: never subscribed says nothing", [[A, yes(D1), profile("never_subscribed", D2)]], True),
    Case("ESP: pending decides nothing", [[A, yes(D1), profile("pending", D2)]], True),
    Case("ESP: unsubscribed", [[A, yes(D1), profile("unsubscribed", D2)]], False),
    Case(
        "ESP: unsubscribed closes every marketing purpose",
        [[A, yes(D1, **about(SMS)), profile("unsubscribed", D2)]],
        {("anna", *SMS): False},
    ),
    Case(
        "ESP: suppressed closes every marketing purpose",
        [[A, yes(D1, **about(WEB)), profile("suppressed", D2)]],
        {("anna", *WEB): False},
    ),
    Case(
        "ESP: cleaned closes every marketing purpose",
        [[A, yes(D1, **about(POST)), profile("cleaned", D2)]],
        {("anna", *POST): False},
    ),
    Case("ESP: an unknown status is a no", [[A, yes(D1), profile("paused", D2)]], False),
    Case("ESP: no status says nothing", [[A, yes(D1), profile(None, D2)]], True),
    Case("unsubscribed from a message", [[A, profile(), yes(D1), event("unsubscribed", D2)]], False),
    Case("complained about a message", [[A, profile(), yes(D1), event("complained", D2)]], False),
    Case("clicked in a message", [[A, profile(), yes(D1), event("clicked", D2)]], True),
    Case(
        "an event that reads like a refusal", [[A, profile(), yes(D1), event("list_unsubscribed", D2)]], False
    ),
    Case("an event that does not", [[A, profile(), yes(D1), event("forwarded", D2)]], True),
]

SET_ASIDE = [
    Case("a no without a key", [[A, yes(D1), no(D2, key=None)]], False),
    Case(
        "a no without a key closes its purpose only",
        [[A, yes(D1), yes(D1, "web", **about(WEB)), no(D2, key=None)]],
        {("anna",): False, ("anna", *WEB): True},
    ),
    Case("a no without a channel", [[A, yes(D1), no(D2, channel=None)]], False),
    Case(
        "a no without a purpose closes every marketing purpose",
        [[A, yes(D1, **about(WEB)), no(D2, purpose=None)]],
        {("anna", *WEB): False},
    ),
    Case("an answer without a status", [[A, yes(D1), answer(None, D2)]], False),
    Case("a yes without a key opens nothing", [[A, yes(D1, key=None)]], False),
    Case("a yes without a key closes nothing", [[A, yes(D1), yes(D2, key=None)]], True),
    Case("a yes without a date in the consent tool", [[A, yes(None)]], False),
    Case(
        "one key, two people: two answers",
        [[A, B, yes(D1), yes(D1, "ben", email=BEN), no(D2, "x"), no(D3, "x", email=BEN)]],
        {("anna",): False, ("ben",): False},
    ),
    Case(
        "one key, two people: two yeses",
        [[A, B, yes(D1, "x"), yes(D2, "x", email=BEN)]],
        {("anna",): True, ("ben",): True},
    ),
    Case(
        "one key, two people: a yes and a no",
        [[A, B, yes(D1), yes(D3, "x", email=BEN), no(D2, "x")]],
        {("anna",): False, ("ben",): True},
    ),
    Case(
        "one key, two people: one of them is gone from it",
        [[A, B, yes(D1, "x"), yes(D2, "x", email=BEN)], [A, B, yes(D2, "x", email=BEN)]],
        {("anna",): False, ("ben",): True},
    ),
    Case(
        "one key, two people: the other one is gone from it",
        [[A, B, yes(D2, "x"), yes(D1, "x", email=BEN)], [A, B, yes(D2, "x")]],
        {("anna",): True, ("ben",): False},
    ),
    Case(
        "one key, two people, by account and by address",
        [[A, B, yes(D1, "x", email=None, customer_id="a{n}"), yes(D2, "x", email=BEN)]],
        {("anna",): True, ("ben",): True},
    ),
    Case(
        "one key, two people: neither confirmation can be read",
        [[A, B, yes(D1, "x", confirmed_at=BADLY), yes(D2, "x", email=BEN, confirmed_at=BADLY)]],
        {("anna",): False, ("ben",): False},
    ),
    Case(
        "one key, one person, two yeses: one of them counts",
        [[A, yes(D2, "x"), yes(D1, "x", channel="sms", phone=PHONE)]],
        {("anna",): True, ("anna", *SMS): False},
    ),
    Case("one key, one person: the no counts", [[A, yes(D1, "x"), no(D2, "x")]], False),
    Case("one event twice", [[A, yes(D1), yes(D1)]], True),
    Case(
        "a later yes in a wider spelling hides no earlier one",
        [[A, yes(D1), yes(D2, "x", email="anna+x@firma{n}.de")]],
        True,
    ),
    Case(
        "a no by phone, lifted by a yes by phone",
        [[A, yes(D4), no(D1, email=None, phone=PHONE), yes(D2, "x", email=None, phone=PHONE)]],
        True,
    ),
    Case("a no by phone, and a yes by mail", [[A, yes(D4), no(D1, email=None, phone=PHONE)]], False),
    Case(
        "a no that takes back what was confirmed later", [[A, yes(D3), no(D1, "x", confirmed_at=D4)]], False
    ),
    Case("a request without a key", [[A, yes(D1), request("objection", D2, request_id=None)]], False),
    Case("a request without a date", [[A, yes(D1), request("objection", None)]], False),
    Case(
        "the checkbox of a row without a key",
        [[A, yes(D1), account(customer_id=None, accepts_marketing="false", accepts_marketing_at=D2)]],
        False,
    ),
    Case(
        "the checkbox of a row that has no date of opening",
        [
            [
                A,
                B,
                yes(D1),
                bens(
                    customer_id="z{n}",
                    email=ANNA,
                    created_at=BADLY,
                    accepts_marketing="false",
                    accepts_marketing_at=D2,
                ),
            ]
        ],
        False,
    ),
    Case(
        "a ticked checkbox of a row without a key opens nothing",
        [[A, account(customer_id=None, accepts_marketing="true", accepts_marketing_at=D2)]],
        False,
    ),
    Case(
        "two rows of one account, one of them a no",
        [
            [
                account(accepts_marketing="true", accepts_marketing_at=D1),
                account(accepts_marketing="false", accepts_marketing_at=D2),
            ]
        ],
        False,
    ),
    Case(
        "the flag of a contact without a key",
        [[A, yes(D1), contact(contact_id=None, has_marketing_consent="false", marketing_consent_at=D2)]],
        False,
    ),
    Case(
        "an ESP profile without a key",
        [[A, yes(D1), profile("unsubscribed", D2, profile_id=None, external_id=None)]],
        False,
    ),
    Case(
        "an ESP profile without a beginning",
        [[A, yes(D1), profile("unsubscribed", D2, created_at=None)]],
        False,
    ),
    Case(
        "an ESP event without a key",
        [[A, profile(), yes(D1), event("unsubscribed", D2, event_id=None)]],
        False,
    ),
    Case("an ESP event without a date", [[A, profile(), yes(D1), event("unsubscribed", None)]], False),
    Case(
        "an ESP event without a message",
        [[A, profile(), yes(D1), event("complained", D2, message_id=None)]],
        False,
    ),
    Case(
        "one event key, two profiles",
        [
            [
                A,
                B,
                profile(),
                profile(profile_id="fb{n}", external_id="b{n}", email=BEN, first_name="Ben"),
                yes(D1),
                yes(D1, "ben", email=BEN),
                event("unsubscribed", D2),
                event("unsubscribed", D2, profile_id="fb{n}"),
            ]
        ],
        {("anna",): False, ("ben",): False},
    ),
]

SCOPE = [
    Case(
        "an unsubscribe closes every marketing purpose on every channel",
        [
            [
                A,
                profile(),
                *(yes(D1, channel, **about((channel, purpose))) for channel, purpose in (SMS, WEB, POST)),
                yes(D1, "prices", **about(PRICES)),
                event("unsubscribed", D2),
            ]
        ],
        {("anna", *SMS): False, ("anna", *WEB): False, ("anna", *POST): False, ("anna", *PRICES): True},
    ),
    Case(
        "an objection closes all others too",
        [[A, yes(D1, **about(PRICES)), request("objection", D2)]],
        {("anna", *PRICES): False},
    ),
    Case(
        "a yes to one channel is none to another",
        [[A, yes(D1)]],
        {("anna",): True, ("anna", *SMS): False, ("anna", "email", "ai_recommendations"): False},
    ),
    Case("a yes to everything", [[A, yes(D1, channel="all", purpose="all")]], False),
    Case("a no to one purpose leaves another", [[A, yes(D1), no(D2, **about(WEB))]], True),
    Case("a no to an unknown purpose", [[A, yes(D1), no(D2, purpose="newsletter")]], False),
    Case(
        "a no to an unknown channel closes every marketing purpose",
        [[A, yes(D1, **about(SMS)), no(D2, channel="push")]],
        {("anna", *SMS): False},
    ),
    Case("a yes to an unknown purpose", [[A, yes(D1, purpose="newsletter")]], False),
]

DATES = [
    Case("a later no", [[A, yes(D1), no(D2)]], False),
    Case("a later yes", [[A, no(D1), yes(D2)]], True),
    Case("a later import undoes a plain no", [[A, no(D1), yes(D2, **IMPORTED)]], True),
    Case("one moment", [[A, yes(D1), no(D1)]], False),
    Case("a no by the day, a yes that day", [[A, no("2026-06-05"), yes("2026-06-05 18:00:00")]], False),
    Case("a no by the day, a yes at its end", [[A, no("2026-06-05"), yes("2026-06-05 23:59:59")]], False),
    Case("a no by the day, a yes the next", [[A, no("2026-06-05"), yes("2026-06-06 09:00:00")]], True),
    Case("both by the day", [[A, no("2026-06-05"), yes("2026-06-05")]], False),
    Case("a no an hour ahead", [[A, yes(D1), no(NEXT_HOUR)]], False),
    Case("a no a century ahead", [[A, yes(D1), no(NEXT_CENTURY)]], False),
    Case(
        "a no a century ahead counts from when we learned of it",
        [[A, no(NEXT_CENTURY)], [A, no(NEXT_CENTURY), yes(DAY2)]],
        True,
    ),
    Case("a no of 1970", [[A, yes(D1), no(EPOCH)]], False),
    Case("a no of 1900", [[A, yes(D1), no("1900-01-01")]], False),
    Case("a no of the year 1", [[A, yes(D1), no("0001-01-01 00:00:00")]], False),
    Case("a no of 1999", [[A, yes(D1), no("1999-12-31 23:00:00")]], False),
    Case("a no without a date", [[A, yes(D1), no(None)]], False),
    Case("a no with an unreadable date", [[A, yes(D1), no(BADLY)]], False),
    Case("a no without a date, then a yes", [[A, no(None)], [A, no(None), yes(DAY2)]], True),
    Case("a no without a date, learned later", [[A, yes(D1)], [A, yes(D1)], [A, yes(D1), no(None)]], False),
    Case(
        "a no without a date, learned after a yes that lies before",
        [[A], [A, no(None)], [A, no(None), yes(DAY2)]],
        False,
    ),
    Case(
        "a no without a date comes back",
        [
            [account(accepts_marketing="false")],
            [account(accepts_marketing="true", accepts_marketing_at=DAY2)],
            [account(accepts_marketing="false")],
        ],
        False,
    ),
    Case(
        "a no without a date comes back, later than all",
        [
            [account(accepts_marketing="false")],
            [account(accepts_marketing="true", accepts_marketing_at=DAY2), yes(DAY2)],
            [account(accepts_marketing="false"), yes(DAY2)],
        ],
        False,
    ),
    Case("an unticked box without a date", [[account(accepts_marketing="false"), yes(D1)]], False),
    Case("a box ticked without a date", [[account(accepts_marketing="true")]], True),
    Case(
        "a box ticked without a date, any no beats it", [[account(accepts_marketing="true"), no(D1)]], False
    ),
    Case("a box ticked in 1970", [[account(accepts_marketing="true", accepts_marketing_at=EPOCH)]], False),
    Case(
        "a box ticked a century ahead",
        [[account(accepts_marketing="true", accepts_marketing_at=NEXT_CENTURY)]],
        False,
    ),
    Case("a yes of 1970", [[A, yes(EPOCH)]], False),
    Case("a yes a century ahead", [[A, yes(NEXT_CENTURY)]], False),
    Case(
        "after an unsubscribe, the person's own yes",
        [[A, profile(), event("unsubscribed", D1), yes(D2)]],
        True,
    ),
    Case(
        "after an unsubscribe, a box they ticked",
        [[account(accepts_marketing="true", accepts_marketing_at=D2), profile(), event("unsubscribed", D1)]],
        True,
    ),
    Case(
        "after an unsubscribe, an import",
        [[A, profile(), event("unsubscribed", D1), yes(D2, **IMPORTED)]],
        False,
    ),
    Case(
        "after an unsubscribe, a double opt-in that was confirmed, whatever took it down",
        [[A, profile(), event("unsubscribed", D1), yes(D2, confirmed_at=D3, **IMPORTED)]],
        True,
    ),
    Case(
        "after an unsubscribe, one that waits and is confirmed",
        [[A, profile(), event("unsubscribed", D1), answer("pending", D2, confirmed_at=D3, **IMPORTED)]],
        True,
    ),
    Case(
        "after an unsubscribe, one that waits for its confirmation",
        [[A, profile(), event("unsubscribed", D1), answer("pending", D2, **IMPORTED)]],
        False,
    ),
    Case(
        "a double opt-in confirmed before the unsubscribe",
        [[A, profile(), event("unsubscribed", D3), yes(D1, confirmed_at=D2, **IMPORTED)]],
        False,
    ),
    Case(
        "a double opt-in confirmed at the moment of the unsubscribe",
        [[A, profile(), event("unsubscribed", D2), yes(D1, confirmed_at=D2, **IMPORTED)]],
        False,
    ),
    Case(
        "an unsubscribe after the double opt-in that undid another",
        [
            [
                A,
                profile(),
                event("unsubscribed", D1),
                yes(D2, confirmed_at=D3, **IMPORTED),
                event("unsubscribed", D4),
            ]
        ],
        False,
    ),
    Case(
        "after an unsubscribe, a confirmed yes on another basis",
        [[A, profile(), event("unsubscribed", D1), yes(D2, confirmed_at=D3, **SOFT)]],
        False,
    ),
    Case(
        "after an unsubscribe, a confirmation of a day that can't be read",
        [[A, profile(), event("unsubscribed", D1), yes(D2, confirmed_at="yesterday", **IMPORTED)]],
        False,
    ),
    Case(
        "after an unsubscribe, the CRM's flag",
        [
            [
                A,
                contact(has_marketing_consent="true", marketing_consent_at=D2),
                profile(),
                event("unsubscribed", D1),
            ]
        ],
        False,
    ),
    Case(
        "after an unsubscribe, subscribed at the ESP",
        [[A, profile("subscribed", D2), event("unsubscribed", D1)]],
        False,
    ),
    Case(
        "after an unsubscribe, a soft opt-in",
        [[A, order(D1), profile(), event("unsubscribed", D1), yes(D2, **SOFT)]],
        False,
    ),
    Case(
        "after an unsubscribe, implied",
        [[CANADA, order(D1), profile(), event("unsubscribed", D1), yes(D2, **IMPLIED)]],
        False,
    ),
    Case(
        "a signal that arrives late counts from when it was sent",
        [
            [A, yes(D2, **about(WEB), **BY_ACCOUNT | {"visitor_id": "v{n}"})],
            [A, yes(D2, **about(WEB), **BY_ACCOUNT | {"visitor_id": "v{n}"}), visit(D1, customer_id="a{n}")],
        ],
        {("anna", *WEB): True},
    ),
    Case(
        "a signal that arrives late, later than the yes",
        [[A, yes(D1, **about(WEB))], [A, yes(D1, **about(WEB)), visit(D2, customer_id="a{n}")]],
        {("anna", *WEB): False},
    ),
    Case(
        "an unsubscribe that arrives late",
        [[A, profile(), yes(D1)], [A, profile(), yes(D1), event("unsubscribed", D2)]],
        False,
    ),
]

CORRECTIONS = [
    Case("a no becomes a yes of the same day", [[A, no(D1, "x")], [A, yes(D1, "x")]], False),
    Case("a no becomes a later yes", [[A, no(D1, "x")], [A, yes(D2, "x")]], True),
    Case("a yes becomes a no", [[A, yes(D1, "x")], [A, no(D1, "x")]], False),
    Case(
        "the address of a no is corrected: it stays",
        [
            [A, B, yes(D1), yes(D1, "ben", email=BEN), no(D2)],
            [A, B, yes(D1), yes(D1, "ben", email=BEN), no(D2, email=BEN)],
        ],
        {("anna",): False, ("ben",): False},
    ),
    Case(
        "the address of a yes is corrected: it moves",
        [[A, B, yes(D1)], [A, B, yes(D1, email=BEN)]],
        {("anna",): False, ("ben",): True},
    ),
    Case(
        "the channel of a no is corrected",
        [[A, yes(D1), no(D2)], [A, yes(D1), no(D2, channel="post")]],
        False,
    ),
    Case("the purpose of a yes is corrected", [[A, yes(D1)], [A, yes(D1, **about(WEB))]], False),
    Case(
        "the basis of a yes is corrected",
        [[A, yes(D1)], [A, yes(D1, lawful_basis="legitimate_interest")]],
        False,
    ),
    Case("the basis of a yes is completed", [[A, yes(D1, lawful_basis=None)], [A, yes(D1)]], True),
    Case("the date of a no is corrected", [[A, yes(D2), no(D3)], [A, yes(D2), no(D1)]], False),
    Case("the date of a yes is corrected", [[A, no(D2), yes(D3)], [A, no(D2), yes(D1)]], False),
    Case(
        "the account of a no is completed",
        [[A, yes(D1), no(D2, email=None)], [A, yes(D1), no(D2, email=None, customer_id="a{n}")]],
        False,
    ),
    Case("a no is forgotten", [[A, yes(D1), no(D2)], [A, yes(D1)]], False),
    Case("a yes is forgotten", [[A, yes(D1)], [A]], True),
    Case(
        "a no is forgotten and comes back", [[A, yes(D1), no(D2)], [A, yes(D1)], [A, yes(D1), no(D2)]], False
    ),
    Case(
        "ESP: unsubscribed, then subscribed",
        [[A, profile("unsubscribed", D1)], [A, profile("subscribed", DAY2)]],
        False,
    ),
    Case(
        "the ticked box is unticked",
        [
            [account(accepts_marketing="true", accepts_marketing_at=D1)],
            [account(accepts_marketing="false", accepts_marketing_at=DAY2)],
        ],
        False,
    ),
    Case(
        "the tick is taken away without a word",
        [[account(accepts_marketing="true", accepts_marketing_at=D1)], [account()]],
        False,
    ),
    Case(
        "an unticked box is ticked",
        [
            [account(accepts_marketing="false", accepts_marketing_at=D1)],
            [account(accepts_marketing="true", accepts_marketing_at=DAY2)],
        ],
        True,
    ),
    Case(
        "the CRM changes its mind",
        [
            [A, contact(has_marketing_consent="false", marketing_consent_at=D1)],
            [A, contact(has_marketing_consent="true", marketing_consent_at=DAY2)],
        ],
        True,
    ),
]

NEW_ADDRESS = account(email="new@firma{n}.de")
WHOM = [
    Case(
        "a no for a mailbox of two",
        [[account(email=BOTH), bens(email=BOTH), yes(D1, email=BOTH), no(D2, email=BOTH)]],
        {("anna",): False, ("ben",): False},
    ),
    Case(
        "a yes for a mailbox of two",
        [[account(email=BOTH), bens(email=BOTH), yes(D1, email=BOTH)]],
        {("anna",): False, ("ben",): False},
    ),
    Case(
        "a no by an account concerns all at its address",
        [
            [
                account(email="family+a@home{n}.de"),
                bens(email="family+b@home{n}.de"),
                yes(D1, email="family+b@home{n}.de"),
                no(D2, **BY_ACCOUNT),
            ]
        ],
        {("ben",): False},
    ),
    Case(
        "two spellings of one unknown domain are two mailboxes to a yes",
        [
            [
                account(email="family+a@home{n}.de"),
                bens(email="family+b@home{n}.de"),
                yes(D1, email="family+b@home{n}.de"),
            ]
        ],
        {("anna",): False, ("ben",): True},
    ),
    Case("a no by phone", [[A, yes(D1), no(D2, **NAMELESS, phone=PHONE)]], False),
    Case("a no by account", [[A, yes(D1), no(D2, **BY_ACCOUNT)]], False),
    Case(
        "a no by device",
        [[A, visit(D1, "false", customer_id="a{n}"), yes(D1), no(D2, **NAMELESS, visitor_id="v{n}")]],
        False,
    ),
    Case(
        "a no by contact",
        [[A, contact(has_marketing_consent="false", marketing_consent_at=D2), yes(D1)]],
        False,
    ),
    Case(
        "a no for an address the person once had",
        [[A, yes(D1)], [NEW_ADDRESS, yes(D1), yes(DAY2, "new", email="new@firma{n}.de"), no(DAY3)]],
        False,
    ),
    Case(
        "a no follows to the new address",
        [[A, no(D1)], [NEW_ADDRESS, no(D1), yes(DAY2, "new", email="new@firma{n}.de")]],
        False,
    ),
    Case(
        "a no for the old address is lifted by a yes for it",
        [[A, no(D1), yes(D2)], [NEW_ADDRESS, no(D1), yes(D2), yes(DAY2, "new", email="new@firma{n}.de")]],
        True,
    ),
    Case(
        "a new address, each with its yes",
        [[A, yes(D1)], [NEW_ADDRESS, yes(D1), yes(DAY2, "new", email="new@firma{n}.de")]],
        True,
    ),
    Case(
        "an old address on an ESP profile is refused",
        [[A, yes(D2), profile("unsubscribed", D1, email=OLD)]],
        False,
    ),
    Case("a yes for an old address only", [[A, profile(email=OLD), yes(D1, email=OLD), contact()]], False),
    Case("a yes by account", [[A, yes(D1, **BY_ACCOUNT)]], True),
    Case(
        "a yes by account counts for the address of that day",
        [[A, yes(D1, **BY_ACCOUNT)], [NEW_ADDRESS, yes(D1, **BY_ACCOUNT)]],
        False,
    ),
    Case("a yes by phone opens no e-mail", [[A, yes(D1, **NAMELESS, phone=PHONE)]], False),
    Case(
        "a yes by device opens no e-mail",
        [[A, visit(D1, "false", customer_id="a{n}"), yes(D1, **NAMELESS, visitor_id="v{n}")]],
        False,
    ),
    Case(
        "a yes by device opens the web",
        [[A, visit(D1, "false", customer_id="a{n}"), yes(D2, **about(WEB), **NAMELESS, visitor_id="v{n}")]],
        {("anna", *WEB): True},
    ),
    Case(
        "a yes for a stranger's address and our account",
        [[A, yes(D1, email="stranger@firma{n}.de", customer_id="a{n}")]],
        False,
    ),
    Case(
        "a text-message yes by phone",
        [[A, yes(D1, **about(SMS), **NAMELESS, phone=PHONE)]],
        {("anna", *SMS): True},
    ),
    Case(
        "a text-message yes for another number",
        [[A, yes(D1, **about(SMS), **BY_ACCOUNT, phone=OTHER_PHONE)]],
        {("anna", *SMS): False},
    ),
    Case("a text-message yes by address", [[A, yes(D1, **about(SMS))]], {("anna", *SMS): True}),
    Case(
        "a yes that leads to two", [[A, B, yes(D1, customer_id="b{n}")]], {("anna",): False, ("ben",): False}
    ),
    Case(
        "a no that leads to two",
        [[A, B, yes(D1), yes(D1, "ben", email=BEN), no(D2, customer_id="b{n}")]],
        {("anna",): False, ("ben",): False},
    ),
    Case(
        "a blocked address: a no concerns its account only",
        [
            [
                account(email="test@test.com", accepts_marketing="false", accepts_marketing_at=D2),
                bens(email="test@test.com"),
                yes(D1, **about(WEB), **BY_ACCOUNT),
                yes(D1, "ben", **about(WEB), email=None, customer_id="b{n}"),
                no(D2, **about(WEB), **BY_ACCOUNT),
            ]
        ],
        {("anna",): False, ("anna", *WEB): False, ("ben", *WEB): True},
    ),
    Case(
        "a blocked address: a yes is void",
        [[account(email="Test@Test.com", phone=None, accepts_marketing="true", accepts_marketing_at=D1)]],
        False,
    ),
    Case(
        "a signal on a known device",
        [
            [
                A,
                yes(D1, **about(WEB)),
                visit("2026-06-01 12:00:00", "false", customer_id="a{n}"),
                visit(D2, event_id="w{n}-2"),
            ]
        ],
        {("anna", *WEB): False},
    ),
    Case("a signal closes advertising only", [[A, yes(D1), visit(D2, customer_id="a{n}")]], True),
    Case(
        "a signal of an address logged in",
        [[A, yes(D1, **about(WEB)), visit(D2, email=ANNA)]],
        {("anna", *WEB): False},
    ),
    Case(
        "a signal of a stranger",
        [[A, yes(D1, **about(WEB)), visit(D2, visitor_id="z{n}")]],
        {("anna", *WEB): True},
    ),
]

BASES = [
    Case("legitimate interest is none", [[A, yes(D1, lawful_basis="legitimate_interest")]], False),
    Case("no basis is none", [[A, yes(D1, lawful_basis=None)]], False),
    Case(
        "a soft opt-in that the purpose does not accept",
        [[A, order(D1), yes(D2, **about(SMS), **SOFT)]],
        {("anna", *SMS): False},
    ),
    Case("a soft opt-in and a sale through the account", [[A, order(D1), yes(D2, **SOFT)]], True),
    Case("a soft opt-in without a sale", [[A, yes(D2, **SOFT)]], False),
    Case("a soft opt-in and a cancelled sale", [[A, order(D1, status="cancelled"), yes(D2, **SOFT)]], False),
    Case(
        "a soft opt-in and an order that carries the mailbox",
        [[contact(), order(D1, customer_id=None, email=" ANNA@firma{n}.de"), yes(D2, **SOFT)]],
        True,
    ),
    Case(
        "a soft opt-in where another address bought",
        [
            [
                account(email=OLD),
                contact(),
                yes(D2, **SOFT),
                order(D1),
                yes(D2, "old", **SOFT, email=OLD),
                no(D3),
            ]
        ],
        False,
    ),
    Case(
        "a soft opt-in where the law knows none", [[account(country="PL"), order(D1), yes(D2, **SOFT)]], False
    ),
    Case(
        "a soft opt-in in a country by its name",
        [[account(country="Österreich"), order(D1), yes(D2, **SOFT)]],
        True,
    ),
    Case("a soft opt-in in no country", [[account(country=None), order(D1), yes(D2, **SOFT)]], False),
    Case(
        "implied by a purchase",
        [[CANADA, order("2024-08-01 12:00:00"), yes("2024-08-01 12:00:00", **IMPLIED)]],
        True,
    ),
    Case(
        "implied by a purchase, lapsed",
        [[CANADA, order("2024-06-20 12:00:00"), yes("2024-06-20 12:00:00", **IMPLIED)]],
        False,
    ),
    Case(
        "implied by an inquiry",
        [[CANADA, ticket("product", "2026-01-10 12:00:00"), yes("2024-06-20 12:00:00", **IMPLIED)]],
        True,
    ),
    Case(
        "implied by an inquiry, lapsed",
        [[CANADA, ticket("product", "2025-12-20 12:00:00"), yes("2025-12-20 12:00:00", **IMPLIED)]],
        False,
    ),
    Case("implied, not recorded by what", [[CANADA, yes("2026-01-10 12:00:00", **IMPLIED)]], True),
    Case("implied, not recorded by what, lapsed", [[CANADA, yes("2025-12-20 12:00:00", **IMPLIED)]], False),
    Case("implied where the law knows it not", [[A, order(D1), yes(D1, **IMPLIED)]], False),
    Case("a later yes without a ground changes nothing", [[A, yes(D1), yes(D2, "later", **SOFT)]], True),
    Case("a purchase alone implies consent", [[CANADA, order("2024-08-01 12:00:00")]], True),
    Case("an inquiry alone implies consent", [[CANADA, ticket("quote", "2026-01-10 12:00:00")]], True),
    Case("a purchase after a no implies nothing", [[CANADA, no(D1), order(D2)]], False),
    Case("a purchase implies nothing where the law knows it not", [[A, order(D2)]], False),
    Case("an express yes does not lapse", [[CANADA, yes("2015-05-05 12:00:00")]], True),
    Case(
        "a delivery question is no inquiry",
        [[CANADA, ticket("delivery", D1), yes("2024-06-20 12:00:00", **IMPLIED)]],
        False,
    ),
    Case(
        "a question that asks to stop is no inquiry",
        [
            [
                CANADA,
                ticket("product", D1, subject="Please stop writing to me"),
                yes("2024-06-20 12:00:00", **IMPLIED),
            ]
        ],
        False,
    ),
]

DESK = [
    Case("an objection", [[A, yes(D1), request("objection", D2)]], False),
    Case("an objection, refused", [[A, yes(D1), request("objection", D2, status="refused")]], False),
    Case("after an objection, the person's own yes", [[A, request("objection", D1), yes(D2)]], True),
    Case("an erasure", [[A, yes(D1), request("erasure", D2)]], False),
    Case("an erasure, refused", [[A, yes(D1), request("erasure", D2, status="refused")]], True),
    Case(
        "an erasure, refused later",
        [[A, yes(D1), request("erasure", D2)], [A, yes(D1), request("erasure", D2, status="refused")]],
        True,
    ),
    Case("a request for access", [[A, yes(D1), request("access", D2)]], True),
    Case("a request for portability", [[A, yes(D1), request("portability", D2)]], True),
    Case("a request for rectification", [[A, yes(D1), request("rectification", D2)]], True),
    Case("a request of another type", [[A, yes(D1), request("complaint", D2)]], False),
    Case("a request of no type", [[A, yes(D1), request(None, D2)]], False),
]

CASES: list[Case] = [
    *ADDRESSES,
    *WORDS,
    *SET_ASIDE,
    *SCOPE,
    *DATES,
    *CORRECTIONS,
    *WHOM,
    *BASES,
    *DESK,
]


# ---------------------------------------------------------------------------------- the cases as worlds


def people(cases: Iterable[tuple[int, Case]]) -> list[Person]:
    """The persons of the cases, by number: "anna 17"."""
    return [
        Person(f"{name} {number}", frozenset((kind, key.format(n=number)) for kind, key in records))
        for number, _ in cases
        for name, records in PEOPLE.items()
    ]


def deliveries(cases: Iterable[tuple[int, Case]]) -> list[Delivery]:
    """The cases side by side, one delivery per build; what a case says last stays."""
    tables: list[dict[str, list[Row]]] = [defaultdict(list) for _ in BUILDS]
    for number, case in cases:
        for build, found in enumerate(tables):
            for table, row in case.days[min(build, len(case.days) - 1)]:
                found[table].append(
                    {column: value and value.format(n=number) for column, value in row.items()}
                )
    return [Delivery(as_of, found) for as_of, found in zip(BUILDS, tables, strict=True)]


def expected(cases: Iterable[tuple[int, Case]]) -> dict[tuple[str, str, str], bool]:
    """What each person of the cases is allowed in the end."""
    return {
        (f"{who} {number}", channel, purpose): allowed
        for number, case in cases
        for (who, channel, purpose), allowed in case.expected.items()
    }

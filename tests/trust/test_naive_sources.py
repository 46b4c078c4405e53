"""The second judge by itself: the hand-made cases, and how it reads addresses, moments and phone numbers."""

from datetime import datetime

import pytest
from consent_cases import BUILDS, CASES, Case, account, deliveries, expected, no, people, yes
from naive_sources import Judge, Policy, address, moment

from conftest import PROJECT

POLICY = Policy.of(PROJECT)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_case_is_decided_as_the_page_says(case: Case) -> None:
    cases = [(1, case)]
    found = Judge(POLICY, people(cases), deliveries(cases)).decide()
    for who, allowed in expected(cases).items():
        assert found[who].allowed == allowed, found[who].why


def test_no_case_is_there_twice() -> None:
    assert len({case.name for case in CASES}) == len(CASES)


def test_cases_side_by_side_are_decided_alike() -> None:
    """No case leaks into another: so the models may be given all of them in one warehouse."""
    cases = list(enumerate(CASES, 1))
    found = Judge(POLICY, people(cases), deliveries(cases)).decide()
    assert {who: found[who].allowed for who in expected(cases)} == expected(cases)


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("Anna <ANNA@xn--mller-kva.de.>", "anna@müller.de"),
        ("anna@mu\u0308ller.de", "anna@müller.de"),
        ("<mailto:anna@x.de>", "anna@x.de"),
        (" anna @x.de\t", "anna@x.de"),
        ("anna\uff20x.de", "anna@x.de"),
        ("anna", None),
        ("anna@x", None),
        ("@x.de", None),
        ("", None),
    ],
)
def test_an_address_has_one_spelling(given: str, meant: str | None) -> None:
    assert address(given) == meant


@pytest.mark.parametrize(
    ("given", "mailbox", "widest"),
    [
        ("anna.berg+shop@googlemail.com", "annaberg@gmail.com", "annaberg@gmail.com"),
        ("anna.berg+shop@mac.com", "anna.berg@icloud.com", "anna.berg@icloud.com"),
        ("anna.berg+shop@web.de", "anna.berg+shop@web.de", "anna.berg+shop@web.de"),
        ("anna.berg+shop@firma.de", "anna.berg+shop@firma.de", "anna.berg@firma.de"),
    ],
)
def test_a_mailbox_is_where_the_provider_takes_it(given: str, mailbox: str, widest: str) -> None:
    assert (POLICY.mailbox(given), POLICY.widest(given)) == (mailbox, widest)


def test_moments_are_read_in_utc() -> None:
    assert moment("2026-06-01T02:00:00+02:00") == moment("2026-06-01") == datetime(2026, 6, 1)
    assert moment("soon") is None


def test_a_past_day_is_answered_from_what_had_been_recorded_by_then() -> None:
    case = Case(
        "",
        [[account(), yes("2026-06-02 12:00:00")]] * 2 + [[account(), yes("2026-06-02 12:00:00"), no(None)]],
        {},
    )
    judge = Judge(POLICY, people([(1, case)]), deliveries([(1, case)]))
    who = ("anna 1", "email", "marketing_email")
    assert [judge.decide(as_of=as_of)[who].allowed for as_of in BUILDS] == [True, True, False]
    case = Case("", [[account(), yes("2026-06-02 12:00:00"), no(None)]], {})
    judge = Judge(POLICY, people([(1, case)]), deliveries([(1, case)]))
    assert not judge.decide(as_of=datetime(2026, 6, 3))[who].allowed

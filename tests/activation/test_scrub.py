"""Messages of an ESP are stored without personal data, in any encoding."""

import base64
import html
import json
import re
import time
from collections.abc import Callable
from datetime import datetime
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailroom.activation.api import StoppedError
from mailroom.activation.rows import Row
from mailroom.activation.scrub import MOST, Scrubber, error_text, without_addresses

ROW = Row(
    "row1", "klaviyo", "vips", "add", "c1", "zoë.müller+shop@x-mail.example",
    {"first_name": "Zoë", "top_category": "Green tea", "n_orders": 3, "phone": "+49 170 1234567"},
    None, datetime(2026, 7, 1), 1,
)  # fmt: skip
NAMES = ("zoë", "müller", "x-mail", "zoe", "muller")
CODINGS: dict[str, Callable[[str], str]] = {
    "plain": str,
    "upper": str.upper,
    "percent": lambda text: quote(text, safe=""),
    "percent_at": lambda text: text.replace("@", "%40"),
    "percent_twice": lambda text: quote(quote(text, safe=""), safe=""),
    "percent_u": lambda text: text.replace("@", "%u0040"),
    "json": lambda text: json.dumps(text)[1:-1].replace("@", "\\u0040"),
    "json_twice": lambda text: json.dumps(json.dumps(text.replace("@", "\\u0040")))[1:-1],
    "hex": lambda text: text.replace("@", "\\x40"),
    "entity": lambda text: text.replace("@", "&#64;"),
    "entity_hex": lambda text: text.replace("@", "&#x40;"),
    "entity_bare": lambda text: text.replace("@", "&#064"),
    "entity_name": lambda text: text.replace("@", "&commat;").replace(".", "&period;"),
    "entity_escaped": lambda text: html.escape(text.replace("@", "&#64;")),
    "full_width": lambda text: text.replace("@", "\uff20").replace(".", "\uff0e"),
    "small": lambda text: text.replace("@", "\ufe6b"),
    "spaced": lambda text: text.replace("@", " @ "),
    "all_spaced": lambda text: text.replace("@", " @ ").replace(".", " . "),
    "invisible": lambda text: text.replace("@", "\u200b@\u200b"),
    "brackets": lambda text: f"Zoë <{text}>",
    "quoted": lambda text: '"' + text.replace("@", '"@'),
    "octal": lambda text: text.replace("@", "\\100"),
    "braces": lambda text: text.replace("@", "\\u{40}"),
    "eight": lambda text: text.replace("@", "\\U00000040"),
    "then_hex": lambda text: text.replace("@", "\\u0040be"),
    "utf_7": lambda text: text.replace("@", "+AEA-"),
    "quoted_printable": lambda text: text.replace("@", "=40"),
    "at": lambda text: text.replace("@", " [at] "),
    "at_and_dot": lambda text: text.replace("@", "(AT)").replace(".", " (dot) "),
    "base_64": lambda text: base64.b64encode(f"{text}, Zoë".encode()).decode(),
    "base_64_url": lambda text: base64.urlsafe_b64encode(text.encode()).decode().rstrip("="),
    "base_16": lambda text: text.encode().hex(),
    "idn": lambda text: text.replace("x-mail", "xn--mller-kva"),
}


@pytest.mark.parametrize("coding", CODINGS)
@pytest.mark.parametrize(
    "around", ["{}", "Invalid email: {}.", '{{"email": "{}"}} is taken', "/contacts/{}?x=1"]
)
def test_no_address_is_left_in_any_encoding(coding: str, around: str) -> None:
    message = around.format(CODINGS[coding](ROW.email))
    for rows in ([ROW], []):
        kept = str(Scrubber(rows).message(message)).casefold()
        assert "@" not in kept and "x-mail" not in kept and "mller-kva" not in kept
        assert not re.search(r"[\w+/]{20}|[0-9a-f]{20}", kept.replace(" ", "  ")), "nor in a coding"
        assert rows == [] or not any(name in kept for name in NAMES[:3])


# A name {n} beside an address {a}.
BESIDE = (
    '"{n}" <{a}>', "{n} <{a}>", "{n} ({a})", "{n} [{a}]", "To: {n} <mailto:{a}>", '"{n}" {a}', "{n}, {a}",
    "{a} ({n})", '{a} "{n}"', "<{a}> {n}", "{a} {n} is unknown", "{a}, {n}", "Known: {n} {a}",
    '{{"name": "{n}", "email": "{a}"}}', '{{\\"email\\": \\"{a}\\", \\"full_name\\": \\"{n}\\"}}',
    "name={n}&email={a}", "user_name: {n}; e-mail {a}",
)  # fmt: skip
PERSONS = st.sampled_from(
    ["Anna Berg", "ANNA BERG", "Berg, Anna", "Änne O'Brien", "Ann-Kathrin McDonald", "Łukasz", "A. Berg"]
)


@given(st.sampled_from(BESIDE), PERSONS, st.sampled_from(["ann@y.de", "Ann.B+x@mail.example", "a%40b.de"]))
def test_no_name_beside_an_address_is_left(beside: str, name: str, address: str) -> None:
    kept = str(Scrubber().message(f"Refused: {beside.format(n=name, a=address)}."))
    for word in re.findall(r"\w{2,}", name):
        assert word not in kept, kept
    assert "@" not in kept


@pytest.mark.parametrize(
    ("message", "kept"),
    [
        ("first_name: anna, last name = berg", "first_name: (a value), last name: (a value)"),
        ("anna berg <ann@y.de> is known", "(an address) is known"),
        ("The name: mailroom_x is taken", "The name: mailroom_x is taken"),
        ("Member 5d41402abc4b2a76b9719d911017c592 is gone", "Member (a value) is gone"),
        ("+49\u2011171\u20117654321 or 0170\u20131234567", "(a number) or (a number)"),
        ("Limit=40 of 40.5 at most", "Limit=40 of 40.5 at most"),
        ("The address ann@y.de is invalid.", "The address (an address) is invalid."),
        ("ann@y.de, bob@y.de", "(an address), (an address)"),
        ('"ann smith"@y.de is unknown', "(an address) is unknown"),
        ("ann@[192.168.0.1] is unknown", "(an address)[192.168.0.1] is unknown"),
        ("ann@", "(an address)"),
        ("An address must contain a single @.", "An address must contain a single @."),
        ("GREEN TEA is no category", "(a value) is no category"),
        ("Zoe\u0308 is no name", "(a value) is no name"),
        ("The username portion (before the @: zoë.müller+shop) is bad", "The username portion (before the @: (a value)) is bad"),  # noqa: E501
        ("Call +49 (30) 123-4567 or 0170 1234567.", "Call (a number) or (a number)."),
        ("491701234567 is taken", "(a number) is taken"),
        ("Nothing heard of it since 2026-06-30 12:00", "Nothing heard of it since 2026-06-30 12:00"),
        ("Job 550e8400-e29b-41d4-a716-446655440000", "Job 550e8400-e29b-41d4-a716-446655440000"),
        ("line\nend\x00\ud800", "line end ?"),
        (["first", "second"], "first"),
        ({"errors": [{"detail": "ann@y.de"}]}, "(an address)"),
        ({}, "{}"),
        (404, "404"),
        (None, None),
        ("a" * 30_000, "(a text of 30,000 characters)"),
        ("%" + "25" * 20 + "40", "(a text in too many encodings)"),
    ],
)  # fmt: skip
def test_a_message_stays_without_personal_data(message: object, kept: str | None) -> None:
    assert Scrubber([ROW]).message(message) == kept


def test_a_message_is_scrubbed_before_it_is_cut() -> None:
    for before in range(MOST - 40, MOST + 1):
        kept = Scrubber().message("." * before + " someone@somewhere.example")
        assert kept is not None and len(kept) <= MOST and "some" not in kept


def test_the_name_of_a_job_stays_unchanged() -> None:
    for name in ("/api/import/info?batchId=123456789012", "/v3/processes/1,2", "a%2Fb", 17):
        assert without_addresses(name) == str(name)
    assert "ann" not in without_addresses("/contacts/ann%40y.de")


def test_a_stop_names_no_address_for_any_error() -> None:
    assert str(StoppedError("brevo refuses ann%40y.de")) == "brevo refuses (an address)"


def test_a_nested_error_has_a_text() -> None:
    nested: object = "deep"
    for _ in range(100_000):
        nested = {"detail": [nested]}
    assert error_text(nested) == "deep"
    other: object = "deep"
    for _ in range(100_000):
        other = {"other": other}
    assert error_text(other) == "(nested too deeply to show)"
    while isinstance(other, dict):  # otherwise it is deallocated by recursion
        other = other.pop("other")


@pytest.mark.parametrize(
    "text",
    [
        "first name: " * 1_600,
        "name=a, " * 2_500,
        "A " * 9_999 + "@",
        "a@b (" * 4_000,
        "AAAA/" * 4_000,
        "name:" + ", " * 9_990,
        "@" * 20_000,
        "a" * 19_999 + "@",
        '"@' * 9_999,
        "a ." * 6_000,
        "1 " * 9_999,
        "%25" * 6_000,
    ],
)
def test_no_text_takes_long(text: str) -> None:
    started = time.process_time()
    Scrubber([ROW]).message(text)
    assert time.process_time() - started < 5


@given(st.text(), st.sampled_from(sorted(CODINGS)), st.text())
def test_no_text_around_an_address_lets_it_through(before: str, coding: str, after: str) -> None:
    message = f"{before} {CODINGS[coding](ROW.email)} {after}"
    kept = str(Scrubber([ROW]).message(message)).casefold()
    assert "x-mail.example" not in kept and "müller" not in kept and "mller-kva" not in kept

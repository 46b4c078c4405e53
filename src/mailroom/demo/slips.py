"""Typing errors: how often, of which kind and where in a word is in `mailroom.demo.constants`, with sources.

Each function draws from a stream that the caller has for nothing else: so errors move nothing but themselves.
"""

import re
from collections.abc import Sequence
from datetime import date, timedelta

import numpy as np

from mailroom.demo import constants as c
from mailroom.demo.encode import Ints, chance, pick

KEYS = ("1234567890", "qwertyuiop", "asdfghjkl", "zxcvbnm")
NEIGHBOURS = {
    key: row[max(place - 1, 0) : place] + row[place + 1 : place + 2]
    for row in KEYS
    for place, key in enumerate(row)
}
KINDS = tuple(c.SLIP_KINDS)
MARK = re.compile(r"[._]?mr\d+$")  # the mark that makes an address a person's own
ADDRESS = re.compile(r"[a-z0-9]+([._][a-z0-9]+)*")
EARLIEST, LATEST = date(1900, 1, 1), date(2012, 1, 1)


def slipped(rng: np.random.Generator, values: Sequence[str | None], share: float) -> list[str | None]:
    """The texts, with a typing error in a `share` of them. Texts under three characters have none."""
    found = list(values)
    for place in np.flatnonzero(chance(rng, share, len(found))).tolist():
        found[place] = slip(rng, found[place] or "") or None
    return found


def slip(rng: np.random.Generator, text: str) -> str:
    """A text with one typing error or two: a character too many, missing, wrong, or two swapped."""
    for _ in range(1 + int(rng.random() < c.SECOND_SLIP_SHARE)):
        if len(text) < 3:
            break
        text = _once(rng, text)
    return text


def _once(rng: np.random.Generator, text: str) -> str:
    kind = KINDS[int(pick(rng, list(c.SLIP_KINDS.values()), 1)[0])]
    first = rng.random() < c.FIRST_LETTER_SLIP_SHARE
    place = 0 if first else int(rng.integers(1, len(text)))
    key = text[place]
    if kind == "transposed":
        place = min(place, len(text) - 2)
        swapped = text[place + 1].lower(), text[place].lower()
        # Shift stays with the first key, also if a wrong one comes first.
        pair = "".join(_cased(letter, text[place + n]) for n, letter in enumerate(swapped))
        if pair != text[place : place + 2]:
            return text[:place] + pair + text[place + 2 :]
        kind = "deleted"  # swapping a pair of equal letters has no effect
    if kind == "deleted":
        rest = text[place + 1 :]
        return text[:place] + (_cased(rest[0], key) + rest[1:] if rest and place == 0 else rest)
    around = NEIGHBOURS.get(key.lower(), KEYS[2])
    other = _cased(around[int(rng.integers(0, len(around)))], key)
    if kind == "inserted":
        # Most extra letters repeat the one before (Pollock and Zamora 1983).
        double = _cased(key, "a") if place == 0 else key
        return (
            text[: place + 1]
            + (double if rng.random() < c.DOUBLED_SHARE else other.lower())
            + text[place + 1 :]
        )
    return text[:place] + other + text[place + 1 :]


def _cased(letter: str, like: str) -> str:
    return letter.upper() if like.isupper() else letter.lower()


def slipped_address(rng: np.random.Generator, email: str) -> str:
    """An e-mail address with a slip in the name before the @.

    The person's own mark and the domain stay, so that a slip never leads to another person.
    """
    local, _, domain = email.partition("@")
    mark = MARK.search(local)
    end = mark.start() if mark else len(local)
    if end < 3:
        return email
    while True:
        name = slip(rng, local[:end])
        if ADDRESS.fullmatch(name) and name != local[:end]:
            return f"{name}{local[end:]}@{domain}"


def slipped_number(rng: np.random.Generator, number: str) -> str:
    """A phone number with one of its last six digits wrong, or two of them in another order."""
    digits = [place for place, key in enumerate(number) if key.isdigit()][-6:]
    keys = list(number)
    nth = int(rng.integers(0, 5))
    one, other = digits[nth], digits[nth + 1]
    if rng.random() < c.DIGITS_TRANSPOSED_SHARE and keys[one] != keys[other]:
        keys[one], keys[other] = keys[other], keys[one]
    else:
        around = NEIGHBOURS[keys[one]]
        keys[one] = around[int(rng.integers(0, len(around)))]
    return "".join(keys)


def slipped_date(rng: np.random.Generator, day: date) -> date:
    """A birth date with a digit wrong, two digits in another order, or day and month swapped."""
    text = day.isoformat()
    while True:
        kind = int(pick(rng, c.BIRTH_DATE_SLIPS, 1)[0])
        keys = list(text)
        if kind == 0:
            keys[(2, 3, 5, 6, 8, 9)[int(rng.integers(0, 6))]] = str(rng.integers(0, 10))
        elif kind == 1:
            one = (2, 5, 8)[int(rng.integers(0, 3))]
            keys[one], keys[one + 1] = keys[one + 1], keys[one]
        else:
            keys[5:7], keys[8:10] = keys[8:10], keys[5:7]
        try:
            found = date.fromisoformat("".join(keys))
        except ValueError:  # an invalid day: a form refuses it
            continue
        if found != day and EARLIEST <= found < LATEST:
            return found


def stated_dates(rng: np.random.Generator, born: Ints, share: float) -> list[date | None]:
    """These birth dates (days since 1970) in records: a share of them, some wrong, some placeholders."""
    n = len(born)
    stated, wrong = chance(rng, share, n), chance(rng, c.BIRTH_DATE_SLIP_SHARE, n)
    placeholder = chance(rng, c.JUNK_BIRTH_DATE_SHARE, n)
    found: list[date | None] = [None] * n
    for place in np.flatnonzero(stated).tolist():
        day = date(1970, 1, 1) + timedelta(int(born[place]))
        if placeholder[place]:
            day = c.JUNK_BIRTH_DATES[place % len(c.JUNK_BIRTH_DATES)]
        elif wrong[place]:
            day = slipped_date(rng, day)
        found[place] = day
    return found

"""Typing errors, recycled numbers and similar names in households occur at the stated rates, and change
nothing else."""

from collections.abc import Iterator
from dataclasses import fields
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailroom.demo import constants as c
from mailroom.demo.encode import NONE
from mailroom.demo.people import FOREVER, Records
from mailroom.demo.simulate import Simulation, simulate
from mailroom.demo.slips import slip, slipped_address, slipped_date, slipped_number
from mailroom.demo.world import Config, build_world

SLIPS = {
    name: 0.0
    for name in (
        "NAME_SLIP_SHARE",
        "STREET_SLIP_SHARE",
        "BIRTH_DATE_SLIP_SHARE",
        "PHONE_SLIP_SHARE",
        "EMAIL_SLIP_SHARE",
        "SWAPPED_NAMES_SHARE",
        "GENERATION_SHARE",
        "JUNK_BIRTH_DATE_SHARE",
    )
}
KIN = dict.fromkeys(("JUNIOR_SHARE", "TWIN_SHARE", "RECYCLED_SHARE"), 0.0)
KINDS = ("accounts", "contacts", "profiles")


def made(**changed: float) -> Simulation:
    until = int(datetime(2026, 7, 1, tzinfo=UTC).timestamp())
    config = Config(10_000, 540, 5, until, orders_per_customer=1.0, web_events_per_order=1.0,
                    message_events_per_customer=2.0)  # fmt: skip
    with pytest.MonkeyPatch.context() as patch:
        for name, value in changed.items():
            patch.setattr(c, name, value)
        return simulate(build_world(config), 0)


@pytest.fixture(scope="module")
def shop() -> Iterator[Simulation]:
    yield made()


@pytest.fixture(scope="module")
def without_slips() -> Iterator[Simulation]:
    yield made(**SLIPS)


def cells(shop: Simulation, name: str) -> list[str | None]:
    """One column of all accounts, contacts and profiles."""
    return [value for kind in KINDS for value in getattr(getattr(shop, kind), name).to_pylist()]


def edits(one: str, other: str) -> int:
    """Damerau's distance: letters too many, missing or wrong, and neighbours swapped."""
    rows = [list(range(len(other) + 1))]
    for i, a in enumerate(one, start=1):
        row = [i]
        for j, b in enumerate(other, start=1):
            best = min(rows[-1][j] + 1, row[-1] + 1, rows[-1][j - 1] + (a != b))
            if i > 1 and j > 1 and a == other[j - 2] and b == one[i - 2]:
                best = min(best, rows[-2][j - 2] + 1)
            row.append(best)
        rows.append(row)
    return rows[-1][-1]


def test_names_are_misspelt_and_swapped_at_the_stated_rates(
    shop: Simulation, without_slips: Simulation
) -> None:
    names = ("first_name", "last_name")
    (firsts, lasts), (right_firsts, right_lasts) = (
        [cells(made, name) for name in names] for made in (shop, without_slips)
    )
    n, swapped, wrong, distances = 0, 0, 0, []
    for first, last, right_first, right_last in zip(firsts, lasts, right_firsts, right_lasts, strict=True):
        if last and last.split()[-1] in {word for pair in c.GENERATIONS.values() for word in pair}:
            continue  # records with a generation are tested below
        if not right_first or not right_last or len(right_first) < 3:
            continue
        n += 1
        near, far = edits(first or "", right_first), edits(first or "", right_last)
        swapped += far < near and far <= 2
        wrong += 0 < near <= 2 and far >= near
        distances += [near] if 0 < near <= 2 and far >= near else []
    assert wrong / n == pytest.approx(c.NAME_SLIP_SHARE, rel=0.12)
    assert swapped / n == pytest.approx(c.SWAPPED_NAMES_SHARE, rel=0.25)
    assert distances.count(2) / len(distances) == pytest.approx(c.SECOND_SLIP_SHARE, rel=0.3)


@pytest.mark.parametrize(("name", "share"), [("email", c.EMAIL_SLIP_SHARE), ("phone", c.PHONE_SLIP_SHARE)])
def test_addresses_and_numbers_are_mistyped_at_the_stated_rates(
    shop: Simulation, without_slips: Simulation, name: str, share: float
) -> None:
    pairs = [
        (value, right)
        for value, right in zip(cells(shop, name), cells(without_slips, name), strict=True)
        if right is not None
    ]
    assert sum(value != right for value, right in pairs) / len(pairs) == pytest.approx(share, rel=0.2)


def test_birth_dates_are_given_and_mistyped_at_the_stated_rates(shop: Simulation) -> None:
    wrong, junk, n = 0, 0, 0
    for kind, share in zip(KINDS, ("customer", "contact", "profile"), strict=True):
        records: Records = getattr(shop, kind)
        stated = records.birth_date.to_pylist()
        filled = sum(day is not None for day in stated) / len(stated)
        assert filled == pytest.approx(c.BIRTH_DATE_SHARE[share], rel=0.05)
        for day, born in zip(stated, shop.people.born[records.person].tolist(), strict=True):
            right = date(1970, 1, 1) + timedelta(born)
            n += day is not None
            junk += day in c.JUNK_BIRTH_DATES
            wrong += day is not None and day not in c.JUNK_BIRTH_DATES and day != right
    assert wrong / n == pytest.approx(c.BIRTH_DATE_SLIP_SHARE, rel=0.2)
    assert junk / n == pytest.approx(c.JUNK_BIRTH_DATE_SHARE, rel=0.4)
    assert shop.checkout.birth_date.null_count == len(shop.checkout)


def test_households_have_juniors_and_twins(shop: Simulation) -> None:
    people = shop.people
    n, index = len(people), np.arange(len(people))
    further = people.head != index
    juniors, twins = np.flatnonzero(people.senior >= 0), np.flatnonzero(people.twin >= 0)
    assert len(juniors) / further.sum() == pytest.approx(c.JUNIOR_SHARE, rel=0.35)
    assert len(twins) / further.sum() == pytest.approx(c.TWIN_SHARE, rel=0.35)
    for i in juniors.tolist():
        senior = int(people.senior[i])
        assert people.first_names[i] == people.first_names[senior]
        assert people.last_names[i] == people.last_names[senior]
        years = (people.born[i] - people.born[senior]) / 365.25
        assert c.JUNIOR_YEARS[0] - 0.1 < years < c.JUNIOR_YEARS[1] + 0.1
    alike = 0
    for i in twins.tolist():
        twin = int(people.twin[i])
        assert people.born[i] == people.born[twin] and people.last_names[i] == people.last_names[twin]
        alike += people.first_names[i] == c.ALIKE_NAMES[people.first_names[twin]]
    assert alike / len(twins) == pytest.approx(c.ALIKE_TWIN_SHARE, abs=0.15)
    # All other household members have different names.
    homes: dict[int, list[int]] = {}
    for i in range(n):
        homes.setdefault(int(people.head[i]), []).append(i)
    for home in homes.values():
        names = [people.first_names[i] for i in home if people.senior[i] < 0]
        assert len(set(names)) == len(names)
    youngest = (date(2026, 7, 1) - date(1970, 1, 1)).days - c.AGES[0] * 365.25
    assert (people.born <= youngest + 1).all()


def test_namesakes_give_their_generation(shop: Simulation, without_slips: Simulation) -> None:
    words = {word for pair in c.GENERATIONS.values() for word in pair}
    older = set(shop.people.senior.tolist()) - {NONE}
    said, n = 0, 0
    for kind in KINDS:
        records: Records = getattr(shop, kind)
        names = (records.first_name.to_pylist(), records.last_name.to_pylist())
        rows = zip(records.person.tolist(), *names, strict=True)
        for person, first, last in rows:
            says = any(word in words for name in (first, last) if name for word in name.split())
            if person in older or shop.people.senior[person] >= 0:
                n, said = n + 1, said + says
            else:
                assert not says
    assert said / n == pytest.approx(c.GENERATION_SHARE, abs=0.12)
    assert not any(value and value.split()[-1] in words for value in cells(without_slips, "last_name"))


def test_numbers_are_recycled(without_slips: Simulation) -> None:
    shop = without_slips
    people = shop.people
    heirs = np.flatnonzero(people.former >= 0)
    assert len(heirs) == round(len(people) * c.RECYCLED_SHARE)
    before = people.former[heirs]
    assert len(set(before.tolist()) | set(heirs.tolist())) == 2 * len(heirs)
    assert (people.mobile[heirs] == people.mobile[before]).all()
    assert (people.joined[heirs] - people.dropped[before] >= c.AGING_DAYS * c.DAY).all()
    assert (people.country[heirs] == people.country[before]).all()
    # At no time do two people have one number.
    assert (people.gave_up[before] + c.AGING_DAYS * c.DAY == people.joined[heirs]).all()
    others = np.setdiff1d(np.arange(len(people)), np.concatenate([heirs, before]))
    held = np.concatenate([people.mobile[others], people.mobile[before], people.next_mobile[before]])
    assert len(np.unique(held)) == len(people)
    assert (people.gave_up[others] == FOREVER).all()


def test_slips_change_nothing_else(shop: Simulation) -> None:
    plain = made(**SLIPS, **KIN)
    moved = {"first_names", "last_names", "emails", "second_emails", "firm_domains", "born", "senior", "twin",
             "mobile", "former", "gave_up", "next_mobile"}  # fmt: skip
    for field in fields(shop.people):
        if field.name not in moved:
            assert np.array_equal(getattr(shop.people, field.name), getattr(plain.people, field.name)), (
                field.name
            )
    for part in ("sales", "lines", "refunds", "messages", "mail_events", "sessions", "visits", "answers"):
        one, other = getattr(shop, part), getattr(plain, part)
        for field in fields(one):
            assert np.array_equal(getattr(one, field.name), getattr(other, field.name)), (part, field.name)
    for kind in KINDS:
        one, other = getattr(shop, kind), getattr(plain, kind)
        assert np.array_equal(one.created, other.created) and np.array_equal(one.updated, other.updated)
        assert one.country.equals(other.country)


seeds = st.integers(0, 2**32)
words = st.text("abcdefghijklmnopqrstuvwxyzäöüßABCÄÖÜ -'", min_size=3, max_size=20)


@given(seeds, words)
def test_a_slip_is_one_error_or_two(seed: int, word: str) -> None:
    rng = np.random.default_rng(seed)
    wrong = slip(rng, word)
    # Two swapped letters with a third between them count as three.
    assert edits(wrong.lower(), word.lower()) <= 3
    assert len(wrong) >= len(word) - 2 and wrong


ADDRESSES = {  # with the mark of the person in each
    "anna.berg.mr12@gmx.de": ".mr12@gmx.de",
    "a.berg.mr1@web.de": ".mr1@web.de",
    "berg_mr123@posteo.de": "_mr123@posteo.de",
    "annabergmr7@gmail.com": "mr7@gmail.com",
    "a.berg@berg-mr3.example": "@berg-mr3.example",
}


@given(seeds, st.sampled_from(list(ADDRESSES.items())))
def test_a_mistyped_address_leads_to_no_other_person(seed: int, address: tuple[str, str]) -> None:
    email, own = address
    wrong = slipped_address(np.random.default_rng(seed), email)
    assert wrong != email and wrong.endswith(own) and ".." not in wrong


@given(seeds, st.sampled_from(["+49 151 0000000", "0151/0007919", "004315012345", "(212) 012-3456"]))
def test_a_mistyped_number_has_as_many_digits(seed: int, number: str) -> None:
    wrong = slipped_number(np.random.default_rng(seed), number)
    assert wrong != number and len(wrong) == len(number)
    changed = [place for place in range(len(number)) if wrong[place] != number[place]]
    assert len(changed) <= 2 and all(number[place].isdigit() and wrong[place].isdigit() for place in changed)


@given(seeds, st.dates(date(1920, 1, 1), date(2010, 12, 31)))
def test_a_mistyped_birth_date_is_another_day(seed: int, day: date) -> None:
    wrong = slipped_date(np.random.default_rng(seed), day)
    assert wrong != day and 1900 <= wrong.year < 2012

"""Refusals in source rows, decided twice: by the models in several builds, and by naive_sources.

Ten thousand random persons and every hand-made case arrive in three deliveries, days apart. After each build
the models and the judge must agree on every decision.
"""

import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest
from consent_cases import BUILDS, CASES, expected, people
from consent_cases import deliveries as cases_deliveries
from consent_shop import UNTESTED, ConsentShop, Decided, Disagreement, Verdicts, disagreements, rows_about
from histories import History
from naive_sources import MAIL, Delivery, Judge, Person, Policy

from conftest import PROJECT, Warehouse

pytestmark = [pytest.mark.slow, pytest.mark.deep]

N_PEOPLE = 10_000
SEED = 20260701
MIN_SHARE_ALLOWED = 0.3  # with fewer, models that refuse everything would pass
FIRST = ["build", "--select", "+contactability", "+customer_keys", *UNTESTED]
AGAIN = ["run", "--select", "+contactability", "+customer_keys"]
NUMBERED = list(enumerate(CASES, 1))


@dataclass(frozen=True)
class Day:
    """The decisions of both judges after a build."""

    deliveries: list[Delivery]
    judge: Judge
    decided: Decided
    promoted: set[str]
    verdicts: Verdicts


def side_by_side(one: Delivery, other: Delivery) -> Delivery:
    tables = sorted({*one.tables, *other.tables})
    return Delivery(
        one.as_of, {table: [*one.tables.get(table, ()), *other.tables.get(table, ())] for table in tables}
    )


def built(folder: Path, persons: list[Person], deliveries: list[Delivery]) -> list[Day]:
    """Builds each delivery and asks both judges."""
    shop = ConsentShop(Warehouse(folder))
    policy = Policy.of(PROJECT)
    days = []
    for n in range(1, len(deliveries) + 1):
        shop.build(deliveries[n - 1], *(FIRST if n == 1 else AGAIN))
        decided = shop.decided(persons)
        judge = Judge(policy, persons, deliveries[:n])
        days.append(Day(deliveries[:n], judge, decided, shop.promoted(), judge.decide(decided.written)))
    return days


@pytest.fixture(scope="module")
def world() -> tuple[list[Person], list[Delivery]]:
    history = History(BUILDS, N_PEOPLE, SEED)
    both = zip(history.deliveries(), cases_deliveries(NUMBERED), strict=True)
    return [*history.persons(), *people(NUMBERED)], [side_by_side(one, other) for one, other in both]


@pytest.fixture(scope="module")
def days(world: tuple[list[Person], list[Delivery]], tmp_path_factory: pytest.TempPathFactory) -> list[Day]:
    return built(tmp_path_factory.mktemp("refusals"), *world)


def story(day: Day, found: list[Disagreement]) -> str:
    """The number of differences, their kinds and cases, and the rows of the simplest person among them."""
    kinds = Counter(
        (*who[1:], "models no" if verdict.allowed else "models yes", re.sub(r" (on|of) .*|:.*", "", reason))
        for who, verdict, reason in found
    )
    cases = sorted({CASES[int(who[0].split()[1]) - 1].name for who, *_ in found if who[0][:6] != "person"})
    named = sorted({who[0] for who, *_ in found}, key=lambda name: name[:6] != "person")[:8]
    stories = {name: rows_about(day.judge.people[name], day.deliveries) for name in named}
    name = min(named, key=lambda name: len(stories[name]))
    lines = [f"{len(found)} decisions differ", *map(str, kinds.most_common()), f"cases: {cases}"]
    lines += [f"{name}, {day.decided.written.get(name)}:", stories[name]]
    for who, verdict, reason in found:
        if who[0] == name:
            lines += [f"{who[1:]}: judge {verdict.allowed}, {verdict.why}", f"  models: {reason}"]
    return "\n".join(lines)


BY_BUILD = pytest.mark.parametrize("build", range(len(BUILDS)))


@BY_BUILD
def test_a_person_is_one_customer(days: list[Day], build: int) -> None:
    """The tests below rest on this. Only a person who requested erasure may be no customer."""
    day = days[build]
    split = [name for name, customers in day.decided.customers.items() if len(customers) > 1]
    assert not split, rows_about(day.judge.people[split[0]], day.deliveries)
    shared = Counter(customer for customers in day.decided.customers.values() for customer in customers)
    assert shared.most_common(1)[0][1] == 1
    lost = [
        name
        for name, customers in day.decided.customers.items()
        if not customers and name in day.judge.default_address and not day.judge.may_be_erased(name)
    ]
    assert not lost, rows_about(day.judge.people[lost[0]], day.deliveries)


@BY_BUILD
def test_a_person_has_an_address_of_their_own(days: list[Day], build: int) -> None:
    day = days[build]
    foreign = {
        name: to.email
        for name, to in day.decided.written.items()
        if to.email and not day.judge.is_current_mail(name, day.judge.policy.mailbox(to.email))
    }
    assert not foreign


@BY_BUILD
def test_the_models_and_the_judge_agree(days: list[Day], build: int) -> None:
    day = days[build]
    found = disagreements(day.decided, day.judge, day.verdicts, days[0].decided)
    assert not found, story(day, found)


def test_the_hand_made_cases_are_decided_as_the_page_says(days: list[Day]) -> None:
    found = {who: days[-1].decided.of(who)[0] for who in expected(NUMBERED)}
    wrong = {
        (CASES[int(who[0].split()[1]) - 1].name, who): days[-1].decided.of(who)[1]
        for who, allowed in expected(NUMBERED).items()
        if found[who] != allowed
    }
    assert not wrong


def test_a_good_share_may_be_written_to(days: list[Day]) -> None:
    verdicts = days[-1].verdicts
    allowed = [verdicts[name, *MAIL].allowed for name in days[-1].judge.people if name.startswith("person")]
    share = sum(allowed) / len(allowed)
    print(f"{share:.1%} of {len(allowed)} persons may be written to")
    assert share >= MIN_SHARE_ALLOWED

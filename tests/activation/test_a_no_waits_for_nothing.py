"""An opt-out does not wait: with any fault, it arrives with the next push that can reach the ESP.

Thousands of random histories of customers, in worlds of some hundred each (`worlds_of_noes.py`), go through
the compiled models, `mailroom pull` and `mailroom push` to the sandbox. After every push that could reach an
ESP:

- A customer who opted out before the build is in none of our lists there, and can't be mailed. An erased
customer
  is not there. A job may delay that to the end of the push's wait, a rejection by the ESP to the next push.
- A customer whose opt-out was pulled since the build is added to no list by that push.

And after any push:

- No ESP holds an address that was not sent there to be added, and that it did not hold before.
- No reachable customer was suppressed.

In the end, on a network without faults, each ESP holds exactly the members.

The worlds have seeds, so that a breach can be investigated. MAILROOM_WORLDS sets how many run. Then each rule
of the promise is removed in turn, in the compiled SQL or in the code, and a breach must be found.
"""

import inspect
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from worlds_of_noes import AS_OF, DESTINATIONS, GUARDS, MODELS, OWN, Found, Models, World

from conftest import Warehouse
from mailroom.activation import push as push_module
from mailroom.activation import receipts as receipts_module

pytestmark = [pytest.mark.slow, pytest.mark.deep]

N_WORLDS = int(os.environ.get("MAILROOM_WORLDS", "3"))
N_PEOPLE, N_MUTATED, N_ROUNDS, N_STORIES = 700, 150, 7, 1


Days = Iterator[list[Found]]
AT_IMPORT: dict[str, Any] = {"kills_imports": True, "kill_at": 1}


def after_a_kill(world: World) -> Days:
    """The first import arrives, and the push dies before the answer."""
    yield world.day(**AT_IMPORT, kills="after")
    yield world.day()


def after_a_request_that_was_late(world: World) -> Days:
    """The first import goes out, the push dies, and it arrives after the next push."""
    yield world.day(**AT_IMPORT, kills="late", hours=1)
    yield world.day(hours=1)
    world.goes_on(24)
    yield world.day()


def after_jobs_that_took_long(world: World) -> Days:
    """Imports finish while the next push waits for them."""
    yield world.day(share_stuck=1.0, wait=5, hours=1)
    for name in DESTINATIONS:
        for job in world.network.jobs[name]:
            world.account(name).jobs[job.job or ""]["n_asked"] = -1
    yield world.day()
    yield world.day()


def after_jobs_that_were_taken_for_lost(world: World) -> Days:
    """The clock is set ahead by more than a day while they run."""
    yield world.day(share_stuck=1.0, wait=5, hours=1)
    world.skew = timedelta(hours=30)
    yield world.day(wait=5, hours=1)
    world.goes_on(24)
    yield world.day()
    yield world.day()


def after_noes_that_were_refused(world: World) -> Days:
    """The ESPs reject every opt-out once."""
    yield world.day()
    yield world.day(share_refused=1.0, hours=0.1)
    yield world.push()
    yield world.day(share_refused=1.0, hours=0.1)
    yield world.day()


def with_clocks_set_back(world: World) -> Days:
    """By the wall clock, each day is earlier than the one before."""
    for hours in (0, -48, -96, -144):
        world.skew = timedelta(hours=hours)
        yield world.day()


def after_a_second_no(world: World) -> Days:
    """Many opt out, opt in again, at the ESPs too, and opt out again."""
    yield world.day()
    for what in (world.says_no, world.says_yes_again, world.says_no):
        world.often(what, 60)
        yield world.day()


def after_a_second_no_while_the_first_was_underway(world: World) -> Days:
    """The job of the first opt-out has no result before the second."""
    yield world.day()
    world.often(world.says_no, 60)
    yield world.day(wait=0)
    world.often(world.says_yes_again, 60)
    world.often(world.says_no, 60)
    yield world.day()


def after_accounts_were_deleted(world: World) -> Days:
    """Many delete their account, and some of them opt out with it."""
    yield world.day()
    world.often(world.leaves)
    yield world.day()


def after_a_pull(world: World) -> Days:
    """Many opt out at one ESP before they are added at another, and a pull brings it after the build."""
    yield world.day(down={"mailchimp"})
    world.build()
    world.often(world.says_no_there)
    world.pull()
    yield world.push()


def at_addresses_that_were_anothers(world: World) -> Days:
    """Many change their address, others get the old ones, and many opt out."""
    yield world.day()
    world.often(world.moves)
    yield world.day()
    world.often(world.takes_over, 20)
    world.often(world.says_no)
    yield world.day()


STORIES = (
    after_a_second_no, after_a_second_no_while_the_first_was_underway,
    after_accounts_were_deleted, after_a_pull, at_addresses_that_were_anothers,
    after_a_kill, after_a_request_that_was_late, after_jobs_that_took_long,
    after_jobs_that_were_taken_for_lost, after_noes_that_were_refused, with_clocks_set_back,
)  # fmt: skip


@dataclass(frozen=True)
class Mutation:
    """A removed rule: a text in models or functions is replaced. shown_by: the seed of a world, or a story.
    promise: the start of the breach there."""

    rule: str
    shown_by: int | Callable[[World], Days]
    promise: str
    models: tuple[tuple[str, str, str], ...] = ()
    code: tuple[tuple[Any, str, str], ...] = ()


MUTATIONS = [
    Mutation(
        "no guard stops an opt-out",
        1, "a customer who opted out",
        code=((push_module._rows, 'row["is_no"] or ', ""),),
    ),
    Mutation(
        "additions are recorded before they are sent",
        after_a_kill, "",
        code=((push_module._Push._send, 'in ("add", "update")', "in ()"),),
    ),
    Mutation(
        "customers with an unconfirmed addition are removed",
        after_a_kill, "",
        models=(
            (
                "profile_differences",
                "profile_states.state in ('member', 'unconfirmed')",
                "profile_states.state = 'member'",
            ),
        ),
    ),
    Mutation(
        "an opt-out is for every address that the customer ever had",
        at_addresses_that_were_anothers, "a customer who opted out",
        models=(("refused_mailboxes", "points.contact_type = 'email'", "points.is_current"),),
    ),
    Mutation(
        "an opt-out is for every spelling of the mailbox",
        1, "a customer who opted out",
        models=(
            ("refused_addresses", "addresses.widest_mailbox = mailboxes", "addresses.email = mailboxes"),
        ),
    ),
    Mutation(
        "an opt-out outlasts the account",
        after_accounts_were_deleted, "a customer who opted out",
        models=(("refused_mailboxes", "where customer_subjects.subject is null", "where false"),),
    ),
    Mutation(
        "an opt-out by account outlasts the account",
        after_accounts_were_deleted, "a customer who opted out",
        models=(("refused_mailboxes", "coalesce(history.email, history.email_then)", "history.email"),),
    ),
    Mutation(
        "no ESP gets addresses of another",
        1, "an ESP holds an address",
        models=(
            (
                "refused_addresses",
                'select\n        destination,\n        email\n    from esp_profile_state',
                "select destinations.destination, email from esp_profile_state cross join destinations",
            ),
        ),
    ),
    Mutation(
        "an unknown address may be known after a late addition",
        after_a_request_that_was_late, "a customer who opted out can be mailed",
        models=(("esp_profile_state", "known_addresses.email is not null", "false"),),
    ),
    Mutation(
        "an opt-out after a new opt-in counts",
        after_a_second_no, "a customer who opted out can be mailed",
        models=(("sync_outbox", "or refusals.learned_at > profile_states.decided_at", ""),),
    ),
    Mutation(
        "an opt-out after a new opt-in is another row",
        after_a_second_no_while_the_first_was_underway,
        "a customer who opted out can be mailed",
        models=(("sync_outbox", "to_suppress.learned_at as", "null as"),),
    ),
    Mutation(
        "a rejected opt-out does not wait for a retry time",
        after_noes_that_were_refused, "a customer who opted out",
        models=(("sync_outbox", "and not keyed_rows.is_no\n            then", "then"),),
        code=((push_module._find_not_due, "now()::timestamp and not is_no", "now()::timestamp"),),
    ),
    Mutation(
        "an opt-out rejected since the build is sent again",
        after_noes_that_were_refused, "a customer who opted out",
        code=((push_module._find_not_due, "n_rejections and not is_no", "n_rejections"),),
    ),
    Mutation(
        "an opt-out pulled since the build counts",
        after_a_pull, "a customer whose opt-out was pulled",
        code=((push_module._refused, "if unseen", "if not unseen"),),
    ),
    Mutation(
        "receipts are ordered by number, not by the clock",
        with_clocks_set_back, "",
        models=(("sync_receipts", "coalesce(\n            sequence,", "coalesce(\n            null,"),),
    ),
    Mutation(
        "an opt-out in any words is suppressed",
        1, "a customer who opted out",
        models=(("do_not_mail", "('withdrawn', 'denied', 'pending')", "('withdrawn')"),),
    ),
    Mutation(
        "an unconfirmed opt-in is suppressed",
        1, "a customer who opted out",
        models=(("do_not_mail", "('withdrawn', 'denied', 'pending')", "('withdrawn', 'denied')"),),
    ),
    Mutation(
        "a removal waits for the job that adds, and is sent then",
        after_jobs_that_took_long, "a customer who opted out is in a list",
        code=(
            (
                push_module._find_not_due,
                "semi join underway using (destination, audience, email)",
                "semi join underway using (destination, audience, email) where operation <> 'remove'",
            ),
        ),
    ),
    Mutation(
        "opt-outs that waited for a job are sent once it is done",
        after_jobs_that_took_long, "a customer who opted out is in a list",
        code=((push_module._Push._go, "name in waits_for_jobs", "False"),),
    ),
    Mutation(
        "an unknown address may be known after a job",
        after_jobs_that_took_long,
        "a customer who opted out can be mailed",
        models=(("esp_profile_state", "additions.sequence > states.sequence", "false"),),
    ),
    Mutation(
        "a repeated suppression is another row",
        after_a_request_that_was_late,
        "a customer who opted out can be mailed",
        models=(("sync_outbox", "profile_states.accepted_at as since", "null::timestamp as since"),),
    ),
    Mutation(
        "an erased customer is not forgotten while a lost job may add them",
        after_jobs_that_were_taken_for_lost,
        "a customer who was erased",
        code=((receipts_module.forget_deleted, "coalesce(code, '') <> 'job_lost'", "true"),),
    ),
    Mutation(
        "a lost job may still finish",
        after_jobs_that_were_taken_for_lost, "a customer",
        models=(("esp_profile_state", "or receipts.code = 'job_lost'", ""),),
    ),
    Mutation(
        "a request without an answer is open for a day",
        after_a_request_that_was_late, "a customer",
        models=(("esp_profile_state", "or open_receipts.open_until > accepted_receipts.answered_at", ""),),
    ),
    Mutation(
        "a reachable customer is not suppressed",
        at_addresses_that_were_anothers, "a customer who may be mailed was suppressed",
        models=(("refused_addresses", "where allowed_mailboxes.mailbox is null", ""),),
    ),
    Mutation(
        "an update adds a customer at some ESPs only after a removal",
        after_a_second_no_while_the_first_was_underway,
        "a member is missing in the end",
        models=(("esp_profile_state", "accepted_receipts.removed_as > coalesce", "null > coalesce"),),
    ),
    Mutation(
        "an erased customer is deleted",
        1, "a customer who was erased",
        models=(("sync_outbox", "where customers.customer_id is null", "where false"),),
    ),
    Mutation(
        "a customer who signed up at the ESP is known there",
        1, "a customer who opted out can be mailed",
        models=(("refused_addresses", "where profiles.email is not null", "where false"),),
    ),
]  # fmt: skip


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Models:
    """The compiled models, for three ESPs, one of which is source esp."""
    warehouse = Warehouse(tmp_path_factory.mktemp("compiled"))
    compiled = warehouse.dbt(
        "compile", "--select", *MODELS,
        as_of=AS_OF, destinations=dict.fromkeys(DESTINATIONS, "esp"), esp_destination=OWN,
    )  # fmt: skip
    assert compiled.ok, compiled.output
    return Models({name: warehouse.compiled(name) for name in MODELS})


def mutated(models: Models, mutation: Mutation) -> Models:
    """The models without the rule."""
    changed = dict(models.compiled)
    for name, old, new in mutation.models:
        assert old in changed[name], f"{old!r} is not in {name}"
        changed[name] = changed[name].replace(old, new)
    return Models(changed)


def rewritten(function: Callable[..., Any], old: str, new: str) -> Callable[..., Any]:
    """A function with a text replaced in its source."""
    source = inspect.getsource(function)
    assert old in source, f"{old!r} is not in {function.__qualname__}"
    scope: dict[str, Any] = {}
    exec(inspect.cleandoc("\n" + source.replace(old, new)), function.__globals__, scope)
    made: Callable[..., Any] = scope[function.__name__]
    return made


@contextmanager
def without(mutation: Mutation) -> Iterator[None]:
    """Remove the rule from the code."""
    with ExitStack() as stack:
        for function, old, new in mutation.code:
            target = f"{function.__module__}.{function.__qualname__}"
            stack.enter_context(patch(target, rewritten(function, old, new)))
            if getattr(push_module, function.__name__, None) is not None:
                stack.enter_context(
                    patch(f"{push_module.__name__}.{function.__name__}", rewritten(function, old, new))
                )
        yield


def first_breach(world: World, shown_by: int | Callable[[World], Days]) -> list[Found]:
    if isinstance(shown_by, int):
        return world.history(N_ROUNDS)
    return next((found for found in shown_by(world) if found), []) or world.ends()


@pytest.mark.parametrize("seed", range(N_WORLDS))
def test_with_any_fault_an_opt_out_arrives_with_the_next_push(
    models: Models, tmp_path: Path, seed: int
) -> None:
    world = World(models, tmp_path, seed, N_PEOPLE)
    found = world.history(N_ROUNDS)
    print(f"{world.n_people} people, {world.n_noes} noes, {world.n_pushes} pushes, {world.guards}")
    assert not found, "\n".join([*map(str, found), *world.story_of(found[0].email)])
    assert world.n_noes > 0.2 * N_PEOPLE and any(world.truth.members.values())


@pytest.mark.parametrize("guard", GUARDS)
def test_no_guard_stops_an_opt_out(models: Models, tmp_path: Path, guard: str) -> None:
    """Without faults, except that one guard always stops what it can."""
    world = World(models, tmp_path, 7, 80)
    for stopped in (None, guard, guard):
        assert world.day(stopped) == []
    # Before the first addition, the guard for emptied lists stops as well.
    assert guard in world.guards and world.guards <= {guard, "emptied"}, "it did stop something"


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.__name__)
def test_an_opt_out_arrives(models: Models, tmp_path: Path, story: Callable[[World], Days]) -> None:
    for seed in range(N_STORIES):
        folder = tmp_path / str(seed)
        folder.mkdir()
        assert first_breach(World(models, folder, seed, N_MUTATED), story) == []


def test_with_every_rule_the_world_of_the_mutations_keeps_the_promise(models: Models, tmp_path: Path) -> None:
    """Otherwise a breach there would prove nothing about the rule. The stories run above."""
    (seed,) = {mutation.shown_by for mutation in MUTATIONS if isinstance(mutation.shown_by, int)}
    assert first_breach(World(models, tmp_path, seed, N_MUTATED), seed) == []


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.rule)
def test_without_the_rule_the_promise_is_broken(models: Models, tmp_path: Path, mutation: Mutation) -> None:
    seed = mutation.shown_by if isinstance(mutation.shown_by, int) else 0
    with without(mutation):
        world = World(mutated(models, mutation), tmp_path, seed, N_MUTATED)
        found = first_breach(world, mutation.shown_by)
    assert found, "no breach was found"
    assert found[0].promise.startswith(mutation.promise), found[0]

"""Mutation tests: each rule of docs/consent.md is broken in turn, and the judge must notice.

A mutation replaces a text of the compiled SQL. dbt builds the hand-made cases once, in three builds, and its
compiled SQL is kept. Each mutation then runs the models of `REBUILT` that it affects in a database in memory.
Everything else is read from the warehouse as it was after each build. That takes a fraction of a second for a
model of trust and some seconds for one of staging. The run ends at the first build with a decision that
differs from the judge's.

To add a mutation, name the rule, the model, the compiled text (in `target/compiled`) and its replacement.
Without a model the text is replaced in every model, as if in a macro. A text that no model has fails the
test, so a mutation cannot become stale unnoticed.

Identity stays as built: a fault in the parsing of addresses changes consent events, not customers.
"""

import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import duckdb
import pytest
from consent_cases import CASES, deliveries, people
from consent_shop import UNTESTED, ConsentShop, Decided, Verdicts, disagreements, read_decided
from naive_sources import Judge, Person, Policy

from conftest import IN_MEMORY, PROJECT, Warehouse

pytestmark = [pytest.mark.slow, pytest.mark.deep]

REBUILT = ("staging", "trust")  # folders of models that run again if a mutation affects them
LAST = "consents"
SELECT = ["--select", f"+{LAST}", "+customer_keys"]
NUMBERED = list(enumerate(CASES, 1))


@dataclass(frozen=True)
class Mutation:
    """Replace `old` by `new` in one model, or in all."""

    rule: str
    old: str
    new: str
    model: str | None = None


# One or more per rule of docs/consent.md.
MUTATIONS: list[Mutation] = [
    Mutation(
        "an unknown status is an opt-out",
        "history.consent_status in ('granted', 'pending') as is_yes",
        "history.consent_status not in ('denied', 'withdrawn') as is_yes",
        "consent_event_effects",
    ),
    Mutation(
        "pending is no opt-in before its confirmation",
        "(consent_status = 'pending' and confirmed_at is null)",
        "false",
        "consent_event_effects",
    ),
    Mutation(
        "a confirmation of tomorrow does not count",
        "or confirmed_at > cast('2026-07-01 06:00:00' as timestamp)",
        "or false",
        "consent_event_effects",
    ),
    Mutation(
        "a confirmation before the shop was founded does not count",
        "or confirmed_at < cast('2000-01-01' as timestamp)",
        "or false",
        "consent_event_effects",
    ),
    Mutation(
        "pending stops nothing",
        "when not is_yes then null\n",
        "when not is_yes or consent_status = 'pending' then null\n",
        "consent_event_effects",
    ),
    Mutation(
        "an opt-out with a future date counts from when it was recorded",
        "as timestamp) and history.recorded_at, false",
        "as timestamp) and timestamp '2999-01-01', false",
        "consent_event_effects",
    ),
    Mutation(
        "an opt-out at the epoch counts from when it was recorded",
        "history.occurred_at between cast('2000-01-01' as timestamp)",
        "history.occurred_at between cast('1900-01-01' as timestamp)",
        "consent_event_effects",
    ),
    Mutation(
        "an opt-out without an hour counts to the end of its day",
        "cast(86399 as bigint)",
        "cast(0 as bigint)",
        "consent_event_effects",
    ),
    Mutation(
        "an opt-in before the shop was founded allows nothing",
        "when occurred_at < cast('2000-01-01' as timestamp) then",
        "when false then",
        "consent_event_effects",
    ),
    Mutation(
        "an opt-in of a changed row no longer counts",
        "when row_changed_at > recorded_at then",
        "when false then",
        "consent_event_effects",
    ),
    Mutation(
        "a refused erasure stops nothing",
        "lower(trim(status)) = 'refused'",
        "lower(trim(status)) = 'never'",
        "consent_history",
    ),
    Mutation(
        "an objection cannot be refused",
        "lower(trim(request_type)) = 'erasure' and lower(trim(status)) = 'refused'",
        "lower(trim(status)) = 'refused'",
        "consent_events",
    ),
    Mutation(
        "an opt-in about several customers is void",
        "when not customer_events.is_about_one then",
        "when false then",
        "consent_event_effects",
    ),
    Mutation(
        "an opt-in is for its mailbox only",
        "coalesce(customer_events.mailbox <> customers.mailbox, true)",
        "false",
        "consent_event_effects",
    ),
    Mutation(
        "an opt-in to text messages is for its number",
        "when customer_events.channel = 'sms' and customer_events.phone <> customers.phone",
        "when false",
        "consent_event_effects",
    ),
    Mutation(
        "an opt-in needs a basis that the purpose accepts",
        "not like '%, ' || customer_events.lawful_basis",
        "like '%, never' || customer_events.lawful_basis",
        "consent_event_effects",
    ),
    Mutation(
        "a soft opt-in needs a law that allows it",
        "and not customers.has_soft_opt_in",
        "and false",
        "consent_event_effects",
    ),
    Mutation(
        "a soft opt-in needs a sale in which the address was collected",
        "and sale_mailboxes.customer_id is null",
        "and false",
        "consent_event_effects",
    ),
    Mutation(
        "implied consent lapses",
        "<= cast('2026-07-01 06:00:00' as timestamp)\n                then 'implied consent has lapsed'",
        "<= cast('1900-07-01 06:00:00' as timestamp)\n                then 'implied consent has lapsed'",
        "consent_event_effects",
    ),
    Mutation(
        "after a global opt-out only the person's own opt-in counts",
        "closings.first_closed_at <= customer_events.effective_at",
        "false",
        "consent_event_effects",
    ),
    Mutation(
        "it must be express consent by the person",
        "and not (customer_events.is_by_the_person and customer_events.lawful_basis = 'express')",
        "and not customer_events.is_by_the_person",
        "consent_event_effects",
    ),
    Mutation(
        "a confirmed double opt-in is the person's own, whichever system recorded it",
        "or scoped_events.confirmed_at is not null as is_by_the_person",
        "or false as is_by_the_person",
        "consent_event_effects",
    ),
    Mutation(
        "an unconfirmed one is not",
        "or scoped_events.confirmed_at is not null as is_by_the_person",
        "or scoped_events.lawful_basis = 'express' as is_by_the_person",
        "consent_event_effects",
    ),
    Mutation(
        "an opt-out of an unknown purpose stops all marketing",
        "else 'every marketing purpose'",
        "else 'nothing'",
        "consent_event_effects",
    ),
    Mutation(
        "an opt-in to everything allows nothing",
        "when dated_events.is_yes then null",
        "when dated_events.is_yes then 'every marketing purpose'",
        "consent_event_effects",
    ),
    Mutation(
        "of two events at one moment the stricter wins",
        "effective_at > last_no_at, true)\n            else coalesce(effective_at >= last_yes_at",
        "effective_at >= last_no_at, true)\n            else coalesce(effective_at > last_yes_at",
        "consents",
    ),
    Mutation(
        "the strictest address decides",
        "order by is_yes asc, is_global desc",
        "order by is_yes desc, is_global desc",
        "consents",
    ),
    Mutation(
        "an opt-in for the old address ends the opt-out there",
        "in ('it was given for an address other than the current one', 'it names no address')",
        "= 'it names no address'",
        "consents",
    ),
    Mutation(
        "an opt-in for the phone ends its opt-out",
        "in ('it was given for an address other than the current one', 'it names no address')",
        "= 'it was given for an address other than the current one'",
        "consents",
    ),
    Mutation(
        "an opt-in that only ends an opt-out hides no other",
        "when is_yes then void_because is null and coalesce(",
        "when is_yes then coalesce(",
        "consents",
    ),
    Mutation(
        "a duplicate opt-in must be about another customer",
        "when customer_events.is_a_copy then",
        "when false then",
        "consent_event_effects",
    ),
    Mutation(
        "the opt-in of a deleted duplicate ends",
        "from silenced_copies",
        "from silenced_copies where false",
        "consent_ledger",
    ),
    Mutation(
        "an unreadable confirmation of a duplicate does not count",
        "confirmed_at,%', false) then cast('1900-01-01' as timestamp) else confirmed_at",
        "confirmed_at,%', false) then null else confirmed_at",
        "consent_tool_events",
    ),
    Mutation(
        "only an inquiry about buying implies consent",
        "in ('product', 'sales', 'quote')",
        "is not null",
        "consents",
    ),
    Mutation("a ticket that asks to stop implies nothing", "and not asks_to_stop", "and true", "consents"),
    Mutation(
        "a purchase implies consent in Canada", "then customers.last_ordered_at", "then null", "consents"
    ),
    Mutation(
        "an opt-out concerns the widest mailbox",
        "widest_mailbox as identifier",
        "mailbox as identifier",
        "consent_event_subjects",
    ),
    Mutation(
        "an opt-out concerns past customers of the mailbox",
        "subjects.circle_type = 'ever' or (",
        "(subjects.circle_type = 'ever' and subject_customers.is_current) or (",
        "consent_event_customers",
    ),
    Mutation(
        "an opt-in by account is for its address at that time",
        "coalesce(email, case when channel = 'email' then email_then end) as email",
        "email",
        "consent_event_subjects",
    ),
    Mutation(
        "an unticked checkbox is an opt-out",
        "when is_yes then 'granted'\n            else 'denied'",
        "when is_yes then 'granted'\n            else 'not said'",
        "consent_checkbox_events",
    ),
    Mutation(
        "an unsubscribe event is a refusal",
        "where event_type in ('unsubscribed', 'complained')\n    union",
        "where event_type in ('complained')\n    union",
        "consent_esp_events",
    ),
    Mutation(
        "an ESP status that is a refusal stops all marketing",
        "case when subscription_status = 'unsubscribed' then 'every marketing purpose' else",
        "case when false then 'every marketing purpose' else",
        "consent_esp_events",
    ),
    Mutation(
        "a request of an unknown type counts as an objection",
        "not in ('access', 'rectification', 'portability')",
        "in ('objection', 'erasure')",
        "consent_events",
    ),
    Mutation(
        "a rejected row may be an opt-out",
        "then rejected_tool_events.consent_status not in ('granted', 'pending')",
        "then false",
        "consent_tool_events",
    ),
    Mutation(
        "a browser's signal is an opt-out",
        'from "warehouse"."main_staging"."stg_web__opt_out_signals"',
        'from "warehouse"."main_staging"."stg_web__opt_out_signals" where false',
        "consent_events",
    ),
]


@dataclass(frozen=True)
class Model:
    """A model as dbt ran it in one build."""

    name: str
    relation: str  # "warehouse"."main"."consents"
    materialized: str
    parents: tuple[str, ...]
    folder: str
    compiled: str
    run: str  # the statements of an incremental model


@dataclass(frozen=True)
class Day:
    """A build: a copy of its warehouse, the models in order, and the decisions of models and judge."""

    warehouse: Path
    models: Mapping[str, Model]
    decided: Decided
    judge: Judge
    verdicts: Verdicts


@dataclass(frozen=True)
class World:
    days: Sequence[Day]
    people: Sequence[Person]


def in_order(nodes: Mapping[str, Any], wanted: str) -> list[str]:
    """A model and all models it depends on, parents first."""
    found: list[str] = []

    def visit(key: str) -> None:
        if key not in nodes or key in found:
            return
        for parent in nodes[key]["depends_on"]["nodes"]:
            visit(parent)
        found.append(key)

    visit(wanted)
    return found


def models_of(warehouse: Warehouse) -> dict[str, Model]:
    """The models up to LAST, from the target folder of the last command."""
    nodes = {
        key: node for key, node in warehouse.manifest()["nodes"].items() if node["resource_type"] == "model"
    }
    project = next(iter(nodes)).split(".")[1]
    found = {}
    for key in in_order(nodes, f"model.{project}.{LAST}"):
        node = nodes[key]
        if node["language"] != "sql" or node["config"]["materialized"] == "ephemeral":
            continue
        run = warehouse.target / "run" / project / node["original_file_path"]
        found[node["name"]] = Model(
            node["name"],
            node["relation_name"],
            node["config"]["materialized"],
            tuple(parent.split(".")[2] for parent in node["depends_on"]["nodes"]),
            node["fqn"][1],
            warehouse.compiled(node["name"]),
            run.read_text() if run.exists() else "",
        )
    return found


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """The cases in three dbt builds, with a copy of each warehouse."""
    shop = ConsentShop(Warehouse(tmp_path_factory.mktemp("mutations")))
    persons, policy = people(NUMBERED), Policy.of(PROJECT)
    days, delivered = [], deliveries(NUMBERED)
    for n, delivery in enumerate(delivered):
        shop.build(delivery, *(["run"] if n else ["build", *UNTESTED]), *SELECT)
        kept = shop.warehouse.folder / f"day{n}.duckdb"
        shutil.copy(shop.warehouse.folder / "warehouse.duckdb", kept)
        decided = shop.decided(persons)
        judge = Judge(policy, persons, delivered[: n + 1])
        verdicts = judge.decide(decided.written)
        days.append(Day(kept, models_of(shop.warehouse), decided, judge, verdicts))
    return World(days, persons)


# ------------------------------------------------------------------------------------- running it again


def reached(models: Mapping[str, Model], changed: set[str]) -> list[str]:
    """The changed models and those that depend on them, within `REBUILT`, parents first."""
    found: list[str] = []
    for name, model in models.items():
        if model.folder in REBUILT and (name in changed or set(model.parents) & set(found)):
            found.append(name)
    return found


def mutated(day: Day, mutation: Mutation) -> dict[str, Model]:
    """The models that the mutation changes, with the changed SQL."""
    return {
        name: replace(model, compiled=model.compiled.replace(mutation.old, mutation.new))
        for name, model in day.models.items()
        if mutation.model in (None, name) and mutation.old in model.compiled and model.folder in REBUILT
    }


def run_again(connection: duckdb.DuckDBPyConnection, model: Model, is_first: bool) -> None:
    """Build a model as dbt does, with the given SQL."""
    if model.materialized == "incremental" and not is_first:
        # dbt writes the new rows to a temporary table and merges them by the statements in target/run.
        (newest,) = set(re.findall(r'(?:"[^"]+"\.)*"[^"]+__dbt_tmp[^"]*"', model.run)) or {""}
        if newest:
            name = newest.split(".")[-1]
            connection.execute(f"create or replace temp table {name} as {model.compiled}")
            connection.execute(model.run.replace(newest, name))
        else:
            connection.execute(model.run)
        return
    kind = "view" if model.materialized == "view" else "table"
    connection.execute(f"create or replace {kind} {model.relation} as {model.compiled}")


def days_again(world: World, changes: Sequence[Mapping[str, Model]]) -> Iterator[tuple[Day, Any]]:
    """Yield each build with its changed models: the day, and a function that queries its warehouse."""
    with duckdb.connect(config=IN_MEMORY) as connection:
        connection.execute("set TimeZone = 'UTC'")
        connection.execute("attach ':memory:' as warehouse")
        again = reached(world.days[0].models, set().union(*changes))
        for n, (day, changed) in enumerate(zip(world.days, changes, strict=True)):
            connection.execute(f"attach '{day.warehouse}' as built{n} (read_only)")
            mine = {world.days[0].models[name].relation for name in again}
            for schema, name in connection.execute(
                "select table_schema, table_name from information_schema.tables where table_catalog = ?",
                [f"built{n}"],
            ).fetchall():
                connection.execute(f'create schema if not exists warehouse."{schema}"')
                relation = f'"warehouse"."{schema}"."{name}"'
                if relation not in mine:
                    connection.execute(
                        f'create or replace view {relation} as select * from built{n}."{schema}"."{name}"'
                    )
            connection.execute("set search_path = 'warehouse.main,warehouse.main_internal'")
            for name in again:
                run_again(connection, changed.get(name, day.models[name]), is_first=n == 0)
            yield day, lambda sql: connection.execute(sql).fetchall()


def caught(world: World, changes: Sequence[Mapping[str, Model]]) -> str | None:
    """The first decision that differs from the judge's, or None."""
    try:
        for day, rows in days_again(world, changes):
            found = disagreements(read_decided(rows, world.people), day.judge, day.verdicts)
            if found:
                who, verdict, reason = found[0]
                case = CASES[int(who[0].split()[1]) - 1].name
                return f"{case}: {who}, judge {verdict.allowed}, models: {reason}"
    except duckdb.Error as error:
        pytest.fail(f"The mutated SQL does not run: {error}")
    return None


def test_the_models_in_memory_give_the_results_of_dbt(world: World) -> None:
    """Every model of REBUILT runs again, unchanged."""
    unchanged = [
        {name: model for name, model in day.models.items() if model.folder in REBUILT} for day in world.days
    ]
    for day, rows in days_again(world, unchanged):
        assert read_decided(rows, world.people).allowed == day.decided.allowed


def test_without_a_mutation_the_models_and_the_judge_agree(world: World) -> None:
    for day in world.days:
        assert disagreements(day.decided, day.judge, day.verdicts) == []


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.rule)
def test_a_mutation_is_noticed(world: World, mutation: Mutation) -> None:
    changes = [mutated(day, mutation) for day in world.days]
    assert any(changes), f"No model contains {mutation.old!r}"
    assert caught(world, changes), "No decision differs from the judge's"

"""The last days of the demo, built day by day: what must hold for every message and every enrolment.

Everything below the flows is built by dbt as of each day. What the ESP of the demo sent by itself counts.
"""

import os
from collections import defaultdict
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from conftest import Warehouse

pytestmark = [pytest.mark.slow, pytest.mark.deep]
LAST = datetime(2026, 7, 1)
N_DAYS = int(os.environ.get("MAILROOM_REPLAY_DAYS", "5"))  # sixty take an hour
BUILDS = [LAST - timedelta(days=n, hours=-10) for n in range(N_DAYS, 0, -1)]
Row = dict[str, Any]


class Replay:
    """All builds, and what was known in each: the caps, who might be written to, and the reported messages. A
    later merge gives a customer messages that were of another one."""

    def __init__(self, warehouse: Warehouse) -> None:
        self.warehouse = warehouse
        self.caps: dict[datetime, dict[str, float]] = {}
        self.allowed: dict[datetime, set[tuple[str, str]]] = {}
        self.reports: dict[datetime, dict[str, list[datetime]]] = {}
        for moment in BUILDS:
            run = warehouse.dbt(
                "build", "--select", "+planned_messages", "+flow_funnel",
                "--exclude-resource-type", "test", "--exclude-resource-type", "unit_test",
                # Trained on the first day, as the weekly job does.
                *(["--exclude", "path:python_models/training"] if self.caps else []), as_of=str(moment),
            )  # fmt: skip
            assert run.ok, run.output[-4_000:]
            self.caps[moment] = dict(warehouse.rows("select customer_id, weekly_cap from engagement_tiers"))
            allowed = (
                "select customer_id, message_class from contactability where channel = 'email' and is_allowed"
            )
            self.allowed[moment] = set(warehouse.rows(allowed))
            self.reports[moment] = defaultdict(list)
            for customer, at in warehouse.rows(f"""
                select customer_id, occurred_at from email_events
                where
                    is_sending and coalesce(message_class, 'promotional') <> 'transactional'
                    and occurred_at between timestamp '{moment}' - interval 35 days and timestamp '{moment}'
            """):
                self.reports[moment][customer].append(at)
        self.decisions = self.dicts("select * from message_decisions")
        self.enrolments = {row["enrolment_id"]: row for row in self.dicts("select * from flow_enrolments")}
        self.sends = [
            row for row in self.decisions
            if row["decision"] == "send" and row["message_class"] != "transactional"
        ]  # fmt: skip

    def dicts(self, sql: str) -> list[Row]:
        names = [row[0] for row in self.warehouse.rows(f"describe {sql}")]
        return [dict(zip(names, row, strict=True)) for row in self.warehouse.rows(sql)]


@pytest.fixture(scope="module")
def replay(tmp_path_factory: pytest.TempPathFactory) -> Replay:
    return Replay(Warehouse(tmp_path_factory.mktemp("sixty_days")))


def test_each_day_decides_about_messages_and_sends_some(replay: Replay) -> None:
    assert {row["decided_at"] for row in replay.decisions} == set(BUILDS)
    assert len({row["flow"] for row in replay.sends}) >= 5


def test_every_decision_has_one_rule_and_a_reason(replay: Replay) -> None:
    keys = [(row["enrolment_id"], row["step"], row["decided_at"]) for row in replay.decisions]
    assert len(keys) == len(set(keys))
    assert all(row["rule"] and row["reason"] for row in replay.decisions)
    assert all((row["decision"] == "send") == (row["rule"] == "sent") for row in replay.decisions)


def test_no_customer_is_written_to_who_must_not_be(replay: Replay) -> None:
    for row in replay.decisions:
        if row["decision"] == "send":
            assert (row["customer_id"], row["message_class"]) in replay.allowed[row["decided_at"]], row


def test_no_customer_gets_two_abandonment_messages_in_a_day(replay: Replay) -> None:
    sent: dict[str, list[datetime]] = defaultdict(list)
    for row in replay.sends:
        if row["is_abandon"]:
            sent[row["customer_id"]].append(row["decided_at"])
    for moments in sent.values():
        moments.sort()
        assert all(later - one >= timedelta(days=1) for one, later in pairwise(moments))


def test_no_customer_is_over_the_cap_by_a_message_of_ours(replay: Replay) -> None:
    """Counted by hand: the messages that the ESP reported by then, and those of ours that it did not."""
    ours: dict[str, list[datetime]] = defaultdict(list)
    for row in replay.sends:
        ours[row["customer_id"]].append(row["decided_at"])
    for customer, moments in ours.items():
        for moment in moments:
            cap = replay.caps[moment][customer]
            window = timedelta(hours=round(168 / min(cap, 1)))
            seen = replay.reports[moment][customer]
            unreported = [
                at for at in moments
                if at < moment and not any(at <= report <= at + timedelta(days=1) for report in seen)
            ]  # fmt: skip
            inside = [at for at in seen + unreported if at > moment - window]
            assert len(inside) < max(int(cap), 1), (customer, moment, cap, sorted(inside))


def test_no_message_is_about_what_the_customer_has_bought(replay: Replay) -> None:
    bought = {
        (customer, product): at
        for customer, product, at in replay.warehouse.rows(
            "select customer_id, product_id, max(last_ordered_at) from customer_products group by all"
        )
    }
    orders: dict[str, list[datetime]] = defaultdict(list)
    for customer, at in replay.warehouse.rows("select customer_id, ordered_at from orders where is_sale"):
        orders[customer].append(at)
    exits: dict[str, str | None] = dict(replay.warehouse.rows("select flow, exits from flow_catalog"))
    for row in replay.sends:
        entered = replay.enrolments[row["enrolment_id"]]
        ends = (exits[row["flow"]] or "").split(", ")
        if "subject_ordered" in ends:
            at = bought.get((row["customer_id"], row["subject_id"]))
            assert at is None or at <= entered["triggered_at"] or at > row["decided_at"], row
        if "ordered" in ends:
            assert not [
                at for at in orders[row["customer_id"]] if entered["triggered_at"] < at <= row["decided_at"]
            ], row


def test_every_enrolment_ends_with_a_reason_or_has_a_step_to_come(replay: Replay) -> None:
    coming = {row[0] for row in replay.warehouse.rows("select enrolment_id from flow_steps_due")}
    decided = {row["enrolment_id"] for row in replay.decisions if row["decided_at"] == BUILDS[-1]}
    ends: dict[str, int] = defaultdict(int)
    for enrolment, row in replay.enrolments.items():
        if row["is_open"]:
            assert enrolment in coming | decided, row
        else:
            assert row["exit"] and row["exit_reason"], row
            ends[row["exit"]] += 1
    assert len(ends) >= 3, dict(ends)


def test_the_offers_of_a_week_cost_no_more_than_its_budget(replay: Replay) -> None:
    offers = [(row["decided_at"], row["offer_cost"]) for row in replay.decisions if row["offer_share"]]
    for moment, _ in offers:
        spent = sum(cost for at, cost in offers if moment - timedelta(days=7) < at <= moment)
        assert spent <= 500, (moment, spent)

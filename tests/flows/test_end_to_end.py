"""A message's whole way on the demo: trigger, decision, event at the ESP, and no second event for it."""

from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from conftest import NO_UNIT_TESTS, Warehouse
from mailroom.activation.api import Connection
from mailroom.activation.ledger import activation_folder
from mailroom.activation.push import PushOptions, PushResult, push
from mailroom.sandbox import Sandbox

pytestmark = [pytest.mark.slow, pytest.mark.deep]
NIGHT, MORNING, NOON = "2026-07-01 00:00:00", "2026-07-01 08:00:00", "2026-07-01 12:00:00"
ESP: dict[str, Any] = {"destinations": {"klaviyo": "example_esp"}}
SENDS = "select email, 'Mailroom ' || audience, outbox_id from sync_outbox where operation = 'send'"


class Day:
    """A warehouse, built as of some moments, and an ESP."""

    def __init__(self, folder: Path) -> None:
        self.warehouse, self.file = Warehouse(folder), folder / "warehouse.duckdb"
        self.sandbox = Sandbox(now=lambda: datetime(2026, 7, 1))

    def build(self, moment: str, *command: str) -> None:
        run = self.warehouse.dbt(*(command or ("build", "--selector", "hourly")), as_of=moment, **ESP)
        assert run.ok, run.output[-4_000:]

    def push(self, moment: str) -> PushResult:
        options = PushOptions(as_of=datetime.fromisoformat(moment))
        connection = Connection(transport=self.sandbox.transport(), sleep=lambda seconds: None)
        return push(self.file, activation_folder(self.file), options, connection)

    def events(self) -> set[tuple[str, str, str]]:
        return set(self.sandbox.accounts["klaviyo"].events)

    def sends(self) -> set[tuple[str, str, str]]:
        return {(email.lower(), name, key) for email, name, key in self.warehouse.rows(SENDS)}


def messages(pushed: PushResult) -> int:
    return sum(sent.rows for sent in pushed.sent if sent.operation == "send")


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Day:
    day = Day(tmp_path_factory.mktemp("day"))
    day.build(NIGHT, "build", *NO_UNIT_TESTS)
    return day


def test_each_decided_message_is_one_event_and_is_gone_from_the_next_outbox(day: Day) -> None:
    at_night = day.sends()
    assert {name for _, name, _ in at_night} >= {"Mailroom order_confirmation"}
    assert day.push(NIGHT).exit_code == 0
    assert day.events() == at_night
    day.build(MORNING)
    in_the_morning = day.sends()
    assert len(in_the_morning) > len(at_night) and not in_the_morning & at_night
    assert day.push(MORNING).exit_code == 0 and messages(day.push(MORNING)) == 0
    assert day.events() == at_night | in_the_morning
    day.build(NOON)
    day.push(NOON)
    day.build(NOON)  # the same moment again
    assert messages(day.push(NOON)) == 0


def test_no_customer_got_two_marketing_messages_within_twenty_hours(day: Day) -> None:
    marketing = Counter(email for email, name, _ in day.events() if name != "Mailroom order_confirmation")
    assert max(marketing.values()) == 1 and len(marketing) > 20


def test_every_message_is_of_a_customer_who_may_get_it(day: Day) -> None:
    allowed = {
        email.lower()
        for (email,) in day.warehouse.rows(
            "select email from customers inner join contactability using (customer_id)"
            " where message_class <> 'transactional' and is_allowed"
        )
    }
    got = {email for email, name, _ in day.events() if name != "Mailroom order_confirmation"}
    assert got <= allowed


def test_an_enrolment_ends_when_its_last_step_was_sent(day: Day) -> None:
    left = day.warehouse.rows("""
        select count(*)
        from message_decisions as decisions
        inner join flow_enrolments as enrolments using (enrolment_id)
        inner join flow_catalog as flows on enrolments.flow = flows.flow
        where
            decisions.decision in ('send', 'drop') and decisions.step_number = flows.n_steps
            and decisions.decided_at < timestamp '2026-07-01 12:00:00'
            and enrolments.is_open
    """)
    assert left == [(0,)]
    exits: dict[str, int] = dict(
        day.warehouse.rows("select exit, count(*) from flow_enrolments where not is_open group by exit")
    )
    assert exits["finished"] > 20

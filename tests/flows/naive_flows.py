"""A second, naive decider: one customer, one build at a time, by the rules of docs/flows.md. No SQL."""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import yaml

UTC = ZoneInfo("UTC")
KEPT = timedelta(days=35)  # for which a sent message matters


@dataclass(frozen=True)
class Step:
    step: str
    after: str
    hours: int
    only_if: Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Flow:
    flow: str
    trigger: str
    subject: str
    message_class: str
    priority: int
    is_abandon: bool
    reentry: str | int
    exits: Sequence[str]
    send_at: str
    shelf_life: timedelta
    holdout_share: float
    expires_on: date
    steps: Sequence[Step]
    rests_on: Sequence[str]
    cap: tuple[int, timedelta] | None  # most messages in a time

    @property
    def is_marketing(self) -> bool:
        return self.message_class != "transactional"


def flows(entries: Path) -> list[Flow]:
    """Read the flows out of _triggers.yml."""
    found = []
    for trigger in yaml.safe_load(entries.read_text())["models"]:
        meta = trigger["config"]["meta"]
        for name, flow in meta["flows"].items():
            steps = [Step(s["step"], s["after"], s["hours"], s.get("only_if") or {}) for s in flow["steps"]]
            found.append(
                Flow(
                    name, trigger["name"], meta["subject"], flow["message_class"], flow["priority"],
                    flow.get("is_abandon", False), flow["reentry"], flow.get("exits") or [],
                    flow["send_at"], timedelta(hours=flow["shelf_life_hours"]), flow.get("holdout_share", 0),
                    flow["expires_on"], steps, meta["rests_on"],
                    (flow["cap"]["messages"], timedelta(days=flow["cap"]["days"])) if "cap" in flow else None,
                )
            )  # fmt: skip
    return found


@dataclass(frozen=True)
class Event:
    trigger: str
    subject: str
    happened_at: datetime
    amount: Decimal | None


@dataclass
class Facts:
    """What is true of the customer at one build."""

    exists: bool
    time_zone: str
    is_refused: bool
    blocked: Mapping[str, datetime | None]  # message classes that are not allowed, and until when if known
    weekly_cap: float | None
    best_hour: int | None
    last_ordered_at: datetime | None
    product_ordered_at: Mapping[str, datetime]
    refunded_at: Mapping[str, datetime]
    cart_filled_at: datetime | None
    has_open_ticket: bool
    last_ticket_at: datetime | None
    columns: Mapping[str, Any]
    reported: Sequence[datetime]  # marketing messages that the ESP reported
    held_out: str | None = None  # from marketing, or from flow:<name>
    paused_mail: Collection[str] = ()  # flows whose mail is paused at the customer's mailbox provider


@dataclass
class Enrolment:
    key: str
    flow: Flow
    subject: str
    triggered_at: datetime
    amount: Decimal | None
    entered_at: datetime
    exited_at: datetime | None = None
    exit: str | None = None
    done: dict[str, datetime] = field(default_factory=dict)  # steps that were sent or dropped, and when


@dataclass(frozen=True)
class Decision:
    enrolment: str
    flow: str
    step: str
    decided_at: datetime
    decision: str
    rule: str
    lost_to: str | None
    wait_until: datetime | None
    due_at: datetime
    expires_at: datetime


@dataclass(frozen=True)
class Due:
    """The next step of an enrolment."""

    enrolment: Enrolment
    step: Step
    due_at: datetime

    @property
    def expires_at(self) -> datetime:
        return self.due_at + self.enrolment.flow.shelf_life


class Decider:
    """One customer, and what was decided for them so far."""

    def __init__(self, flows: Sequence[Flow], customer: str) -> None:
        self.flows, self.customer = flows, customer
        self.enrolments: list[Enrolment] = []
        self.decisions: list[Decision] = []

    def build(self, now: datetime, events: Sequence[Event], facts: Facts, paused: set[str]) -> list[Decision]:
        """Decide what is due. paused: flows that start nothing."""
        self._change_enrolments(now, events, facts, paused)
        steps = [due for each in self.enrolments if each.exit is None and (due := self._next(each, facts))]
        made = self._decide(now, steps, facts) if facts.exists else []
        self.decisions += made
        for decision in made:
            if decision.decision != "wait":
                (each,) = [each for each in self.enrolments if each.key == decision.enrolment]
                each.done[decision.step] = now
        return made

    def _change_enrolments(
        self, now: datetime, events: Sequence[Event], facts: Facts, paused: set[str]
    ) -> None:
        before = list(self.enrolments)
        for each in before:
            if each.exit is None and (exit := self._exit(each, now, events, facts)):
                each.exit, each.exited_at = exit, now
        for flow in self.flows:
            own = [event for event in events if event.trigger == flow.trigger]
            earlier = [each for each in before if each.flow is flow]
            fitting = [event for event in own if self._may_enter(flow, event, earlier, now)]
            fitting.sort(key=lambda event: event.subject)
            fitting.sort(key=lambda event: event.happened_at, reverse=True)
            taken: set[str] = set()
            for event in fitting:
                place = event.subject if flow.reentry == "per_subject" else ""
                if flow.flow in paused or flow.expires_on < now.date() or place in taken:
                    continue
                entered = Enrolment(
                    self._key(flow, event), flow, event.subject, event.happened_at, event.amount, now
                )
                if self._exit(entered, now, events, facts) is None:
                    taken.add(place)
                    self.enrolments.append(entered)

    def _key(self, flow: Flow, event: Event) -> str:
        parts = [flow.flow, self.customer, event.subject, str(event.happened_at)]
        return hashlib.md5("/".join(parts).encode()).hexdigest()

    def _may_enter(self, flow: Flow, event: Event, earlier: Sequence[Enrolment], now: datetime) -> bool:
        wait = timedelta(hours=flow.steps[0].hours) + flow.shelf_life
        if flow.send_at == "own_hour":
            wait += timedelta(days=1)
        if event.happened_at + wait < now or self._key(flow, event) in {each.key for each in earlier}:
            return False
        if flow.reentry == "once":
            return not earlier
        if flow.reentry == "per_subject":
            return all(each.subject != event.subject for each in earlier)
        oldest = event.happened_at - timedelta(days=int(flow.reentry))
        return all(each.triggered_at <= oldest for each in earlier)

    def _exit(self, each: Enrolment, now: datetime, events: Sequence[Event], facts: Facts) -> str | None:
        flow, since = each.flow, each.triggered_at
        own = [event for event in events if event.trigger == flow.trigger]

        def is_after(moment: datetime | None) -> bool:
            return moment is not None and moment > since

        if not facts.exists:
            return "customer_gone"
        if flow.expires_on < now.date():
            return "flow_expired"
        if flow.is_marketing and facts.is_refused:
            return "refused"
        of_product = facts.product_ordered_at.get(each.subject) if flow.subject == "product" else None
        of_order = facts.refunded_at.get(each.subject) if flow.subject == "order" else None
        holds = {
            "subject_ordered": is_after(of_product),
            "ordered": is_after(facts.last_ordered_at),
            "newer_subject": any(event.happened_at > since for event in own),
            "cart_filled": is_after(facts.cart_filled_at),
            "order_refunded": is_after(of_order),
            "ticket_opened": facts.has_open_ticket and is_after(facts.last_ticket_at),
            "trigger_ended": all(event.subject != each.subject for event in own),
        }  # fmt: skip
        for exit, is_true in holds.items():
            if is_true and exit in flow.exits:
                return exit
        return "finished" if len(each.done) == len(flow.steps) else None

    def _next(self, each: Enrolment, facts: Facts) -> Due | None:
        for step in each.flow.steps:
            if step.step in each.done:
                continue
            since = (
                each.triggered_at if step.after == "trigger" else each.done.get(step.after, each.triggered_at)
            )
            due_at = since + timedelta(hours=step.hours)
            if each.flow.send_at == "own_hour" and facts.best_hour is not None:
                local = _local(due_at, facts.time_zone)
                at_hour = datetime(local.year, local.month, local.day, facts.best_hour)
                if at_hour < local:
                    at_hour += timedelta(days=1)
                due_at = _utc(at_hour, facts.time_zone)
            return Due(each, step, due_at)
        return None

    def _decide(self, now: datetime, steps: Sequence[Due], facts: Facts) -> list[Decision]:
        rules = [(due, *self._rule(due, now, steps, facts)) for due in steps if due.due_at <= now]
        ready = [
            due for due, rule, _ in rules if rule is None and due.enrolment.flow.is_marketing
        ]  # only one of them goes out
        ready.sort(
            key=lambda due: (
                due.enrolment.flow.priority, -(due.enrolment.amount or Decimal(0)), due.due_at,
                due.enrolment.key,
            )
        )  # fmt: skip
        made = []
        for due, rule, opens_at in rules:
            winner = None
            if due in ready[1:]:
                rule, opens_at, winner = "lost", now + timedelta(hours=20), ready[0].enrolment.flow.flow
            if rule is None:
                decision, opens_at = "send", None
            elif opens_at is not None and opens_at <= due.expires_at:
                decision = "wait"
            else:
                decision, opens_at = "drop", None
            made.append(
                Decision(
                    due.enrolment.key, due.enrolment.flow.flow, due.step.step, now, decision, rule or "sent",
                    winner, opens_at, due.due_at, due.expires_at,
                )
            )  # fmt: skip
        return made

    def _rule(
        self, due: Due, now: datetime, steps: Sequence[Due], facts: Facts
    ) -> tuple[str | None, datetime | None]:
        """Return the first rule that holds, and when it ends."""
        flow = due.enrolment.flow
        if self._is_held_out(flow, facts):
            return "holdout", None
        if due.expires_at < now:
            return "too_late", None
        if flow.message_class in facts.blocked:
            return "not_allowed", facts.blocked[flow.message_class]
        if not all(_holds(facts.columns[name], checks) for name, checks in due.step.only_if.items()):
            return "condition", None
        if not flow.is_marketing:
            return None, None
        if flow.flow in facts.paused_mail:
            return "paused", due.expires_at
        local = _local(now, facts.time_zone)
        if not 8 <= local.hour < 21:
            morning = datetime(local.year, local.month, local.day, 8)
            return "quiet_hours", _utc(
                morning if local.hour < 8 else morning + timedelta(days=1), facts.time_zone
            )
        ours = [
            decision for decision in self.decisions
            if decision.decision == "send" and decision.decided_at > now - KEPT
            and self._flow(decision.flow).is_marketing
        ]  # fmt: skip
        reports = [moment for moment in facts.reported if now - KEPT < moment <= now]
        abandoned = [d.decided_at for d in ours if self._flow(d.flow).is_abandon]
        if flow.is_abandon and abandoned and max(abandoned) > now - timedelta(hours=24):
            return "abandon_rest", max(abandoned) + timedelta(hours=24)
        sent = [*(decision.decided_at for decision in ours), *reports]
        if sent and max(sent) > now - timedelta(hours=20):
            return "message_gap", max(sent) + timedelta(hours=20)
        if not facts.weekly_cap:
            return "no_cap", None
        most = max(int(facts.weekly_cap), 1)
        window = timedelta(hours=round(168 / min(facts.weekly_cap, 1)))
        counted = reports + [
            decision.decided_at for decision in ours
            if not any(
                decision.decided_at <= report <= decision.decided_at + timedelta(days=1) for report in reports
            )
        ]  # fmt: skip
        inside = sorted((moment for moment in counted if moment > now - window), reverse=True)
        if len(inside) >= most:
            return "weekly_cap", inside[most - 1] + window
        if flow.cap:
            most, span = flow.cap
            own = sorted(d.decided_at for d in ours if d.flow == flow.flow and d.decided_at > now - span)
            if len(own) >= most:
                return "flow_cap", own[-most] + span
        upcoming = [
            other.due_at for other in steps
            if now < other.due_at <= now + timedelta(hours=24)
            and other.enrolment.flow.priority < flow.priority and other.enrolment.flow.is_marketing
            and not self._is_held_out(other.enrolment.flow, facts)
        ]  # fmt: skip
        if upcoming:
            return "goes_first", min(min(upcoming), due.expires_at)
        return None, None

    def _is_held_out(self, flow: Flow, facts: Facts) -> bool:
        return (
            is_held_out(flow, self.customer)
            or facts.held_out == f"flow:{flow.flow}"
            or (facts.held_out == "marketing" and flow.is_marketing)
        )

    def _flow(self, name: str) -> Flow:
        return next(flow for flow in self.flows if flow.flow == name)


def is_held_out(flow: Flow, customer: str) -> bool:
    """Return whether the first 8 digits of the md5, as a share of 2^32, are below the flow's share."""
    digits = hashlib.md5(f"holdout:{flow.flow}:{customer}".encode()).hexdigest()[:8]
    return int(digits, 16) < int(flow.holdout_share * 2**32)


def _holds(value: Any, checks: Mapping[str, Any]) -> bool:
    compare = {
        "is": lambda a, b: a == b, "is_not": lambda a, b: a != b, "at_least": lambda a, b: a >= b,
        "at_most": lambda a, b: a <= b,
    }  # fmt: skip
    return value is not None and all(compare[check](value, limit) for check, limit in checks.items())


def _local(moment: datetime, zone: str) -> datetime:
    return moment.replace(tzinfo=UTC).astimezone(ZoneInfo(zone)).replace(tzinfo=None)


def _utc(local: datetime, zone: str) -> datetime:
    return local.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC).replace(tzinfo=None)

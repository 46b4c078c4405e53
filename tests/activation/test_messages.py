"""Messages are events at the ESP: each arrives once, in time, and only at people who may still get it."""

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_destinations import NOW, Esp
from test_push import KilledError, listed, outbox_of, receipts
from test_push_api import reached

from mailroom.activation.destinations import known
from mailroom.activation.ledger import write
from mailroom.activation.push import PushOptions, PushResult, as_json, as_text, push
from mailroom.sandbox import Faults, Sandbox

SEND = {
    "audience": "cart_series",
    "operation": "send",
    "decided_at": NOW,
    "expires_at": NOW + timedelta(hours=2),
}
IN_TIME = PushOptions(as_of=NOW + timedelta(hours=1))


def message(
    number: int, destination: str = "klaviyo", kind: str = "lifecycle", **more: Any
) -> dict[str, Any]:
    payload = {
        "customer_id": f"c{number}",
        "decision_id": f"d{number}",
        "message_class": kind,
        "slot": "cart_1",
    }
    return {
        **SEND, "destination": destination, "email": f"who{number}@x.de", "payload": json.dumps(payload),
        **more,
    }  # fmt: skip


def outbox(folder: Path, rows: list[dict[str, Any]]) -> Path:
    """A warehouse with these messages."""
    path = folder / "warehouse.duckdb"
    outbox_of(path, rows)
    return path


def events(sandbox: Sandbox) -> list[str]:
    """The addresses of all events at Klaviyo."""
    return sorted(email for email, _, _ in sandbox.accounts["klaviyo"].events)


def sent(pushed: PushResult) -> dict[str, int]:
    return {one.operation: one.accepted for one in pushed.sent}


def test_a_message_is_an_event_on_the_profile_and_nothing_else(tmp_path: Path) -> None:
    esp = Esp("klaviyo", tmp_path)
    esp.send(esp.row("ann@x.de", "send", slot="cart_1"))
    assert esp.account.events == {("ann@x.de", "Mailroom vips", "send-ann@x.de"): {"slot": "cart_1"}}
    profile = esp.account.find("ann@x.de")
    assert profile and profile.groups == set() and profile.fields == {} and profile.confirmed_at is None


@given(seed=st.integers(0, 10**6))
@settings(max_examples=15)
def test_whatever_fails_on_the_way_each_event_arrives_once(
    tmp_path_factory: pytest.TempPathFactory, seed: int
) -> None:
    esp = Esp("klaviyo", tmp_path_factory.mktemp("esp"), Faults(0.4, seed))
    rows = [esp.row(f"who{number}@x.de", "send", n=number) for number in range(12)]
    for some in (rows[:5], rows[3:], rows):
        answers = esp.send(*some)
        assert {answer.status for answer in answers.values()} == {"accepted"}
    assert sorted(email for email, _, _ in esp.account.events) == sorted(row.email for row in rows)


@pytest.mark.parametrize("name", [name for name in known() if name not in ("file", "klaviyo")])
def test_a_destination_without_messages_says_so_and_sends_nothing(tmp_path: Path, name: str) -> None:
    esp = Esp(name, tmp_path)
    answers = esp.send(esp.row("ann@x.de", "send"))
    assert [(answer.status, answer.code) for answer in answers.values()] == [("rejected", "no_messages")]
    assert esp.account.profiles == {} and esp.account.events == {}


def test_a_message_after_its_shelf_life_is_not_sent_and_is_counted(tmp_path: Path) -> None:
    sandbox = Sandbox(now=lambda: NOW)
    early, late = message(1), message(2, expires_at=NOW + timedelta(minutes=59))
    pushed = push(outbox(tmp_path, [early, late]), tmp_path / "a", IN_TIME, reached(sandbox))
    assert (sent(pushed), pushed.expired, events(sandbox)) == ({"send": 1}, 1, ["who1@x.de"])
    assert "1 messages were too old to send." in as_text(pushed)
    assert json.loads(as_json(pushed))["expired"] == 1 and "who" not in as_json(pushed)
    again = push(tmp_path / "warehouse.duckdb", tmp_path / "a", IN_TIME, reached(sandbox))
    assert again.sent == [] and again.expired == 1


def test_by_the_clock_every_message_of_a_past_build_is_too_old(tmp_path: Path) -> None:
    pushed = push(outbox(tmp_path, [message(1, "file")]), tmp_path / "a")
    assert pushed.sent == [] and pushed.expired == 1


def test_an_opt_out_since_the_build_stops_marketing_and_no_order_confirmation(tmp_path: Path) -> None:
    sandbox, folder = Sandbox(now=lambda: NOW), tmp_path / "a"
    path = outbox(
        tmp_path, [message(1), message(1, kind="transactional", audience="order_confirmation"), message(2)]
    )
    write(
        folder, "privacy_consent_events", "1",
        [
            {
                "consent_event_id": "e", "email": "WHO1@x.de", "channel": "email",
                "purpose": "marketing_email", "status": "withdrawn",
                "recorded_by": "esp_unsubscribe", "occurred_at": "2026-07-01 12:30:00",
                "pulled_at": NOW + timedelta(minutes=30),
            }
        ],
    )  # fmt: skip
    push(path, folder, IN_TIME, reached(sandbox))
    assert sorted((email, name) for email, name, _ in sandbox.accounts["klaviyo"].events) == [
        ("who1@x.de", "Mailroom order_confirmation"), ("who2@x.de", "Mailroom cart_series"),
    ]  # fmt: skip


@pytest.mark.parametrize("before", [True, False])
def test_killed_at_any_request_the_next_push_sends_the_rest(tmp_path: Path, before: bool) -> None:
    sandbox, folder = Sandbox(now=lambda: NOW), tmp_path / "a"
    path = outbox(tmp_path, [message(number) for number in range(5)])
    with pytest.raises(KilledError):
        push(path, folder, IN_TIME, reached(sandbox, 1, before))
    assert [status for (status,) in receipts(folder, "status")] == ["sent"] * 5
    push(path, folder, IN_TIME, reached(sandbox))
    assert events(sandbox) == [f"who{number}@x.de" for number in range(5)]
    assert {status for (status,) in receipts(folder, "status")} == {"sent", "accepted"}


def test_opt_outs_go_first_and_messages_last(tmp_path: Path) -> None:
    rows = [
        message(1, "file"),
        {"audience": "vips", "operation": "add"},
        {"audience": "no", "operation": "suppress"},
    ]
    path = outbox(tmp_path, rows)
    pushed = push(path, tmp_path / "a", IN_TIME)
    assert [one.operation for one in pushed.sent] == ["suppress", "add", "send"]
    (lines,) = [lines for name, lines in listed(tmp_path / "a").items() if "-send-" in name]
    assert [(line["email"], line["slot"]) for line in lines] == [("who1@x.de", "cart_1")]


def test_a_dry_run_shows_a_masked_event(tmp_path: Path) -> None:
    path = outbox(tmp_path, [message(1)])
    pushed = push(path, tmp_path / "a", PushOptions(dry_run=True, as_of=datetime(2026, 7, 1, 13)))
    shown = as_text(pushed, dry_run=True)
    assert "POST /api/event-bulk-create-jobs" in shown and "Mailroom cart_series" in shown
    assert "who1" not in shown and "d1" not in shown

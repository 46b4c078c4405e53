"""Messages are events at the ESP: each arrives once, in time, and only at people who may still get it."""

import dataclasses
import json
from ast import literal_eval
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_destinations import DESTINATIONS, NOW, Esp, state
from test_push import KilledError, listed, outbox_of, receipts
from test_push_api import N_KILLED, reached, waits_for

from mailroom.activation.api import Connection, StoppedError
from mailroom.activation.destinations import file, known, repeats_sends
from mailroom.activation.ledger import write
from mailroom.activation.push import PushOptions, PushResult, as_json, as_text, push
from mailroom.activation.rows import UNCLEAR, Batch
from mailroom.files import replace
from mailroom.sandbox import Faults, Sandbox
from project_macros import macros

SEND = {
    "audience": "cart_series",
    "operation": "send",
    "decided_at": NOW,
    "expires_at": NOW + timedelta(hours=2),
}
IN_TIME = PushOptions(as_of=NOW + timedelta(hours=1))
ONCE = [name for name in DESTINATIONS if not repeats_sends(name)]
REPEATED = [name for name in DESTINATIONS if repeats_sends(name)]
EVENTS = {
    "klaviyo": "Mailroom {}", "activecampaign": "Mailroom {}", "mailchimp": "Mailroom_{}",
    "brevo": "Mailroom_{}", "hubspot": "mailroom_{}",
}  # fmt: skip
# The end of the request that has the events.
ENDS = {"mailchimp": "/batches", "brevo": "/v3/events/batch", "activecampaign": "/event"}


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


def rebuilt(warehouse: Path, folder: Path) -> None:
    """Count the rejections of each row, as a build does."""
    with duckdb.connect(str(warehouse)) as connection:
        counts = Counter(key for key, status in receipts(folder, "outbox_id, status") if status == "rejected")
        for key, count in counts.items():
            connection.execute("update sync_outbox set n_rejections = ? where outbox_id = ?", [count, key])


def esp_with(name: str, numbers: range) -> Sandbox:
    """A sandbox whose account has these people."""
    sandbox = Sandbox(now=lambda: NOW)
    for number in numbers if name in sandbox.accounts else ():
        sandbox.accounts[name].upsert(f"who{number}@x.de")
    return sandbox


def events(sandbox: Sandbox, name: str = "klaviyo") -> list[str]:
    """The addresses of all events there."""
    return sorted(email for email, _, _ in sandbox.accounts[name].events)


def sent(pushed: PushResult) -> dict[str, int]:
    return {one.operation: one.accepted for one in pushed.sent}


@pytest.mark.parametrize("name", DESTINATIONS)
def test_a_message_is_an_event_on_the_profile_and_nothing_else(tmp_path: Path, name: str) -> None:
    esp = Esp(name, tmp_path)
    esp.send(esp.row("ann@x.de", first_name="Ann"))
    before = state(esp)
    answers = esp.send(esp.row("ann@x.de", "send", slot="cart_1", amount=12.5, subject_id=None))
    assert [answer.status for answer in answers.values()] == ["accepted"]
    (((email, event, _), properties),) = esp.account.events.items()
    assert (email, event) == ("ann@x.de", EVENTS[name].format("vips"))
    assert (properties["slot"], float(properties["amount"])) == ("cart_1", 12.5)
    assert properties.get("subject_id") is None
    assert state(esp) == before, "neither list nor field nor opt-in"


@pytest.mark.parametrize("name", DESTINATIONS)
def test_a_bad_address_spoils_no_other_message(tmp_path: Path, name: str) -> None:
    esp = Esp(name, tmp_path)
    for email in ("ann@x.de", "bob@x.de"):
        esp.account.upsert(email)
    answers = esp.send(*[esp.row(email, "send") for email in ("ann@x.de", "nowhere", "bob@x.de")])
    assert [answer.status for answer in answers.values()] == ["accepted", "rejected", "accepted"]
    bad = answers["send-nowhere"]
    assert bad.code and bad.message and bad.code not in UNCLEAR
    assert sorted(email for email, _, _ in esp.account.events) == ["ann@x.de", "bob@x.de"]
    lonely = esp.send(esp.row("nowhere", "send"))["send-nowhere"]
    assert lonely.status == "rejected" and len(esp.account.events) == 2


@pytest.mark.parametrize("name", ["mailchimp", "hubspot"])
def test_a_message_makes_no_contact_where_one_must_exist(tmp_path: Path, name: str) -> None:
    esp = Esp(name, tmp_path)
    answers = esp.send(esp.row("ann@x.de", "send"))
    assert [answer.status for answer in answers.values()] == ["rejected"]
    assert esp.account.profiles == {} and esp.account.events == {}


def test_hubspot_gets_no_message_for_a_further_address_of_a_contact(tmp_path: Path) -> None:
    esp = Esp("hubspot", tmp_path)
    esp.account.upsert("ann@x.de")
    esp.account.jobs["further"] = {"bob@x.de": "ann@x.de"}
    answers = esp.send(esp.row("bob@x.de", "send"), esp.row("ann@x.de", "send"))
    assert [answer.code for answer in answers.values()] == ["second_address", None]
    assert len(esp.account.events) == 1


def test_hubspot_defines_an_event_once_and_adds_later_properties(tmp_path: Path) -> None:
    esp = Esp("hubspot", tmp_path)
    esp.account.upsert("ann@x.de")
    esp.send(esp.row("ann@x.de", "send", slot="cart_1"))
    esp.opened = esp.open()
    emails = [f"who{number}@x.de" for number in range(250)]
    for email in emails:
        esp.account.upsert(email)
    esp.sandbox.requests.clear()
    sent = esp.send(*[esp.row(email, "send", slot="a", subject_name="x" * 300) for email in emails])
    assert {answer.status for answer in sent.values()} == {"accepted"}
    assert esp.account.jobs["defined_events"] == {"mailroom_vips": {"slot", "subject_name"}}
    made = {path: count for (_, method, path), count in esp.sandbox.requests.items() if method == "POST"}
    assert made == {
        "/events/2026-03/event-definitions/mailroom_vips/property": 1,
        "/crm/objects/2026-03/contacts/batch/read": 3, "/events/2026-03/send/batch": 1,
    }  # fmt: skip


@pytest.mark.parametrize("name", ["klaviyo", "brevo"])
@pytest.mark.parametrize("text", ["x", "ü", '"', "\x01", "日"])
def test_a_request_with_messages_is_no_larger_than_its_limit(tmp_path: Path, name: str, text: str) -> None:
    esp = Esp(name, tmp_path)
    bodies: list[int] = []
    sandbox = esp.sandbox.transport()

    def kept(request: httpx.Request) -> httpx.Response:
        bodies.append(len(request.content))
        return sandbox.handle_request(request)

    esp.connection = Connection(transport=httpx.MockTransport(kept), sleep=esp.sleep)
    esp.opened = esp.open()
    answers = esp.send(
        *[esp.row(f"who{number}@x.de", "send", slot=text * 6_000, amount=1.5) for number in range(900)]
    )
    assert {answer.status for answer in answers.values()} == {"accepted"}
    assert len(bodies) > 1 and max(bodies) <= (esp.opened.limits("send").bytes or 0) + 1_000


@pytest.mark.parametrize(("name", "longest"), [("mailchimp", 21), ("activecampaign", 23)])
def test_a_flow_with_too_long_a_name_is_rejected(tmp_path: Path, name: str, longest: int) -> None:
    esp = Esp(name, tmp_path)
    esp.account.upsert("ann@x.de")
    for length in (longest, longest + 1):
        row = dataclasses.replace(esp.row("ann@x.de", "send"), audience="f" * length)
        (answer,) = esp.opened.send(Batch("b", name, row.audience, "send", [row]))
        assert (answer.code == "name_too_long") == (length > longest)
    assert len(esp.account.events) == 1


def test_activecampaign_lists_the_event_and_gets_its_own_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    esp = Esp("activecampaign", tmp_path)
    for email in ("ann@x.de", "bob@x.de"):
        esp.send(esp.row(email, "send"))
    assert esp.account.jobs["event_names"] == {"Mailroom vips": None}
    for missing in ("ACTIVECAMPAIGN_EVENT_KEY", "ACTIVECAMPAIGN_EVENT_ACTID"):
        monkeypatch.setenv("ACTIVECAMPAIGN_EVENT_KEY", "k")
        monkeypatch.setenv("ACTIVECAMPAIGN_EVENT_ACTID", "1")
        monkeypatch.setenv("ACTIVECAMPAIGN_URL", "https://x.api-us1.com")
        monkeypatch.setenv("ACTIVECAMPAIGN_API_KEY", "secret")
        monkeypatch.delenv("MAILROOM_SANDBOX", raising=False)
        monkeypatch.delenv(missing)
        esp.connection = Connection()
        opened: Any = esp.open()
        opened.list_event = lambda event: True
        with pytest.raises(StoppedError, match=f"{missing} is not set"):
            list(opened.send(Batch("b", "activecampaign", "vips", "send", [esp.row("ann@x.de", "send")])))


@pytest.mark.parametrize("name", REPEATED)
@settings(max_examples=10)
@given(seed=st.integers(0, 10**6))
def test_whatever_fails_on_the_way_each_event_arrives_once(name: str, seed: int) -> None:
    esp = Esp(name, Path("unused"), Faults(0.4, seed))
    rows = [esp.row(f"who{number}@x.de", "send", n=number) for number in range(12)]
    for row in rows:
        esp.account.upsert(row.email)
    for some in (rows[:5], rows[3:], rows):
        answers = esp.send(*some)
        assert {answer.status for answer in answers.values()} == {"accepted"}
    assert sorted(email for email, _, _ in esp.account.events) == sorted(row.email for row in rows)


def assert_each_arrived_at_most_once(sandbox: Sandbox, name: str, folder: Path) -> None:
    """And exactly once if it was accepted, never if it was rejected for sure."""
    arrived = Counter(events(sandbox, name))
    assert set(arrived.values()) <= {1}
    by_row: dict[str, set[str]] = {}
    for email, status, code in receipts(folder, "email, status, code"):
        is_unclear = status == "sent" or code in UNCLEAR
        by_row.setdefault(email, set()).add("unclear" if is_unclear else status)
    for email, statuses in by_row.items():
        if "accepted" in statuses:
            assert arrived[email] == 1
        elif statuses == {"rejected"}:
            assert arrived[email] == 0


@pytest.mark.parametrize("name", DESTINATIONS)
@settings(max_examples=N_KILLED)
@given(seed=st.integers(0, 10**6), share=st.sampled_from([0.1, 0.3]))
def test_among_random_faults_no_message_arrives_twice(
    tmp_path_factory: pytest.TempPathFactory, name: str, seed: int, share: float
) -> None:
    place = tmp_path_factory.mktemp("faults")
    warehouse, folder = outbox(place, [message(number, name) for number in range(6)]), place / "a"
    sandbox = esp_with(name, range(6))
    sandbox.faults = Faults(share, seed)
    for _ in range(20):
        pushed = push(warehouse, folder, IN_TIME, reached(sandbox))
        shown = as_text(pushed) + as_json(pushed)
        assert "who" not in shown and "x.de" not in shown
        assert_each_arrived_at_most_once(sandbox, name, folder)
        rebuilt(warehouse, folder)
        if not pushed.sent and not pushed.stopped:
            break
    if repeats_sends(name):
        assert events(sandbox, name) == [f"who{number}@x.de" for number in range(6)]
    found = receipts(folder, "email, status, code")
    ended = {email for email, status, code in found if status in ("accepted", "sent") or code in UNCLEAR}
    assert len(ended) == 6, "each was accepted, or may have arrived"


@pytest.mark.parametrize("name", DESTINATIONS)
@pytest.mark.parametrize("before", [True, False])
@pytest.mark.parametrize("at", [1, 2, *(pytest.param(at, marks=pytest.mark.slow) for at in range(3, 8))])
def test_killed_at_any_request_no_message_is_sent_twice(
    tmp_path: Path, name: str, at: int, before: bool
) -> None:
    warehouse, folder = outbox(tmp_path, [message(number, name) for number in range(5)]), tmp_path / "a"
    sandbox = esp_with(name, range(5))
    try:
        push(warehouse, folder, IN_TIME, reached(sandbox, at, before))
    except KilledError:
        assert "sent" in {status for (status,) in receipts(folder, "status")} or name == "mailchimp"
    rebuilt(warehouse, folder)
    push(warehouse, folder, IN_TIME, reached(sandbox))
    assert_each_arrived_at_most_once(sandbox, name, folder)
    arrived = events(sandbox, name)
    if repeats_sends(name):
        assert arrived == [f"who{number}@x.de" for number in range(5)]
    elif name == "activecampaign":
        assert len(arrived) >= 4, "a message is a batch of its own"
    assert push(warehouse, folder, IN_TIME, reached(sandbox)).sent == []


class Odd(httpx.BaseTransport):
    """A way to the sandbox on which requests with messages go wrong, a number of times."""

    def __init__(
        self, sandbox: Sandbox, name: str, answer: Callable[[httpx.Request], httpx.Response], times: int = 1
    ) -> None:
        self.transport, self.end = sandbox.transport(), ENDS[name]
        self.answer, self.times = answer, times

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        is_message = request.method == "POST" and request.url.path.endswith(self.end)
        if is_message and self.times:
            self.times -= 1
            return self.answer(request)
        return self.transport.handle_request(request)


def by(sandbox: Sandbox, transport: httpx.BaseTransport) -> Connection:
    return Connection(transport=transport, sleep=waits_for(sandbox), attempts=4, seconds=10**6)


@pytest.mark.parametrize("name", ONCE)
@pytest.mark.parametrize("does_arrive", [True, False])
def test_a_message_without_an_answer_is_never_sent_again(
    tmp_path: Path, name: str, does_arrive: bool
) -> None:
    rows = [message(1, name, audience="a_flow"), message(2, name), message(3, name)]
    warehouse, folder = outbox(tmp_path, rows), tmp_path / "a"
    sandbox = esp_with(name, range(1, 4))

    def lost(request: httpx.Request) -> httpx.Response:
        if does_arrive:
            sandbox.transport().handle_request(request)
        raise httpx.ReadTimeout("lost", request=request)

    pushed = push(warehouse, folder, IN_TIME, by(sandbox, Odd(sandbox, name, lost)))
    assert f"{name} does not answer" in pushed.stopped[name] and pushed.exit_code == 5
    assert sum(one.unanswered for one in pushed.sent) == 1 and "1 unanswered" in as_text(pushed)
    assert receipts(folder, "status, email") == [("sent", "who1@x.de")], "the others were not tried"
    again = push(warehouse, folder, IN_TIME, reached(sandbox))
    assert sum(one.accepted for one in again.sent) == 2 and again.stopped == {}
    assert events(sandbox, name) == [f"who{number}@x.de" for number in ((1, 2, 3) if does_arrive else (2, 3))]
    # A build days later does not forget it.
    outbox(tmp_path, [{**rows[0], "decided_at": NOW + timedelta(days=9), "expires_at": None}])
    assert push(warehouse, folder, IN_TIME, reached(sandbox)).sent == []


@pytest.mark.parametrize("name", ONCE)
@pytest.mark.parametrize("fault", ["429", "unreachable", "garbled refusal"])
def test_a_message_that_did_not_arrive_is_sent_again(tmp_path: Path, name: str, fault: str) -> None:
    warehouse, folder = outbox(tmp_path, [message(1, name)]), tmp_path / "a"
    sandbox = esp_with(name, range(1, 2))

    def answer(request: httpx.Request) -> httpx.Response:
        if fault == "unreachable":
            raise httpx.ConnectError("no way", request=request)
        if fault == "429":
            return httpx.Response(429, json={})
        return httpx.Response(400, content=b'{"mess', headers={"Content-Type": "application/json"})

    pushed = push(warehouse, folder, IN_TIME, by(sandbox, Odd(sandbox, name, answer)))
    assert pushed.stopped == {} and sent(pushed) == {"send": 1}
    assert events(sandbox, name) == ["who1@x.de"]


@pytest.mark.parametrize("name", ONCE)
@pytest.mark.parametrize("status", [401, 503])
def test_what_stops_before_the_message_loses_none(tmp_path: Path, name: str, status: int) -> None:
    """A denied key, and a list that can't be read."""
    warehouse, folder = outbox(tmp_path, [message(1, name)]), tmp_path / "a"
    sandbox = esp_with(name, range(1, 2))
    down = httpx.MockTransport(lambda request: httpx.Response(status, json={}))
    odd = Odd(sandbox, name, down.handle_request, times=9)
    if status == 503 and name != "brevo":  # Brevo has no request before it
        odd.end = "/lists/sandbox" if name == "mailchimp" else "/eventTrackingEvents"
    if status == 503:
        odd.transport = httpx.MockTransport(lambda request: httpx.Response(503, json={}))
    pushed = push(warehouse, folder, IN_TIME, by(sandbox, odd))
    assert str(status) in pushed.stopped[name]
    found = receipts(folder, "status, code")
    assert found == [("sent", None)] if (name, status) == ("brevo", 503) else [("rejected", "stopped")]
    rebuilt(warehouse, folder)
    again = push(warehouse, folder, IN_TIME, reached(sandbox))
    assert sum(one.accepted for one in again.sent) == ((name, status) != ("brevo", 503))


@pytest.mark.parametrize("name", ONCE)
def test_an_acceptance_of_another_shape_may_have_arrived(tmp_path: Path, name: str) -> None:
    warehouse, folder = outbox(tmp_path, [message(1, name)]), tmp_path / "a"
    sandbox = esp_with(name, range(1, 2))
    for body in (b"<html>", b"[]"):
        path = tmp_path / str(len(body))
        odd = Odd(sandbox, name, lambda request, body=body: httpx.Response(200, content=body))  # type: ignore[misc]
        pushed = push(warehouse, path, IN_TIME, by(sandbox, odd))
        assert name in pushed.stopped and receipts(path, "status") == [("sent",)]
        assert push(warehouse, path, IN_TIME, reached(sandbox)).sent == []
    assert events(sandbox, name) == [] and not folder.exists()


def test_a_job_of_messages_that_is_lost_is_not_sent_again(tmp_path: Path) -> None:
    warehouse, folder = outbox(tmp_path, [message(1, "mailchimp")]), tmp_path / "a"
    sandbox = esp_with("mailchimp", range(1, 2))
    quick = PushOptions(as_of=IN_TIME.as_of, wait=0)
    assert push(warehouse, folder, quick, reached(sandbox)).sent[0].pending == 1
    sandbox.accounts["mailchimp"].jobs.clear()
    push(warehouse, folder, IN_TIME, reached(sandbox))
    assert set(receipts(folder, "status, code")) == {("pending", None), ("rejected", "job_lost")}
    rebuilt(warehouse, folder)
    assert push(warehouse, folder, IN_TIME, reached(sandbox)).sent == []
    assert events(sandbox, "mailchimp") == ["who1@x.de"]


def test_a_message_without_an_answer_keeps_no_opt_out_waiting(tmp_path: Path) -> None:
    row = {"destination": "brevo", "audience": "vips", "email": "who1@x.de"}
    warehouse, folder, sandbox = outbox(tmp_path, [row]), tmp_path / "a", esp_with("brevo", range(1, 2))
    quick = PushOptions(as_of=IN_TIME.as_of, wait=0)
    assert push(warehouse, folder, quick, reached(sandbox)).sent[0].pending == 1
    off = {**row, "outbox_id": "off", "operation": "remove", "is_no": True, "payload": None}
    outbox(tmp_path, [off, message(2, "brevo", outbox_id="new")])
    odd = Odd(sandbox, "brevo", lambda request: httpx.Response(503, json={}))
    pushed = push(warehouse, folder, IN_TIME, by(sandbox, odd))
    assert "brevo" in pushed.stopped and sent(pushed)["remove"] == 1
    assert not sandbox.accounts["brevo"].members("Mailroom vips")


def test_files_have_each_message_once_wherever_a_push_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file.FileDestination, "max_rows", 2)
    for at in range(1, 5):
        place = tmp_path / str(at)
        place.mkdir()
        warehouse = outbox(place, [message(number, "file") for number in range(5)])
        n_replaced = 0

        def dies(*arguments: Any, at: int = at) -> None:
            nonlocal n_replaced
            n_replaced += 1
            if n_replaced == at:
                raise KilledError
            replace(*arguments)

        monkeypatch.setattr(file, "replace", dies)
        with pytest.raises(KilledError):
            push(warehouse, place / "a", IN_TIME)
        monkeypatch.setattr(file, "replace", replace)
        push(warehouse, place / "a", IN_TIME)
        lines = [line for lines in listed(place / "a").values() for line in lines]
        assert sorted(line["decision_id"] for line in lines) == [f"d{number}" for number in range(5)]
        assert {line["cleared"] for line in lines} == {""}


def test_a_message_after_its_shelf_life_is_not_sent_and_is_counted(tmp_path: Path) -> None:
    sandbox = Sandbox(now=lambda: NOW)
    early, late = message(1), message(2, expires_at=NOW + timedelta(minutes=59))
    pushed = push(outbox(tmp_path, [early, late]), tmp_path / "a", IN_TIME, reached(sandbox))
    assert (sent(pushed), pushed.expired, events(sandbox)) == ({"send": 1}, 1, ["who1@x.de"])
    assert "1 messages were too old to send." in as_text(pushed)
    assert json.loads(as_json(pushed))["expired"] == 1 and "who" not in as_json(pushed)
    again = push(tmp_path / "warehouse.duckdb", tmp_path / "a", IN_TIME, reached(sandbox))
    assert again.sent == [] and again.expired == 1
    later = push(
        tmp_path / "warehouse.duckdb", tmp_path / "a", PushOptions(as_of=NOW + timedelta(days=1)),
        reached(sandbox),
    )  # fmt: skip
    assert later.expired == 1, "what was accepted in time is not too old"


def test_messages_that_are_too_old_are_counted_beside_forgotten_receipts(tmp_path: Path) -> None:
    """Receipts of a deleted person have no outbox_id."""
    warehouse = outbox(tmp_path, [message(1, "file", expires_at=NOW)])
    forgotten = {"outbox_id": None, "status": "accepted", "operation": "send", "destination": "file"}
    write(tmp_path / "a", "receipts", "1", [{**forgotten, "decided_at": NOW}])
    assert push(warehouse, tmp_path / "a", IN_TIME).expired == 1


def test_a_rejected_message_is_sent_again_until_it_expires(tmp_path: Path) -> None:
    warehouse, folder = outbox(tmp_path, [message(1, "mailchimp")]), tmp_path / "a"
    sandbox = Sandbox(now=lambda: NOW)
    pushed = push(warehouse, folder, IN_TIME, reached(sandbox))
    assert [(one.rejected, one.accepted) for one in pushed.sent] == [(1, 0)]
    assert push(warehouse, folder, IN_TIME, reached(sandbox)).waiting == 1
    sandbox.accounts["mailchimp"].upsert("who1@x.de")
    rebuilt(warehouse, folder)
    late = push(warehouse, folder, PushOptions(as_of=NOW + timedelta(hours=3)), reached(sandbox))
    assert (late.sent, late.waiting, late.expired) == ([], 0, 1)
    assert sent(push(warehouse, folder, IN_TIME, reached(sandbox))) == {"send": 1}


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


@pytest.mark.parametrize("name", known())
def test_opt_outs_go_first_and_messages_last(tmp_path: Path, name: str) -> None:
    rows = [
        message(1, name),
        {"destination": name, "audience": "vips", "operation": "add"},
        {"destination": name, "audience": "no", "operation": "suppress"},
    ]
    pushed = push(outbox(tmp_path, rows), tmp_path / "a", IN_TIME, reached(esp_with(name, range(1, 2))))
    assert [(one.operation, one.accepted) for one in pushed.sent] == [
        ("suppress", 1),
        ("add", 1),
        ("send", 1),
    ]
    if name == "file":
        (lines,) = [lines for name, lines in listed(tmp_path / "a").items() if "-send-" in name]
        assert [(line["email"], line["slot"]) for line in lines] == [("who1@x.de", "cart_1")]


@pytest.mark.parametrize("name", DESTINATIONS)
def test_a_dry_run_shows_a_masked_event(tmp_path: Path, name: str) -> None:
    path = outbox(tmp_path, [message(1, name)])
    pushed = push(path, tmp_path / "a", PushOptions(dry_run=True, as_of=datetime(2026, 7, 1, 13)))
    shown = as_text(pushed, dry_run=True)
    assert EVENTS[name].format("cart_series") in shown and "POST /" in shown
    assert ("w***1@x***" in shown) == (name != "mailchimp"), "which has a hash of it"
    assert "who1" not in shown and "d1" not in shown
    assert receipts(tmp_path / "a", "status") == []


def test_dbt_and_push_know_the_same_codes_of_what_may_have_arrived() -> None:
    assert literal_eval(str(macros("activation/unclear_codes.sql")["unclear_codes"]()).strip()) == UNCLEAR

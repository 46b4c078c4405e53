"""Every API destination, against the sandbox: the same guarantees, whatever fails."""

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailroom.activation.api import Connection, StoppedError
from mailroom.activation.destinations import known, open_destination
from mailroom.activation.push import batches
from mailroom.activation.rows import NOT_THERE, OPERATIONS, Answer, Batch, Destination, Operation, Row
from mailroom.sandbox import Account, Faults, Sandbox

DESTINATIONS = [name for name in known() if name != "file"]
NOW = datetime(2026, 7, 1, 12)
Answers = dict[str, Answer]


class Esp:
    """A destination and its sandbox. Waiting advances the clock."""

    def __init__(self, name: str, folder: Path, faults: Faults | None = None) -> None:
        self.name, self.now = name, NOW
        self.sandbox = Sandbox(faults, lambda: self.now)
        self.connection = Connection(
            transport=self.sandbox.transport(), sleep=self.sleep, attempts=50, seconds=10_000
        )
        self.folder = folder
        self.opened = self.open()

    def open(self) -> Destination:
        return open_destination(self.name, self.folder, self.connection)

    def sleep(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    @property
    def account(self) -> Account:
        return self.sandbox.accounts[self.name]

    def row(self, email: str, operation: Operation = "add", **payload: Any) -> Row:
        key = f"{operation}-{email}"
        return Row(key, self.name, "vips", operation, f"c-{email}", email, payload, None, NOW, 1)

    def send(self, *rows: Row) -> Answers:
        """The final answers about rows of one operation."""
        answers: Answers = {}
        for batch, does_fit in batches(rows, self.opened):
            assert does_fit
            sent = {answer.outbox_id: answer for answer in self.opened.send(batch)}
            assert sent.keys() == {row.outbox_id for row in batch.rows}, "every row has an answer"
            answers |= sent
        return self.settle(rows, answers)

    def settle(self, rows: tuple[Row, ...], answers: Answers) -> Answers:
        for _ in range(50):
            by_job: dict[str, list[Row]] = {}
            for row in rows:
                answer = answers[row.outbox_id]
                if answer.status == "pending":
                    by_job.setdefault(str(answer.reference), []).append(row)
            if not by_job:
                return answers
            for reference, some in by_job.items():
                batch = Batch("b", self.name, "vips", some[0].operation, some)
                answers |= {answer.outbox_id: answer for answer in self.opened.settle(batch, reference)}
            self.sleep(10)
        raise AssertionError("jobs that never end")

    def emails(self) -> set[str]:
        """The addresses in the audience there."""
        return {profile.email for profile in self.account.members("Mailroom vips")}

    def field(self, email: str, name: str) -> Any:
        """The ESP's value of a field, by any name."""
        profile = self.account.find(email)
        assert profile
        found = {key.lower(): value for key, value in profile.fields.items()}
        return next(
            (found[key] for key in (name, f"mailroom_{name}", "firstname", "fname") if key in found), None
        )


@pytest.fixture(params=DESTINATIONS)
def esp(request: pytest.FixtureRequest, tmp_path: Path) -> Esp:
    return Esp(request.param, tmp_path)


def test_an_added_customer_is_in_the_audience_with_every_field(esp: Esp) -> None:
    sent = esp.send(
        esp.row("ann@x.de", first_name="Ann", n_orders=3, top_category="Tea"), esp.row("bob@x.de")
    )
    assert {answer.status for answer in sent.values()} == {"accepted"}
    assert esp.emails() == {"ann@x.de", "bob@x.de"}
    assert esp.field("ann@x.de", "first_name") == "Ann"
    assert esp.field("ann@x.de", "top_category") == "Tea"
    assert str(esp.field("ann@x.de", "n_orders")) == "3"


def test_an_update_changes_named_fields_and_clears_null_ones(esp: Esp) -> None:
    esp.send(esp.row("ann@x.de", first_name="Ann", top_category="Tea", churn_band="low"))
    sent = esp.send(esp.row("ann@x.de", "update", churn_band="high", top_category=None))
    assert {answer.status for answer in sent.values()} == {"accepted"}
    assert esp.field("ann@x.de", "first_name") == "Ann"
    assert esp.field("ann@x.de", "churn_band") == "high"
    assert not esp.field("ann@x.de", "top_category")
    assert esp.emails() == {"ann@x.de"}


def test_a_removed_customer_keeps_their_profile_and_gets_other_mail(esp: Esp) -> None:
    esp.send(esp.row("ann@x.de", first_name="Ann"), esp.row("bob@x.de"))
    sent = esp.send(esp.row("ann@x.de", "remove"), esp.row("unknown@x.de", "remove"))
    assert {answer.status for answer in sent.values()} == {"accepted"}
    assert esp.emails() == {"bob@x.de"}
    ann = esp.account.find("ann@x.de")
    assert ann and not ann.refusals and esp.field("ann@x.de", "first_name") == "Ann"


def test_a_suppressed_customer_gets_no_mail_after_any_later_push(esp: Esp) -> None:
    esp.send(esp.row("ann@x.de"))
    sent = esp.send(esp.row("ann@x.de", "suppress"))
    assert {answer.status for answer in sent.values()} == {"accepted"}
    esp.send(esp.row("ann@x.de", first_name="Ann"))
    esp.send(esp.row("ann@x.de", "update", first_name="Anne"))
    ann = esp.account.find("ann@x.de")
    assert ann and ann.refusals


def test_a_suppression_of_an_unknown_address_is_reported(esp: Esp) -> None:
    """Otherwise they would count as suppressed after an import by another client."""
    esp.send(esp.row("ann@x.de"))
    sent = esp.send(esp.row("ann@x.de", "suppress"), esp.row("stranger@x.de", "suppress"))
    ann, stranger = sent["suppress-ann@x.de"], sent["suppress-stranger@x.de"]
    assert (ann.status, ann.code, stranger.status) == ("accepted", None, "accepted")
    known = esp.account.find("stranger@x.de")
    assert known.refusals if known else stranger.code == NOT_THERE


@pytest.mark.parametrize("reason", ["unsubscribed", "bounced", "complained"])
def test_nothing_lifts_an_opt_out_given_there(esp: Esp, reason: str) -> None:
    esp.send(esp.row("ann@x.de"), esp.row("bob@x.de"))
    esp.account.refuse("ann@x.de", reason)
    for operation in ("add", "update", "remove", "add"):
        esp.send(esp.row("ann@x.de", operation, first_name="Ann"), esp.row("bob@x.de", operation))
    ann, bob = esp.account.find("ann@x.de"), esp.account.find("bob@x.de")
    assert ann and reason in ann.refusals
    assert bob and not bob.refusals


def test_a_deleted_customer_is_gone_and_a_second_deletion_is_no_error(esp: Esp) -> None:
    esp.send(esp.row("ann@x.de"), esp.row("bob@x.de"))
    for _ in range(2):
        sent = esp.send(esp.row("ann@x.de", "delete"))
        assert {answer.status for answer in sent.values()} == {"accepted"}
    assert not esp.account.find("ann@x.de") and esp.account.find("bob@x.de")


FIELDS = {
    "mailchimp": "/lists/sandbox/merge-fields", "brevo": "/v3/contacts/attributes",
    "hubspot": "/crm/properties/2026-03/contacts", "activecampaign": "/api/3/fields",
}  # fmt: skip


@pytest.mark.parametrize("name", FIELDS)
def test_the_existing_fields_are_read_once_per_push(name: str, tmp_path: Path) -> None:
    esp = Esp(name, tmp_path)
    fields: list[dict[str, Any]] = [
        {"top_category": "Tea"}, {"churn_band": "low", "first_name": "Ann"}, {"value_band": "high"},
    ]  # fmt: skip
    for is_known in (False, True):
        esp.opened = esp.open()
        esp.sandbox.requests.clear()
        for number, payload in enumerate(fields):
            sent = esp.send(*[esp.row(f"who{number}{place}@x.de", **payload) for place in range(3)])
            assert {answer.status for answer in sent.values()} == {"accepted"}
        n_requests = esp.sandbox.requests[name, "GET", FIELDS[name]]
        # A field created at ActiveCampaign is read again, because the answer of the request is not
        # documented.
        assert n_requests == 1 or (name == "activecampaign" and not is_known), n_requests


def test_one_bad_row_is_rejected_and_the_others_arrive(esp: Esp) -> None:
    emails = [f"who{number}@x.de" for number in range(20)] + ["nowhere", "later@fails.example"]
    sent = esp.send(*[esp.row(email, first_name="Ann") for email in emails])
    refused = {key: answer for key, answer in sent.items() if answer.status != "accepted"}
    assert refused.keys() == {"add-nowhere", "add-later@fails.example"}
    assert all(answer.status == "rejected" and answer.code and answer.message for answer in refused.values())
    assert esp.emails() == set(emails[:20])


def test_an_opt_out_given_there_is_pulled(esp: Esp) -> None:
    emails = [f"who{number}@x.de" for number in range(4)]
    esp.send(*[esp.row(email) for email in emails])
    esp.now += timedelta(hours=1)
    for email, reason in zip(emails, ("unsubscribed", "bounced", "complained"), strict=False):
        esp.account.refuse(email, reason)
    esp.send(esp.row("who3@x.de", "suppress"))
    refusals = {(refusal.email, refusal.kind) for refusal in esp.opened.refusals(NOW)}
    assert refusals >= {("who0@x.de", "unsubscribed"), ("who1@x.de", "bounced")}
    assert refusals <= {
        ("who0@x.de", "unsubscribed"),
        ("who1@x.de", "bounced"),
        ("who2@x.de", "complained"),
        ("who2@x.de", "unsubscribed"),
    }, "our own suppressions are refusal news"
    assert {refusal.key for refusal in esp.opened.refusals(NOW)} == {
        refusal.key for refusal in esp.opened.refusals(NOW)
    }
    assert list(esp.opened.refusals(esp.now + timedelta(days=1))) == []


def test_denied_access_stops_the_destination_and_names_the_key(esp: Esp) -> None:
    esp.sandbox.faults = Faults(script=["401"])
    with pytest.raises(StoppedError, match="401"):
        esp.send(esp.row("ann@x.de"))


def test_no_address_is_in_the_reason_of_a_stop(esp: Esp) -> None:
    esp.send(esp.row("ann@x.de"))
    esp.connection = Connection(transport=esp.sandbox.transport(), sleep=esp.sleep)
    esp.opened = esp.open()
    for operation in OPERATIONS:
        for script in ([], [None], [None] * 2, [None] * 3, [None] * 4, [None] * 5):
            esp.sandbox.faults = Faults(share=1, kinds=["503"], script=script)
            try:
                esp.send(esp.row("ann@x.de", operation, first_name="Ann"))
            except StoppedError as stopped:
                assert "ann" not in str(stopped) and "x.de" not in str(stopped)
            esp.sandbox.faults.share = 0


def test_a_missing_key_is_named(esp: Esp, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in (
        "KLAVIYO_API_KEY",
        "MAILCHIMP_API_KEY",
        "BREVO_API_KEY",
        "HUBSPOT_ACCESS_TOKEN",
        "ACTIVECAMPAIGN_API_KEY",
        "ACTIVECAMPAIGN_URL",
        "MAILROOM_SANDBOX",
    ):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(StoppedError, match=f"{esp.name.upper()}_.* is not set"):
        open_destination(esp.name, tmp_path)


def test_retries_have_an_end(esp: Esp) -> None:
    esp.sandbox.faults = Faults(share=1, kinds=["503"])
    esp.connection = Connection(transport=esp.sandbox.transport(), sleep=esp.sleep)
    esp.opened = esp.open()
    with pytest.raises(StoppedError, match="does not answer: status 503"):
        esp.send(esp.row("ann@x.de"))
    assert esp.now - NOW < timedelta(minutes=15)


def test_retry_after_is_waited_for(esp: Esp) -> None:
    esp.sandbox.faults = Faults(script=["429", "429"])
    esp.send(esp.row("ann@x.de"))
    assert esp.now - NOW >= timedelta(seconds=2) and esp.emails() == {"ann@x.de"}


def histories() -> st.SearchStrategy[list[tuple[Operation, list[int]]]]:
    some = st.lists(st.integers(0, 11), min_size=1, max_size=12, unique=True)
    return st.lists(
        st.tuples(st.sampled_from(["add", "update", "remove", "suppress", "delete"]), some),
        min_size=1,
        max_size=5,
    )


@pytest.mark.slow
@pytest.mark.parametrize("name", DESTINATIONS)
@settings(max_examples=50)
@given(history=histories(), share=st.sampled_from([0.0, 0.1, 0.3]), seed=st.integers(0, 2**32))
@pytest.mark.deep
def test_any_network_fault_leads_to_the_same_end(
    name: str, history: list[tuple[Operation, list[int]]], share: float, seed: int
) -> None:
    folder = Path("unused")
    calm, rough = Esp(name, folder), Esp(name, folder, Faults(share, seed))
    for operation, numbers in history:
        for esp in (calm, rough):
            rows = [esp.row(f"who{number}@x.de", operation, n_orders=number) for number in numbers]
            sent = esp.send(*rows)
            assert {answer.status for answer in sent.values()} <= {"accepted", "rejected"}
    assert state(rough) == state(calm)
    assert sorted(calm.account.groups.values()) == sorted(set(rough.account.groups.values())), "no list twice"


def state(esp: Esp) -> list[Any]:
    return sorted(
        (
            profile.email,
            json.dumps(profile.fields, sort_keys=True, default=str),
            sorted(esp.account.groups[group] for group in profile.groups),
            sorted(profile.refusals),
        )
        for profile in esp.account.profiles.values()
    )

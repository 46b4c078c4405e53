"""Peculiarities of Mailchimp: members that can't be added again, and jobs instead of single calls."""

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from test_destinations import NOW, Esp

from mailroom.activation.api import StoppedError
from mailroom.activation.destinations import open_destination
from mailroom.activation.destinations.mailchimp import _hash, _short
from mailroom.activation.rows import Answer, Batch, Operation
from mailroom.sandbox.mailchimp import packed, status_of

ANN, BOB, EVE = "ann@x.de", "bob@x.de", "eve@x.de"


@pytest.fixture
def esp(tmp_path: Path) -> Esp:
    return Esp("mailchimp", tmp_path)


def request(esp: Esp, method: str, path: str, json: Any = None) -> httpx.Response:
    """A request of another client to the audience."""
    with httpx.Client(transport=esp.sandbox.transport(), headers={"Authorization": "Bearer k"}) as client:
        return client.request(method, f"http://sandbox/mailchimp/lists/sandbox{path}", json=json)


def member(email: str) -> str:
    return f"/members/{_hash(email)}"


@pytest.mark.parametrize("reason", ["unsubscribed", "bounced", "complained", "suppressed"])
def test_the_sandbox_resubscribes_members_as_mailchimp_would(esp: Esp, reason: str) -> None:
    esp.send(esp.row(ANN))
    esp.account.refuse(ANN, reason)
    subscribed = {"email_address": ANN, "status": "subscribed", "status_if_new": "subscribed"}
    answer = request(esp, "PUT", member(ANN), subscribed)
    result = request(esp, "POST", "", {"members": [subscribed], "update_existing": True}).json()
    is_possible = reason == "suppressed"
    assert (answer.status_code == 200, result["error_count"] == 0) == (is_possible, is_possible)
    if not is_possible:
        assert answer.json()["title"] == "Member In Compliance State"


def test_no_archived_member_is_added_again(esp: Esp) -> None:
    esp.send(esp.row(ANN), esp.row(BOB))
    esp.account.refuse(ANN, "unsubscribed")
    assert request(esp, "DELETE", member(ANN)).status_code == 204
    esp.opened = esp.open()
    sent = esp.send(esp.row(ANN, first_name="Ann"), esp.row(BOB))
    assert [answer.code for answer in sent.values()] == ["archived", None]
    ann = esp.account.find(ANN)
    assert ann and status_of(ann) == "archived" and ann.refusals
    result = request(esp, "POST", "", {"members": [{"email_address": ANN, "status": "subscribed"}]}).json()
    assert result["total_created"] == 1, "Mailchimp would have"


def test_a_member_who_never_subscribed_is_not_subscribed(esp: Esp) -> None:
    request(esp, "POST", "", {"members": [{"email_address": ANN, "status": "transactional"}]})
    esp.send(esp.row(ANN, top_category="Tea"))
    ann = esp.account.find(ANN)
    assert ann and status_of(ann) == "transactional" and esp.field(ANN, "top_category") == "Tea"
    assert esp.emails() == {ANN}
    assert esp.send(esp.row(ANN, "remove"))["remove-ann@x.de"].status == "accepted"
    assert not esp.emails() and status_of(ann) == "transactional"


def test_erased_members_are_rejected_and_missing_ones_are_not_created(esp: Esp) -> None:
    esp.send(esp.row(ANN))
    esp.send(esp.row(ANN, "delete"))
    sent = esp.send(esp.row(ANN))["add-ann@x.de"]
    assert sent.status == "rejected" and "permanently deleted" in str(sent.message)
    assert esp.send(esp.row(BOB, "update"))["update-bob@x.de"].code == "Resource Not Found"
    assert esp.send(esp.row(BOB, "suppress"))["suppress-bob@x.de"].status == "accepted"
    assert not esp.account.profiles


def test_a_bounced_member_counts_as_suppressed(esp: Esp) -> None:
    esp.send(esp.row(ANN))
    esp.account.refuse(ANN, "bounced")
    assert esp.send(esp.row(ANN, "suppress"))["suppress-ann@x.de"].status == "accepted"
    assert [no.kind for no in esp.opened.refusals(NOW - timedelta(days=1))] == ["bounced"]


def test_only_our_own_suppressions_are_not_pulled(esp: Esp) -> None:
    esp.send(esp.row(ANN), esp.row(BOB), esp.row(EVE))
    esp.send(esp.row(ANN, "suppress"), esp.row(EVE, "suppress"))
    request(esp, "PATCH", member(BOB), {"status": "unsubscribed"})
    esp.account.refuse(EVE, "unsubscribed")
    assert {no.email for no in esp.opened.refusals(NOW)} == {BOB, EVE}, "by an admin, and by herself"


def test_thousands_of_rows_take_few_calls_and_no_url_has_a_hash(esp: Esp) -> None:
    operations: list[Operation] = ["add", "add", "update", "remove", "remove", "suppress", "delete"]
    for operation in operations:
        sent = esp.send(
            *[esp.row(f"who{number}@x.de", operation, top_category="Tea") for number in range(1_000)]
        )
        assert {answer.status for answer in sent.values()} == {"accepted"}
    assert esp.sandbox.requests.total() < 50
    assert not [path for _, _, path in esp.sandbox.requests if re.search("[0-9a-f]{32}", path)]


def test_a_field_whose_tag_is_taken_gets_another(esp: Esp) -> None:
    request(esp, "POST", "/merge-fields", {"name": "Theirs", "type": "number", "tag": _short("top_category")})
    esp.send(esp.row(ANN, top_category="Tea"))
    assert esp.field(ANN, "top_category") == "Tea" and "theirs" not in esp.account.profiles[ANN].fields


def test_too_many_fields_stop_all_rows_except_opt_outs(esp: Esp) -> None:
    esp.send(esp.row(ANN))
    fields: dict[str, Any] = {f"field_{number}": "x" for number in range(30)}
    with pytest.raises(StoppedError, match="the merge field field_"):
        esp.send(esp.row(BOB, "add", **fields))
    assert not esp.account.find(BOB)
    assert esp.send(esp.row(ANN, "suppress"))["suppress-ann@x.de"].status == "accepted"
    assert esp.account.profiles[ANN].refusals


def test_a_field_without_room_is_requested_once(esp: Esp) -> None:
    esp.send(*[esp.row(f"who{number}@x.de") for number in range(20)])
    for number in range(len(esp.account.fields), 30):
        request(esp, "POST", "/merge-fields", {"name": f"Theirs {number}", "type": "text"})
    esp.opened = esp.open()
    esp.sandbox.requests.clear()
    sent = esp.send(*[esp.row(f"who{number}@x.de", "suppress") for number in range(20)])
    assert {answer.status for answer in sent.values()} == {"accepted"}
    assert esp.sandbox.requests["mailchimp", "POST", "/lists/sandbox/merge-fields"] == 2, "by two tags"


def test_a_row_without_a_job_result_is_not_accepted(esp: Esp) -> None:
    batch = Batch("b", "mailchimp", "vips", "update", [esp.row(ANN, "update")])
    [answer] = esp.opened.send(batch)
    job = esp.account.jobs[str(answer.reference).rpartition("/")[2]]
    answers: list[Answer] = []
    esp.sleep(10)
    job["file"] = packed([])
    answers += esp.opened.settle(batch, str(answer.reference))
    esp.account.jobs.clear()
    answers += esp.opened.settle(batch, str(answer.reference))
    assert [(each.status, each.code) for each in answers] == [
        ("rejected", "no_answer"),
        ("rejected", "job_lost"),
    ]


def test_the_key_names_the_data_centre_and_is_not_sent_without_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("MAILROOM_SANDBOX", raising=False)
    monkeypatch.setenv("MAILCHIMP_LIST_ID", "abc")
    monkeypatch.setenv("MAILCHIMP_API_KEY", "0123456789")
    with pytest.raises(StoppedError, match="data centre") as stopped:
        open_destination("mailchimp", tmp_path)
    assert "0123456789" not in str(stopped.value)
    monkeypatch.setenv("MAILCHIMP_API_KEY", "0123456789-us6")
    opened: Any = open_destination("mailchimp", tmp_path)
    assert str(opened.api._client.base_url) == "https://us6.api.mailchimp.com/3.0/"

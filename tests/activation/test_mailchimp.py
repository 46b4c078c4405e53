"""What is peculiar to Mailchimp: whom nobody may bring back, and jobs instead of single calls."""

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


def asked(esp: Esp, method: str, path: str, json: Any = None) -> httpx.Response:
    """What somebody else asks of the audience there."""
    with httpx.Client(transport=esp.sandbox.transport(), headers={"Authorization": "Bearer k"}) as client:
        return client.request(method, f"http://sandbox/mailchimp/lists/sandbox{path}", json=json)


def member(email: str) -> str:
    return f"/members/{_hash(email)}"


@pytest.mark.parametrize("reason", ["unsubscribed", "bounced", "complained", "suppressed"])
def test_the_sandbox_subscribes_again_whom_mailchimp_would(esp: Esp, reason: str) -> None:
    esp.send(esp.row(ANN))
    esp.account.refuse(ANN, reason)
    subscribed = {"email_address": ANN, "status": "subscribed", "status_if_new": "subscribed"}
    answer = asked(esp, "PUT", member(ANN), subscribed)
    told = asked(esp, "POST", "", {"members": [subscribed], "update_existing": True}).json()
    is_possible = reason == "suppressed"
    assert (answer.status_code == 200, told["error_count"] == 0) == (is_possible, is_possible)
    if not is_possible:
        assert answer.json()["title"] == "Member In Compliance State"


def test_nobody_is_brought_back_from_the_archive(esp: Esp) -> None:
    esp.send(esp.row(ANN), esp.row(BOB))
    esp.account.refuse(ANN, "unsubscribed")
    assert asked(esp, "DELETE", member(ANN)).status_code == 204
    esp.opened = esp.open()
    sent = esp.send(esp.row(ANN, first_name="Ann"), esp.row(BOB))
    assert [answer.code for answer in sent.values()] == ["archived", None]
    ann = esp.account.find(ANN)
    assert ann and status_of(ann) == "archived" and ann.refusals
    told = asked(esp, "POST", "", {"members": [{"email_address": ANN, "status": "subscribed"}]}).json()
    assert told["total_created"] == 1, "Mailchimp would have"


def test_who_never_subscribed_is_not_subscribed(esp: Esp) -> None:
    asked(esp, "POST", "", {"members": [{"email_address": ANN, "status": "transactional"}]})
    esp.send(esp.row(ANN, top_category="Tea"))
    ann = esp.account.find(ANN)
    assert ann and status_of(ann) == "transactional" and esp.field(ANN, "top_category") == "Tea"
    assert esp.emails() == {ANN}
    assert esp.send(esp.row(ANN, "remove"))["remove-ann@x.de"].status == "accepted"
    assert not esp.emails() and status_of(ann) == "transactional"


def test_who_was_erased_is_refused_and_who_is_not_there_is_not_made(esp: Esp) -> None:
    esp.send(esp.row(ANN))
    esp.send(esp.row(ANN, "delete"))
    sent = esp.send(esp.row(ANN))["add-ann@x.de"]
    assert sent.status == "rejected" and "permanently deleted" in str(sent.message)
    assert esp.send(esp.row(BOB, "update"))["update-bob@x.de"].code == "Resource Not Found"
    assert esp.send(esp.row(BOB, "suppress"))["suppress-bob@x.de"].status == "accepted"
    assert not esp.account.profiles


def test_who_bounced_counts_as_suppressed(esp: Esp) -> None:
    esp.send(esp.row(ANN))
    esp.account.refuse(ANN, "bounced")
    assert esp.send(esp.row(ANN, "suppress"))["suppress-ann@x.de"].status == "accepted"
    assert [no.kind for no in esp.opened.refusals(NOW - timedelta(days=1))] == ["bounced"]


def test_only_suppressions_of_ours_are_no_news(esp: Esp) -> None:
    esp.send(esp.row(ANN), esp.row(BOB), esp.row(EVE))
    esp.send(esp.row(ANN, "suppress"), esp.row(EVE, "suppress"))
    asked(esp, "PATCH", member(BOB), {"status": "unsubscribed"})
    esp.account.refuse(EVE, "unsubscribed")
    assert {no.email for no in esp.opened.refusals(NOW)} == {BOB, EVE}, "by an admin, and by herself"


def test_thousands_take_few_calls_and_no_url_has_a_hash(esp: Esp) -> None:
    operations: list[Operation] = ["add", "add", "update", "remove", "remove", "suppress", "delete"]
    for operation in operations:
        sent = esp.send(
            *[esp.row(f"who{number}@x.de", operation, top_category="Tea") for number in range(1_000)]
        )
        assert {answer.status for answer in sent.values()} == {"accepted"}
    assert esp.sandbox.requests.total() < 50
    assert not [path for _, _, path in esp.sandbox.requests if re.search("[0-9a-f]{32}", path)]


def test_a_field_whose_tag_is_taken_gets_another(esp: Esp) -> None:
    asked(esp, "POST", "/merge-fields", {"name": "Theirs", "type": "number", "tag": _short("top_category")})
    esp.send(esp.row(ANN, top_category="Tea"))
    assert esp.field(ANN, "top_category") == "Tea" and "theirs" not in esp.account.profiles[ANN].fields


def test_too_many_fields_stop_before_anything_is_sent_but_a_no_goes(esp: Esp) -> None:
    esp.send(esp.row(ANN))
    fields: dict[str, Any] = {f"field_{number}": "x" for number in range(30)}
    with pytest.raises(StoppedError, match="the merge field field_"):
        esp.send(esp.row(BOB, "add", **fields))
    assert not esp.account.find(BOB)
    assert esp.send(esp.row(ANN, "suppress"))["suppress-ann@x.de"].status == "accepted"
    assert esp.account.profiles[ANN].refusals


def test_a_field_that_there_is_no_room_for_is_asked_for_once(esp: Esp) -> None:
    esp.send(*[esp.row(f"who{number}@x.de") for number in range(20)])
    for number in range(len(esp.account.fields), 30):
        asked(esp, "POST", "/merge-fields", {"name": f"Theirs {number}", "type": "text"})
    esp.opened = esp.open()
    esp.sandbox.requests.clear()
    sent = esp.send(*[esp.row(f"who{number}@x.de", "suppress") for number in range(20)])
    assert {answer.status for answer in sent.values()} == {"accepted"}
    assert esp.sandbox.requests["mailchimp", "POST", "/lists/sandbox/merge-fields"] == 2, "by two tags"


def test_what_a_job_does_not_say_is_not_taken_for_a_yes(esp: Esp) -> None:
    batch = Batch("b", "mailchimp", "vips", "update", [esp.row(ANN, "update")])
    [answer] = esp.opened.send(batch)
    job = esp.account.jobs[str(answer.reference).rpartition("/")[2]]
    told: list[Answer] = []
    esp.sleep(10)
    job["file"] = packed([])
    told += esp.opened.settle(batch, str(answer.reference))
    esp.account.jobs.clear()
    told += esp.opened.settle(batch, str(answer.reference))
    assert [(said.status, said.code) for said in told] == [
        ("rejected", "no_answer"),
        ("rejected", "job_lost"),
    ]


def test_the_key_says_where_and_never_leaves_without_a_data_centre(
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

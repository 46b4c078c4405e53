"""Peculiarities of HubSpot: partial updates, contacts with several addresses, addresses that it must not get,
our own opt-outs and those of people."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from test_destinations import NOW, Esp

from mailroom.activation.destinations.hubspot import CONTACTS, STATUSES
from mailroom.sandbox import Faults

ANN, BOB = "ann@x.de", "bob@x.de"


@pytest.fixture
def esp(tmp_path: Path) -> Esp:
    return Esp("hubspot", tmp_path)


def request(esp: Esp, method: str, path: str, json: Any) -> httpx.Response:
    """A request of another client to the account."""
    with httpx.Client(transport=esp.sandbox.transport(), headers={"Authorization": "Bearer k"}) as client:
        return client.request(method, f"http://sandbox/hubspot{path}", json=json)


def test_an_update_leaves_unnamed_fields_which_an_upsert_by_address_would_not(esp: Esp) -> None:
    made = {"associations": [], "properties": {"email": ANN, "lastname": "A"}}
    request(esp, "POST", f"{CONTACTS}/batch/create", {"inputs": [made]})
    esp.send(esp.row(ANN, first_name="Ann", top_category="Tea"))
    esp.send(esp.row(ANN, "update", churn_band="high"))
    ann = esp.account.find(ANN)
    assert ann and (ann.fields["lastname"], esp.field(ANN, "top_category")) == ("A", "Tea")
    upsert = {"id": ANN, "idProperty": "email", "properties": {"mailroom_churn_band": "low"}}
    request(esp, "POST", f"{CONTACTS}/batch/upsert", {"inputs": [upsert]})
    assert not ann.fields["lastname"], "the sandbox shows what a partial upsert may do"


@pytest.mark.parametrize("fault", ["lost_after", "garbled"])
def test_a_contact_created_without_an_answer_is_found_and_updated(esp: Esp, fault: Any) -> None:
    esp.send(esp.row(BOB))  # creates the list and the properties
    esp.sandbox.faults = Faults(script=[None, fault])
    sent = esp.send(*[esp.row(f"who{number}@x.de") for number in range(3)])
    assert {answer.status for answer in sent.values()} == {"accepted"} and len(esp.emails()) == 4
    assert esp.sandbox.requests["hubspot", "POST", f"{CONTACTS}/batch/update"] == 1


def test_a_contact_with_a_further_address_is_neither_added_nor_erased(esp: Esp) -> None:
    esp.send(esp.row(ANN))
    ann = esp.account.find(ANN)
    assert ann
    esp.account.jobs["further"] = {"other@x.de": ANN, "ann@y.de": ANN}
    for operation in ("add", "update", "delete"):
        (answer,) = esp.send(esp.row("Ann@y.de", operation, first_name="Anne")).values()
        assert answer.code == "second_address"
    esp.send(esp.row("ann@y.de", "remove"))
    assert esp.account.find(ANN) and esp.emails() == set() and "firstname" not in ann.fields


def test_an_erasure_or_suppression_does_not_block_an_unknown_address(esp: Esp) -> None:
    for operation in ("delete", "suppress", "remove"):
        (answer,) = esp.send(esp.row(ANN, operation)).values()
        assert answer.status == "accepted"
    esp.send(esp.row(ANN))
    ann = esp.account.find(ANN)
    assert ann and not ann.refusals
    request(esp, "POST", f"{CONTACTS}/gdpr-delete", {"objectId": BOB, "idProperty": "email"})
    assert [answer.status for answer in esp.send(esp.row(BOB)).values()] == ["rejected"], "HubSpot blocks it"


@pytest.mark.parametrize("may", [True, False])
def test_without_batch_unsubscribe_contacts_are_suppressed_one_by_one(esp: Esp, may: bool) -> None:
    esp.account.jobs["without_batches"] = not may
    emails = [f"who+{number}@x.de" for number in range(3)]
    esp.send(*[esp.row(email) for email in emails])
    sent = esp.send(*[esp.row(email, "suppress") for email in emails])
    assert {answer.status for answer in sent.values()} == {"accepted"}
    assert all(found.refusals for found in esp.account.profiles.values())
    singles = esp.sandbox.requests["hubspot", "POST", f"{STATUSES}/who+1@x.de/unsubscribe-all"]
    assert singles == (0 if may else 1)


def test_an_opt_out_is_ours_once_and_theirs_after_a_new_opt_in(esp: Esp) -> None:
    esp.send(esp.row(ANN))
    esp.send(esp.row(ANN, "suppress"))
    assert list(esp.opened.refusals(NOW)) == []
    request(esp, "POST", f"{STATUSES}/{ANN}", {"statusState": "SUBSCRIBED"})
    esp.now += timedelta(days=3)
    esp.account.refuse(ANN, "unsubscribed")
    assert [(no.kind, no.occurred_at) for no in esp.opened.refusals(NOW)] == [("unsubscribed", esp.now)]
    esp.send(esp.row(ANN, "suppress"))
    assert len(list(esp.opened.refusals(NOW))) == 1, "theirs stays theirs"


def test_any_number_of_refusals_at_one_moment_is_pulled(esp: Esp) -> None:
    for number in range(450):
        esp.account.refuse(f"who{number}@x.de", ("unsubscribed", "bounced", "complained")[number % 3])
    refusals = list(esp.opened.refusals(NOW))
    assert len({no.key for no in refusals}) == len(refusals) == 450
    assert len([no for no in refusals if no.kind == "complained"]) == 150

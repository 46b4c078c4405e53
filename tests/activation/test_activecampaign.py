"""Peculiarities of ActiveCampaign: refusals that count from 0 or 1, limits as errors, suppressions that are
no unsubscriptions of a person."""

import json
from pathlib import Path

import httpx
import pytest
from test_destinations import NOW, Esp

from mailroom.activation.api import Connection
from mailroom.sandbox import activecampaign as vendor


class Wire(httpx.BaseTransport):
    """Records requests, and refuses the first too_many imports for the rate limit."""

    def __init__(self, transport: httpx.BaseTransport) -> None:
        self.transport, self.requests, self.too_many = transport, list[httpx.Request](), 0

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        if self.too_many and request.url.path.endswith("/bulk_import"):
            self.too_many -= 1
            reasons = ["Up to 100 imports may be requested per minute."]
            body = {"success": 0, "message": "Rate limit exceeded.", "failureReasons": reasons}
            return httpx.Response(400, json=body)
        return self.transport.handle_request(request)

    def bodies(self, method: str, path: str) -> list[str]:
        """The bodies that were sent there."""
        return [
            request.content.decode()
            for request in self.requests
            if request.method == method and request.url.path.endswith(path)
        ]


@pytest.fixture
def esp(tmp_path: Path) -> Esp:
    return Esp("activecampaign", tmp_path)


@pytest.fixture
def wire(esp: Esp) -> Wire:
    wire = Wire(esp.sandbox.transport())
    esp.connection = Connection(transport=wire, sleep=esp.sleep)
    esp.opened = esp.open()
    return wire


@pytest.mark.parametrize("first", [0, 1])
@pytest.mark.parametrize("bad", [[0], [249], [0, 1, 7, 249], list(range(250))])
def test_only_bad_rows_are_rejected_whether_the_vendor_counts_from_0_or_1(
    esp: Esp, wire: Wire, first: int, bad: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vendor, "FIRST", first)
    emails = [f"who{place}" if place in bad else f"who{place}@x.de" for place in range(250)]
    sent = esp.send(*[esp.row(email) for email in emails])
    refused = {key for key, answer in sent.items() if answer.status == "rejected"}
    assert refused == {f"add-{emails[place]}" for place in bad}
    assert len(wire.bodies("POST", "/bulk_import")) <= 3


def test_a_limit_given_as_an_error_is_waited_for(esp: Esp, wire: Wire) -> None:
    wire.too_many = 4
    sent = esp.send(esp.row("ann@x.de"))
    assert {answer.status for answer in sent.values()} == {"accepted"}
    assert (esp.now - NOW).total_seconds() >= 60


def test_imports_start_no_automations_and_subscribe_no_contact(esp: Esp, wire: Wire) -> None:
    for operation in ("add", "update", "suppress", "remove", "add"):
        esp.send(esp.row("ann@x.de", operation, top_category=None))
    for body in wire.bodies("POST", "/bulk_import"):
        sent = json.loads(body)
        assert sent["exclude_automations"] and all(
            contact["exclude_automations"] and "subscribe" not in contact for contact in sent["contacts"]
        )
    assert [json.loads(body)["contactList"]["status"] for body in wire.bodies("POST", "/contactLists")] == [2]


def test_a_suppression_creates_no_contact_and_is_no_wish_of_the_person(esp: Esp) -> None:
    esp.send(esp.row("ann@x.de"), esp.row("bob@x.de"))
    esp.account.refuse("ann@x.de", "unsubscribed")
    sent = esp.send(*[esp.row(f"{who}@x.de", "suppress") for who in ("ann", "bob", "unknown")])
    assert {answer.status for answer in sent.values()} == {"accepted"}
    assert not esp.account.find("unknown@x.de")
    assert [no.email for no in esp.opened.refusals(NOW)] == ["ann@x.de"]


def test_refusals_are_read_page_after_page(esp: Esp) -> None:
    for number in range(250):
        esp.account.refuse(f"who{number}@x.de", "unsubscribed")
    assert len({no.email for no in esp.opened.refusals(NOW)}) == 250

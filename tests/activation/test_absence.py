"""A person is missing only by the vendor's own answer: a removal, a suppression or an erasure is accepted
only if it is done, whatever stands between Mailroom and the API."""

import json
from collections.abc import Callable
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import httpx
import pytest
from test_destinations import DESTINATIONS, NOW, Esp

from mailroom.activation.api import (
    Connection,
    NotUnderstoodError,
    RefusedError,
    StoppedError,
    validated_answers,
    was_found,
)
from mailroom.activation.destinations.mailchimp import _hash
from mailroom.activation.rows import NOT_THERE, Answer, Batch, Operation
from mailroom.sandbox.mailchimp import packed

pytestmark = pytest.mark.deep

ANN = "ann@x.de"
LEAVING: tuple[Operation, ...] = ("delete", "suppress", "remove")


def answer(status: int, body: Any = None, kind: str = "application/json") -> httpx.Response:
    content = b"" if body is None else body.encode() if isinstance(body, str) else json.dumps(body).encode()
    return httpx.Response(status, headers={"Content-Type": kind}, content=content)


ERROR = {"id": "1", "code": "not_found", "title": "Not found.", "detail": "A list with id X does not exist."}
# Answers that are not the vendor's about a person.
NO_WORD: dict[str, httpx.Response] = {
    "page": answer(404, "<html>404 Not Found</html>", "text/html"),
    "page_called_json": answer(404, "<html>404 Not Found</html>"),
    "nothing": answer(404),
    "null": answer(404, "null"),
    "list": answer(404, []),
    "object": answer(404, {}),
    "gateway": answer(404, {"message": "no Route matched with those values"}),
    "proxy": answer(404, {"error": {"code": 404, "message": "Requested entity was not found."}}),
    "spring": answer(404, {"timestamp": 1, "status": 404, "error": "Not Found", "path": "/contacts"}),
    "the_list": answer(404, {"errors": [ERROR]}),
    "no_errors": answer(404, {"errors": []}),
    "the_list_too": answer(404, {"code": "document_not_found", "message": "List ID does not exist"}),
    "no_category": answer(404, {"status": "error", "message": "resource not found", "correlationId": "1"}),
    "another_id": answer(404, {"message": "No Result found for Subscriber with id 0"}),
    "another_kind": answer(404, {"title": "Resource Not Found", "detail": "The path is none."}),
    "yes_page": answer(200, "<html>Please log in</html>", "text/html"),
    "yes_nothing": answer(200),
    "yes_null": answer(200, "null"),
    "yes_list": answer(200, []),
    "yes_object": answer(200, {}),
    "yes_data": answer(200, {"data": []}),
    "yes_contacts": answer(200, {"contacts": [], "results": [], "status": "COMPLETE"}),
    "accepted": answer(202),
    "no_content": answer(204),
}


class Instead(httpx.BaseTransport):
    """A connection to a sandbox that, from one request on, reaches something else."""

    def __init__(self, transport: httpx.BaseTransport, at: int, reply: httpx.Response) -> None:
        self.transport, self.at, self.reply, self.n = transport, at, reply, 0

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.n += 1
        if self.n > self.at:
            reply = self.reply
            return httpx.Response(reply.status_code, headers=reply.headers, content=reply.content)
        return self.transport.handle_request(request)


def is_so(esp: Esp, operation: Operation) -> bool:
    ann = esp.account.find(ANN)
    if operation == "remove":
        return ANN not in esp.emails()
    return ann is None or (operation == "suppress" and bool(ann.refusals))


# Successes of these vendors without a body: a gateway can give the same.
YES = {("klaviyo", "delete", "accepted"), ("klaviyo", "remove", "no_content"),
       ("brevo", "delete", "no_content"), ("brevo", "suppress", "no_content"),
       ("hubspot", "delete", "no_content"), ("hubspot", "remove", "yes_object"),
       ("activecampaign", "delete", "yes_object"), ("activecampaign", "remove", "yes_object")}  # fmt: skip


def known(destination: str, folder: Path) -> Esp:
    esp = Esp(destination, folder)
    esp.send(esp.row(ANN))
    return esp


@pytest.mark.slow
@pytest.mark.parametrize("destination", DESTINATIONS)
@pytest.mark.parametrize("operation", LEAVING)
def test_accepted_rows_are_done(tmp_path: Path, destination: str, operation: Operation) -> None:
    esp = known(destination, tmp_path)
    for name, at in product(NO_WORD, range(5)):
        if is_so(esp, operation):
            esp = known(destination, tmp_path)
        transport = Instead(esp.sandbox.transport(), at, NO_WORD[name])
        esp.connection = Connection(transport=transport, sleep=esp.sleep, attempts=3)
        esp.opened = esp.open()
        row = esp.row(ANN, operation)
        batch = Batch("b", destination, "vips", operation, [row])
        try:
            answers = {found.outbox_id: found for found in validated_answers(partial(esp.opened.send, batch))}
            for _ in range(3):
                found = answers[row.outbox_id]
                if found.status == "pending":
                    replies = validated_answers(partial(esp.opened.settle, batch, str(found.reference)))
                    answers |= {reply.outbox_id: reply for reply in replies}
                    esp.sleep(10)
        except (StoppedError, NotUnderstoodError):
            continue
        if answers[row.outbox_id].status == "accepted" and (destination, operation, name) not in YES:
            assert is_so(esp, operation), f"{name}, from request {at + 1} on"


@pytest.mark.parametrize(
    ("destination", "body"),
    [
        ("klaviyo", {"errors": [ERROR | {"detail": "A profile with email X does not exist."}]}),
        ("brevo", {"code": "document_not_found", "message": "Contact does not exist"}),
    ],
)
def test_the_vendors_own_answer_for_a_missing_person_counts(
    tmp_path: Path, destination: str, body: Any
) -> None:
    esp = Esp(destination, tmp_path)
    esp.connection = Connection(transport=httpx.MockTransport(lambda request: answer(404, body)))
    esp.opened = esp.open()
    (reply,) = esp.send(esp.row(ANN, "delete")).values()
    assert (reply.status, reply.code) == ("accepted", NOT_THERE)


@pytest.mark.parametrize("destination", ["klaviyo", "brevo"])
def test_a_404_of_something_else_is_a_rejection_with_its_message(tmp_path: Path, destination: str) -> None:
    esp = Esp(destination, tmp_path)
    replies = iter([answer(404, {"message": "No route"}), answer(404)])
    esp.connection = Connection(transport=httpx.MockTransport(lambda request: next(replies)))
    esp.opened = esp.open()
    for words in ("No route", "(no message)"):
        (reply,) = esp.send(esp.row(ANN, "delete")).values()
        assert (reply.status, reply.code, reply.message) == ("rejected", "404", words)


def test_a_removal_that_klaviyo_refuses_rejects_only_its_rows(tmp_path: Path) -> None:
    """The list may be gone: the rest of the push continues, and the removal is sent again."""
    esp = Esp("klaviyo", tmp_path)
    esp.send(esp.row(ANN))

    def without_list(request: httpx.Request) -> httpx.Response:
        if request.method == "DELETE":
            return answer(404, {"errors": [ERROR]})
        return esp.sandbox.transport().handle_request(request)

    esp.connection = Connection(transport=httpx.MockTransport(without_list), sleep=esp.sleep)
    esp.opened = esp.open()
    (reply,) = esp.send(esp.row(ANN, "remove")).values()
    assert (reply.status, reply.code, reply.message) == ("rejected", "404", ERROR["detail"])


def job_of(esp: Esp, operation: Operation, response: str, status: int = 404) -> list[Answer]:
    """The answer of a row with this result in its job at Mailchimp."""
    batch = Batch("b", "mailchimp", "vips", operation, [esp.row(ANN, operation)])
    (sent,) = esp.opened.send(batch)
    result = {"status_code": status, "operation_id": batch.rows[0].outbox_id, "response": response}
    esp.account.jobs[str(sent.reference).rpartition("/")[2]]["file"] = packed([result])
    esp.sleep(10)
    return list(esp.opened.settle(batch, str(sent.reference)))


@pytest.mark.parametrize("operation", LEAVING)
@pytest.mark.parametrize("response", ["", "<html>404</html>", "[]", "{}", json.dumps({"title": "No"})])
def test_a_404_in_a_mailchimp_job_counts_only_with_mailchimps_body(
    tmp_path: Path, operation: Operation, response: str
) -> None:
    esp = Esp("mailchimp", tmp_path)
    assert [(reply.status, reply.code) for reply in job_of(esp, operation, response)] == [("rejected", "404")]


@pytest.mark.parametrize("operation", LEAVING)
def test_mailchimp_lacks_a_member_only_while_its_audience_is_there(
    tmp_path: Path, operation: Operation
) -> None:
    esp = Esp("mailchimp", tmp_path)
    own = json.dumps({"title": "Resource Not Found", "status": 404, "detail": "Not there.", "type": "x"})
    assert [reply.status for reply in job_of(esp, operation, own)] == ["accepted"]
    n_requests = esp.sandbox.requests["mailchimp", "GET", "/lists/sandbox"]
    assert n_requests == 1, "once a job"

    is_gone: list[bool] = []

    def without_list(request: httpx.Request) -> httpx.Response:
        if is_gone and request.url.path.endswith("/lists/sandbox"):
            return answer(404, {"title": "Resource Not Found", "status": 404})
        return esp.sandbox.transport().handle_request(request)

    esp.connection = Connection(transport=httpx.MockTransport(without_list), sleep=esp.sleep)
    esp.opened = esp.open()
    is_gone.append(True)
    assert [(reply.status, reply.code) for reply in job_of(esp, operation, own)] == [("rejected", "404")]
    assert _hash(ANN) not in str(esp.sandbox.requests)


def test_klaviyo_removes_only_requested_profiles_from_a_list(tmp_path: Path) -> None:
    """A look-up may return other profiles than requested."""
    esp = Esp("klaviyo", tmp_path)
    esp.send(esp.row(ANN), esp.row("bob@x.de"))
    bob = esp.account.find("bob@x.de")
    assert bob

    def crooked(request: httpx.Request) -> httpx.Response:
        if request.method == "GET" and request.url.path.endswith("/api/profiles"):
            reply = {"type": "profile", "id": bob.profile_id, "attributes": {"email": "bob@x.de"}}
            return answer(200, {"data": [reply], "links": {"self": "x"}})
        return esp.sandbox.transport().handle_request(request)

    esp.connection = Connection(transport=httpx.MockTransport(crooked), sleep=esp.sleep)
    esp.opened = esp.open()
    esp.send(esp.row(ANN, "remove"))
    assert "bob@x.de" in esp.emails()


def test_hubspot_names_unknown_addresses(tmp_path: Path) -> None:
    """A look-up that names no address, as found or as missing, changes none of them."""
    esp = Esp("hubspot", tmp_path)
    esp.send(esp.row(ANN))

    def silent(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/batch/read"):
            return answer(200, {"status": "COMPLETE", "results": []})
        return esp.sandbox.transport().handle_request(request)

    esp.connection = Connection(transport=httpx.MockTransport(silent), sleep=esp.sleep)
    esp.opened = esp.open()
    for operation in LEAVING:
        (reply,) = esp.send(esp.row(ANN, operation)).values()
        assert (reply.status, reply.code) == ("rejected", "not_answered")


@pytest.mark.slow
@pytest.mark.parametrize("destination", DESTINATIONS)
def test_an_invalid_answer_does_not_count_as_no_refusal(tmp_path: Path, destination: str) -> None:
    esp = known(destination, tmp_path)
    for reason in ("unsubscribed", "bounced", "complained"):
        esp.account.refuse(ANN, reason)
    whole = len(list(esp.opened.refusals(NOW)))
    # HubSpot may have retired the timeline of complaints. An empty answer is a page of none of them.
    for name, at in product(NO_WORD.keys() - {"no_category"}, range(4)):
        transport = Instead(esp.sandbox.transport(), at, NO_WORD[name])
        esp.connection = Connection(transport=transport, sleep=esp.sleep, attempts=3)
        try:
            reply = list(validated_answers(partial(esp.open().refusals, NOW)))
        except (StoppedError, NotUnderstoodError):
            continue
        assert len(reply) == whole, f"{name}, from request {at + 1} on"


def refusing(status: int, body: Any) -> Callable[[], None]:
    def ask() -> None:
        raise RefusedError(status, body)

    return ask


def test_only_the_vendors_404_means_that_a_person_is_missing() -> None:
    def says(body: Any) -> bool:
        return bool(body["code"] == "gone")

    assert was_found(lambda: None, says)
    assert not was_found(refusing(404, {"code": "gone"}), says)
    for status, body in (
        (404, {"code": "no"}),
        (404, None),
        (404, "gone"),
        (404, []),
        (410, {"code": "gone"}),
    ):
        with pytest.raises(RefusedError):
            was_found(refusing(status, body), says)

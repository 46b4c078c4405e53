"""All requests have what the vendors' documents require, and the sandbox refuses requests without it."""

import copy
import importlib
import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import flask
import httpx
import pytest
from test_destinations import DESTINATIONS, NOW, Esp

from mailroom.activation.api import Connection
from mailroom.sandbox import Account
from mailroom.sandbox.required import Required, has

# Requests of other clients only, or requests that must never be made.
NOT_OURS = {
    "klaviyo": {
        "POST /api/lists/<key>/relationships/profiles", "POST /api/profiles", "PATCH /api/profiles/<key>",
        "POST /api/profile-subscription-bulk-create-jobs",
    },
    "hubspot": {"POST /crm/objects/2026-03/contacts/batch/upsert"},
}  # fmt: skip


class Kept(httpx.BaseTransport):
    """Records the bodies that are sent, by method and route."""

    def __init__(self, esp: Esp) -> None:
        self.transport, self.requests = esp.sandbox.transport(), dict[str, httpx.Request]()
        self.refused: list[str] = []
        app = flask.Flask(__name__)
        module = importlib.import_module(f"mailroom.sandbox.{esp.name}")
        app.register_blueprint(module.routes(Account(esp.name)))
        self.urls = app.url_map.bind("sandbox")

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        path = "/" + request.url.path.lstrip("/").partition("/")[2]
        rule, _ = self.urls.match(path, request.method, return_rule=True)
        response = self.transport.handle_request(request)
        if request.content:
            name = f"{request.method} {rule.rule.removeprefix('/api/3').rstrip('/')}"
            self.requests.setdefault(name, request)
            if response.status_code == 400:
                self.refused.append(name)
        return response


def all_requests(esp: Esp) -> Kept:
    kept = Kept(esp)
    esp.connection = Connection(transport=kept, sleep=esp.sleep)
    esp.opened = esp.open()
    ann = "ann@x.de"
    esp.send(esp.row(ann, first_name="Ann", top_category="Tea"), esp.row("bob@x.de"))
    esp.send(esp.row(ann, "update", top_category=None))
    for more in ({}, {"subject_name": "Tea"}):  # the second time it is known
        esp.send(esp.row(ann, "send", slot="cart_1", **more))
    for operation in ("remove", "suppress", "delete"):
        esp.send(esp.row(ann, operation))
    list(esp.opened.refusals(NOW - timedelta(days=1)))
    return kept


def without(body: Any, name: str) -> Iterator[Any]:
    """Copies of the body without a member, one for each place of it."""
    head, _, rest = name.partition(".")
    key = head.removesuffix("[]")
    if not rest:
        yield {other: value for other, value in body.items() if other != key}
    elif head.endswith("[]"):
        for place, one in enumerate(body[key]):
            for less in without(one, rest):
                found = copy.deepcopy(body)
                found[key][place] = less
                yield found
    else:
        yield from ({**body, key: less} for less in without(body[key], rest))


@pytest.mark.parametrize("destination", DESTINATIONS)
def test_required_members_are_sent_and_less_is_refused(tmp_path: Path, destination: str) -> None:
    esp = Esp(destination, tmp_path)
    required: Required = importlib.import_module(f"mailroom.sandbox.{destination}").REQUIRED
    kept = all_requests(esp)
    assert kept.refused == []
    assert required.keys() - kept.requests.keys() == NOT_OURS.get(destination, set())
    n_less = 0
    for route, names in required.items():
        if route in NOT_OURS.get(destination, ()):
            continue
        request = kept.requests[route]
        body = json.loads(request.content)
        for name in names:
            assert has(body, name)
            for less in without(body, name):
                content = json.dumps(less).encode()
                headers = {**request.headers, "Content-Length": str(len(content))}
                sent = httpx.Request(request.method, request.url, headers=headers, content=content)
                answer = esp.sandbox.transport().handle_request(sent)
                assert answer.status_code in (400, 422), (route, name)
                n_less += 1
    assert n_less >= len(required)


BATCH = ("completedAt", "results", "startedAt", "status")
CONTACT = tuple(f"results[].{name}" for name in ("archived", "createdAt", "id", "properties", "updatedAt"))
ERROR = tuple(f"errors[].{name}" for name in ("category", "context", "errors", "links", "message", "status"))
PROPERTY = tuple(
    f"results[].{name}"
    for name in ("description", "fieldType", "groupName", "label", "name", "options", "type")
)
LIST = tuple(
    f"list.{name}"
    for name in ("listId", "listVersion", "name", "objectTypeId", "processingStatus", "processingType")
)
# What HubSpot's specification of version 2026-03 requires of its answers, by the end of the path. Its lists
# leave out empty members, although the specification requires them.
ANSWERS = {
    "/objects/2026-03/contacts/batch/create": BATCH + CONTACT, "/batch/read": BATCH + CONTACT,
    "/batch/update": BATCH + CONTACT, "/search": ("total", "results", *CONTACT),
    "/properties/2026-03/contacts/batch/create": BATCH + PROPERTY,
    "/properties/2026-03/contacts": ("results", *PROPERTY),
    "/groups": ("archived", "displayOrder", "label", "name"),
    "/groups/mailroom": ("archived", "displayOrder", "label", "name"), "/lists/2026-03": LIST,
    "/name/Mailroom vips": LIST, "/unsubscribe-all": BATCH,
}  # fmt: skip


def test_the_hubspot_sandbox_answers_with_all_that_the_specification_requires(tmp_path: Path) -> None:
    esp = Esp("hubspot", tmp_path)
    sandbox, seen = esp.sandbox.transport(), set()

    def checked(request: httpx.Request) -> httpx.Response:
        response = sandbox.handle_request(request)
        response.read()
        if response.content:
            body = response.json()
            names = next((n for end, n in ANSWERS.items() if request.url.path.endswith(end)), ())
            if response.status_code >= 400:
                names = ("category", "correlationId", "message")
            elif response.status_code == 207:
                names = (*BATCH, *CONTACT, "numErrors", *ERROR)
            seen.add(names)
            for name in names:
                assert has(body, name), (request.url.path, name)
        return response

    esp.connection = Connection(transport=httpx.MockTransport(checked), sleep=esp.sleep)
    for _ in range(2):
        esp.opened = esp.open()
        esp.send(esp.row("ann@x.de", first_name="Ann"), esp.row("ann@fails.example"), esp.row("nowhere"))
        for operation in ("update", "suppress", "remove", "delete"):
            esp.send(esp.row("ann@x.de", operation), esp.row("bob@x.de", operation))
        list(esp.opened.refusals(NOW - timedelta(days=1)))
    assert len(seen) >= 8


def test_members_of_each_item_and_of_an_empty_list() -> None:
    assert has({"a": [{"b": None}, {"b": {"c": 1}}]}, "a[].b") and has({"a": []}, "a[].b")
    bodies: list[Any] = [{"a": [{}]}, {"a": None}, {"a": {"b": 1}}, {}, None, []]
    for body in bodies:
        assert not has(body, "a[].b")

"""What goes to Klaviyo is valid by Klaviyo's own document, and so is what the sandbox answers in its
place."""

import json
import re
from collections import Counter
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import pytest
from jsonschema import ValidationError
from openapi_schema_validator import OAS30Validator
from test_destinations import NOW, Esp

from conftest import PROJECT
from mailroom.activation.api import Connection
from mailroom.activation.destinations import open_destination

DOCUMENT = PROJECT.parent / "shared" / "esp" / "klaviyo-openapi.json"
pytestmark = pytest.mark.skipif(
    not DOCUMENT.exists(), reason=f"needs {DOCUMENT.name}, Klaviyo's own document"
)


@cache
def document() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(DOCUMENT.read_text())
    return found


def resolved(part: Any) -> Any:
    while isinstance(part, dict) and "$ref" in part:
        target: Any = document()
        for name in part["$ref"].removeprefix("#/").split("/"):
            target = target[name]
        part = target
    return part


def unknown(body: Any, schema: Any, place: str = "") -> list[str]:
    """Names in a body that its schema does not have; where a schema names none, any will do."""
    schema = resolved(schema)
    if "allOf" in schema:
        by_part = [set(unknown(body, part, place)) for part in schema["allOf"]]
        return sorted(set.intersection(*by_part))
    found = []
    if isinstance(body, dict) and (known := schema.get("properties")):
        for name, value in body.items():
            if name in known:
                found += unknown(value, known[name], f"{place}/{name}")
            else:
                found.append(f"{place}/{name}")
    if isinstance(body, list) and "items" in schema:
        for value in body:
            found += unknown(value, schema["items"], f"{place}/*")
    return found


class Checked(httpx.BaseTransport):
    """Hands on what is valid by the document, and takes back what is."""

    def __init__(self, transport: httpx.BaseTransport) -> None:
        self.transport = transport
        self.seen: Counter[tuple[str, str]] = Counter()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path.removeprefix("/klaviyo")
        (template,) = (
            found for found in document()["paths"] if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", found), path)
        )
        operation = document()["paths"][template][request.method.lower()]
        self.seen[request.method, template] += 1
        parameters = {
            (told["in"], told["name"]): told for told in map(resolved, operation.get("parameters", []))
        }
        for (where, name), told in parameters.items():
            if told.get("required") and where == "header":
                assert request.headers.get(name), f"{template} needs header {name}"
        for name, value in request.url.params.items():
            told = parameters["query", name]
            schema = resolved(told["schema"])
            typed: Any = int(value) if schema["type"] == "integer" else value
            self.check(value.split(",") if schema["type"] == "array" else typed, schema)
            if name == "filter":
                field, operator = re.match(r"[\w-]+\(([\w.]+),", value)[1], value.split("(")[0]  # type: ignore[index]
                assert re.search(rf"`{re.escape(field)}`: [^<]*`{operator}`", told["description"]), value
        if request.content:
            content = resolved(operation["requestBody"])["content"]
            self.check(json.loads(request.content), content[request.headers["Content-Type"]]["schema"])
        response = self.transport.handle_request(request)
        response.read()
        if response.content:
            told = operation["responses"].get(str(response.status_code)) or operation["responses"]["4XX"]
            self.check(response.json(), next(iter(resolved(told)["content"].values()))["schema"])
        return response

    def check(self, body: Any, schema: Any) -> None:
        OAS30Validator({"allOf": [schema], "components": document()["components"]}).validate(body)
        assert unknown(body, schema) == []


@pytest.fixture
def checked(tmp_path: Path) -> tuple[Esp, Checked]:
    esp = Esp("klaviyo", tmp_path)
    transport = Checked(esp.sandbox.transport())
    esp.connection = Connection(transport=transport, sleep=esp.sleep)
    esp.opened = open_destination("klaviyo", tmp_path, esp.connection)
    return esp, transport


def test_every_request_and_answer_is_as_klaviyo_has_it(checked: tuple[Esp, Checked]) -> None:
    esp, transport = checked
    emails = [f"who{number}@x.de" for number in range(120)]
    esp.send(
        *[esp.row(email, first_name="Ann", n_orders=3, top_category="Tea") for email in emails],
        esp.row("nowhere"),
        *[esp.row(f"{number}@fails.example") for number in range(101)],
    )
    esp.send(esp.row(emails[0], "update", top_category=None, first_name="Anne", churn_band="high"))
    esp.send(*[esp.row(email, "remove") for email in emails])
    esp.send(*[esp.row(email, "suppress") for email in emails])
    esp.send(esp.row(emails[0], "delete"))
    for email, reason in zip(emails[1:4], ("unsubscribed", "bounced", "complained"), strict=True):
        esp.account.refuse(email, reason)
    assert len(list(esp.opened.refusals(NOW - timedelta(days=1)))) == 3
    assert len(transport.seen) == 10, "every kind of request was made"


def test_an_invalid_request_would_be_seen(checked: tuple[Esp, Checked]) -> None:
    """Else the test above would pass whatever is sent."""
    api = checked[0].opened.api  # type: ignore[attr-defined]
    for method, path, json_, params in (
        ("POST", "/api/lists", {"data": {"type": "lists", "attributes": {"name": "x"}}}, None),
        ("POST", "/api/lists", {"data": {"type": "list", "attributes": {"name": "x", "more": 1}}}, None),
        ("POST", "/api/lists", {"data": {"type": "list"}}, None),
        ("GET", "/api/profiles", None, {"page[size]": 101}),
        ("GET", "/api/profiles", None, {"filter": 'contains(email,"x")'}),
        ("GET", "/api/profile", None, None),
    ):
        with pytest.raises((ValidationError, AssertionError, ValueError)):
            api.call(method, path, json_, params)

"""Requests to Klaviyo, and the answers of its sandbox, are valid by Klaviyo's API specification."""

import json
import re
from collections import Counter
from collections.abc import Iterable
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
from mailroom.activation.api import Api, Connection
from mailroom.activation.destinations import open_destination
from mailroom.activation.rows import TellsResubscriptions
from mailroom.sandbox import Sandbox
from mailroom.sandbox.klaviyo import RATES_BELOW

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
    """Names in a body that its schema lacks. A schema without names allows any."""
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


def template_of(path: str) -> str:
    """The path template of the specification."""
    (template,) = (
        found for found in document()["paths"] if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", found), path)
    )
    return str(template)


class Checked(httpx.BaseTransport):
    """Passes on requests and answers that are valid by the specification."""

    def __init__(self, transport: httpx.BaseTransport) -> None:
        self.transport = transport
        self.seen: Counter[tuple[str, str]] = Counter()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        template = template_of(request.url.path.removeprefix("/klaviyo"))
        operation = document()["paths"][template][request.method.lower()]
        self.seen[request.method, template] += 1
        parameters = {
            (parameter["in"], parameter["name"]): parameter
            for parameter in map(resolved, operation.get("parameters", []))
        }
        for (where, name), parameter in parameters.items():
            if parameter.get("required") and where == "header":
                assert request.headers.get(name), f"{template} needs header {name}"
        for name, value in request.url.params.items():
            parameter = parameters["query", name]
            schema = resolved(parameter["schema"])
            typed: Any = int(value) if schema["type"] == "integer" else value
            self.check(value.split(",") if schema["type"] == "array" else typed, schema)
            if name == "filter":
                field, operator = re.match(r"[\w-]+\(([\w.]+),", value)[1], value.split("(")[0]  # type: ignore[index]
                assert re.search(rf"`{re.escape(field)}`: [^<]*`{operator}`", parameter["description"]), value
        if request.content:
            content = resolved(operation["requestBody"])["content"]
            self.check(json.loads(request.content), content[request.headers["Content-Type"]]["schema"])
        response = self.transport.handle_request(request)
        response.read()
        if response.content:
            documented = (
                operation["responses"].get(str(response.status_code)) or operation["responses"]["4XX"]
            )
            self.check(response.json(), next(iter(resolved(documented)["content"].values()))["schema"])
        return response

    def check(self, body: Any, schema: Any) -> None:
        OAS30Validator({"allOf": [schema], "components": document()["components"]}).validate(body)
        # Some errors have a meta in Klaviyo's guide to errors, but not in its specification.
        assert set(unknown(body, schema)) <= {"/errors/*/meta"}


@pytest.fixture
def checked(tmp_path: Path) -> tuple[Esp, Checked]:
    esp = Esp("klaviyo", tmp_path)
    transport = Checked(esp.sandbox.transport())
    esp.connection = Connection(transport=transport, sleep=esp.sleep)
    esp.opened = open_destination("klaviyo", tmp_path, esp.connection)
    return esp, transport


def test_every_request_and_answer_is_as_klaviyo_documents_it(checked: tuple[Esp, Checked]) -> None:
    esp, transport = checked
    emails = [f"who{number}@x.de" for number in range(120)]
    esp.send(
        *[esp.row(email, first_name="Ann", n_orders=3, top_category="Tea") for email in emails],
        esp.row("nowhere"),
        *[esp.row(f"{number}@fails.example") for number in range(101)],
    )
    esp.send(esp.row(emails[0], "update", top_category=None, first_name="Anne", churn_band="high"))
    for _ in range(2):
        esp.send(*[esp.row(email, "send", slot="cart_1", subject_name="the cart") for email in emails])
    esp.send(*[esp.row(email, "remove") for email in emails])
    esp.send(*[esp.row(email, "suppress") for email in emails])
    esp.send(esp.row(emails[0], "delete"))
    for email, reason in zip(emails[1:4], ("unsubscribed", "bounced", "complained"), strict=True):
        esp.account.refuse(email, reason)
    assert len(list(esp.opened.refusals(NOW - timedelta(days=1)))) == 3
    esp.account.confirm(emails[1])
    assert isinstance(esp.opened, TellsResubscriptions)
    assert [yes.email for yes in esp.opened.resubscriptions(emails)] == [emails[1]]
    assert len(transport.seen) == 12, "every kind of request was made"


def test_other_answers_of_the_sandbox_are_as_klaviyo_documents_them(checked: tuple[Esp, Checked]) -> None:
    """Requests of other clients, and requests that must never be made."""
    _, transport = checked
    headers = {
        "Authorization": "Klaviyo-API-Key k",
        "revision": "r",
        "Content-Type": "application/vnd.api+json",
    }
    ann = {"type": "profile", "attributes": {"email": "ann@x.de", "properties": {"colour": "red"}}}
    jobs = {"data": {"type": "profile-subscription-bulk-create-job", "attributes": {"profiles": {"data": [{
        "type": "profile", "attributes": {"email": "ann@x.de", "subscriptions": {"email": {"marketing": {
            "consent": "SUBSCRIBED"}}}}}]}}}}  # fmt: skip
    with httpx.Client(transport=transport, headers=headers, base_url="http://sandbox/klaviyo/api") as client:

        def request(method: str, path: str, body: Any) -> httpx.Response:
            return client.request(method, path, content=json.dumps(body))

        made = request("POST", "/profiles", {"data": ann}).json()["data"]["id"]
        assert request("POST", "/profiles", {"data": ann}).status_code == 409
        assert request("PATCH", f"/profiles/{made}", {"data": {"id": made, **ann}}).status_code == 200
        assert request("PATCH", "/profiles/none", {"data": {"id": "none", **ann}}).status_code == 404
        new = {"data": {"type": "list", "attributes": {"name": "x"}}}
        group = request("POST", "/lists", new).json()["data"]["id"]
        on = {"data": [{"type": "profile", "id": made}]}
        assert request("POST", f"/lists/{group}/relationships/profiles", on).status_code == 204
        assert request("POST", "/profile-subscription-bulk-create-jobs", jobs).status_code == 202
        assert client.get("/profile-bulk-import-jobs/none").status_code == 404
        assert client.get("/lists", headers={"Authorization": ""}).status_code == 401
        assert client.get("/lists", params={"filter": 'equals(id,["x"])'}).status_code == 400


def per_second(rates: Iterable[tuple[int, float]]) -> dict[float, float]:
    """Maximum requests, by seconds."""
    return {seconds: requests for requests, seconds in rates}


def test_each_endpoint_has_the_rate_limit_that_klaviyo_documents(
    checked: tuple[Esp, Checked], monkeypatch: pytest.MonkeyPatch
) -> None:
    esp, _ = checked
    paced: dict[tuple[str, str], dict[float, float]] = {}
    once = Api.once

    def noted(self: Api, method: str, path: str, *args: Any) -> Any:
        rates = per_second((rate.limit, rate.interval / 1_000) for rate in self.rates)
        paced[method, template_of(path)] = rates
        return once(self, method, path, *args)

    monkeypatch.setattr(Api, "once", noted)
    esp.send(esp.row("ann@x.de", first_name="Ann"), esp.row("later@fails.example"))
    for operation in ("send", "send", "remove", "suppress", "delete"):
        esp.send(esp.row("ann@x.de", operation))
    list(esp.opened.refusals(NOW))
    assert len(paced) == 12
    for (method, template), rates in paced.items():
        description = document()["paths"][template][method.lower()]["description"]
        burst, steady = (
            int(re.search(rf"{name}: `(\d+)/{unit}`", description)[1])  # type: ignore[index]
            for name, unit in (("Burst", "s"), ("Steady", "m"))
        )
        assert rates[1] <= burst and rates[60] <= steady, template
    assert per_second(RATES_BELOW["/api/data-privacy-deletion-jobs"]) == {1: 3, 60: 60}


def test_the_sandbox_has_limits_below_some_paths() -> None:
    sandbox = Sandbox(is_limited=True)
    headers = {"Authorization": "Klaviyo-API-Key k", "revision": "r"}
    body = {"data": {"type": "data-privacy-deletion-job", "attributes": {"profile": {"data": {
        "type": "profile", "attributes": {"email": "ann@x.de"}}}}}}  # fmt: skip
    with httpx.Client(transport=sandbox.transport(), headers=headers) as client:
        url = "http://sandbox/klaviyo/api/"
        statuses = [client.post(f"{url}data-privacy-deletion-jobs", json=body).status_code for _ in range(4)]
        lists = client.get(f"{url}lists", params={"filter": 'equals(name,"x")'})
    assert statuses == [202, 202, 202, 429] and lists.status_code == 200


def test_an_invalid_request_is_detected(checked: tuple[Esp, Checked]) -> None:
    """Otherwise the test above would pass for any request."""
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

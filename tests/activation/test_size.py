"""The size of a row is an upper bound of its bytes in a request, and a close one: no batch exceeds an API's
limit, and none is much smaller."""

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_destinations import Esp

from mailroom.activation.api import Connection, json_bytes
from mailroom.activation.push import batches
from mailroom.activation.rows import Operation

NAMES = ["first_name", "n_orders", "top_category", "churn_band", "expected_revenue_365d", "likes"]
VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(st.characters(exclude_categories=["Cs"])),
    st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=5), max_size=3),
)
PAYLOADS = st.dictionaries(st.sampled_from(NAMES), VALUES)
# The request of each destination's rows, and their place in it.
IMPORTS: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "klaviyo": ("/profile-bulk-import-jobs", lambda body: body["data"]["attributes"]["profiles"]["data"]),
    "brevo": ("/contacts/import", lambda body: body["jsonBody"]),
    "activecampaign": ("/bulk_import", lambda body: body["contacts"]),
}


def encoded(record: Any) -> int:
    return len(json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode()) + 1


@given(PAYLOADS)
def test_the_size_of_fields_is_an_upper_bound(payload: dict[str, Any]) -> None:
    as_texts = {
        name: value if isinstance(value, str) else json.dumps(value) for name, value in payload.items()
    }
    exact = max(encoded(fields) - 3 for fields in (payload, as_texts))
    assert exact <= json_bytes(payload)
    # An escape in a text within a text takes two more bytes.
    assert json_bytes(payload) <= exact + 2 * len(payload) + sum(
        2 * len(json.dumps(value)) for value in payload.values() if isinstance(value, list)
    )


@pytest.mark.parametrize("destination", IMPORTS)
@settings(max_examples=40)
@given(payloads=st.lists(PAYLOADS, min_size=1, max_size=6))
def test_a_batch_is_no_larger_than_its_computed_size(
    destination: str, payloads: list[dict[str, Any]]
) -> None:
    esp = Esp(destination, Path("unused"))
    path, records_of = IMPORTS[destination]
    bodies: list[bytes] = []
    sandbox = esp.sandbox.transport()

    def kept(request: httpx.Request) -> httpx.Response:
        if request.method == "POST" and request.url.path.endswith(path):
            bodies.append(request.content)
        return sandbox.handle_request(request)

    esp.connection = Connection(transport=httpx.MockTransport(kept), sleep=esp.sleep)
    esp.opened = esp.open()
    rows = [esp.row(f"who{number}@x.de", **payload) for number, payload in enumerate(payloads)]
    esp.send(*rows)
    measured = sum(esp.opened.size(row) for row in rows)
    for body in bodies:
        assert sum(map(encoded, records_of(json.loads(body)))) <= measured
        # 1,000 bytes, or 100, are reserved for the envelope.
        assert len(body) <= measured + (100 if destination == "activecampaign" else 1_000)


@pytest.mark.parametrize("destination", ["klaviyo", "activecampaign"])
@pytest.mark.parametrize("text", ["x", "ü", '"', "\x01", "日"])
def test_batches_are_split_before_a_request_is_too_large(destination: str, text: str) -> None:
    """And as late as possible: requests use most of the limit."""
    esp = Esp(destination, Path("unused"))
    operation: Operation = "add"
    limit = esp.opened.limits(operation).bytes or 0
    row = esp.row("ann@x.de", operation, top_category=text * 3_000)
    rows = [dataclasses.replace(row, outbox_id=str(number)) for number in range(2_000)]
    (first, _), *_ = batches(rows, esp.opened)
    size = encoded(text * 3_000)
    assert limit * 0.8 < size * len(first.rows) <= limit or len(first.rows) == esp.opened.limits("add").rows

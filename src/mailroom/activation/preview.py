"""Preview of a dry run: the requests of a batch, without personal data.

The destination makes real requests with masked rows, and sends them to a sandbox in this process.
"""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import httpx

from mailroom.activation.api import Connection
from mailroom.activation.destinations import open_destination
from mailroom.activation.rows import Batch, Row, masked

SHOWN = 2  # elements of a list


class Recorder(httpx.BaseTransport):
    """Passes requests on to another transport and records them while is_on."""

    def __init__(self, transport: httpx.BaseTransport) -> None:
        self.transport = transport
        self.is_on = False
        self.requests: list[str] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Pass the request on."""
        if self.is_on:
            path = httpx.URL(request.url).raw_path.decode()
            self.requests.append(f"{request.method} /{path.lstrip('/').partition('/')[2]}")
            if request.content:
                is_form = "form" in request.headers.get("Content-Type", "")
                text = request.content.decode()
                body = dict(parse_qsl(text)) if is_form else json.loads(text)
                self.requests[-1] += "\n" + json.dumps(_cut(body), indent=2, ensure_ascii=False)
        return self.transport.handle_request(request)


def dry_connection() -> Connection:
    """Return a connection to a sandbox in this process."""
    from mailroom.sandbox import Sandbox  # imported late, as Flask is only needed here

    return Connection(transport=Recorder(Sandbox().transport()), sleep=lambda seconds: None)


def preview(batch: Batch, folder: Path) -> list[str]:
    """Return the requests of a batch as text: method, path, and the body with SHOWN elements of each list.
    Empty for a destination without requests."""
    connection = dry_connection()
    recorder = connection.transport
    opened = open_destination(batch.destination, folder, connection)
    if not isinstance(recorder, Recorder) or not hasattr(opened, "api"):
        return []
    rows = [_masked(row, place) for place, row in enumerate(batch.rows, 1)]
    if batch.operation != "add":
        # The sandbox must know the people first, or there would be nothing to do.
        known = [replace(row, operation="add", audience=row.audience or "everywhere") for row in rows]
        list(opened.send(replace(batch, operation="add", audience=known[0].audience, rows=known)))
    recorder.is_on = True
    list(opened.send(replace(batch, rows=rows)))
    return recorder.requests


def _masked(row: Row, place: int) -> Row:
    """Return a row without personal data. The number keeps addresses distinct."""
    return replace(
        row,
        email=masked(row.email).replace("@", f"{place}@"),
        customer_id="***",
        payload={name: _hidden(value) for name, value in row.payload.items()},
    )


def _hidden(value: Any) -> Any:
    if isinstance(value, str):
        return "***"
    return value if value is None or isinstance(value, bool) else 0


def _cut(body: Any) -> Any:
    if isinstance(body, dict):
        return {name: _cut(value) for name, value in body.items()}
    if isinstance(body, list):
        more = [f"… and {len(body) - SHOWN:,} more"] if len(body) > SHOWN else []
        return [_cut(value) for value in body[:SHOWN]] + more
    return body

"""Required members of requests, by the vendors' documents. A laxer sandbox would hide requests that a vendor
refuses."""

from collections.abc import Mapping, Sequence
from typing import Any

import flask

# Members by method and route: a dot for a nested name, [] for each item of a list.
Required = Mapping[str, Sequence[str]]


def lacking(required: Required, prefix: str) -> str | None:
    """Return the first missing member of this request, by its route without a prefix; None if complete."""
    rule = flask.request.url_rule.rule.removeprefix(prefix).rstrip("/") if flask.request.url_rule else ""
    wanted = required.get(f"{flask.request.method} {rule}", ())
    body = flask.request.get_json(force=True, silent=True) if wanted else None
    return next((name for name in wanted if not has(body, name)), None)


def has(body: Any, name: str) -> bool:
    """Return whether a body has a member. An empty list has all members of its items."""
    head, _, rest = name.partition(".")
    if not isinstance(body, dict) or head.removesuffix("[]") not in body:
        return False
    value = body[head.removesuffix("[]")]
    if head.endswith("[]"):
        return isinstance(value, list) and (not rest or all(has(one, rest) for one in value))
    return has(value, rest) if rest else True

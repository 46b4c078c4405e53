"""What a request must have by its vendor's document: a sandbox that takes less would hide what a vendor
refuses."""

from collections.abc import Mapping, Sequence
from typing import Any

import flask

# Members by method and path, as routes have it: a name within a name, [] for each of a list.
Required = Mapping[str, Sequence[str]]


def lacking(required: Required, prefix: str) -> str | None:
    """What this request lacks, by its route without a prefix; None where it has all."""
    rule = flask.request.url_rule.rule.removeprefix(prefix).rstrip("/") if flask.request.url_rule else ""
    wanted = required.get(f"{flask.request.method} {rule}", ())
    body = flask.request.get_json(force=True, silent=True) if wanted else None
    return next((name for name in wanted if not has(body, name)), None)


def has(body: Any, name: str) -> bool:
    """Whether a body has a member; of a list that is empty, each one has all."""
    head, _, rest = name.partition(".")
    if not isinstance(body, dict) or head.removesuffix("[]") not in body:
        return False
    value = body[head.removesuffix("[]")]
    if head.endswith("[]"):
        return isinstance(value, list) and (not rest or all(has(one, rest) for one in value))
    return has(value, rest) if rest else True

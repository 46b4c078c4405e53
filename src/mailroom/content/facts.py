"""Facts about a customer, as a message may use them.

Values come from raw data: a fact that is blank, or not of its kind, counts as missing. No sentence repeats a
value.
"""

import json
import math
import re
import unicodedata
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any
from urllib.parse import urlsplit

from mailroom.content.model import ContentError, Fact
from mailroom.content.source import did_you_mean

KINDS = ("text", "money", "date", "number", "percent", "products", "url")
PRODUCT_KEYS = ("name", "price", "was_price", "image_url", "url")
# Marks of a direction can turn the text around them. Joiners stay: emoji and Persian need them.
LEFT_OUT = re.compile("[\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff\u00ad]")
TO_SPACE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
# An ESP renders what it gets once more: a name with its marks of a merge tag must not become one.
MERGE_MARKS = re.compile(r"\{[{%#]+|[}%#]+\}|\}\}+|\[\[+|\]\]+|\*\||\|\*")
NO_URL = re.compile(r"[\s\"'<>\\`{}|^\x00-\x20\x7f-\x9f]")


def clean_text(value: str) -> str:
    """Return a text in one line, without characters that steer what is around it."""
    text = value.encode("utf-8", "replace").decode()  # half a surrogate pair
    text = LEFT_OUT.sub("", TO_SPACE.sub(" ", text))
    while MERGE_MARKS.search(text):
        text = MERGE_MARKS.sub(lambda found: "" if "%" in found[0] else found[0][0], text)
    return " ".join(text.split())


def is_blank(text: str) -> bool:
    """Whether a text shows nothing: spaces, marks and invisible letters only."""
    return all(unicodedata.category(one)[0] in "ZC" or one in "\u3164\u115f\u1160\uffa0" for one in text)


def https_url(value: object) -> str | None:
    """Return an absolute https link without a password or odd characters, or None."""
    text = value.strip() if isinstance(value, str) else ""
    if NO_URL.search(text):
        return None
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        return None
    is_good = parts.scheme == "https" and parts.hostname and parts.username is None and port != 0
    return text if is_good and "." in str(parts.hostname) else None


def number(value: object) -> int | float | None:
    """Return a finite number, also of a text; a whole one as int."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        found = float(value)
    except (ValueError, OverflowError):
        return None
    if not math.isfinite(found) or abs(found) >= 1e15:
        return None
    return int(found) if found == int(found) else found


def _day(value: object) -> str | None:
    if isinstance(value, datetime | date):
        return value.isoformat()[:10]
    try:
        return date.fromisoformat(value[:10]).isoformat() if isinstance(value, str) else None
    except ValueError:
        return None


def _text(value: object) -> str | None:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    text = clean_text(str(value))
    return None if is_blank(text) else text


def _products(value: object) -> list[dict[str, Any]] | None:
    found = []
    for one in value if isinstance(value, list | tuple) else []:
        if not isinstance(one, Mapping):
            continue
        name, price, url = _text(one.get("name")), _not_negative(one.get("price")), https_url(one.get("url"))
        if name is None or price is None or url is None:
            continue
        was = _not_negative(one.get("was_price"))
        product = {
            "name": name,
            "price": price,
            "was_price": was if was is not None and was > price else None,
        }
        found.append({**product, "image_url": https_url(one.get("image_url")), "url": url})
    return found or None


def _not_negative(value: object) -> int | float | None:
    found = number(value)
    return found if found is not None and found >= 0 else None


READERS = {
    "text": _text,
    "money": number,
    "date": _day,
    "number": number,
    "percent": number,
    "products": _products,
    "url": https_url,
}


def usable(facts: Mapping[str, Any], known: Mapping[str, Fact]) -> dict[str, Any]:
    """Return the facts that a message may use: known, not blank, and of their kind.

    Raises:
        ContentError: a fact is not in facts.yml.
    """
    unknown = [name for name in facts if name not in known]
    if unknown:
        raise ContentError(
            *(f"The fact {name} is not in facts.yml.{did_you_mean(name, known)}" for name in unknown)
        )
    read = {name: READERS[known[name].kind](value) for name, value in facts.items()}
    return {name: value for name, value in read.items() if value is not None}


def parse(text: str) -> dict[str, Any]:
    """Read facts from JSON.

    Raises:
        ContentError: it is no JSON object. The message holds none of its values.
    """
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        line = getattr(error, "lineno", 1)
        raise ContentError(f"The facts are not JSON, see line {line}.") from None
    if not isinstance(found, dict):
        raise ContentError('The facts must be one JSON object, such as {"first_name": "Ada"}.')
    return found

"""What a destination says, without the people in it.

An error may repeat what it is about: an address in any coding, a phone number, the value of a field. Whatever
is written down or printed of it goes through here, first scrubbed, then cut: a cut address is still one.
"""

import hashlib
import html
import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from typing import Any
from urllib.parse import unquote

from mailroom.activation.rows import Row

MOST = 300  # characters that are kept
TOO_LONG = 20_000  # characters that are no message any more, but a page
CODINGS = 8  # inside each other
SHORTEST_VALUE = 3  # characters
ESCAPED = re.compile(r"(?:\\+|%)u\{?([0-9a-fA-F]{4,6})\}?|\\+x([0-9a-fA-F]{2})")
AT = re.compile(r"\s*@[\s@]*")
ENDS_WORD = frozenset('<>()[]{},;:"|')
# A + and seven digits or more, or nine or more without one; not a date, an id, or part of either.
PHONE = re.compile(
    r"(?<![\w-])(?!\d{4}-\d\d-\d\d)(?:\+ ?\d(?:[ ()./-]{0,2}\d){6,}|\d(?:[ ()./-]{0,2}\d){8,})"
)
WORD = re.compile(r"\w+")
AN_ADDRESS, A_NUMBER, A_VALUE = "(an address)", "(a number)", "(a value)"
Words = tuple[str, ...]


def words(body: Any) -> str:
    """What an error says, in its own words: the first of what it calls a detail, a message, a title."""
    while isinstance(body, dict | list):
        found = body[:1] if isinstance(body, list) else []
        if isinstance(body, dict):
            found = [
                body[name] for name in ("detail", "message", "title", "error", "errors") if body.get(name)
            ]
        if not found:
            break
        body = found[0]
    if body in (None, ""):
        return "(no words)"
    try:
        return str(body)
    except RecursionError:
        return "(nested too deep to show)"


class Scrubber:
    """Scrubs what was said about these rows: of their addresses and the texts of their fields, too."""

    def __init__(self, rows: Iterable[Row] = ()) -> None:
        self._rows = rows
        self._values: dict[str, list[Words]] | None = None  # by their first word; made once they are needed
        self._done: dict[str, str] = {}

    def message(self, said: Any) -> str | None:
        """What was said, without people; None for nothing."""
        if said is None:
            return None
        text = words(said)
        if text not in self._done:
            self._done[text] = self._message(text)
        return self._done[text]

    def _message(self, text: str) -> str:
        if len(text) > TOO_LONG:
            return f"(a text of {len(text):,} characters)"
        plain = _decoded(text)
        if plain is None:
            return "(a text in too many codings)"
        found = self._without_values(_without_addresses(plain))
        return " ".join(PHONE.sub(A_NUMBER, found).split())[:MOST]

    def _without_values(self, text: str) -> str:
        if self._values is None:
            self._values = _values(self._rows)
        if not self._values:
            return text
        found = list(WORD.finditer(text))
        said = [word.group().casefold() for word in found]
        pieces, shown, place = [], 0, 0
        while place < len(found):
            known = self._values.get(said[place], ())
            length = max((len(v) for v in known if v == tuple(said[place : place + len(v)])), default=0)
            if length:
                pieces += [text[shown : found[place].start()], A_VALUE]
                shown = found[place + length - 1].end()
            place += length or 1
        return "".join(pieces) + text[shown:]


@lru_cache(maxsize=1_000)
def without_addresses(said: Any) -> str:
    """A name that a destination gives, such as a job's, which has digits of its own: without addresses
    only, and as it is where there are none."""
    text = str(said)
    plain = _decoded(text)
    scrubbed = AN_ADDRESS if plain is None else _without_addresses(plain)
    return text if scrubbed == plain else scrubbed


def _decoded(text: str) -> str | None:
    """A text in plain characters: percent-encoding, escapes and entities decoded, however often they were
    put on one another, wide characters folded, invisible ones left out. None where it takes too long."""
    for _ in range(CODINGS):
        before = text
        text = html.unescape(unquote(ESCAPED.sub(_character, text)))
        text = unicodedata.normalize("NFKC", text.encode("utf-8", "replace").decode())
        kinds = ((char, unicodedata.category(char)) for char in text)
        text = "".join(" " if kind == "Cc" else char for char, kind in kinds if kind != "Cf")
        if text == before:
            return text
    return None


def _character(escaped: re.Match[str]) -> str:
    code = int(escaped[1] or escaped[2], 16)
    return chr(code) if code <= 0x10FFFF else " "


def _without_addresses(text: str) -> str:
    """What stands around every @: the word before it, in quotes or not, and the word after it."""
    pieces, shown = [], 0
    while at := AT.search(text, shown):
        start, end = _start(text, shown, at.start()), _end(text, at.end())
        local, domain = text[start : at.start()], text[at.end() : end]
        is_apart = at.group() != "@"
        has_top = re.search(r"\w\s*\.\s*\w", domain) is not None
        if (_says(local) and _says(domain) and has_top) or (not is_apart and (_says(local) or _says(domain))):
            pieces += [text[shown:start], AN_ADDRESS]
            shown = end - (len(domain) - len(domain.rstrip(".'!?")))
        else:
            pieces.append(text[shown : at.end()])
            shown = at.end()
    return "".join(pieces) + text[shown:]


def _start(text: str, first: int, at: int) -> int:
    """Where the local part before an @ begins, not before a place; `ann . smith` is one."""
    if text[first:at].endswith('"'):
        return max(text.rfind('"', first, at - 1), first)
    start = at
    while True:
        while start > first and _is_part(text[start - 1]):
            start -= 1
        before = len(text[:start].rstrip())
        is_split = before < start and (text[start : start + 1] == "." or text[before - 1 : before] == ".")
        if not is_split or before <= first:
            return start
        start = before


def _end(text: str, end: int) -> int:
    """Where the domain after an @ ends; `x . de` is one."""
    while True:
        while end < len(text) and _is_part(text[end]):
            end += 1
        split = re.compile(r"\s+\.\s*(?=\w)").match(text, end)
        if not split:
            return end
        end = split.end()


def _is_part(char: str) -> bool:
    return char not in ENDS_WORD and not char.isspace()


def _says(text: str) -> bool:
    return any(char.isalnum() for char in text)


def _values(rows: Iterable[Row]) -> dict[str, list[Words]]:
    """What the rows say of people, word by word: addresses, their local parts and hashes, texts of fields."""
    texts: set[str] = set()
    for row in rows:
        address = row.email.lower().encode("utf-8", "replace")
        texts |= {row.email, row.email.rpartition("@")[0], hashlib.sha256(address).hexdigest()}
        texts.add(hashlib.md5(address, usedforsecurity=False).hexdigest())
        texts.update(value for value in row.payload.values() if isinstance(value, str))
    found: dict[str, list[Words]] = {}
    for text in texts:
        if len(text.strip()) >= SHORTEST_VALUE:
            plain = unicodedata.normalize("NFKC", text)
            value = tuple(word.casefold() for word in WORD.findall(plain))
            if value and value not in found.setdefault(value[0], []):
                found[value[0]].append(value)
    return found

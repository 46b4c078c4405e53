"""What a destination says, without the people in it.

An error may repeat what it is about: an address in any coding, a name beside one, a phone number, the value
of a field, be it of the row that it answers or of somebody else. Whatever is written down or printed of it
goes through here, first scrubbed, then cut: a cut address is still one.
"""

import base64
import hashlib
import html
import re
import unicodedata
from collections.abc import Iterable
from contextlib import suppress
from functools import lru_cache
from typing import Any
from urllib.parse import unquote

from mailroom.activation.rows import Row

MOST = 300  # characters that are kept
TOO_LONG = 20_000  # characters that are no message any more, but a page
CODINGS = 8  # inside each other
SHORTEST_VALUE = 3  # characters
ESCAPED = re.compile(
    r"(?:\\+|%)u(?:([0-9a-fA-F]{4})|\{([0-9a-fA-F]{1,6})\})|\\+U([0-9a-fA-F]{8})|\\+x([0-9a-fA-F]{2})"
)
# An @ in octal, in UTF-7, in quoted-printable; and how people write it, and a dot.
OTHER_ATS = re.compile(
    r"\\+100|\+AEA-|=40(?=[a-zA-Z][\w-]*\.[a-zA-Z])|\s*(?:\(at\)|\[at\]|\{at\}|<at>)\s*", re.IGNORECASE
)
OTHER_DOTS = re.compile(r"\s*(?:\(dot\)|\[dot\]|\{dot\}|<dot>)\s*", re.IGNORECASE)
DASHES = dict.fromkeys((*range(0x2010, 0x2016), 0x2212), "-")
# What may be text in base 64 or 16, and what is a digest: of whose address, only that address would show.
ENCODED = re.compile(r"(?<![\w+/-])[A-Za-z0-9+/_-]{10,}={0,2}")
DIGEST = re.compile(r"(?<![\w-])(?:[0-9a-fA-F]{32}|[0-9a-fA-F]{40}|[0-9a-fA-F]{64})(?![\w-])")
# A name before an address, in quotes or before a bracket, and after one. No more is looked at than this.
LONGEST_NAME = 100
NAME_BEFORE = re.compile(
    r"""(?:"[^"]*\w[^"]*"[\s,]*[<(\[]?|(?:[^\s<>(){}\[\]:;=|"]+\s+){0,4}[^\s<>(){}\[\]:;=|"]*\s*[<(\[])"""
    r"\s*(?:mailto:)?$"
)
NAME_AFTER = re.compile(r"""\s*[>)\]]?\s*(?:\([^()]{1,100}\)|"[^"]{1,100}")""")
FURTHER_WORD = re.compile(r"(?:(?<=\b\w)\.)?[ ,]{0,2}([^\W\d_][\w'-]*)")
KEYED_NAME = (
    r"""[ _-]?name)["'\\]*\s*[:=]\s*(?:\\*"[^"]*"|'[^']*'(?!\w)|"""
    r"""(?:[^,;&<(){}\[\]"']|(?<=\w)'(?=\w)|,\s*(?-i:(?=[^\W\d_a-z])))+)"""
)
PART_OF_NAME = re.compile(
    rf"\b((?:first|last|full|given|family|sur|middle|display|nick|f|l){KEYED_NAME}", re.IGNORECASE
)
ANY_NAME = re.compile(rf"\b((?:|user|contact|customer|recipient|profile){KEYED_NAME}", re.IGNORECASE)
AT = re.compile(r"\s*@[\s@]*")
ENDS_WORD = frozenset('<>()[]{},;:"|')
# A + and seven digits or more, or nine or more without one; not a date, an id, or part of either.
PHONE = re.compile(
    r"(?<![\w-])(?!\d{4}-\d\d-\d\d)(?:\+ ?\d(?:[ ()./-]{0,2}\d){6,}|\d(?:[ ()./-]{0,2}\d){8,})"
)
WORD = re.compile(r"\w+")
AN_ADDRESS, A_NUMBER, A_VALUE = "(an address)", "(a number)", "(a value)"
Words = tuple[str, ...]


def error_text(body: Any) -> str:
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
        text = error_text(said)
        if text not in self._done:
            self._done[text] = self._message(text)
        return self._done[text]

    def _message(self, text: str) -> str:
        if len(text) > TOO_LONG:
            return f"(a text of {len(text):,} characters)"
        plain = _decoded(text)
        if plain is None:
            return "(a text in too many codings)"
        found = _without_addresses(plain)
        if found != plain:
            found = ANY_NAME.sub(rf"\1: {A_VALUE}", found)
        found = PART_OF_NAME.sub(rf"\1: {A_VALUE}", found)
        found = self._without_values(DIGEST.sub(A_VALUE, found))
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
        text = OTHER_DOTS.sub(".", OTHER_ATS.sub("@", text)).translate(DASHES)
        text = unicodedata.normalize("NFKC", text.encode("utf-8", "replace").decode())
        kinds = ((char, unicodedata.category(char)) for char in text)
        text = "".join(" " if kind == "Cc" else char for char, kind in kinds if kind != "Cf")
        if text == before:
            return text
    return None


def _character(escaped: re.Match[str]) -> str:
    code = int(escaped[escaped.lastindex or 0], 16)
    return chr(code) if code <= 0x10FFFF else " "


def _without_addresses(text: str) -> str:
    """What stands around every @: the word before it, in quotes or not, and the word after it; a name beside
    that; and what is an address in base 64 or 16."""
    text = ENCODED.sub(_encoded, text)
    pieces, shown = [], 0
    while at := AT.search(text, shown):
        start, end = _start(text, shown, at.start()), _end(text, at.end())
        local, domain = text[start : at.start()], text[at.end() : end]
        is_apart = at.group() != "@"
        has_top = re.search(r"\w\s*\.\s*\w", domain) is not None
        if (_says(local) and _says(domain) and has_top) or (not is_apart and (_says(local) or _says(domain))):
            end -= len(domain) - len(domain.rstrip(".'!?"))
            start, end = _name_start(text, shown, start), _name_end(text, end)
            pieces += [text[shown:start], AN_ADDRESS]
            shown = end
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


def _name_start(text: str, first: int, start: int) -> int:
    """Where a name before an address begins, not before a place: what is in quotes, or before a bracket, or
    a run of capitalised words."""
    begin = max(first, start - LONGEST_NAME)
    found = NAME_BEFORE.search(text[begin:start])
    if found:
        return begin + found.end() - len(found.group().lstrip())
    for word in reversed(list(re.finditer(r"\S+", text[begin:start]))):
        if not word.group()[0].isupper() or start - begin - word.end() > 2:
            break
        start = begin + word.start()
    return start


def _name_end(text: str, end: int) -> int:
    """Where a name after an address ends: as before it, the bracket that the address may stand in first."""
    found = NAME_AFTER.match(text, end)
    if found:
        return found.end()
    if text[end : end + 1] in (">", ")", "]"):
        end += 1
    while word := FURTHER_WORD.match(text, end):
        if not word[1][0].isupper():
            break
        end = word.end()
    return end


def _encoded(found: re.Match[str]) -> str:
    """What may be text in base 64 or 16, as it is unless it is an address."""
    texts = []
    parts = found.group().split("/")[-8:]  # it may stand in a path, and have a slash of its own
    for said in {*parts, *("/".join(parts[place:]) for place in range(len(parts)))}:
        bare = said.rstrip("=").replace("-", "+").replace("_", "/")
        with suppress(ValueError):
            texts.append(bytes.fromhex(bare.removeprefix("0x")))
        with suppress(ValueError):  # binascii.Error is one
            texts.append(base64.b64decode(bare + "=" * (-len(bare) % 4)))
    is_address = any(re.search(rb"[\w.+-]+@[\w-]+\.[\w.-]+", text) for text in texts)
    return AN_ADDRESS if is_address else found.group()


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

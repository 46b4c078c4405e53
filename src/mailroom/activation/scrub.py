"""Messages of a destination without personal data.

An error may repeat an address in any encoding, a name beside one, a phone number or a field's value, of its
own row or of another person. All text of a destination that is stored or printed is scrubbed here, then cut:
a cut address is still one.
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
TOO_LONG = 20_000  # characters; a longer text is a page, not a message
CODINGS = 8  # nested encodings
SHORTEST_VALUE = 3  # characters
ESCAPED = re.compile(
    r"(?:\\+|%)u(?:([0-9a-fA-F]{4})|\{([0-9a-fA-F]{1,6})\})|\\+U([0-9a-fA-F]{8})|\\+x([0-9a-fA-F]{2})"
)
# An @ in octal, UTF-7 or quoted-printable, and spelled out by people, as is a dot.
OTHER_ATS = re.compile(
    r"\\+100|\+AEA-|=40(?=[a-zA-Z][\w-]*\.[a-zA-Z])|\s*(?:\(at\)|\[at\]|\{at\}|<at>)\s*", re.IGNORECASE
)
OTHER_DOTS = re.compile(r"\s*(?:\(dot\)|\[dot\]|\{dot\}|<dot>)\s*", re.IGNORECASE)
DASHES = dict.fromkeys((*range(0x2010, 0x2016), 0x2212), "-")
# Possible text in base 64 or 16, and digests.
ENCODED = re.compile(r"(?<![\w+/-])[A-Za-z0-9+/_-]{10,}={0,2}")
DIGEST = re.compile(r"(?<![\w-])(?:[0-9a-fA-F]{32}|[0-9a-fA-F]{40}|[0-9a-fA-F]{64})(?![\w-])")
# A name before or after an address, in quotes or beside a bracket. Longer names are not looked for.
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
# A + and at least seven digits, or at least nine digits; not a date, an id, or a part of either.
PHONE = re.compile(
    r"(?<![\w-])(?!\d{4}-\d\d-\d\d)(?:\+ ?\d(?:[ ()./-]{0,2}\d){6,}|\d(?:[ ()./-]{0,2}\d){8,})"
)
WORD = re.compile(r"\w+")
AN_ADDRESS, A_NUMBER, A_VALUE = "(an address)", "(a number)", "(a value)"
Words = tuple[str, ...]


def error_text(body: Any) -> str:
    """Return the text of an error: its first detail, message or title."""
    while isinstance(body, dict | list):
        texts = body[:1] if isinstance(body, list) else []
        if isinstance(body, dict):
            texts = [
                body[name] for name in ("detail", "message", "title", "error", "errors") if body.get(name)
            ]
        if not texts:
            break
        body = texts[0]
    if body in (None, ""):
        return "(no message)"
    try:
        return str(body)
    except RecursionError:
        return "(nested too deeply to show)"


class Scrubber:
    """Scrubs messages about these rows, also of their addresses and field values."""

    def __init__(self, rows: Iterable[Row] = ()) -> None:
        self._rows = rows
        self._values: dict[str, list[Words]] | None = None  # by first word; computed on first use
        self._done: dict[str, str] = {}

    def message(self, body: Any) -> str | None:
        """Return a message without personal data; None for None."""
        if body is None:
            return None
        text = error_text(body)
        if text not in self._done:
            self._done[text] = self._message(text)
        return self._done[text]

    def _message(self, text: str) -> str:
        if len(text) > TOO_LONG:
            return f"(a text of {len(text):,} characters)"
        plain = _decoded(text)
        if plain is None:
            return "(a text in too many encodings)"
        scrubbed = _without_addresses(plain)
        if scrubbed != plain:
            scrubbed = ANY_NAME.sub(rf"\1: {A_VALUE}", scrubbed)
        scrubbed = PART_OF_NAME.sub(rf"\1: {A_VALUE}", scrubbed)
        scrubbed = self._without_values(DIGEST.sub(A_VALUE, scrubbed))
        return " ".join(PHONE.sub(A_NUMBER, scrubbed).split())[:MOST]

    def _without_values(self, text: str) -> str:
        if self._values is None:
            self._values = _values(self._rows)
        if not self._values:
            return text
        matches = list(WORD.finditer(text))
        words = [word.group().casefold() for word in matches]
        pieces, shown, place = [], 0, 0
        while place < len(matches):
            known = self._values.get(words[place], ())
            length = max((len(v) for v in known if v == tuple(words[place : place + len(v)])), default=0)
            if length:
                pieces += [text[shown : matches[place].start()], A_VALUE]
                shown = matches[place + length - 1].end()
            place += length or 1
        return "".join(pieces) + text[shown:]


@lru_cache(maxsize=1_000)
def without_addresses(name: Any) -> str:
    """Return a destination's name for something, such as a job, without addresses. Its digits stay, and a
    name without an address stays unchanged."""
    text = str(name)
    plain = _decoded(text)
    scrubbed = AN_ADDRESS if plain is None else _without_addresses(plain)
    return text if scrubbed == plain else scrubbed


def _decoded(text: str) -> str | None:
    """Return a text in plain characters: nested percent-encoding, escapes and entities decoded, wide
    characters folded, invisible ones removed. None with more than CODINGS levels."""
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
    """Replace every address: the word before an @, quoted or not, the word after it, and a name beside them;
    and addresses in base 64 or 16."""
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
    """Return where the local part before an @ begins, at `first` or later. `ann . smith` is one."""
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
    """Return where the domain after an @ ends. `x . de` is one."""
    while True:
        while end < len(text) and _is_part(text[end]):
            end += 1
        split = re.compile(r"\s+\.\s*(?=\w)").match(text, end)
        if not split:
            return end
        end = split.end()


def _name_start(text: str, first: int, start: int) -> int:
    """Return where a name before an address begins, at `first` or later: a quoted text, a text before a
    bracket, or a run of capitalised words."""
    begin = max(first, start - LONGEST_NAME)
    match = NAME_BEFORE.search(text[begin:start])
    if match:
        return begin + match.end() - len(match.group().lstrip())
    for word in reversed(list(re.finditer(r"\S+", text[begin:start]))):
        if not word.group()[0].isupper() or start - begin - word.end() > 2:
            break
        start = begin + word.start()
    return start


def _name_end(text: str, end: int) -> int:
    """Return where a name after an address ends, beyond a closing bracket of the address."""
    match = NAME_AFTER.match(text, end)
    if match:
        return match.end()
    if text[end : end + 1] in (">", ")", "]"):
        end += 1
    while word := FURTHER_WORD.match(text, end):
        if not word[1][0].isupper():
            break
        end = word.end()
    return end


def _encoded(match: re.Match[str]) -> str:
    """Return possible text in base 64 or 16 unchanged, unless it is an address."""
    texts = []
    parts = match.group().split("/")[-8:]  # it may be part of a path, or contain a slash
    for part in {*parts, *("/".join(parts[place:]) for place in range(len(parts)))}:
        bare = part.rstrip("=").replace("-", "+").replace("_", "/")
        with suppress(ValueError):
            texts.append(bytes.fromhex(bare.removeprefix("0x")))
        with suppress(ValueError):  # binascii.Error is one
            texts.append(base64.b64decode(bare + "=" * (-len(bare) % 4)))
    is_address = any(re.search(rb"[\w.+-]+@[\w-]+\.[\w.-]+", text) for text in texts)
    return AN_ADDRESS if is_address else match.group()


def _is_part(char: str) -> bool:
    return char not in ENDS_WORD and not char.isspace()


def _says(text: str) -> bool:
    return any(char.isalnum() for char in text)


def _values(rows: Iterable[Row]) -> dict[str, list[Words]]:
    """Return the personal values of rows as words: addresses, their local parts and hashes, and field
    texts."""
    texts: set[str] = set()
    for row in rows:
        address = row.email.lower().encode("utf-8", "replace")
        texts |= {row.email, row.email.rpartition("@")[0], hashlib.sha256(address).hexdigest()}
        texts.add(hashlib.md5(address, usedforsecurity=False).hexdigest())
        texts.update(value for value in row.payload.values() if isinstance(value, str))
    by_word: dict[str, list[Words]] = {}
    for text in texts:
        if len(text.strip()) >= SHORTEST_VALUE:
            plain = unicodedata.normalize("NFKC", text)
            value = tuple(word.casefold() for word in WORD.findall(plain))
            if value and value not in by_word.setdefault(value[0], []):
                by_word[value[0]].append(value)
    return by_word

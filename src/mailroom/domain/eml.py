"""The headers of a message in a file, as the checks need them. The body is not read."""

import re
from dataclasses import dataclass, field
from email import policy
from email.parser import BytesHeaderParser
from email.utils import getaddresses
from pathlib import Path

from mailroom.domain.dkim import tags
from mailroom.domain.names import domain_name, selector_name

MOST_BYTES = 1_000_000  # of headers
BOM = b"\xef\xbb\xbf"
RECIPIENT_HEADERS = ("To", "Cc", "Delivered-To", "X-Original-To", "Envelope-To")
FOLD = re.compile(r"\r?\n[ \t]*")
RESULT = re.compile(r"(?:^|;)\s*(spf|dkim|dmarc)\s*=\s*([a-z]+)", re.IGNORECASE)
COMMENT = re.compile(r"\([^()]*\)")


@dataclass(frozen=True)
class Signature:
    """A DKIM signature. domain: d=, or None if it is no domain name. headers: names in h=, in lower case."""

    domain: str | None
    selector: str | None
    algorithm: str
    headers: frozenset[str]
    has_length: bool


@dataclass(frozen=True)
class Mail:
    """The headers of a message.

    author: the domain of From, or None if From is not one header with addresses of one domain.
    return_path: the domain of Return-Path, or None. recipients: addresses in lower case, never printed.
    results: spf, dkim and dmarc as the last receiver wrote them in Authentication-Results.
    """

    headers: dict[str, list[str]]
    author: str | None
    return_path: str | None
    signatures: list[Signature]
    recipients: frozenset[str]
    results: dict[str, list[str]] = field(default_factory=dict)

    def values(self, name: str) -> list[str]:
        """Return the values of a header, unfolded, first to last."""
        return self.headers.get(name.lower(), [])

    def signed(self, name: str) -> bool:
        """Return whether a signature covers the header."""
        return any(name.lower() in signature.headers for signature in self.signatures)


def read(path: Path) -> Mail:
    """Read a message from a file.

    Raises:
        ValueError: the file is not there, or has no headers.
    """
    try:
        with path.open("rb") as file:
            content = file.read(MOST_BYTES)
    except OSError as error:
        raise ValueError(f"{path} can't be read: {error.strerror}.") from None
    return parsed(content)


def parsed(content: bytes) -> Mail:
    """Return the headers of a message in bytes.

    Raises:
        ValueError: there is no header From, so it is no message.
    """
    message = BytesHeaderParser(policy=policy.compat32).parsebytes(content.removeprefix(BOM).lstrip())
    headers: dict[str, list[str]] = {}
    for name, value in message.raw_items():
        headers.setdefault(name.lower(), []).append(_text(value))
    if not headers.keys() & {"from", "dkim-signature", "list-unsubscribe", "message-id", "date"}:
        raise ValueError("the file is no message with headers. Export one as .eml, with all its headers.")
    authors = {domain for value in headers.get("from", []) for domain in _domains(value)}
    has_one = len(headers.get("from", [])) == 1 and len(authors) == 1
    returned = [domain for value in headers.get("return-path", [])[:1] for domain in _domains(value)]
    return Mail(
        headers=headers,
        author=authors.pop() if has_one else None,
        return_path=returned[0] if returned else None,
        signatures=[_signature(value) for value in headers.get("dkim-signature", [])],
        recipients=frozenset(
            address.lower()
            for name in RECIPIENT_HEADERS
            for address in _addresses(headers.get(name.lower(), []))
        ),
        results=_results(headers.get("authentication-results", [])),
    )


def _text(value: object) -> str:
    """A header without folds. Bytes that are no ASCII stand in it as surrogates."""
    text = FOLD.sub(" ", str(value)).strip()
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _addresses(values: list[str]) -> list[str]:
    return [address for _, address in getaddresses(values) if "@" in address]


def _domains(value: str) -> list[str]:
    found = []
    for address in _addresses([value]):
        try:
            found.append(domain_name(address.rpartition("@")[2]))
        except ValueError:
            continue
    return found


def _signature(value: str) -> Signature:
    found = tags(value)

    def named(tag: str, kind: object) -> str | None:
        text = re.sub(r"\s", "", found.get(tag, ""))
        try:
            return domain_name(text) if kind is domain_name else selector_name(text)
        except ValueError:
            return None

    names = re.sub(r"\s", "", found.get("h", "")).lower().split(":")
    return Signature(
        domain=named("d", domain_name),
        selector=named("s", selector_name),
        algorithm=found.get("a", "").lower(),
        headers=frozenset(filter(None, names)),
        has_length="l" in found,
    )


def _results(values: list[str]) -> dict[str, list[str]]:
    """The first header is the last receiver's. Those below it could be anyone's (RFC 8601, 7.1)."""
    found: dict[str, list[str]] = {}
    text, n_comments = COMMENT.subn("", values[0] if values else "")
    while n_comments:  # those around the ones that are gone
        text, n_comments = COMMENT.subn("", text)
    for method, result in RESULT.findall(text):
        found.setdefault(method.lower(), []).append(result.lower())
    return found

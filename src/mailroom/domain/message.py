"""A message of a seed list: is it signed, aligned, and can people leave by one click (RFC 8058)?

No sentence repeats an address, a link or a name of the message: only domains.
"""

import base64
import binascii
import re
from collections.abc import Iterator
from urllib.parse import SplitResult, unquote, urlsplit

from mailroom.domain import alignment, dmarc
from mailroom.domain.eml import Mail
from mailroom.domain.findings import (
    BULK_SENDERS,
    FAILS,
    GMAIL,
    OK,
    UNKNOWN,
    WARNING,
    YAHOO,
    Finding,
    counted,
    finding,
    quoted,
    unanswered,
)
from mailroom.domain.lookup import DnsFailure, Lookup
from mailroom.domain.names import is_below

MESSAGE = "message"
AUTHENTICATION_RULE = f"{BULK_SENDERS}; RFC 9989"
ONE_CLICK_RULE = f"{GMAIL}, {YAHOO}; RFC 8058"
ONE_CLICK = "List-Unsubscribe=One-Click"
# Headers of which a message has one (RFC 5322, 3.6), the first three always.
SINGLE = ("From", "Date", "Message-ID", "Sender", "Reply-To", "To", "Cc", "Subject")
NEEDED = SINGLE[:3]
SENDER_ID = (5, 15)  # characters (Gmail's page on Feedback-ID)
URI = re.compile(r"<([^<>]*)>")
ADDRESS = re.compile(r"[\w.!#$%&'*+/=?^`{|}~-]+@[\w-]+(?:\.[\w-]+)+")
ENCODED = re.compile(r"[A-Za-z0-9+_-]{8,}")
CODINGS = 3  # nested percent-encodings


def check(lookup: Lookup, mail: Mail, domain: str, is_transactional: bool = False) -> list[Finding]:
    """Check a message. domain: the one that From should have. is_transactional: needs no unsubscribe link."""
    found = [_format(mail), _author(mail, domain), _signature(mail)]
    if mail.author:
        found += _alignment(lookup, mail, mail.author)
    found.append(_results(mail))
    if is_transactional:
        sentence = "Not needed, because the message is transactional."
        found.append(finding("List-Unsubscribe", MESSAGE, OK, sentence, ONE_CLICK_RULE))
    else:
        found += [_unsubscribe(mail), _post(mail), _signed(mail), _link(mail)]
    return [*found, _feedback_id(mail)]


def _format(mail: Mail) -> Finding:
    repeated = [name for name in SINGLE if len(mail.values(name)) > 1]
    missing = [name for name in NEEDED if not mail.values(name)]
    if repeated:
        sentence = (
            f"The header {repeated[0]} stands {len(mail.values(repeated[0]))} times, so receivers refuse it."
        )
        return finding("headers", MESSAGE, FAILS, f"{sentence} Send it once.", f"{GMAIL}; RFC 5322")
    if missing:
        sentence = f"The header {missing[0]} is missing. Let your ESP add it."
        return finding("headers", MESSAGE, FAILS, sentence, f"{GMAIL}; RFC 5322")
    sentence = f"{', '.join(NEEDED)} are there, and no header is repeated."
    return finding("headers", MESSAGE, OK, sentence, f"{GMAIL}; RFC 5322")


def _author(mail: Mail, domain: str) -> Finding:
    rule = "RFC 9989"
    if mail.author is None:
        sentence = "From is not one header with addresses of one domain, so DMARC can't pass. Correct it."
        return finding("From", MESSAGE, FAILS, sentence, rule)
    if not is_below(mail.author, domain):
        sentence = f"The message is from {mail.author}, not from {domain}. Check that domain instead."
        return finding("From", MESSAGE, WARNING, sentence, rule)
    return finding("From", MESSAGE, OK, f"The message is from {mail.author}.", rule)


def _signature(mail: Mail) -> Finding:
    def result(state: str, sentence: str) -> Finding:
        return finding("DKIM signature", MESSAGE, state, sentence, f"{BULK_SENDERS}; RFC 6376")

    if not mail.signatures:
        return result(FAILS, "The message has no DKIM signature. Let your ESP sign with your domain.")
    whole = [one for one in mail.signatures if one.domain and one.selector]
    if not whole:
        return result(FAILS, "The signature has no valid d= and s=, so it can't be checked.")
    if all(one.algorithm == "rsa-sha1" for one in whole):
        return result(
            FAILS, "The signature uses rsa-sha1, which receivers refuse (RFC 8301). Use rsa-sha256."
        )
    if not any("from" in one.headers for one in whole):
        return result(FAILS, "The signature does not cover From, so receivers refuse it. Sign From.")
    if any(one.has_length for one in whole):
        return result(WARNING, "The signature covers a part of the body (l=): text can be added. Remove l=.")
    domains = ", ".join(dict.fromkeys(str(one.domain) for one in whole))
    return result(OK, f"{counted(len(whole), 'signature')}, by {domains}.")


def _alignment(lookup: Lookup, mail: Mail, author: str) -> Iterator[Finding]:
    signers = [one.domain for one in mail.signatures if one.domain]
    try:
        strict_dkim, strict_spf = alignment.modes(lookup, author)
        by_dkim = [name for name in signers if dmarc.is_aligned(lookup, author, name, strict_dkim)]
        by_spf = bool(mail.return_path) and dmarc.is_aligned(
            lookup, author, str(mail.return_path), strict_spf
        )
    except DnsFailure as failure:
        yield unanswered("DKIM alignment", MESSAGE, failure.name, AUTHENTICATION_RULE)
        return
    if by_dkim:
        sentence = f"{by_dkim[0]}, which signs, is aligned with From at {author}."
        yield finding("DKIM alignment", MESSAGE, OK, sentence, AUTHENTICATION_RULE)
    else:
        mode = "the very same domain" if strict_dkim else "the same organisational domain"
        sentence = f"No signature has {mode} as From at {author}. Let your ESP sign with your domain."
        state = WARNING if by_spf else FAILS
        yield finding("DKIM alignment", MESSAGE, state, sentence, AUTHENTICATION_RULE)
    if by_spf:
        sentence = f"The Return-Path at {mail.return_path} is aligned with From at {author}."
        yield finding("SPF alignment", MESSAGE, OK, sentence, AUTHENTICATION_RULE)
        return
    sentence = (
        f"The Return-Path at {mail.return_path} is not aligned with From at {author}. "
        if mail.return_path
        else "The message has no Return-Path with a domain, so SPF can't be aligned. "
    )
    sentence += "DKIM alone is enough for DMARC." if by_dkim else "Set your own bounce domain at your ESP."
    state = WARNING if by_dkim else FAILS
    yield finding("SPF alignment", MESSAGE, state, sentence, AUTHENTICATION_RULE)


def _results(mail: Mail) -> Finding:
    def result(state: str, sentence: str) -> Finding:
        return finding("Authentication-Results", MESSAGE, state, sentence, f"{BULK_SENDERS}; RFC 8601")

    if not mail.results:
        sentence = "The file has none, so what the receiver found is unknown. Export it from the seed inbox."
        return result(UNKNOWN, sentence)
    passed = {method for method, values in mail.results.items() if "pass" in values}
    text = ", ".join(
        f"{method}={'pass' if method in passed else values[0]}" for method, values in mail.results.items()
    )
    failed = [
        method for method in ("dmarc", "spf", "dkim") if method in mail.results and method not in passed
    ]
    if "dmarc" in failed or {"spf", "dkim"} <= set(failed):
        return result(FAILS, f"The receiver found {text}. The rows above say what to mend.")
    if failed:
        sentence = f"The receiver found {text}. Microsoft needs SPF and DKIM both to pass."
        return result(FAILS, sentence)
    return result(OK, f"The receiver found {text}.")


def _uris(mail: Mail) -> list[str]:
    return [re.sub(r"\s", "", uri) for value in mail.values("List-Unsubscribe") for uri in URI.findall(value)]


def _https(mail: Mail) -> list[SplitResult]:
    found = []
    for uri in _uris(mail):
        try:
            parts = urlsplit(uri)
        except ValueError:
            continue
        if parts.scheme.lower() == "https" and parts.hostname:
            found.append(parts)
    return found


def _unsubscribe(mail: Mail) -> Finding:
    def result(state: str, sentence: str) -> Finding:
        return finding("List-Unsubscribe", MESSAGE, state, sentence, ONE_CLICK_RULE)

    n_headers = len(mail.values("List-Unsubscribe"))
    if not n_headers:
        sentence = (
            "The message has no List-Unsubscribe, which marketing mail needs. If it is none: --transactional."
        )
        return result(FAILS, sentence)
    if n_headers > 1:
        return result(FAILS, f"The header stands {n_headers} times. Keep one.")
    if not _https(mail):
        kinds = {uri.partition(":")[0].lower() for uri in _uris(mail)}
        what = "only http, not https" if "http" in kinds else "no https address"
        return result(FAILS, f"The header has {what}, so there is no one-click. Add one in <…>.")
    hosts = ", ".join(dict.fromkeys(str(parts.hostname) for parts in _https(mail)))
    return result(OK, f"The header has an https address at {hosts}.")


def _post(mail: Mail) -> Finding:
    values = mail.values("List-Unsubscribe-Post")
    if values == [ONE_CLICK]:
        sentence = f"The header is {ONE_CLICK}."
        return finding("List-Unsubscribe-Post", MESSAGE, OK, sentence, ONE_CLICK_RULE)
    found = f"is not {ONE_CLICK}" if len(values) == 1 else "stands several times"
    sentence = f"The header {found if values else 'is missing'}. It must be exactly {ONE_CLICK}, once."
    return finding("List-Unsubscribe-Post", MESSAGE, FAILS, sentence, ONE_CLICK_RULE)


def _signed(mail: Mail) -> Finding:
    both = {"list-unsubscribe", "list-unsubscribe-post"}
    if not both <= mail.headers.keys():
        sentence = "One of the two headers is missing, so there is nothing to sign yet."
        return finding("one-click signed", MESSAGE, UNKNOWN, sentence, ONE_CLICK_RULE)
    if any(both <= signature.headers for signature in mail.signatures):
        sentence = "A signature covers both headers."
        return finding("one-click signed", MESSAGE, OK, sentence, ONE_CLICK_RULE)
    sentence = (
        "No signature covers List-Unsubscribe and List-Unsubscribe-Post (h=), so receivers show no button. "
        "Let your ESP sign both."
    )
    return finding("one-click signed", MESSAGE, FAILS, sentence, ONE_CLICK_RULE)


def _link(mail: Mail) -> Finding:
    def result(state: str, sentence: str) -> Finding:
        return finding("unsubscribe link", MESSAGE, state, sentence, "RFC 8058")

    links = _https(mail)
    if not links:
        return result(UNKNOWN, "There is no https address to look at.")
    if any(_holds_address(parts.geturl(), mail.recipients) for parts in links):
        sentence = (
            "The address of the recipient stands in the link, so logs keep it and anyone can unsubscribe "
            "others. Use an opaque identifier."
        )
        return result(WARNING, sentence)
    if all(not parts.query and parts.path.strip("/") == "" for parts in links):
        return result(FAILS, "The link identifies neither person nor list. Add an opaque identifier.")
    return result(OK, "The link holds no address. That GET changes nothing can't be seen from here.")


def _holds_address(link: str, recipients: frozenset[str]) -> bool:
    text = link
    for _ in range(CODINGS):
        text = unquote(text, errors="replace")
    plain = text.lower()
    if ADDRESS.search(plain.partition("://")[2].partition("/")[2]) or any(
        recipient in plain for recipient in recipients
    ):
        return True
    return any(ADDRESS.fullmatch(decoded) for decoded in map(_decoded, ENCODED.findall(text)))


def _decoded(text: str) -> str:
    """The text behind base64, or nothing."""
    try:
        padded = text.replace("-", "+").replace("_", "/") + "=" * (-len(text) % 4)
        return base64.b64decode(padded, validate=True).decode("ascii")
    except (binascii.Error, ValueError):
        return ""


def _feedback_id(mail: Mail) -> Finding:
    def result(state: str, sentence: str) -> Finding:
        return finding("Feedback-ID", MESSAGE, state, sentence, GMAIL)

    values = mail.values("Feedback-ID")
    if not values:
        return result(
            WARNING, "None, so Gmail reports no complaints per flow. Let your ESP add a:b:c:SenderId."
        )
    if len(values) > 1:
        return result(WARNING, "The header stands several times, so Gmail takes none. Keep one.")
    parts = [part.strip() for part in values[0].split(":")]
    lowest, highest = SENDER_ID
    if len(parts) != 4 or not parts[3]:
        return result(WARNING, f"The header has {counted(len(parts), 'part')}. It must be a:b:c:SenderId.")
    if not lowest <= len(parts[3]) <= highest:
        sentence = f"SenderId has {counted(len(parts[3]), 'character')}. It must have {lowest} to {highest}."
        return result(WARNING, sentence)
    filled = [part for part in parts if part]
    if len(set(filled)) < len(filled):
        return result(
            WARNING, "An identifier stands in two parts, so Gmail can't tell them apart. Rename one."
        )
    if ADDRESS.search(values[0]) or any(name in values[0].lower() for name in mail.recipients):
        return result(WARNING, "The header holds an address. Use names of flow and campaign instead.")
    if not mail.signed("Feedback-ID"):
        return result(WARNING, "No signature covers the header, so Gmail ignores it. Let your ESP sign it.")
    return result(OK, f"Four parts, signed, by sender {quoted(parts[3])}.")

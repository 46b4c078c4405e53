"""`mailroom domain check`: may mail from a domain reach the inbox, by what DNS and a message say?"""

import json
import textwrap
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from mailroom.domain import alignment, dkim, dmarc, eml, message, records, spf
from mailroom.domain.findings import FAILS, OK, STATES, UNKNOWN, WARNING, Finding
from mailroom.domain.lookup import Lookup, require_library, server
from mailroom.domain.names import domain_name, ip_address, selector_name, shown

__all__ = ["BAD_INPUT", "Checked", "Finding", "Options", "as_json", "as_text", "check"]

NOTHING_FAILS, SOMETHING_FAILS, BAD_INPUT, NO_ANSWER = 0, 1, 2, 5
WIDTH = 100  # characters of a sentence in the text


@dataclass(frozen=True)
class Options:
    """What `mailroom domain check` was asked to look at.

    senders: domains that mail is sent by, as Return-Path or d=. selectors: of DKIM. addresses: of servers.
    message: a file. timeout: seconds per question. nameserver: HOST:PORT. fetch: read policies on the web.
    """

    senders: Sequence[str] = field(default_factory=list)
    selectors: Sequence[str] = field(default_factory=list)
    addresses: Sequence[str] = field(default_factory=list)
    message: Path | None = None
    is_transactional: bool = False
    nameserver: str | None = None
    timeout: float = 5.0
    fetch: bool = False


@dataclass(frozen=True)
class Checked:
    """The findings about a domain, in the order in which they were checked."""

    domain: str
    findings: list[Finding]

    @property
    def exit_code(self) -> int:
        """1: something fails; 5: nothing fails, and DNS did not answer a question; 0: neither."""
        if any(one.state == FAILS for one in self.findings):
            return SOMETHING_FAILS
        return NO_ANSWER if any(one.unanswered for one in self.findings) else NOTHING_FAILS


def check(domain: str, options: Options) -> Checked:
    """Check a domain that mail is from. Nothing is stored.

    Raises:
        ValueError: an input is wrong, or checkdmarc is not installed.
    """
    require_library()
    name = domain_name(domain)
    senders = [domain_name(sender) for sender in options.senders]
    selectors = [selector_name(selector) for selector in options.selectors]
    addresses = [ip_address(address) for address in options.addresses]
    if not 0 < options.timeout <= 60:
        raise ValueError("--timeout is in seconds, more than 0 and at most 60.")
    if options.is_transactional and not options.message:
        raise ValueError("--transactional says something of a message. Give it with --message.")
    mail = eml.read(options.message) if options.message else None
    lookup = Lookup(server(options.nameserver) if options.nameserver else None, options.timeout)

    returned = [mail.return_path] if mail and mail.return_path else []
    elsewhere = [sender for sender in dict.fromkeys([*senders, *returned]) if sender != name]
    findings = [records.mx(lookup, name), *spf.check(lookup, name, is_needed=not elsewhere)]
    for sender in elsewhere:
        findings += spf.check(lookup, sender)
    findings += _keys(lookup, [name, *senders], selectors, mail)
    findings += dmarc.check(lookup, name)
    findings += [alignment.check(lookup, name, sender) for sender in dict.fromkeys(senders)]
    findings += [
        records.tls_rpt(lookup, name),
        records.mta_sts(lookup, name, options.fetch),
        records.bimi(lookup, name, options.fetch),
        *(records.reverse(lookup, address) for address in addresses),
    ]
    if mail:
        findings += message.check(lookup, mail, name, options.is_transactional)
    return Checked(name, findings)


def _keys(lookup: Lookup, domains: list[str], selectors: list[str], mail: eml.Mail | None) -> list[Finding]:
    """The keys of the given selectors and of the message's signatures; without any, of well-known ones."""
    signed = {
        (one.selector, one.domain) for one in (mail.signatures if mail else []) if one.selector and one.domain
    }
    if not selectors and not signed:
        return dkim.check(lookup, domains, [])
    found = dkim.check(lookup, domains, selectors) if selectors else []
    for selector, signer in sorted(signed):
        if selector not in selectors or signer not in domains:
            found += dkim.check(lookup, [str(signer)], [str(selector)])
    return found


def as_text(checked: Checked) -> str:
    """Return the findings as text: a count, then a paragraph for each, with whose rule it is."""
    counts = Counter(one.state for one in checked.findings)
    words = {FAILS: "fail", WARNING: "with a warning", UNKNOWN: "unknown", OK: "ok"}
    summary = ", ".join(f"{counts[state]} {words[state]}" for state in STATES if counts[state])
    lines = [f"{shown(checked.domain)}: {len(checked.findings)} checks, {summary}.", ""]
    width = max(len(one.check) for one in checked.findings)
    for one in checked.findings:
        start = f"{one.state:<8} {one.check:<{width}}  "
        is_said = one.subject in (checked.domain, message.MESSAGE) or one.subject in one.sentence
        subject = "" if is_said else f"{one.subject}: "
        lines += textwrap.wrap(
            f"{subject}{one.sentence} [{one.rule}]",
            WIDTH + len(start),
            initial_indent=start,
            subsequent_indent=" " * len(start),
            break_long_words=False,
            break_on_hyphens=False,
        )
    return "\n".join(lines)


def as_json(checked: Checked) -> str:
    """Return domain, exit_code and findings as JSON, each finding with the fields of Finding."""
    rows = [asdict(one) for one in checked.findings]
    return json.dumps({"domain": checked.domain, "exit_code": checked.exit_code, "findings": rows}, indent=2)

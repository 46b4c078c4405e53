"""SPF (RFC 7208). checkdmarc follows the record, counts its lookups and finds loops. Whether there is a
record is our own question, because checkdmarc takes a failure of DNS for none."""

import re
from typing import Any

from mailroom.domain.findings import (
    BULK_SENDERS,
    FAILS,
    OK,
    UNKNOWN,
    WARNING,
    Finding,
    counted,
    finding,
    quoted,
    unanswered,
)
from mailroom.domain.lookup import DnsFailure, Lookup

RULE, DETAILS = f"{BULK_SENDERS}; RFC 7208", "RFC 7208"
MOST_LOOKUPS, MOST_VOID = 10, 2
# Its text is for people, and checkdmarc would ask the system's name server for it.
EXPLANATION = re.compile(r"(?<=\s)exp=\S*", re.IGNORECASE)
ENDINGS = {"fail": "-all", "softfail": "~all", "neutral": "?all", "pass": "+all"}


def is_record(text: str) -> bool:
    """Return whether a TXT record is one of SPF (RFC 7208, 4.5)."""
    return text.lower() == "v=spf1" or text.lower().startswith("v=spf1 ")


def check(lookup: Lookup, domain: str, is_needed: bool = True) -> list[Finding]:
    """Check the SPF record of a domain: record, lookups, ending.

    is_needed: False for a From domain whose mail has a Return-Path elsewhere, since SPF asks only there.
    """

    def result(name: str, state: str, sentence: str) -> Finding:
        return finding(name, domain, state, sentence, RULE if name == "SPF record" else DETAILS)

    try:
        records = [text for text in lookup.texts(domain) if is_record(text)]
    except DnsFailure as failure:
        return [unanswered("SPF record", domain, failure.name, RULE)]
    if not records and not is_needed:
        return [result("SPF record", OK, "No record, and none needed: mail has its Return-Path elsewhere.")]
    if not records:
        sentence = (
            f'{domain} has no SPF record. Publish TXT {domain} "v=spf1 … ~all" with what your ESP names. If '
            "mail has its Return-Path at another domain, give that with --sender."
        )
        return [result("SPF record", FAILS, sentence)]
    if len(records) > 1:
        sentence = f"{domain} has {len(records)} SPF records, so SPF fails everywhere. Merge them into one."
        return [result("SPF record", FAILS, sentence)]
    return _followed(lookup, domain, records[0])


class _Limited:
    """A lookup that ends at the eleventh record. checkdmarc counts only on the way back, so it would follow a
    chain of includes to its end."""

    def __init__(self, lookup: Lookup) -> None:
        self._lookup = lookup
        self._names: set[str] = set()
        self.lifetime = lookup.lifetime

    def resolve(self, name: Any, kind: Any = "A", **_: Any) -> Any:
        """Return dnspython's answer, or raise SPFTooManyDNSLookups."""
        from checkdmarc.spf import SPFTooManyDNSLookups

        if kind == "TXT":
            self._names.add(str(name))
        if len(self._names) > MOST_LOOKUPS:
            raise SPFTooManyDNSLookups("too many", dns_lookups=len(self._names))
        return self._lookup.resolve(name, kind)


def _followed(lookup: Lookup, domain: str, record: str) -> list[Finding]:
    from checkdmarc import spf
    from checkdmarc.utils import DNSException

    def result(name: str, state: str, sentence: str) -> Finding:
        return finding(name, domain, state, sentence, RULE if name == "SPF record" else DETAILS)

    one = result("SPF record", OK, f"{domain} has one SPF record.")
    if len(EXPLANATION.findall(record)) > 1:
        return [result("SPF record", FAILS, "The record has two exp=, so SPF fails everywhere. Keep one.")]
    n_failed = len(lookup.failed)
    try:
        followed = spf.parse_spf_record(
            EXPLANATION.sub("", record),
            domain,
            resolver=_Limited(lookup),
            nameservers=lookup.nameservers,
            timeout=lookup.lifetime,
        )
    except spf.SPFTooManyDNSLookups as error:
        sentence = (
            f"The record needs at least {counted(error.data['dns_lookups'], 'DNS lookup')}, and "
            f"{MOST_LOOKUPS} are allowed, so SPF fails everywhere. Remove what you no longer send with."
        )
        return [one, result("SPF lookups", FAILS, sentence)]
    except (spf.SPFIncludeLoop, spf.SPFRedirectLoop) as error:
        sentence = f"The record refers to itself ({quoted(str(error))}), so SPF fails. Remove that include."
        return [one, result("SPF lookups", FAILS, sentence)]
    except spf.SPFTooManyVoidDNSLookups:
        if len(lookup.failed) > n_failed:
            return [one, unanswered("SPF lookups", domain, lookup.failed[n_failed], DETAILS)]
        sentence = (
            f"More than {MOST_VOID} names in the record do not exist, so SPF fails. Remove those names."
        )
        return [one, result("SPF lookups", FAILS, sentence)]
    except spf.SPFRecordNotFound as error:
        if len(lookup.failed) > n_failed:
            return [one, unanswered("SPF lookups", domain, lookup.failed[n_failed], DETAILS)]
        name = getattr(error, "domain", "")
        sentence = (
            f"The record includes {quoted(str(name))}, which has no SPF record, so SPF fails. Remove it."
        )
        return [one, result("SPF lookups", FAILS, sentence)]
    except (spf.SPFError, DNSException, ValueError) as error:
        if len(lookup.failed) > n_failed:
            return [one, unanswered("SPF lookups", domain, lookup.failed[n_failed], DETAILS)]
        sentence = f"Receivers can't read the record, so SPF fails: {quoted(str(error))}. Correct it."
        return [result("SPF record", FAILS, sentence)]
    if len(lookup.failed) > n_failed:
        return [one, unanswered("SPF lookups", domain, lookup.failed[n_failed], DETAILS)]
    n_lookups, n_void = followed["dns_lookups"], followed["void_dns_lookups"]
    sentence = (
        f"{counted(n_lookups, 'DNS lookup')} of {MOST_LOOKUPS}, {n_void} of {MOST_VOID} without a result."
    )
    uses_ptr = re.search(r"(?:^|\s)[+~?-]?ptr(?:[:\s]|$)", record, re.IGNORECASE)
    if uses_ptr:
        return [
            one,
            result("SPF lookups", WARNING, f"{sentence} ptr is slow and no longer to be used: remove it."),
            _ending(domain, followed),
        ]
    if n_void:
        sentence += " Remove names that do not exist."
    return [one, result("SPF lookups", WARNING if n_void else OK, sentence), _ending(domain, followed)]


def _ending(domain: str, followed: dict[str, object]) -> Finding:
    def result(state: str, sentence: str) -> Finding:
        return finding("SPF ending", domain, state, sentence, DETAILS)

    parsed = followed["parsed"]
    assert isinstance(parsed, dict)
    redirect = parsed["redirect"]
    if redirect and redirect["parsed"] is None:
        return result(UNKNOWN, "The record redirects by a macro, so its ending depends on the sender.")
    ending = ENDINGS[parsed["all"]]
    if ending == "+all":
        return result(FAILS, "The record ends with +all: every server may send as you. Write ~all or -all.")
    if ending == "?all":
        return result(WARNING, "The record says nothing about other servers. End it with ~all, or with -all.")
    return result(OK, f"The record ends with {ending}.")

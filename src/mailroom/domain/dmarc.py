"""DMARC as RFC 9989 has it: the record, the tree walk, the policy that holds, and alignment.

checkdmarc reads the syntax of a record. The walk, the organisational domain and the destinations of reports
are our own: checkdmarc stops the walk at a broken record, takes a failure of DNS for no record, and compares
destinations by the Public Suffix List.
"""

import re
from dataclasses import dataclass, field
from urllib.parse import unquote

from mailroom.domain.findings import (
    BULK_SENDERS,
    FAILS,
    OK,
    WARNING,
    Finding,
    finding,
    quoted,
    unanswered,
)
from mailroom.domain.lookup import DnsFailure, Lookup
from mailroom.domain.names import is_domain_name

MOST_QUERIES = 8  # of a tree walk (RFC 9989, 4.10)
IS_RECORD = re.compile(r"[vV][ \t]*=[ \t]*DMARC1[ \t]*(?:;|$)")
TAG = re.compile(r"[ \t]*([A-Za-z]+)[ \t]*=[ \t]*([\x20-\x3a\x3c-\x7e]*?)[ \t]*")
POLICIES = ("none", "quarantine", "reject")  # weakest first
REMOVED = ("pct", "rf", "ri")
KNOWN = ("v", "p", "sp", "np", "t", "psd", "adkim", "aspf", "rua", "ruf", "fo")
MAILTO = re.compile(r"mailto:[^@\s,!]+@([^@\s,!?]+)(?:![0-9]+[kmgt]?)?(?:\?\S*)?", re.IGNORECASE)
RULE = f"{BULK_SENDERS}; RFC 9989"


@dataclass(frozen=True)
class Record:
    """A DMARC record. domain: where it stands, without _dmarc. tags: by name; the first of repeated tags.
    unreadable: parts that are no tag, which receivers ignore."""

    domain: str
    text: str
    tags: dict[str, str]
    unreadable: list[str] = field(default_factory=list)
    repeated: list[str] = field(default_factory=list)

    def policy(self, tag: str) -> str | None:
        """Return the policy of p, sp or np, None if it is missing or none of the three policies."""
        value = self.tags.get(tag, "").lower()
        return value if value in POLICIES else None

    @property
    def psd(self) -> str:
        """y: a public suffix; n: an organisational domain; u: not said."""
        value = self.tags.get("psd", "u").lower()
        return value if value in ("y", "n") else "u"

    @property
    def destinations(self) -> list[str]:
        """The domains of the mailto: addresses in rua, as written."""
        uris = [MAILTO.fullmatch(part.strip()) for part in self.tags.get("rua", "").split(",")]
        return [unquote(uri[1]).lower() for uri in uris if uri]


@dataclass(frozen=True)
class Walk:
    """A tree walk. records: by domain, from the longest name to the shortest. several: domains with several
    records, which receivers discard. organisational: the organisational domain. asked: the domains."""

    start: str
    records: dict[str, Record]
    several: list[str]
    organisational: str
    asked: list[str]

    @property
    def applied(self) -> Record | None:
        """The record whose policy holds: of the domain, else of its organisational domain, else of the public
        suffix (RFC 9989, 4.10.1)."""
        suffix = [record for record in self.records.values() if record.psd == "y"]
        own = self.records.get(self.start) or self.records.get(self.organisational)
        return own or (suffix[-1] if suffix else None)


def parsed(text: str, domain: str) -> Record:
    """Return a record as a receiver reads it: parts that are no tag are left out (RFC 9989, 4.7)."""
    tags: dict[str, str] = {}
    unreadable, repeated = [], []
    for part in text.split(";"):
        match = TAG.fullmatch(part)
        if match is None:
            unreadable += [part] if part.strip() else []
        elif match[1].lower() in tags:
            repeated.append(match[1].lower())
        else:
            tags[match[1].lower()] = match[2]
    return Record(domain, text, tags, unreadable, repeated)


def targets(domain: str) -> list[str]:
    """Return the domains that a tree walk asks: the domain, then its parents, at most 8 in all. A longer name
    goes on with its last 7 labels."""
    labels = domain.split(".")
    parents = labels[1:] if len(labels) <= MOST_QUERIES else labels[1 - MOST_QUERIES :]
    return [domain, *(".".join(parents[place:]) for place in range(len(parents)))]


def walk(lookup: Lookup, domain: str) -> Walk:
    """Walk up the tree from the domain, and find its organisational domain (RFC 9989, 4.10).

    Raises:
        DnsFailure: DNS did not answer, so the result could be another.
    """
    records: dict[str, Record] = {}
    several, asked = [], []
    for target in targets(domain):
        asked.append(target)
        texts = [text for text in lookup.texts(f"_dmarc.{target}") if IS_RECORD.match(text)]
        if len(texts) > 1:
            several.append(target)
        elif texts:
            records[target] = parsed(texts[0], target)
            if records[target].psd != "u" and (target != domain or records[target].psd == "n"):
                break
    return Walk(domain, records, several, _organisational(domain, records), asked)


def _organisational(domain: str, records: dict[str, Record]) -> str:
    for place, record in records.items():
        if record.psd == "n":
            return place
        if record.psd == "y" and place != domain:
            below = domain.split(".")[: -len(place.split("."))]
            return f"{below[-1]}.{place}"
    return min(records, key=lambda place: place.count("."), default=domain)


def is_aligned(lookup: Lookup, author: str, other: str, strict: bool) -> bool:
    """Return whether an authenticated domain is aligned with the domain of From (RFC 9989, 4.4).

    Raises:
        DnsFailure: DNS did not answer.
    """
    if author == other or strict:
        return author == other
    return walk(lookup, author).organisational == walk(lookup, other).organisational


def check(lookup: Lookup, domain: str) -> list[Finding]:
    """Check the DMARC record that holds for mail from the domain: record, policy, tags, reports."""
    try:
        walked = walk(lookup, domain)
        exists = lookup.exists(domain)
    except DnsFailure as failure:
        return [unanswered("DMARC record", domain, failure.name, RULE)]
    record = walked.applied
    if record is None:
        return [_missing(lookup, domain, walked)]
    found = [_place(domain, walked, record), _policy(domain, record, exists), _tags(record, domain)]
    return [*found, _reports(lookup, record)]


def _missing(lookup: Lookup, domain: str, walked: Walk) -> Finding:
    if walked.several:
        place = walked.several[0]
        sentence = f"_dmarc.{place} has several DMARC records, so receivers discard them all. Keep one."
        return finding("DMARC record", domain, FAILS, sentence, RULE)
    sentence = (
        f"{domain} has no DMARC record, nor has a parent. Publish TXT _dmarc.{walked.organisational} "
        '"v=DMARC1; p=none; rua=mailto:…" first, then a stricter policy.'
    )
    try:
        misplaced = any(IS_RECORD.match(text) for text in lookup.texts(domain))
    except DnsFailure:
        misplaced = False
    if misplaced:
        sentence = (
            f"The DMARC record stands at {domain}, where no receiver looks. Move it to _dmarc.{domain}."
        )
    return finding("DMARC record", domain, FAILS, sentence, RULE)


def _place(domain: str, walked: Walk, record: Record) -> Finding:
    if walked.several:
        sentence = (
            f"_dmarc.{walked.several[0]} has several DMARC records, so receivers discard them all and "
            f"take that of {record.domain}. Keep one."
        )
        return finding("DMARC record", domain, FAILS, sentence, RULE)
    if record.domain == domain:
        return finding("DMARC record", domain, OK, f"_dmarc.{domain} has one record.", RULE)
    kind = "the public suffix" if record.psd == "y" else "the organisational domain"
    state = WARNING if record.psd == "y" else OK
    sentence = f"{domain} has no record of its own, so that of {record.domain} ({kind}) holds."
    if state == WARNING:
        sentence += f" Publish one at _dmarc.{walked.organisational}."
    return finding("DMARC record", domain, state, sentence, RULE)


def effective_policy(record: Record, domain: str, exists: bool) -> tuple[str, str]:
    """Return the tag that decides for the domain, and its policy, before test mode (RFC 9989, 4.7, 4.10.1).
    A missing or unreadable policy is none."""
    tags = ["p"]
    if record.domain != domain:
        tags = ["sp", "p"] if exists else ["np", "sp", "p"]
    tag = next((tag for tag in tags if tag in record.tags), "p")
    return tag, record.policy(tag) or "none"


def _policy(domain: str, record: Record, exists: bool) -> Finding:
    def result(state: str, sentence: str) -> Finding:
        return finding("DMARC policy", domain, state, sentence, RULE)

    wrong = [tag for tag in ("p", "sp", "np") if tag in record.tags and record.policy(tag) is None]
    if wrong:
        value = f"{wrong[0]}={record.tags[wrong[0]]}"
        after = (
            "Because reports are asked for, receivers act as on p=none."
            if record.destinations
            else "Receivers then ignore the whole record."
        )
        state = WARNING if record.destinations else FAILS
        return result(state, f"{quoted(value)} is no policy. {after} Write none, quarantine or reject.")
    tag, policy = effective_policy(record, domain, exists)
    ghost = "" if exists else f"{domain} does not exist in DNS. "
    if "p" not in record.tags and tag == "p":
        sentence = "The record has no p, which counts as p=none. Older receivers ignore it then: add p."
        return result(WARNING, ghost + sentence)
    tested = record.tags.get("t", "n").lower() == "y" and policy != "none"
    if tested:
        acts = POLICIES[POLICIES.index(policy) - 1]
        sentence = (
            f"{tag}={policy} is in test mode (t=y), so receivers act as on {acts}. Remove t when ready."
        )
        return result(WARNING, ghost + sentence)
    if policy == "none":
        sentence = (
            f"{tag}={policy} meets the rules for bulk senders, and stops no forged mail. Move to quarantine "
            "once reports show that your own mail is aligned."
        )
        return result(WARNING, ghost + sentence)
    return result(OK, f"{ghost}{tag}={policy} protects {domain} against forged mail.")


def _tags(record: Record, domain: str) -> Finding:
    flaws = []
    removed = [tag for tag in REMOVED if tag in record.tags]
    unknown = [tag for tag in record.tags if tag not in KNOWN and tag not in REMOVED]
    if removed:
        names = ", ".join(removed)
        flaws.append(f"RFC 9989 has removed {names}, so receivers ignore it. Delete it. To test, use t=y.")
    if unknown:
        flaws.append(f"Receivers ignore the unknown tag {quoted(unknown[0])}. Look for a typing error.")
    if record.repeated:
        flaws.append(f"The tag {record.repeated[0]} stands twice. Keep one.")
    if record.unreadable:
        flaws.append(f"{quoted(record.unreadable[0])} is no tag, so receivers ignore it. Write name=value.")
    if record.psd == "y" and record.domain == domain:
        flaws.append(f"psd=y says that {domain} is a public suffix, such as co.uk. Remove it.")
    for tag in ("sp", "np"):
        weaker = record.policy(tag) and record.policy("p")
        if weaker and POLICIES.index(str(record.policy(tag))) < POLICIES.index(str(record.policy("p"))):
            value = f"{tag}={record.policy(tag)}"
            flaws.append(f"{value} protects sub-domains less than p={record.policy('p')}. Remove it.")
            break
    library = _syntax_error(record)
    if library and not flaws:
        flaws.append(f"checkdmarc can't read the record: {quoted(library)}. Correct it.")
    if flaws:
        return finding("DMARC tags", record.domain, WARNING, " ".join(flaws), "RFC 9989")
    modes = " and ".join(
        f"{tag} {'strict' if record.tags.get(tag, 'r').lower() == 's' else 'relaxed'}"
        for tag in ("adkim", "aspf")
    )
    sentence = f"Every tag is one of RFC 9989. Alignment: {modes}."
    return finding("DMARC tags", record.domain, OK, sentence, "RFC 9989")


def _syntax_error(record: Record) -> str | None:
    """Return checkdmarc's error about the record, without its report addresses, which it would look up."""
    from checkdmarc.dmarc import DMARCError, parse_dmarc_record

    parts = [part for part in record.text.split(";") if not re.match(r"[ \t]*ru[af][ \t]*=", part, re.I)]
    try:
        parse_dmarc_record(";".join(parts), record.domain)
    except DMARCError as error:
        return str(error)
    return None


def _reports(lookup: Lookup, record: Record) -> Finding:
    def result(state: str, sentence: str) -> Finding:
        return finding("DMARC reports", record.domain, state, sentence, "RFC 9989, RFC 9990")

    if "rua" not in record.tags:
        return result(WARNING, "The record has no rua, so no receiver reports who sends as you. Add one.")
    destinations = [name for name in record.destinations if is_domain_name(name)]
    if not destinations:
        sentence = f"rua={quoted(record.tags['rua'])} has no address. Write rua=mailto: and an address."
        return result(WARNING, sentence)
    try:
        own = walk(lookup, record.domain).organisational
        refused = [name for name in destinations if not _accepts_reports(lookup, record.domain, own, name)]
    except DnsFailure as failure:
        return unanswered("DMARC reports", record.domain, failure.name, "RFC 9990")
    if refused:
        sentence = (
            f"{refused[0]} does not say that it takes reports about {record.domain}, so none arrive. Its "
            f'owner must publish TXT {record.domain}._report._dmarc.{refused[0]} "v=DMARC1".'
        )
        return result(WARNING, sentence)
    return result(OK, f"Reports go to {', '.join(dict.fromkeys(destinations))}.")


def _accepts_reports(lookup: Lookup, domain: str, organisational: str, destination: str) -> bool:
    """Return whether a destination takes reports about the domain: its own, or with a record that says so
    (RFC 9990, 4)."""
    if walk(lookup, destination).organisational == organisational:
        return True
    return any(IS_RECORD.match(text) for text in lookup.texts(f"{domain}._report._dmarc.{destination}"))

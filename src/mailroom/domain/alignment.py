"""Does the domain of From agree with the domains that a message is authenticated by?"""

from mailroom.domain import dmarc
from mailroom.domain.findings import BULK_SENDERS, FAILS, OK, WARNING, Finding, finding, unanswered
from mailroom.domain.lookup import DnsFailure, Lookup
from mailroom.domain.names import is_below

RULE = f"{BULK_SENDERS}; RFC 9989"


def modes(lookup: Lookup, domain: str) -> tuple[bool, bool]:
    """Return whether DKIM and SPF must be aligned strictly, by the domain's DMARC record.

    Raises:
        DnsFailure: DNS did not answer.
    """
    record = dmarc.walk(lookup, domain).applied
    values = record.tags if record else {}
    return values.get("adkim", "").lower() == "s", values.get("aspf", "").lower() == "s"


def check(lookup: Lookup, domain: str, sender: str) -> Finding:
    """Check a domain that mail is sent by, as Return-Path or as d= of the signature."""
    try:
        strict_dkim, strict_spf = modes(lookup, domain)
        by_dkim = dmarc.is_aligned(lookup, domain, sender, strict_dkim)
        by_spf = dmarc.is_aligned(lookup, domain, sender, strict_spf)
        organisational = dmarc.walk(lookup, domain).organisational
    except DnsFailure as failure:
        return unanswered("alignment", sender, failure.name, RULE)
    if by_dkim and by_spf:
        sentence = f"{sender} is aligned with From at {domain}, as signing domain and as Return-Path."
        return finding("alignment", sender, OK, sentence, RULE)
    if by_dkim or by_spf:
        good, bad = ("d= of DKIM", "Return-Path") if by_dkim else ("Return-Path", "d= of DKIM")
        tag = "aspf=s" if by_dkim else "adkim=s"
        sentence = f"{sender} is aligned as {good}, not as {bad}, because the record says {tag}."
        return finding("alignment", sender, WARNING, f"{sentence} Remove {tag}.", RULE)
    sentence = f"{sender} is not aligned with From at {domain}, so mail by it alone fails DMARC. "
    if is_below(sender, organisational):
        sentence += "The DMARC records ask for the very same domain (adkim, aspf) or part the two (psd)."
    elif is_below(domain, sender):
        sentence += f"Publish a DMARC record at {sender}, so that both have one organisational domain."
    else:
        sentence += f"Let your ESP sign and send by a sub-domain of {organisational}."
    return finding("alignment", sender, FAILS, sentence, RULE)

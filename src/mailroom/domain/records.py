"""The other records of a domain that sends: MX, TLS-RPT, MTA-STS, BIMI, and the names of a server."""

from urllib.parse import urlsplit

from mailroom.domain import dmarc
from mailroom.domain.dkim import tags
from mailroom.domain.findings import (
    FAILS,
    GMAIL,
    OK,
    WARNING,
    YAHOO,
    Finding,
    finding,
    quoted,
    unanswered,
)
from mailroom.domain.lookup import DnsFailure, Lookup

OPTIONAL = "Optional"
BIMI_RULE = f"{GMAIL}, {YAHOO}; BIMI draft"


def mx(lookup: Lookup, domain: str) -> Finding:
    """Check whether the domain takes mail: replies, bounces and complaints go there (RFC 5321, 7505)."""

    def result(state: str, sentence: str) -> Finding:
        return finding("MX", domain, state, sentence, "RFC 5321, RFC 7505")

    try:
        exchanges = lookup.exchanges(domain)
        if not exchanges and not lookup.exists(domain):
            sentence = (
                f"By this name server {domain} does not exist. Look for a typing error, or ask another with "
                "--nameserver if you are behind one of your own."
            )
            return result(FAILS, sentence)
        if not exchanges and not lookup.addresses(domain):
            sentence = f"{domain} has neither MX nor address, so no reply or bounce arrives. Publish an MX."
            return result(FAILS, sentence)
    except DnsFailure as failure:
        return unanswered("MX", domain, failure.name, "RFC 5321")
    if not exchanges:
        sentence = f"{domain} has no MX, so mail to it goes to its address. Publish an MX."
        return result(WARNING, sentence)
    hosts = [host for _, host in exchanges if host]
    if not hosts:
        sentence = (
            f"{domain} says that it takes no mail (null MX), so receivers may refuse mail from it (5.7.27). "
            "Publish an MX that takes replies."
        )
        return result(FAILS, sentence)
    if len(hosts) < len(exchanges):
        return result(WARNING, "A null MX stands beside other MX records. Remove it.")
    return result(OK, f"Mail goes to {quoted(hosts[0])}.")


def tls_rpt(lookup: Lookup, domain: str) -> Finding:
    """Check the record that asks for reports about encryption (RFC 8460)."""
    from checkdmarc.smtp_tls_reporting import SMTPTLSReportingError, parse_smtp_tls_reporting_record

    def result(state: str, sentence: str) -> Finding:
        return finding("TLS-RPT", domain, state, sentence, "RFC 8460")

    name = f"_smtp._tls.{domain}"
    try:
        records = [text for text in lookup.texts(name) if text.startswith("v=TLSRPTv1")]
    except DnsFailure as failure:
        return unanswered("TLS-RPT", domain, failure.name, "RFC 8460")
    if not records:
        return result(OK, f"No record. {OPTIONAL}: it would report when mail to you can't be encrypted.")
    if len(records) > 1:
        return result(WARNING, f"{name} has several records, so none counts. Keep one.")
    try:
        parse_smtp_tls_reporting_record(records[0])
    except SMTPTLSReportingError as error:
        return result(WARNING, f"Senders can't read the record: {quoted(str(error))}. Correct it.")
    return result(OK, "One record, and senders can read it.")


def mta_sts(lookup: Lookup, domain: str, fetch: bool = False) -> Finding:
    """Check the record that asks for encryption (RFC 8461). fetch: read the policy on the web, too."""
    from checkdmarc import mta_sts as library

    def result(state: str, sentence: str) -> Finding:
        return finding("MTA-STS", domain, state, sentence, "RFC 8461")

    name = f"_mta-sts.{domain}"
    try:
        records = [text for text in lookup.texts(name) if text.startswith("v=STSv1")]
        exchanges = lookup.exchanges(domain) if fetch else []
    except DnsFailure as failure:
        return unanswered("MTA-STS", domain, failure.name, "RFC 8461")
    if not records:
        return result(OK, f"No record. {OPTIONAL}: it makes others encrypt mail to you.")
    if len(records) > 1:
        return result(WARNING, f"{name} has several records, so none counts. Keep one.")
    try:
        library.parse_mta_sts_record(records[0])
        if not fetch:
            return result(OK, "One record, and senders can read it. Its policy is read with --fetch.")
        downloaded = library.download_mta_sts_policy(domain, http_timeout=lookup.lifetime)
        policy = library.parse_mta_sts_policy(downloaded["policy"])["policy"]
    except library.MTASTSError as error:
        return result(WARNING, f"Senders can't use it: {quoted(str(error))}. Correct it.")
    patterns = [str(pattern) for pattern in policy.get("mx", [])]
    other = [host for _, host in exchanges if host and not library.mx_in_mta_sts_patterns(host, patterns)]
    if other and policy.get("mode") != "none":
        return result(WARNING, f"The policy leaves out {quoted(other[0])}, which is an MX. Add it.")
    return result(OK, f"Record and policy agree (mode {quoted(str(policy.get('mode')))}).")


def bimi(lookup: Lookup, domain: str, fetch: bool = False) -> Finding:
    """Check the record of the logo that inboxes show. fetch: read logo and certificate on the web, too."""

    def result(state: str, sentence: str) -> Finding:
        return finding("BIMI", domain, state, sentence, BIMI_RULE)

    try:
        walked = dmarc.walk(lookup, domain)
        exists = lookup.exists(domain)
        places = dict.fromkeys((domain, walked.organisational))
        found = {place: lookup.texts(f"default._bimi.{place}") for place in places}
    except DnsFailure as failure:
        return unanswered("BIMI", domain, failure.name, BIMI_RULE)
    records = [
        text for texts in found.values() for text in texts if tags(text).get("v", "").upper() == "BIMI1"
    ][:1]
    if not records:
        return result(OK, f"No record. {OPTIONAL}: it shows your logo in some inboxes.")
    values = tags(records[0])
    if not values.get("l"):
        return result(OK, "The record declines to show a logo (l is empty).")
    if not _is_https(values["l"]) or (values.get("a") and not _is_https(values["a"])):
        return result(WARNING, "l and a must be https addresses of logo and certificate. Correct them.")
    needed = _policies(walked, domain, exists)
    weak = next((text for text in needed if text.endswith("=none")), None)
    if weak or not needed:
        sentence = f"The logo is shown nowhere, because DMARC is {weak or 'missing'}. Move to p=quarantine."
        return result(WARNING, sentence)
    if not values.get("a"):
        sentence = "The record has no certificate (a=), so Gmail shows no logo. Get one (VMC or CMC)."
        return result(WARNING, sentence)
    if fetch:
        return _bimi_fetched(records[0], domain, lookup.lifetime)
    return result(OK, "Record with logo and certificate. Both are read with --fetch.")


def _policies(walked: dmarc.Walk, domain: str, exists: bool) -> list[str]:
    record = walked.applied
    if record is None:
        return []
    tag, policy = dmarc.effective_policy(record, domain, exists)
    return [f"{tag}={policy}", *(f"sp={found}" for found in [record.policy("sp")] if found)]


def _bimi_fetched(record: str, domain: str, timeout: float) -> Finding:
    from checkdmarc.bimi import BIMIError, parse_bimi_record

    def result(state: str, sentence: str) -> Finding:
        return finding("BIMI", domain, state, sentence, BIMI_RULE)

    try:
        read = parse_bimi_record(record, domain=domain, http_timeout=timeout)
    except BIMIError as error:
        return result(WARNING, f"Receivers can't read the record: {quoted(str(error))}. Correct it.")
    for part in ("image", "certificate"):
        flaws = read.get(part, {})
        text = flaws.get("error") or next(iter(flaws.get("validation_errors") or []), None)
        if text:
            return result(WARNING, f"The {part} has a flaw: {quoted(str(text))}. Correct it.")
    return result(OK, "Logo and certificate were read, and belong together.")


def _is_https(text: str) -> bool:
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return parts.scheme.lower() == "https" and bool(parts.hostname)


def reverse(lookup: Lookup, address: str) -> Finding:
    """Check that a server has a name, and the name leads back to the server (forward-confirmed PTR)."""
    rule = f"{GMAIL}, {YAHOO}"

    def result(state: str, sentence: str) -> Finding:
        return finding("PTR", address, state, sentence, rule)

    try:
        hosts = lookup.hosts(address)
        confirmed = [host for host in hosts if address in lookup.addresses(host)]
    except DnsFailure as failure:
        return unanswered("PTR", address, failure.name, rule)
    if not hosts:
        sentence = f"{address} has no name (PTR), so Gmail may refuse its mail. Its owner must publish one."
        return result(FAILS, sentence)
    if not confirmed:
        sentence = f"{quoted(hosts[0])} does not lead back to {address}. Publish its A or AAAA record."
        return result(FAILS, sentence)
    return result(OK, f"{address} is {quoted(confirmed[0])}, and that name leads back to it.")

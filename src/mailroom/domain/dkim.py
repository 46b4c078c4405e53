"""DKIM keys in DNS (RFC 6376, 8301, 8463). checkdmarc does not read them."""

import base64
import binascii
import re
from collections.abc import Iterable

from mailroom.domain.findings import (
    BULK_SENDERS,
    FAILS,
    OK,
    UNKNOWN,
    WARNING,
    Finding,
    finding,
    quoted,
    unanswered,
)
from mailroom.domain.lookup import DnsFailure, Lookup

RULE = f"{BULK_SENDERS}; RFC 6376"
# Names that an ESP gives to every sender, as its help pages and its customers' DNS have them. HubSpot's newer
# names hold the number of the account (hs1-<number>), and Klaviyo's dynamic routing has names of its own:
# those can't be guessed.
SELECTORS = {
    "Klaviyo": ("km1", "km2", "kt1", "kt2", "ks1", "ks2", "kl", "kl2"),
    "Mailchimp": ("k1", "k2", "k3"),
    "Brevo": ("brevo1", "brevo2", "mail"),
    "HubSpot": ("hs1", "hs2"),
    "ActiveCampaign": ("acdkim1", "acdkim2", "dk"),
}
LEAST_BITS, GOOD_BITS = 1024, 2048  # RFC 8301, 3.2
ED25519_BYTES = 32
SEQUENCE, INTEGER, BIT_STRING = 0x30, 0x02, 0x03


def tags(text: str) -> dict[str, str]:
    """Return the tags of a list of name=value, by name, without white space in names and around values. The
    first of repeated tags counts (RFC 6376, 3.2)."""
    found: dict[str, str] = {}
    for part in text.split(";"):
        name, equals, value = part.partition("=")
        if equals:
            found.setdefault(name.strip().lower(), value.strip())
    return found


def is_key(text: str) -> bool:
    """Return whether a TXT record is a DKIM key. A domain with a wildcard answers every question."""
    found = tags(text)
    return "p" in found and found.get("v", "DKIM1") == "DKIM1"


def check(lookup: Lookup, domains: Iterable[str], selectors: Iterable[str]) -> list[Finding]:
    """Check the keys of the domains. Without a selector, those of the five ESPs are tried."""
    domains, selectors = list(dict.fromkeys(domains)), list(dict.fromkeys(selectors))
    return given(lookup, domains, selectors) if selectors else well_known(lookup, domains)


def given(lookup: Lookup, domains: list[str], selectors: list[str]) -> list[Finding]:
    """Check each selector at the domains. It fails if none of the domains has its key."""
    found = []
    for selector in selectors:
        rows, failures = [], []
        for domain in domains:
            try:
                keys = [text for text in lookup.texts(_name(selector, domain)) if is_key(text)]
            except DnsFailure as failure:
                failures.append(unanswered("DKIM key", _name(selector, domain), failure.name, RULE))
                continue
            rows += [key(_name(selector, domain), keys)] if keys else []
        if not rows and not failures:
            sentence = (
                f"No key at {' or '.join(_name(selector, domain) for domain in domains)}, so no signature "
                "with it holds. Publish the record that your ESP shows, or name its domain with --sender."
            )
            rows.append(finding("DKIM key", selector, FAILS, sentence, RULE))
        found += rows + failures
    return found


def well_known(lookup: Lookup, domains: list[str]) -> list[Finding]:
    """Check the selectors of the five ESPs at the domains. Without any key it is unknown: a selector can't be
    guessed."""
    found: list[Finding] = []
    for domain in domains:
        for esp, names in SELECTORS.items():
            for selector in names:
                try:
                    keys = [text for text in lookup.texts(_name(selector, domain)) if is_key(text)]
                except DnsFailure as failure:
                    return [*found, unanswered("DKIM key", domain, failure.name, RULE)]
                found += [key(_name(selector, domain), keys, esp)] if keys else []
    if not found:
        sentence = (
            f"No key under the usual selectors of {', '.join(SELECTORS)}. Give yours with --selector: it is "
            "s= in the header DKIM-Signature of a message, or give the message with --message."
        )
        found.append(finding("DKIM key", " ".join(domains), UNKNOWN, sentence, RULE))
    return found


def key(name: str, records: list[str], esp: str = "") -> Finding:
    """Check the key records of one name."""

    def result(state: str, sentence: str) -> Finding:
        return finding("DKIM key", name, state, sentence, RULE)

    if len(records) > 1:
        return result(
            FAILS, f"{name} has {len(records)} keys, so a receiver may take the wrong one. Keep one."
        )
    found = tags(records[0])
    encoded = re.sub(r"\s", "", found["p"])
    if not encoded:
        return result(FAILS, "The key is revoked (p is empty). Publish the key that your ESP signs with.")
    hashes = found.get("h")
    if hashes is not None and "sha256" not in re.split(r"\s*:\s*", hashes.lower()):
        return result(FAILS, f"The key allows only {quoted(hashes)}, and receivers need sha256. Remove h.")
    services = re.split(r"\s*:\s*", found.get("s", "*").lower())
    if not {"*", "email"} & set(services):
        return result(FAILS, f"The key is not for e-mail (s={quoted(found['s'])}). Remove s.")
    kind = found.get("k", "rsa").lower()
    try:
        raw = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        return result(FAILS, "The key is not base64, so no signature holds. Publish it again, in one piece.")
    state, sentence = _strength(kind, raw)
    if "y" in re.split(r"\s*:\s*", found.get("t", "").lower()):
        state = WARNING if state == OK else state
        sentence += " It is in test mode (t=y), so receivers may treat mail as unsigned. Remove t=y."
    return result(state, f"{esp}: {sentence}" if esp else sentence)


def _strength(kind: str, raw: bytes) -> tuple[str, str]:
    if kind == "ed25519":
        if len(raw) != ED25519_BYTES:
            return FAILS, f"The key has {len(raw)} bytes, and ed25519 has {ED25519_BYTES}. Publish it again."
        return WARNING, "A key for ed25519, which many receivers can't check. Sign with RSA 2048 as well."
    if kind != "rsa":
        return FAILS, f"The key is of kind {quoted(kind)}, which receivers do not know. Use RSA 2048."
    n_bits = rsa_bits(raw)
    if n_bits is None:
        return FAILS, "The key is cut or damaged, so no signature holds. Publish it again, in one piece."
    if n_bits < LEAST_BITS:
        return FAILS, f"RSA key of {n_bits} bits, which receivers refuse (RFC 8301). Use one of {GOOD_BITS}."
    if n_bits < GOOD_BITS:
        return WARNING, f"RSA key of {n_bits} bits is enough today. Use one of {GOOD_BITS} bits."
    return OK, f"RSA key of {n_bits} bits."


def rsa_bits(raw: bytes) -> int | None:
    """Return the bits of the modulus of an RSA public key in DER, as SubjectPublicKeyInfo or RSAPublicKey
    (RFC 8017, A.1.1). None if it is no such key."""
    try:
        tag, body, _ = _element(raw)
        inner, content, rest = _element(body)
        if inner == SEQUENCE:
            outer, bits, _ = _element(rest)
            if outer != BIT_STRING or bits[:1] != b"\0":
                return None
            tag, body, _ = _element(bits[1:])
            inner, content, _ = _element(body)
    except ValueError:
        return None
    if tag != SEQUENCE or inner != INTEGER:
        return None
    return int.from_bytes(content, "big").bit_length() or None


def _element(data: bytes) -> tuple[int, bytes, bytes]:
    """Return tag and content of the first DER element, and what follows it."""
    if len(data) < 2:
        raise ValueError("cut")
    tag, size, start = data[0], data[1], 2
    if size & 0x80:
        start += size & 0x7F
        size = int.from_bytes(data[2:start], "big")
    if len(data) < start + size:
        raise ValueError("cut")
    return tag, data[start : start + size], data[start + size :]


def _name(selector: str, domain: str) -> str:
    return f"{selector}._domainkey.{domain}"

"""The mailbox of an e-mail address, in any spelling.

It mirrors the SQL in macros/identity.sql and macros/normalise/email.sql. It reads all that the SQL reads in
the same way, and some odd spellings of ESPs besides.
"""

import re
import unicodedata
from collections.abc import Mapping

import idna

# A provider's rules for one of its domains: the canonical domain, whether it ignores dots in the local part,
# whether it ignores +part. By email_domain, as in the seed mailbox_domains.
Domains = Mapping[str, tuple[str | None, bool, bool]]

LONGEST = 254  # characters (RFC 5321, 4.5.3.1)
# Most addresses are plain and need no normalisation.
PLAIN = re.compile(r"[a-z0-9_-]+(?:[.+][a-z0-9_-]+)*@(?:(?!xn--)[a-z0-9_-]+\.)+[a-z]{2,}")
# Full-width forms of ASCII, small ones of @ and the full stop, and two ideographic full stops.
ASCII_FORMS = {0xFF01 + place: 0x21 + place for place in range(94)} | {
    0xFE6B: "@", 0xFE52: ".", 0x3002: ".", 0xFF61: ".",
}  # fmt: skip
QUOTES = "\"'`\u00b4\u2018\u2019\u201a\u201c\u201d\u201e\u2039\u203a\u00ab\u00bb"  # straight and curly
OPENING, CLOSING = QUOTES + "<([{", QUOTES + ">)]}.,;:!?"
IN_BRACKETS = re.compile(r"<([^<>]*)>")
COMMENT = re.compile(r"\([^()@]*\)")
AROUND = re.compile(r" *([@.]) *")
TOP = re.compile(r"xn--[a-z0-9-]+")


def normalise(text: str | None) -> str | None:
    """Return an address in one spelling: composed (NFC), in lower case, without a name, quotes, brackets,
    mailto:, space or invisible characters, its domain in Unicode. None if the text is not one address with a
    domain, of at most LONGEST characters."""
    if text is None:
        return None
    if len(text) <= LONGEST and PLAIN.fullmatch(text):
        return text
    address = _lower(text.translate(ASCII_FORMS))
    # Tabs and line ends separate words, as spaces do. Invisible characters do not.
    address = "".join(
        " " if char in "\t\n\r\f\v" or unicodedata.category(char)[0] == "Z" else char
        for char in address
        if char in "\t\n\r\f\v" or unicodedata.category(char)[0] != "C"
    )
    named = IN_BRACKETS.findall(address)
    if len(named) == 1 and "@" in named[0]:
        address = named[0]
    address = COMMENT.sub("", address).replace("%40", "@")
    address = address.strip(OPENING + " ")
    if address.startswith("mailto:"):
        address = address.removeprefix("mailto:").partition("?")[0].lstrip(OPENING + " ")
    address = AROUND.sub(r"\1", address.rstrip(CLOSING + " "))
    local, at, domain = address.partition("@")
    local = local.strip(QUOTES)
    if not at or not _is_local(local):
        return None
    domain = ".".join(_unicode(label) for label in domain.split("."))
    address = unicodedata.normalize("NFC", f"{local}@{domain}")
    return address if _is_domain(domain) and len(address) <= LONGEST else None


def spelled(text: str) -> str:
    """Return an address for comparisons: normalise() of it or, if it is invalid, in lower case."""
    return normalise(text) or _lower(text).strip()


def mailbox(address: str, domains: Domains) -> str:
    """Return the mailbox of an address, without the parts that its provider ignores."""
    return _mailbox(address, domains, ignores_plus_part=False)


def widest_mailbox(address: str, domains: Domains) -> str:
    """Return mailbox() of an address, also without the +part at unknown domains. An opt-out by one address
    counts for all addresses that may lead to its mailbox."""
    return _mailbox(address, domains, ignores_plus_part=True)


def _mailbox(address: str, domains: Domains, ignores_plus_part: bool) -> str:
    address = spelled(address)
    local, at, domain = address.rpartition("@")
    if not at:
        return address
    canonical, ignores_dots, ignores_plus = domains.get(domain, (None, False, ignores_plus_part))
    without = local.partition("+")[0] if ignores_plus else local
    if ignores_dots:
        without = without.replace(".", "")
    return f"{without or local}@{canonical or domain}"


def _lower(text: str) -> str:
    # Letter by letter, as in SQL: Python lowers Σ at the end of a word differently, and İ to two characters.
    composed = unicodedata.normalize("NFC", text)
    return unicodedata.normalize("NFC", "".join("i" if char == "İ" else char.lower() for char in composed))


def _is_local(text: str) -> bool:
    return bool(text) and not any(char in ' @,;<>()"|' for char in text)


def _is_domain(domain: str) -> bool:
    *labels, top = domain.split(".")
    return (
        bool(labels)
        and all(label and all(_is_part(char) for char in label) for label in labels)
        and (bool(TOP.fullmatch(top)) or (len(top) >= 2 and all(_is_letter(char) for char in top)))
    )


def _is_part(char: str) -> bool:
    return char in "_-" or unicodedata.category(char)[0] in "LMN"


def _is_letter(char: str) -> bool:
    return unicodedata.category(char)[0] in "LM"


def _unicode(label: str) -> str:
    """Return a label of a domain in Unicode; unchanged if it is invalid."""
    if not label.startswith("xn--"):
        return label
    try:
        return _lower(idna.decode(label))
    except (idna.IDNAError, UnicodeError):
        return label

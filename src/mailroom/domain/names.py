"""Domain names: as a person writes them, and as DNS has them."""

import ipaddress
import re

import idna

LONGEST = 253  # characters (RFC 1035, 2.3.4)
HOST_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
SELECTOR = re.compile(rf"{HOST_LABEL.pattern}(?:\.{HOST_LABEL.pattern})*")


def domain_name(text: str) -> str:
    """Return a domain name in lower case, without a final full stop, an international one in its xn-- form.

    Raises:
        ValueError: it is no domain name. The message says what it is, and never repeats an address.
    """
    name = text.strip().removesuffix(".")
    if "@" in name:
        raise ValueError("this is an e-mail address, not a domain. Give the part after the @.")
    if "/" in name:
        raise ValueError(f"{name!r} is a web address. Give the domain alone, such as example.org.")
    if _is_address(name):
        raise ValueError(f"{name} is an IP address. Give a domain, such as example.org.")
    try:
        ascii_name = name.lower() if name.isascii() else idna.encode(name, uts46=True).decode()
    except UnicodeError as error:  # idna.IDNAError is one
        raise ValueError(f"{name!r} is not a domain name: {error}") from None
    labels = ascii_name.split(".")
    if len(ascii_name) > LONGEST or not all(HOST_LABEL.fullmatch(label) for label in labels):
        raise ValueError(f"{name!r} is not a domain name, such as example.org.")
    if len(labels) < 2 or labels[-1].isdigit():
        raise ValueError(
            f"{name!r} is not a full domain name. Give one with its ending, such as example.org."
        )
    return ascii_name


def is_domain_name(text: str) -> bool:
    """Return whether domain_name() accepts the text."""
    try:
        domain_name(text)
    except ValueError:
        return False
    return True


def selector_name(text: str) -> str:
    """Return a DKIM selector in lower case. A selector may have full stops (RFC 6376, 3.1).

    Raises:
        ValueError: it is no selector.
    """
    selector = text.strip().lower()
    if "._domainkey" in selector:
        selector = selector.partition("._domainkey")[0]
    if len(selector) > LONGEST or not SELECTOR.fullmatch(selector.replace("_", "-")):
        raise ValueError(f"{text!r} is not a DKIM selector, such as s1.")
    return selector


def ip_address(text: str) -> str:
    """Return an IP address in its usual form.

    Raises:
        ValueError: it is none.
    """
    if not _is_address(text.strip()):
        raise ValueError(f"{text!r} is not an IP address, such as 192.0.2.1.")
    return str(ipaddress.ip_address(text.strip()))


def is_below(name: str, parent: str) -> bool:
    """Return whether the name is the parent or a sub-domain of it."""
    return name == parent or name.endswith(f".{parent}")


def shown(name: str) -> str:
    """Return the name as people write it, with its xn-- form after it if they differ."""
    try:
        readable = idna.decode(name)
    except UnicodeError:
        return name
    return name if readable == name else f"{readable} ({name})"


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text.strip("[]"))
    except ValueError:
        return False
    return True

"""Zones and keys for the tests of `mailroom domain check`. Nothing here leaves this machine."""

import base64
from functools import cache
from typing import Any

import pytest

pytest.importorskip("checkdmarc", reason="checkdmarc is not installed: pip install -r requirements-dns.txt")

from dns_server import DnsServer, Zone

from mailroom.domain import Checked, Finding, Options, check


def der(tag: int, content: bytes) -> bytes:
    size = len(content)
    head = bytes([size]) if size < 128 else bytes([0x82]) + size.to_bytes(2, "big")
    return bytes([tag]) + head + content


def rsa_key(n_bits: int) -> str:
    """A public key of so many bits, as DKIM writes it. No private key belongs to it."""
    modulus = ((1 << n_bits) - 12345).to_bytes(n_bits // 8 + 1, "big")
    numbers = der(0x30, der(0x02, modulus) + der(0x02, b"\1\0\1"))
    algorithm = der(0x30, bytes.fromhex("06092a864886f70d0101010500"))
    return base64.b64encode(der(0x30, algorithm + der(0x03, b"\0" + numbers))).decode()


def good_zone(domain: str = "example.org") -> Zone:
    """All that a domain needs."""
    return {
        domain: {
            "TXT": ["v=spf1 include:_spf.esp.test -all", "other=1"],
            "MX": [f"10 mx.{domain}."],
            "A": ["192.0.2.1"],
        },
        f"mx.{domain}": {"A": ["192.0.2.25"]},
        "_spf.esp.test": {"TXT": ["v=spf1 ip4:192.0.2.0/24 -all"]},
        f"s1._domainkey.{domain}": {"TXT": [f"v=DKIM1; k=rsa; p={rsa_key(2048)}"]},
        f"_dmarc.{domain}": {"TXT": [f"v=DMARC1; p=reject; rua=mailto:dmarc@{domain}"]},
        f"_smtp._tls.{domain}": {"TXT": [f"v=TLSRPTv1; rua=mailto:tls@{domain}"]},
        f"_mta-sts.{domain}": {"TXT": ["v=STSv1; id=20260101"]},
        f"default._bimi.{domain}": {"TXT": [f"v=BIMI1; l=https://{domain}/logo.svg; a=https://{domain}/vmc.pem"]},
        "25.2.0.192.in-addr.arpa": {"PTR": [f"mx.{domain}."]},
    }  # fmt: skip


def changed(changes: dict[str, Any], domain: str = "example.org") -> Zone:
    """A good zone with other records. A name with None is left out; a text is a single TXT record."""
    zone: Zone = {**good_zone(domain)}
    for name, records in changes.items():
        if records is None:
            zone.pop(name, None)
        elif isinstance(records, list):
            zone[name] = {"TXT": records}
        else:
            zone[name] = records
    return zone


@cache
def server() -> DnsServer:
    """One server for all tests of a process. Its threads end with the process."""
    return DnsServer()


def run(zone: Zone, domain: str = "example.org", **options: Any) -> Checked:
    """Check a domain against a zone."""
    server().holds(zone)
    options.setdefault("selectors", ["s1"])
    return check(domain, Options(nameserver=server().address, **{"timeout": 0.5, **options}))


def one(checked: Checked, name: str) -> Finding:
    """The first finding of a check."""
    found = [finding for finding in checked.findings if finding.check == name]
    assert found, f"{name} is not among {[finding.check for finding in checked.findings]}"
    return found[0]

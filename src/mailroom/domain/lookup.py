"""Questions to DNS. No record and no answer are two results: only the first says something of a domain."""

import ipaddress
import socket
from importlib.util import find_spec
from typing import Any

MISSING = (
    'checkdmarc is not installed: pip install -r requirements-dns.txt, or pip install "mailroom[dns]" where '
    "Mailroom is a package"
)
DEFAULT_PORT = 53
# checkdmarc asks these too. A server that does not know such a question says nothing of the domain.
SIDE_QUESTIONS = frozenset({"SPF", "CNAME"})
GIVE_UP_AFTER = 2  # timeouts before the first answer: then no server is there


class DnsFailure(Exception):  # noqa: N818
    """DNS did not answer: a timeout, SERVFAIL or REFUSED. name: what was asked."""

    def __init__(self, name: str) -> None:
        super().__init__(f"no answer about {name}")
        self.name = name


def require_library() -> None:
    """Check that the optional library is there.

    Raises:
        ValueError: it is not. The message says how to install it.
    """
    if find_spec("checkdmarc") is None:
        raise ValueError(MISSING)


def server(text: str) -> tuple[str, int]:
    """Return address and port of HOST, HOST:PORT, an IPv6 address or [IPv6]:PORT.

    Raises:
        ValueError: it is none of them, or the host has no address.
    """
    host, port = text.strip(), str(DEFAULT_PORT)
    if host.startswith("["):
        host, _, rest = host[1:].partition("]")
        port = rest.removeprefix(":") or port
    elif host.count(":") == 1:
        host, _, port = host.partition(":")
    if not (host and port.isascii() and port.isdigit() and 0 < int(port) < 65536):
        raise ValueError(f"{text!r} is not a name server. Give HOST:PORT, such as 127.0.0.1:5353.")
    try:
        return str(ipaddress.ip_address(host)), int(port)
    except ValueError:
        pass
    try:
        return str(socket.getaddrinfo(host, int(port), type=socket.SOCK_DGRAM)[0][4][0]), int(port)
    except (OSError, UnicodeError):
        raise ValueError(f"the name server {host!r} has no address.") from None


class Lookup:
    """A resolver that asks each question once, and keeps no answer beyond its own life.

    checkdmarc takes it in place of dnspython's resolver, of which it needs resolve() and lifetime.
    """

    def __init__(self, nameserver: tuple[str, int] | None = None, timeout: float = 5.0) -> None:
        """nameserver: address and port; None: those of the system. timeout: seconds per question.

        Raises:
            ValueError: the system has no name server.
        """
        import checkdmarc.utils
        import dns.nameserver
        import dns.resolver

        checkdmarc.utils.DNS_CACHE.clear()  # it has names of the last run, perhaps of another server
        try:
            self._resolver = dns.resolver.Resolver(configure=nameserver is None)
        except dns.resolver.NoResolverConfiguration:
            raise ValueError("this machine has no name server. Give one with --nameserver.") from None
        if nameserver:
            self._resolver.nameservers = [dns.nameserver.Do53Nameserver(*nameserver)]
        self._resolver.timeout = min(timeout, 2.0)
        self.lifetime = self._resolver.lifetime = timeout
        self.nameservers: list[Any] = list(self._resolver.nameservers)
        self.failed: list[str] = []  # names without an answer, in the order asked, once per question
        self.n_asked = 0
        self._n_timeouts = self._n_answers = 0
        self._known: dict[tuple[str, str], Any] = {}

    def resolve(self, name: Any, kind: Any = "A", **_: Any) -> Any:
        """Return dnspython's answer.

        Raises:
            dns.resolver.NXDOMAIN, dns.resolver.NoAnswer: there is no such record.
            dns.exception.DNSException: DNS did not answer. The name is then in `failed`.
        """
        import dns.resolver

        key = (str(name).lower().rstrip("."), str(kind).upper())
        if key not in self._known:
            self._known[key] = self._ask(*key)
        found = self._known[key]
        if isinstance(found, Exception):
            absent = isinstance(found, dns.resolver.NXDOMAIN | dns.resolver.NoAnswer)
            if not absent and key[1] not in SIDE_QUESTIONS:
                self.failed.append(key[0])
            raise found
        return found

    def _ask(self, name: str, kind: str) -> Any:
        import dns.exception
        import dns.name
        import dns.resolver

        try:
            question = dns.name.from_text(name)
        except (dns.exception.DNSException, UnicodeError):
            return dns.resolver.NXDOMAIN()  # no domain can have such a name
        if not self._n_answers and self._n_timeouts >= GIVE_UP_AFTER:
            return dns.resolver.NoNameservers()
        self.n_asked += 1
        try:
            answer = self._resolver.resolve(question, kind, search=False)
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer) as error:
            self._n_answers += 1
            return error
        except dns.exception.Timeout as error:
            self._n_timeouts += 1
            return error
        except dns.exception.DNSException as error:
            return error
        except (OSError, EOFError):
            self._n_timeouts += 1
            return dns.resolver.NoNameservers()
        self._n_answers += 1
        return answer

    def _records(self, name: str, kind: str) -> list[Any]:
        import dns.exception
        import dns.resolver

        try:
            return list(self.resolve(name, kind))
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            return []
        except dns.exception.DNSException:
            raise DnsFailure(name) from None

    def texts(self, name: str) -> list[str]:
        """Return the TXT records of a name, each with its strings joined. Without any, an empty list.

        Raises:
            DnsFailure: DNS did not answer.
        """
        return [b"".join(record.strings).decode("utf-8", "replace") for record in self._records(name, "TXT")]

    def exchanges(self, name: str) -> list[tuple[int, str]]:
        """Return preference and host of the MX records of a name. The host of a null MX is empty.

        Raises:
            DnsFailure: DNS did not answer.
        """
        records = self._records(name, "MX")
        return sorted(
            (record.preference, record.exchange.to_text().rstrip(".").lower()) for record in records
        )

    def addresses(self, name: str) -> list[str]:
        """Return the IPv4 and IPv6 addresses of a name.

        Raises:
            DnsFailure: DNS did not answer.
        """
        return [
            str(ipaddress.ip_address(record.address))
            for kind in ("A", "AAAA")
            for record in self._records(name, kind)
        ]

    def hosts(self, address: str) -> list[str]:
        """Return the host names of an IP address (PTR).

        Raises:
            DnsFailure: DNS did not answer.
        """
        records = self._records(ipaddress.ip_address(address).reverse_pointer, "PTR")
        return [record.target.to_text().rstrip(".").lower() for record in records]

    def exists(self, name: str) -> bool:
        """Return whether the name exists, with or without records (RFC 8020).

        Raises:
            DnsFailure: DNS did not answer.
        """
        import dns.exception
        import dns.resolver

        try:
            self.resolve(name, "A")
        except dns.resolver.NXDOMAIN:
            return False
        except dns.resolver.NoAnswer:
            return True
        except dns.exception.DNSException:
            raise DnsFailure(name) from None
        return True

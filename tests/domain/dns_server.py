"""A DNS server of the tests' own, on 127.0.0.1: UDP and TCP, with a zone of plain text."""

import socketserver
import struct
import threading
from typing import Any

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.rrset

# Records by name and kind. Text of TXT is given as it is. FAILURE and SILENCE stand for records of any kind.
Zone = dict[str, dict[str, list[str | bytes]] | str]
FAILURE, SILENCE = "SERVFAIL", "no answer at all"
MOST_UDP = 1232  # bytes


def text_record(value: str | bytes) -> dns.rdata.Rdata:
    """A TXT record of one text, in strings of at most 255 bytes."""
    raw = value if isinstance(value, bytes) else value.encode()
    wire = b"".join(
        bytes([len(raw[at : at + 255])]) + raw[at : at + 255] for at in range(0, len(raw) or 1, 255)
    )
    return dns.rdata.from_wire(dns.rdataclass.IN, dns.rdatatype.TXT, wire, 0, len(wire))


class DnsServer:
    """Answers from `zone`, and keeps what was asked in `asked`."""

    def __init__(self) -> None:
        self.zone: Zone = {}
        self.asked: list[tuple[str, str]] = []
        self._udp = socketserver.ThreadingUDPServer(("127.0.0.1", 0), self._handler(is_tcp=False))
        self.port = self._udp.server_address[1]
        socketserver.ThreadingTCPServer.allow_reuse_address = True
        self._tcp = socketserver.ThreadingTCPServer(("127.0.0.1", self.port), self._handler(is_tcp=True))
        for server in (self._udp, self._tcp):
            server.daemon_threads = True
            threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def holds(self, zone: Zone) -> None:
        """Answer from this zone from now on."""
        self.zone, self.asked = {name.lower(): records for name, records in zone.items()}, []

    def stop(self) -> None:
        for server in (self._udp, self._tcp):
            server.shutdown()
            server.server_close()

    def _handler(self, is_tcp: bool) -> type[socketserver.BaseRequestHandler]:
        answer = self.answer

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                if is_tcp:
                    size = struct.unpack("!H", self.request.recv(2))[0]
                    reply = answer(self.request.recv(size), is_tcp)
                    if reply is not None:
                        self.request.sendall(struct.pack("!H", len(reply)) + reply)
                else:
                    data, connection = self.request
                    reply = answer(data, is_tcp)
                    if reply is not None:
                        connection.sendto(reply, self.client_address)

        return Handler

    def answer(self, wire: bytes, is_tcp: bool) -> bytes | None:
        query = dns.message.from_wire(wire)
        question = query.question[0]
        name, kind = question.name.to_text().rstrip(".").lower(), dns.rdatatype.to_text(question.rdtype)
        self.asked.append((name, kind))
        reply = dns.message.make_response(query)
        for _ in range(8):  # of a chain of CNAMEs
            records = self._found(name)
            if records == SILENCE:
                return None
            if records == FAILURE:
                reply.set_rcode(dns.rcode.SERVFAIL)
                break
            if records is None:
                reply.set_rcode(dns.rcode.NXDOMAIN)
                break
            assert isinstance(records, dict)
            alias = records.get("CNAME")
            used = "CNAME" if alias and kind != "CNAME" else kind
            if records.get(used):
                reply.answer.append(self._set(name, used, records[used]))
            if used == kind:
                break
            name = str(records["CNAME"][0]).rstrip(".").lower()
        if not is_tcp and len(reply.to_wire(max_size=65535)) > MOST_UDP:
            reply.answer = []
            reply.flags |= dns.flags.TC
        answer: bytes = reply.to_wire(max_size=65535)
        return answer

    def _found(self, name: str) -> Any:
        """The records of a name or of a wildcard; without any, {} where names stand below it."""
        if name in self.zone:
            return self.zone[name]
        if any(below.endswith(f".{name}") for below in self.zone):
            return {}
        labels = name.split(".")
        for place in range(1, len(labels)):
            parent = ".".join(labels[place:])
            if f"*.{parent}" in self.zone:
                return self.zone[f"*.{parent}"]
            if isinstance(self.zone.get(parent), str):
                return self.zone[parent]  # a server that is down answers for no sub-domain
            if parent in self.zone:
                break
        return None

    @staticmethod
    def _set(name: str, kind: str, values: list[str | bytes]) -> dns.rrset.RRset:
        answers = dns.rrset.RRset(dns.name.from_text(name), dns.rdataclass.IN, dns.rdatatype.from_text(kind))
        for value in values:
            if kind == "TXT":
                answers.add(text_record(value), 60)
            else:
                answers.add(dns.rdata.from_text("IN", kind, str(value), relativize=False), 60)
        return answers

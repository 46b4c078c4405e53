"""The command: its input, its output, its exit code; and that no bytes of a stranger end it."""

import json
from typing import Any

import pytest
from dns_server import FAILURE
from hypothesis import example, given
from hypothesis import strategies as st
from zones import changed, good_zone, rsa_key, run, server

from mailroom.cli import main
from mailroom.domain import eml
from mailroom.domain.dkim import rsa_bits
from mailroom.domain.dmarc import targets
from mailroom.domain.findings import STATES
from mailroom.domain.lookup import server as name_server
from mailroom.domain.names import domain_name

REFUSED = {
    "ada@example.org": "this is an e-mail address, not a domain",
    "https://example.org/": "is a web address",
    "192.0.2.1": "is an IP address",
    "[2001:db8::1]": "is an IP address",
    "example": "is not a full domain name",
    "example..org": "is not a domain name",
    "exa mple.org": "is not a domain name",
    "a-.org": "is not a domain name",
    "a_b.org": "is not a domain name",
    "": "is not a domain name",
    f"{'a' * 64}.org": "is not a domain name",
    "☃☃.org": "is not a domain name",
}


@pytest.mark.parametrize("text", REFUSED)
def test_a_wrong_domain_is_bad_input(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["domain", "check", text]) == 2
    printed = capsys.readouterr()
    assert REFUSED[text] in printed.err and printed.out == "" and "ada" not in printed.err


OPTIONS: dict[str, tuple[list[str], str]] = {
    "sender": (["--sender", "a@b.org"], "an e-mail address"),
    "selector": (["--selector", "a b"], "is not a DKIM selector"),
    "ip": (["--ip", "example.org"], "is not an IP address"),
    "name server": (["--nameserver", "127.0.0.1:dns"], "is not a name server"),
    "port": (["--nameserver", "127.0.0.1:70000"], "is not a name server"),
    "timeout": (["--timeout", "0"], "--timeout is in seconds"),
    "nothing to be transactional": (["--transactional"], "Give it with --message"),
    "no file": (["--message", "nowhere.eml"], "can't be read: No such file"),
    "no message": (["--message", __file__], "is no message with headers"),
}


@pytest.mark.parametrize("name", OPTIONS)
def test_a_wrong_option_is_bad_input(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    arguments, part = OPTIONS[name]
    assert main(["domain", "check", "example.org", *arguments]) == 2
    assert part in capsys.readouterr().err


def test_without_the_library_one_sentence_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("mailroom.domain.lookup.find_spec", lambda _: None)
    assert main(["domain", "check", "example.org"]) == 2
    error = capsys.readouterr().err
    assert 'pip install "mailroom[dns]"' in error and "requirements-dns.txt" in error


ENDS: dict[str, tuple[dict[str, Any], int]] = {
    "good": ({}, 0),
    "warning": ({"_dmarc.example.org": ["v=DMARC1; p=none"]}, 0),
    "fails": ({"_dmarc.example.org": None}, 1),
    "fails and no answer": ({"_dmarc.example.org": None, "_mta-sts.example.org": FAILURE}, 1),
    "no answer": ({"_dmarc.example.org": FAILURE}, 5),
}


@pytest.mark.parametrize("name", ENDS)
def test_exit_codes(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    changes, code = ENDS[name]
    server().holds(changed(changes))
    arguments = ["--selector", "s1", "--nameserver", server().address, "--json"]
    assert main(["domain", "check", "example.org", *arguments]) == code
    printed = json.loads(capsys.readouterr().out)
    assert (printed["domain"], printed["exit_code"]) == ("example.org", code)
    assert {row["state"] for row in printed["findings"]} <= set(STATES)


def test_the_text_has_a_paragraph_per_check(capsys: pytest.CaptureFixture[str]) -> None:
    server().holds(changed({"_dmarc.example.org": ["v=DMARC1; p=none; pct=50"]}))
    assert main(["domain", "check", "example.org", "--nameserver", server().address, "--selector", "s1"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "example.org: 12 checks, 4 with a warning, 8 ok."
    assert any(line.startswith("warning  DMARC tags") and "pct" in line for line in lines)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("127.0.0.1", ("127.0.0.1", 53)),
        ("127.0.0.1:5353", ("127.0.0.1", 5353)),
        ("::1", ("::1", 53)),
        ("[::1]:5353", ("::1", 5353)),
        ("[::1]", ("::1", 53)),
    ],
)
def test_a_name_server_is_read_with_and_without_port(text: str, expected: tuple[str, int]) -> None:
    assert name_server(text) == expected


@pytest.mark.parametrize("n_bits", [1024, 2048, 3072])
def test_bits_of_a_key_agree_with_cryptography(n_bits: int) -> None:
    from cryptography.hazmat.primitives.asymmetric import rsa
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    public = rsa.generate_private_key(65537, n_bits).public_key()
    for form in (PublicFormat.SubjectPublicKeyInfo, PublicFormat.PKCS1):
        assert rsa_bits(public.public_bytes(Encoding.DER, form)) == n_bits


@pytest.mark.parametrize(("labels", "n_queries"), [(1, 1), (2, 2), (7, 7), (8, 8), (9, 8), (30, 8)])
def test_a_tree_walk_asks_at_most_eight_names(labels: int, n_queries: int) -> None:
    domain = ".".join(f"l{place}" for place in range(labels))
    asked = targets(domain)
    assert len(asked) == n_queries and asked[0] == domain and asked[-1] == f"l{labels - 1}"


PREFIXES = ["v=spf1 ", "v=DMARC1; ", "v=DMARC1;p=", "v=DKIM1; p=", "v=TLSRPTv1;", "v=STSv1;", "v=BIMI1; l="]
NAMES = ["", "s1._domainkey.", "_dmarc.", "_smtp._tls.", "_mta-sts.", "default._bimi."]
TAG_TEXT = st.text("avpk=;:,!@ .rua-y%'\"", max_size=60)
SPF_WORDS = st.lists(
    st.sampled_from(
        ["all", "+all", "a", "mx", "ptr", "a/24", "include:", "include:x.test", "exists:%{i}.x", "exp=x.test",
         "redirect=x.test", "ip4:1.2.3.4", "ip6:::1/0", "ra=x", "%", "²", "mx:x.test//64", "a:%{d"]
    ),
    max_size=12,
).map(lambda words: f"v=spf1 {' '.join(words)}".encode())  # fmt: skip
RECORDS = st.one_of(
    st.binary(max_size=300),
    st.builds(lambda start, rest: start.encode() + rest, st.sampled_from(PREFIXES), st.binary(max_size=80)),
    st.builds(lambda start, rest: (start + rest).encode(), st.sampled_from(PREFIXES), TAG_TEXT),
    SPF_WORDS,
)  # fmt: skip


@given(st.lists(RECORDS, min_size=1, max_size=2), st.sampled_from(NAMES))
@example([b"v=spf1 include:example.org"], "")
@example([b"v=DKIM1; k=rsa; p=MIIB"], "s1._domainkey.")
@example([b"v=DMARC1; rua=mailto:a@" + b"x" * 200], "_dmarc.")
@example([b""], "_dmarc.")
def test_any_bytes_in_a_record_give_a_result(records: list[bytes], name: str) -> None:
    checked = run(changed({f"{name}example.org": records}))
    assert checked.findings and all(row.sentence.isprintable() for row in checked.findings)


HEADER_NAMES = [
    "From", "To", "DKIM-Signature", "List-Unsubscribe", "Feedback-ID", "Authentication-Results",
    "Return-Path",
]  # fmt: skip
ODD_VALUES = [
    b"<https://[::1/u>", b"d=example.org; s=s1; h=from", b"=?utf-8?b?//8=?=", b"a@[1.2.3.4]", b"(((",
    b"a@b@c", b"=?x?q?=?=", b'"', b"<>", b"d=xn--a.b; s=\x00",
]  # fmt: skip
HEADER_LINES = st.builds(
    lambda name, value: name.encode() + b": " + value,
    st.sampled_from(HEADER_NAMES),
    st.one_of(
        st.binary(max_size=60),
        st.text('<>@,;:()"\\ =?.ab\r\n\thttps/[]%', max_size=60).map(str.encode),
        st.sampled_from(ODD_VALUES),
    ),
)


@given(content=st.binary(max_size=400) | st.lists(HEADER_LINES, min_size=1, max_size=8).map(b"\r\n".join))
@example(content=b"From: \xff\xfe@\xff\r\n\r\n")
@example(content=b"From: a@example.org\r\nList-Unsubscribe: <https://a.test/%ff%00>\r\n")
def test_any_bytes_as_a_message_give_a_result(
    content: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.eml"
    path.write_bytes(content)
    try:
        eml.read(path)
    except ValueError as error:
        assert "is no message" in str(error)
        return
    checked = run(good_zone(), message=path)
    assert all(row.sentence.isprintable() for row in checked.findings)


@given(st.text(max_size=40))
def test_any_text_is_a_domain_name_or_refused_with_a_reason(text: str) -> None:
    try:
        name = domain_name(text)
    except ValueError as error:
        assert str(error).endswith((".", "")) and str(error)
    else:
        assert name == domain_name(name) and name.isascii()


def test_a_key_of_512_bits_is_made_of_512_bits() -> None:
    import base64

    assert rsa_bits(base64.b64decode(rsa_key(512))) == 512

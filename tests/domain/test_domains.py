"""Domains in a local DNS, good and bad, and what the check finds in them."""

from collections.abc import Callable
from typing import Any

import pytest
from dns_server import FAILURE, SILENCE
from zones import changed, good_zone, one, rsa_key, run, server

from mailroom.domain import as_text
from mailroom.domain.dkim import SELECTORS
from mailroom.domain.findings import FAILS, OK, UNKNOWN, WARNING

KEY, POLICY = "s1._domainkey.example.org", "_dmarc.example.org"
LOGO, TLS = "default._bimi.example.org", "_smtp._tls.example.org"
ADDRESS = {"A": ["192.0.2.1"]}
CHAIN: dict[str, Any] = {f"i{n}.test": [f"v=spf1 include:i{n + 1}.test -all"] for n in range(1, 12)}
MANY_A: dict[str, Any] = {f"h{n}.test": ADDRESS for n in range(12)}


def terms(n: int) -> str:
    return " ".join(f"a:h{number}.test" for number in range(n))


def test_a_good_domain_has_no_flaw() -> None:
    checked = run(good_zone(), addresses=["192.0.2.25"], senders=["example.org"])
    assert {(row.check, row.state) for row in checked.findings if row.state != OK} == set()
    assert {row.check for row in checked.findings} == {
        "MX", "SPF record", "SPF lookups", "SPF ending", "DKIM key", "DMARC record", "DMARC policy",
        "DMARC tags", "DMARC reports", "alignment", "TLS-RPT", "MTA-STS", "BIMI", "PTR",
    }  # fmt: skip
    assert checked.exit_code == 0
    assert as_text(checked).startswith("example.org: 14 checks, 14 ok.\n")


def test_a_domain_with_nothing_fails_where_gmail_asks_for_something() -> None:
    checked = run({"example.org": {"A": ["192.0.2.1"]}}, selectors=[])
    states = {row.check: row.state for row in checked.findings}
    assert states["SPF record"] == states["DMARC record"] == FAILS
    assert states["DKIM key"] == UNKNOWN  # a selector can't be guessed
    assert states["MX"] == WARNING
    assert checked.exit_code == 1


# Changes to a good domain; the check, the state and a part of the sentence that are expected.
Changes = dict[str, Any]


def spf(*records: str, **others: Any) -> Changes:
    return {"example.org": list(records), **others}


def key(*records: str) -> Changes:
    return {KEY: list(records)}


def policy(*records: str) -> Changes:
    return {POLICY: list(records)}


FIXTURES: dict[str, tuple[Changes, str, str, str]] = {
    "no SPF": ({"example.org": ADDRESS}, "SPF record", FAILS, "no SPF record"),
    "two SPF records": (spf("v=spf1 -all", "v=spf1 ~all"), "SPF record", FAILS, "2 SPF records"),
    "SPF look-alike": (spf("v=spf10 -all"), "SPF record", FAILS, "no SPF record"),
    "SPF syntax": (spf("v=spf1 ipv4:1.2.3.4 -all"), "SPF record", FAILS, "can't read"),
    "10 lookups": (spf(f"v=spf1 {terms(10)} -all", **MANY_A), "SPF lookups", OK, "10 DNS lookups of 10"),
    "11 lookups": (spf(f"v=spf1 {terms(11)} -all", **MANY_A), "SPF lookups", FAILS, "at least 11"),
    "11 nested": (spf("v=spf1 include:i1.test -all", **CHAIN), "SPF lookups", FAILS, "at least 11"),
    "1 void lookup": (spf("v=spf1 a:no.test -all"), "SPF lookups", WARNING, "1 of 2 without"),
    "3 void lookups": (spf("v=spf1 a:n1.test a:n2.test mx:n3.test"), "SPF lookups", FAILS, "More than 2"),
    "+all": (spf("v=spf1 ip4:192.0.2.1 +all"), "SPF ending", FAILS, "every server"),
    "all": (spf("v=spf1 all"), "SPF ending", FAILS, "every server"),
    "?all": (spf("v=spf1 ?all"), "SPF ending", WARNING, "says nothing"),
    "no all": (spf("v=spf1 ip4:192.0.2.1"), "SPF ending", WARNING, "says nothing"),
    "redirect": (spf("v=spf1 redirect=_spf.esp.test"), "SPF ending", OK, "-all"),
    "redirect by macro": (spf("v=spf1 redirect=%{d}.esp.test"), "SPF ending", UNKNOWN, "macro"),
    "loop": (
        {"example.org": ["v=spf1 include:a.test -all"], "a.test": ["v=spf1 include:example.org -all"]},
        "SPF lookups", FAILS, "refers to itself",
    ),
    "redirect loop": (spf("v=spf1 redirect=example.org"), "SPF lookups", FAILS, "refers to itself"),
    "include of nothing": (spf("v=spf1 include:no.test -all"), "SPF lookups", FAILS, "no.test"),
    "ptr": ({"example.org": {"TXT": ["v=spf1 ptr -all"], **ADDRESS}}, "SPF lookups", WARNING, "ptr"),
    "exp": (spf("v=spf1 exp=why.example.org -all"), "SPF record", OK, "one SPF record"),
    "two exp": (spf("v=spf1 exp=a.test exp=b.test -all"), "SPF record", FAILS, "two exp="),
    "revoked": (key("v=DKIM1; p="), "DKIM key", FAILS, "revoked"),
    "512 bits": (key(f"v=DKIM1; p={rsa_key(512)}"), "DKIM key", FAILS, "512 bits"),
    "1024 bits": (key(f"v=DKIM1; p={rsa_key(1024)}"), "DKIM key", WARNING, "1024 bits"),
    "4096 bits": (key(f"k=rsa; p={rsa_key(4096)}"), "DKIM key", OK, "4096 bits"),
    "ed25519": ({KEY: [f"v=DKIM1; k=ed25519; p={'A' * 43}="]}, "DKIM key", WARNING, "ed25519"),
    "ed25519 cut": (key("v=DKIM1; k=ed25519; p=AAAA"), "DKIM key", FAILS, "3 bytes"),
    "key in test mode": (key(f"v=DKIM1; t=y:s; p={rsa_key(2048)}"), "DKIM key", WARNING, "test mode"),
    "key cut": ({KEY: [f"v=DKIM1; p={rsa_key(2048)[:200]}"]}, "DKIM key", FAILS, "cut or damaged"),
    "key not base64": (key("v=DKIM1; p=…"), "DKIM key", FAILS, "not base64"),
    "key for sha1": (key(f"v=DKIM1; h=sha1; p={rsa_key(2048)}"), "DKIM key", FAILS, "sha256"),
    "key not for mail": (key(f"v=DKIM1; s=tlsrpt; p={rsa_key(2048)}"), "DKIM key", FAILS, "not for e-mail"),
    "key of another kind": (key("v=DKIM1; k=dsa; p=AAAA"), "DKIM key", FAILS, "do not know"),
    "two keys": (key(f"p={rsa_key(2048)}", f"p={rsa_key(1024)}"), "DKIM key", FAILS, "2 keys"),
    "no key": ({KEY: None}, "DKIM key", FAILS, "No key at s1._domainkey.example.org"),
    "key by CNAME": (
        {KEY: {"CNAME": ["s1.esp.test."]}, "s1.esp.test": [f"p={rsa_key(2048)}"]}, "DKIM key", OK, "2048",
    ),
    "CNAME to nothing": ({KEY: {"CNAME": ["gone.esp.test."]}}, "DKIM key", FAILS, "No key"),
    "wildcard": ({KEY: None, "*._domainkey.example.org": ["v=spf1 -all"]}, "DKIM key", FAILS, "No key"),
    "no DMARC": ({POLICY: None}, "DMARC record", FAILS, "nor has a parent"),
    "DMARC at the domain": (
        {POLICY: None, "example.org": ["v=DMARC1; p=reject"]}, "DMARC record", FAILS, "Move it to _dmarc",
    ),
    "two DMARC records": (
        policy("v=DMARC1; p=none", "v=DMARC1; p=reject"), "DMARC record", FAILS, "several DMARC records",
    ),
    "DMARC beside another": (policy("x=1", "v=DMARC1; p=reject"), "DMARC record", OK, "one record"),
    "version in lower case": (policy("v=dmarc1; p=reject"), "DMARC record", FAILS, "no DMARC record"),
    "p=none": (policy("v=DMARC1; p=none"), "DMARC policy", WARNING, "meets the rules"),
    "no p": (policy("v=DMARC1; rua=mailto:a@example.org"), "DMARC policy", WARNING, "counts as p=none"),
    "p is last": (policy("v=DMARC1; adkim=s; p=reject;"), "DMARC policy", OK, "p=reject"),
    "wrong p": (policy("v=DMARC1; p=rejct"), "DMARC policy", FAILS, "ignore the whole record"),
    "wrong sp with rua": (
        policy("v=DMARC1; p=reject; sp=x; rua=mailto:a@example.org"), "DMARC policy", WARNING, "as on p=none",
    ),
    "t=y": (policy("v=DMARC1; p=reject; t=y"), "DMARC policy", WARNING, "act as on quarantine"),
    "t=y, quarantine": (policy("v=DMARC1; p=quarantine; t=y"), "DMARC policy", WARNING, "act as on none"),
    "pct": (policy("v=DMARC1; p=reject; pct=50; ri=3600"), "DMARC tags", WARNING, "removed pct, ri"),
    "unknown tag": (policy("v=DMARC1; p=reject; sq=none"), "DMARC tags", WARNING, '"sq"'),
    "repeated tag": (policy("v=DMARC1; p=reject; p=none"), "DMARC tags", WARNING, "stands twice"),
    "no tag": (policy("v=DMARC1; p=reject; quarantine"), "DMARC tags", WARNING, "is no tag"),
    "weaker sp": (policy("v=DMARC1; p=reject; sp=none"), "DMARC tags", WARNING, "less than p=reject"),
    "weaker np": (policy("v=DMARC1; p=reject; np=quarantine"), "DMARC tags", WARNING, "np=quarantine"),
    "wrong fo": (policy("v=DMARC1; p=reject; fo=z"), "DMARC tags", WARNING, "checkdmarc"),
    "psd=y on oneself": (policy("v=DMARC1; p=reject; psd=y"), "DMARC tags", WARNING, "public suffix"),
    "no rua": (policy("v=DMARC1; p=reject"), "DMARC reports", WARNING, "no rua"),
    "rua without mailto": (policy("v=DMARC1; p=none; rua=a@b.test"), "DMARC reports", WARNING, "mailto"),
    "rua elsewhere": (
        policy("v=DMARC1; p=reject; rua=mailto:a@reports.test"), "DMARC reports", WARNING,
        "TXT example.org._report._dmarc.reports.test",
    ),
    "rua elsewhere, allowed": (
        {POLICY: ["v=DMARC1; p=reject; rua=mailto:a@reports.test!10m"],
         "example.org._report._dmarc.reports.test": ["v=DMARC1;"]}, "DMARC reports", OK, "reports.test",
    ),
    "rua elsewhere, all allowed": (
        {POLICY: ["v=DMARC1; p=reject; rua=mailto:a@reports.test"],
         "*._report._dmarc.reports.test": ["v=DMARC1"]}, "DMARC reports", OK, "reports.test",
    ),
    "rua below": (policy("v=DMARC1; p=none; rua=mailto:a@d.example.org"), "DMARC reports", OK, "d.example"),
    "null MX": ({"example.org": {"TXT": ["v=spf1 -all"], "MX": ["0 ."]}}, "MX", FAILS, "null MX"),
    "null MX and another": ({"example.org": {"MX": ["0 .", "5 mx.test."]}}, "MX", WARNING, "Remove it"),
    "neither MX nor address": (spf("v=spf1 -all"), "MX", FAILS, "neither MX nor address"),
    "no MX": ({"example.org": ADDRESS}, "MX", WARNING, "no MX"),
    "TLS-RPT without rua": ({TLS: ["v=TLSRPTv1;"]}, "TLS-RPT", WARNING, "can't read"),
    "no TLS-RPT": ({TLS: None}, "TLS-RPT", OK, "Optional"),
    "two TLS-RPT": ({TLS: ["v=TLSRPTv1;", "v=TLSRPTv1; x=1"]}, "TLS-RPT", WARNING, "several"),
    "MTA-STS without id": ({"_mta-sts.example.org": ["v=STSv1;"]}, "MTA-STS", WARNING, "can't use"),
    "no MTA-STS": ({"_mta-sts.example.org": None}, "MTA-STS", OK, "Optional"),
    "BIMI with p=none": (policy("v=DMARC1; p=none"), "BIMI", WARNING, "DMARC is p=none"),
    "BIMI with sp=none": (policy("v=DMARC1; p=reject; sp=none"), "BIMI", WARNING, "DMARC is sp=none"),
    "BIMI without certificate": ({LOGO: ["v=BIMI1; l=https://a.test/l.svg"]}, "BIMI", WARNING, "VMC"),
    "BIMI by http": ({LOGO: ["v=BIMI1; l=http://a.test/l.svg"]}, "BIMI", WARNING, "https"),
    "BIMI declined": ({LOGO: ["v=BIMI1; l=; a=;"]}, "BIMI", OK, "declines"),
}  # fmt: skip


@pytest.mark.parametrize("name", FIXTURES)
def test_a_flaw_is_found_and_said(name: str) -> None:
    changes, check, state, part = FIXTURES[name]
    found = one(run(changed(changes)), check)
    assert (found.state, part in found.sentence) == (state, True), found
    assert found.sentence.endswith((".", "…")) and found.rule


DOWN: dict[str, tuple[dict[str, Any], str]] = {
    "SPF": ({"example.org": FAILURE}, "SPF record"),
    "MX": ({"example.org": FAILURE}, "MX"),
    "include": ({"_spf.esp.test": FAILURE}, "SPF lookups"),
    "DKIM": ({KEY: FAILURE}, "DKIM key"),
    "DMARC": ({POLICY: FAILURE}, "DMARC record"),
    "DMARC of the parent": ({POLICY: None, "_dmarc.org": FAILURE}, "DMARC record"),
    "reports": (
        {POLICY: ["v=DMARC1; p=reject; rua=mailto:a@reports.test"], "reports.test": FAILURE}, "DMARC reports",
    ),
    "TLS-RPT": ({"_smtp._tls.example.org": FAILURE}, "TLS-RPT"),
    "MTA-STS": ({"_mta-sts.example.org": FAILURE}, "MTA-STS"),
    "BIMI": ({"default._bimi.example.org": FAILURE}, "BIMI"),
    "PTR": ({"25.2.0.192.in-addr.arpa": FAILURE}, "PTR"),
    "silence": ({POLICY: SILENCE}, "DMARC record"),
}  # fmt: skip


@pytest.mark.parametrize("name", DOWN)
def test_no_answer_is_unknown_and_never_no_record(name: str) -> None:
    changes, check = DOWN[name]
    checked = run(changed(changes), addresses=["192.0.2.25"], timeout=0.3)
    found = one(checked, check)
    assert (found.state, found.unanswered) == (UNKNOWN, True), found
    assert "DNS gave no answer" in found.sentence
    assert checked.exit_code == 5


def test_a_record_that_fails_for_sure_fails_though_a_part_has_no_answer() -> None:
    record = f"v=spf1 a:down.test {terms(11)} -all"
    found = one(run(changed({"example.org": [record], "down.test": FAILURE, **MANY_A})), "SPF lookups")
    assert found.state == FAILS


def test_void_lookups_are_unknown_if_some_had_no_answer() -> None:
    record = "v=spf1 include:down.test a:n1.test a:n2.test -all"
    found = one(run(changed({"example.org": [record], "down.test": FAILURE})), "SPF lookups")
    assert (found.state, found.unanswered) == (UNKNOWN, True)


def test_a_dead_name_server_ends_soon_with_everything_unknown() -> None:
    server().holds({"example.org": SILENCE, "org": SILENCE, "test": SILENCE})
    checked = run({"org": SILENCE, "test": SILENCE}, timeout=0.2, selectors=[])
    assert {row.state for row in checked.findings} == {UNKNOWN}
    assert checked.exit_code == 5
    assert len({name for name, _ in server().asked}) <= 2


def test_a_domain_that_does_not_exist_is_called_so() -> None:
    found = one(run(good_zone(), "exmaple.org"), "MX")
    assert found.state == FAILS and "exmaple.org does not exist" in found.sentence


def test_a_sub_domain_inherits_sp() -> None:
    zone = changed({POLICY: ["v=DMARC1; p=reject; sp=quarantine"], "news.example.org": ADDRESS})
    checked = run(zone, "news.example.org")
    assert "that of example.org (the organisational domain) holds" in one(checked, "DMARC record").sentence
    assert one(checked, "DMARC policy").sentence.startswith("sp=quarantine protects news.example.org")


def test_np_holds_for_a_sub_domain_that_does_not_exist() -> None:
    zone = changed({POLICY: ["v=DMARC1; p=none; sp=quarantine; np=reject"]})
    sentence = one(run(zone, "ghost.example.org"), "DMARC policy").sentence
    assert "does not exist in DNS" in sentence and "np=reject" in sentence


def test_a_public_suffix_gives_its_policy_where_the_domain_has_none() -> None:
    zone = changed({POLICY: None, "_dmarc.org": ["v=DMARC1; p=reject; psd=y"]})
    found = one(run(zone), "DMARC record")
    assert found.state == WARNING and "that of org (the public suffix) holds" in found.sentence


def test_a_name_of_nine_labels_is_asked_in_eight_steps() -> None:
    domain = "a.b.c.d.e.f.g.example.org"
    run(changed({domain: ADDRESS}), domain)
    asked = [name for name, kind in server().asked if name.startswith("_dmarc.") and kind == "TXT"]
    steps = [name for name in dict.fromkeys(asked) if domain.endswith(name.removeprefix("_dmarc."))]
    assert len(steps) == 8
    assert steps[:2] == [f"_dmarc.{domain}", "_dmarc.c.d.e.f.g.example.org"] and steps[-1] == "_dmarc.org"


SENDERS: dict[str, tuple[dict[str, Any], str, str]] = {
    "send.example.org": ({}, OK, "as signing domain and as Return-Path"),
    "esp.test": ({}, FAILS, "sub-domain of example.org"),
    "strict.example.org": ({POLICY: ["v=DMARC1; p=none; adkim=s; aspf=s"]}, FAILS, "the very same domain"),
    "spf.example.org": ({POLICY: ["v=DMARC1; p=none; adkim=s"]}, WARNING, "not as d= of DKIM"),
    "dkim.example.org": ({POLICY: ["v=DMARC1; p=none; aspf=s"]}, WARNING, "not as Return-Path"),
    "own.example.org": ({"_dmarc.own.example.org": ["v=DMARC1; p=none; psd=n"]}, FAILS, "psd"),
    "other.org": ({"_dmarc.org": ["v=DMARC1; p=none; psd=y"]}, FAILS, "sub-domain of example.org"),
}


@pytest.mark.parametrize("sender", SENDERS)
def test_alignment_follows_the_organisational_domain(sender: str) -> None:
    changes, state, part = SENDERS[sender]
    found = one(run(changed(changes), senders=[sender]), "alignment")
    assert (found.state, part in found.sentence) == (state, True), found


def test_a_parent_without_a_record_is_not_aligned_with_its_sub_domain() -> None:
    zone = changed({POLICY: None, "_dmarc.news.example.org": ["v=DMARC1; p=none"]})
    found = one(run(zone, "news.example.org", senders=["example.org"]), "alignment")
    assert found.state == FAILS and "Publish a DMARC record at example.org" in found.sentence


def test_spf_is_asked_where_the_return_path_is() -> None:
    checked = run(
        changed({"example.org": ADDRESS, "b.example.org": ["v=spf1 -all"]}), senders=["b.example.org"]
    )
    rows = {row.subject: row.state for row in checked.findings if row.check == "SPF record"}
    assert rows == {"example.org": OK, "b.example.org": OK}


@pytest.mark.parametrize("esp", SELECTORS)
def test_a_key_of_an_esp_is_found_without_its_selector(esp: str) -> None:
    selector = SELECTORS[esp][0]
    zone = changed({f"{selector}._domainkey.example.org": [f"p={rsa_key(2048)}"]})
    found = one(run(zone, selectors=[]), "DKIM key")
    assert (found.subject, found.state) == (f"{selector}._domainkey.example.org", OK)
    assert found.sentence.startswith(esp)


def test_an_international_domain_is_asked_in_ascii() -> None:
    checked = run(good_zone("xn--bcher-kva.example"), "Bücher.example.")
    assert checked.domain == "xn--bcher-kva.example" and checked.exit_code == 0
    assert as_text(checked).startswith("bücher.example (xn--bcher-kva.example): ")


PTR: dict[str, tuple[dict[str, Any], str, str]] = {
    "no name": ({"25.2.0.192.in-addr.arpa": None}, FAILS, "has no name"),
    "not confirmed": ({"mx.example.org": ADDRESS}, FAILS, "does not lead back"),
}


@pytest.mark.parametrize("name", PTR)
def test_a_server_needs_a_name_that_leads_back(name: str) -> None:
    changes, state, part = PTR[name]
    found = one(run(changed(changes), addresses=["192.0.2.25"]), "PTR")
    assert (found.state, part in found.sentence) == (state, True), found


def test_a_long_record_comes_by_tcp() -> None:
    networks = " ".join(f"ip4:198.51.100.{number}" for number in range(150))
    assert one(run(changed({"example.org": [f"v=spf1 {networks} -all"]})), "SPF ending").state == OK


def test_nothing_is_fetched_from_the_web_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: Any, **__: Any) -> None:
        raise AssertionError("the web was asked")

    monkeypatch.setattr("requests.Session.request", refused)
    assert run(good_zone()).exit_code == 0


POLICY_FILE = "version: STSv1\r\nmode: enforce\r\nmx: {}\r\nmax_age: 86400\r\n"
FETCHED: dict[str, tuple[str, str, str]] = {
    "agrees": ("*.example.org", OK, "agree"),
    "leaves out": ("mx.other.test", WARNING, "leaves out"),
}


@pytest.mark.parametrize("name", FETCHED)
def test_fetch_compares_the_policy_with_mx(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    pattern, state, part = FETCHED[name]

    def downloaded(*_: Any, **__: Any) -> dict[str, Any]:
        return {"policy": POLICY_FILE.format(pattern), "warnings": []}

    def refused(*_: Any, **__: Any) -> None:
        raise requests.ConnectionError("no web here")

    import requests

    monkeypatch.setattr("checkdmarc.mta_sts.download_mta_sts_policy", downloaded)
    monkeypatch.setattr("requests.Session.request", refused)
    checked = run(good_zone(), fetch=True)
    found = one(checked, "MTA-STS")
    assert (found.state, part in found.sentence) == (state, True), found
    assert one(checked, "BIMI").state == WARNING and "no web here" in one(checked, "BIMI").sentence


def test_a_record_can_not_steer_the_terminal() -> None:
    zone = changed({POLICY: ["v=DMARC1; p=reject; x\x1b[31m=1"]})
    text: Callable[..., str] = as_text
    assert "\x1b" not in text(run(zone))

"""Messages made in code: signed or not, aligned or not, with or without one-click."""

import base64
import re
from pathlib import Path
from typing import Any

import pytest
from dns_server import FAILURE
from zones import changed, good_zone, one, rsa_key, run

from mailroom.domain import as_json, as_text
from mailroom.domain.findings import FAILS, OK, UNKNOWN, WARNING

SIGNED = "from:to:subject:date:message-id:list-unsubscribe:list-unsubscribe-post:feedback-id"
HEADERS: dict[str, str | None] = {
    "Return-Path": "<b-1@bounce.example.org>",
    "Delivered-To": "ada.lovelace@inbox.test",
    "Authentication-Results": "mx.inbox.test; dkim=pass i=@a; spf=pass (a (b); dmarc=fail) x=y; dmarc=pass",
    "DKIM-Signature": f"v=1; a=rsa-sha256; d=example.org; s=s1;\r\n h={SIGNED}; bh=AA==; b=AA==",
    "From": '"Shop, The" <news@example.org>',
    "To": "Ada Lovelace <ada.lovelace@inbox.test>",
    "Subject": "Spring",
    "Date": "Tue, 01 Dec 2026 06:00:00 +0000",
    "Message-ID": "<1@example.org>",
    "List-Unsubscribe": "<https://u.example.org/o/8f3a2c>, <mailto:u@example.org?subject=8f3a2c>",
    "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    "Feedback-ID": "spring:welcome:new:examplesend",
}  # fmt: skip


def message(changes: dict[str, Any], line_end: str = "\r\n") -> bytes:
    """A good message with other headers. None: without it; a list: as often."""
    lines = []
    for name, value in {**HEADERS, **changes}.items():
        values = value if isinstance(value, list) else [] if value is None else [value]
        lines += [f"{name}: {text}" for text in values]
    return (line_end.join([*lines, "", "Hello", ""])).encode()


def written(folder: Path, content: bytes) -> Path:
    path = folder / "seed.eml"
    path.write_bytes(content)
    return path


ZONE = changed({"bounce.example.org": ["v=spf1 -all"]})


def signature(**tags: str) -> dict[str, Any]:
    values = {"v": "1", "a": "rsa-sha256", "d": "example.org", "s": "s1", "h": SIGNED, "b": "AA==", **tags}
    return {"DKIM-Signature": "; ".join(f"{name}={value}" for name, value in values.items())}


def link(uri: str) -> dict[str, Any]:
    return {"List-Unsubscribe": f"<{uri}>"}


def feedback(*values: str) -> dict[str, Any]:
    return {"Feedback-ID": list(values)}


def results(text: str) -> dict[str, Any]:
    return {
        "Authentication-Results": [f"mx.inbox.test; {text}", "forged.test; dmarc=pass; spf=pass; dkim=pass"]
    }


ADDRESS, TWICE_ENCODED = "ada.lovelace@inbox.test", "ada%252Elovelace%2540inbox.test"
ADDRESS_64 = base64.urlsafe_b64encode(ADDRESS.encode()).decode().rstrip("=")
FIXTURES: dict[str, tuple[dict[str, Any], str, str, str]] = {
    "no Date": ({"Date": None}, "headers", FAILS, "Date is missing"),
    "two Subjects": ({"Subject": ["a", "b"]}, "headers", FAILS, "Subject stands 2 times"),
    "two Froms": ({"From": ["a@example.org", "b@example.org"]}, "From", FAILS, "not one header"),
    "From of two domains": ({"From": "a@example.org, b@other.test"}, "From", FAILS, "one domain"),
    "From of two people": ({"From": "a@example.org, b@example.org"}, "From", OK, "example.org"),
    "From without an address": ({"From": "The Shop"}, "From", FAILS, "not one header"),
    "From elsewhere": ({"From": "a@other.test"}, "From", WARNING, "from other.test, not from example.org"),
    "From below": ({"From": "a@news.example.org"}, "From", OK, "news.example.org"),
    "unsigned": ({"DKIM-Signature": None}, "DKIM signature", FAILS, "no DKIM signature"),
    "signed by nothing": (signature(d=""), "DKIM signature", FAILS, "no valid d="),
    "sha1": (signature(a="rsa-sha1"), "DKIM signature", FAILS, "rsa-sha1"),
    "From not signed": (signature(h="to:subject"), "DKIM signature", FAILS, "does not cover From"),
    "length": (signature(l="100"), "DKIM signature", WARNING, "(l=)"),
    "ESP signs, Return-Path aligned": (signature(d="esp.test"), "DKIM alignment", WARNING, "No signature"),
    "ESP signs and sends": (
        {**signature(d="esp.test"), "Return-Path": "<b@esp.test>"}, "DKIM alignment", FAILS, "No signature",
    ),
    "Return-Path of the ESP": ({"Return-Path": "<b@esp.test>"}, "SPF alignment", WARNING, "DKIM alone"),
    "no Return-Path": ({"Return-Path": None}, "SPF alignment", WARNING, "no Return-Path"),
    "null Return-Path": ({"Return-Path": "<>"}, "SPF alignment", WARNING, "no Return-Path"),
    "one of two signatures aligned": (
        {"DKIM-Signature": [*signature(d="esp.test").values(), *signature().values()]}, "DKIM alignment", OK,
        "example.org, which signs",
    ),
    "no result": ({"Authentication-Results": None}, "Authentication-Results", UNKNOWN, "is unknown"),
    "dmarc=fail": (results("dkim=pass; spf=pass; dmarc=fail"), "Authentication-Results", FAILS, "dmarc=fail"),
    "spf=softfail": (results("dkim=pass; spf=softfail"), "Authentication-Results", FAILS, "Microsoft"),
    "one dkim of two": (results("dkim=fail; dkim=pass; spf=pass"), "Authentication-Results", OK, "dkim=pass"),
    "no List-Unsubscribe": ({"List-Unsubscribe": None}, "List-Unsubscribe", FAILS, "--transactional"),
    "no Post to sign": ({"List-Unsubscribe-Post": None}, "one-click signed", UNKNOWN, "is missing"),
    "two": ({"List-Unsubscribe": ["<https://a.test/1>"] * 2}, "List-Unsubscribe", FAILS, "stands 2 times"),
    "only mailto": (link("mailto:u@example.org"), "List-Unsubscribe", FAILS, "no https"),
    "only http": (link("http://u.example.org/1"), "List-Unsubscribe", FAILS, "only http"),
    "without brackets": ({"List-Unsubscribe": "https://a.test/1"}, "List-Unsubscribe", FAILS, "no https"),
    "folded": (link("https://u.example.org/\r\n o/8f3a2c"), "List-Unsubscribe", OK, "u.example.org"),
    "no Post": ({"List-Unsubscribe-Post": None}, "List-Unsubscribe-Post", FAILS, "is missing"),
    "other Post": ({"List-Unsubscribe-Post": "One-Click"}, "List-Unsubscribe-Post", FAILS, "is not"),
    "Post in lower case": (
        {"List-Unsubscribe-Post": "list-unsubscribe=one-click"}, "List-Unsubscribe-Post", FAILS, "exactly",
    ),
    "Post twice": (
        {"List-Unsubscribe-Post": ["List-Unsubscribe=One-Click"] * 2},
        "List-Unsubscribe-Post", FAILS, "times",
    ),
    "Post not signed": (signature(h="from:list-unsubscribe"), "one-click signed", FAILS, "no button"),
    "signed apart": (
        {"DKIM-Signature": [
            *signature(h="from:list-unsubscribe").values(),
            *signature(h="from:list-unsubscribe-post").values(),
        ]}, "one-click signed", FAILS, "no button",
    ),
    "h= in capitals": (signature(h=SIGNED.upper()), "one-click signed", OK, "covers both"),
    "address in link": (link(f"https://a.test/{ADDRESS}"), "unsubscribe link", WARNING, "opaque"),
    "address encoded": (link(f"https://a.test/{TWICE_ENCODED}"), "unsubscribe link", WARNING, "opaque"),
    "address in base64": (link(f"https://a.test/u/{ADDRESS_64}"), "unsubscribe link", WARNING, "opaque"),
    "other address": (link("https://a.test/u?e=a.b%40c.test"), "unsubscribe link", WARNING, "opaque"),
    "link for all": (link("https://a.test/"), "unsubscribe link", FAILS, "identifies neither"),
    "no link": (link("mailto:a@b.test"), "unsubscribe link", UNKNOWN, "no https"),
    "no Feedback-ID": (feedback(), "Feedback-ID", WARNING, "None"),
    "two Feedback-IDs": (feedback("a:b:c:sender1", "a:b:c:sender1"), "Feedback-ID", WARNING, "several"),
    "three parts": (feedback("a:b:sender1"), "Feedback-ID", WARNING, "3 parts"),
    "empty parts": (feedback("a:::sender1"), "Feedback-ID", OK, "sender1"),
    "short sender": (feedback("a:b:c:shop"), "Feedback-ID", WARNING, "4 characters"),
    "long sender": (feedback("a:b:c:sixteen-letters1"), "Feedback-ID", WARNING, "16 characters"),
    "repeated": (feedback("a:a:c:sender1"), "Feedback-ID", WARNING, "two parts"),
    "personal": (feedback(f"a:{ADDRESS}:c:sender1"), "Feedback-ID", WARNING, "holds an address"),
    "Feedback-ID not signed": (signature(h="from"), "Feedback-ID", WARNING, "ignores it"),
}  # fmt: skip


@pytest.mark.parametrize("line_end", ["\r\n", "\n"])
def test_a_good_message_has_no_flaw(line_end: str, tmp_path: Path) -> None:
    checked = run(ZONE, message=written(tmp_path, message({}, line_end)))
    assert {(row.check, row.state) for row in checked.findings if row.state != OK} == set()
    assert {
        "headers", "From", "DKIM signature", "DKIM alignment", "SPF alignment", "Authentication-Results",
        "List-Unsubscribe", "List-Unsubscribe-Post", "one-click signed", "unsubscribe link", "Feedback-ID",
    } <= {row.check for row in checked.findings}  # fmt: skip


@pytest.mark.parametrize("name", FIXTURES)
def test_a_flaw_of_a_message_is_found_and_said(name: str, tmp_path: Path) -> None:
    changes, check, state, part = FIXTURES[name]
    checked = run(ZONE, message=written(tmp_path, message(changes)))
    found = one(checked, check)
    assert (found.state, part in found.sentence) == (state, True), found
    # Addresses stand in no output, nor names.
    for text in (as_text(checked), as_json(checked)):
        assert not re.search(r"ada|lovelace|8f3a2c|news@|b-1", text, re.IGNORECASE)


def test_strict_alignment_needs_the_very_same_domain(tmp_path: Path) -> None:
    zone = changed({"_dmarc.example.org": ["v=DMARC1; p=none; adkim=s; aspf=s"]})
    checked = run(zone, message=written(tmp_path, message(signature(d="send.example.org"))))
    found = one(checked, "DKIM alignment")
    assert found.state == FAILS and "the very same domain" in found.sentence
    assert one(checked, "SPF alignment").state == FAILS


def test_alignment_without_an_answer_of_dns_is_unknown(tmp_path: Path) -> None:
    checked = run(
        changed({"_dmarc.esp.test": FAILURE}), message=written(tmp_path, message(signature(d="esp.test")))
    )
    found = one(checked, "DKIM alignment")
    assert (found.state, found.unanswered) == (UNKNOWN, True)


def test_the_keys_of_the_signatures_are_checked_where_they_are(tmp_path: Path) -> None:
    zone = changed({"q7._domainkey.send.example.org": [f"v=DKIM1; p={rsa_key(1024)}"]})
    path = written(tmp_path, message(signature(d="send.example.org", s="q7")))
    checked = run(zone, message=path, selectors=[])
    keys = [(row.subject, row.state) for row in checked.findings if row.check == "DKIM key"]
    assert keys == [("q7._domainkey.send.example.org", WARNING)]


def test_transactional_mail_needs_no_unsubscribe(tmp_path: Path) -> None:
    without = message({"List-Unsubscribe": None, "List-Unsubscribe-Post": None})
    checked = run(ZONE, message=written(tmp_path, without), is_transactional=True)
    assert one(checked, "List-Unsubscribe").state == OK and checked.exit_code == 0
    assert "one-click signed" not in {row.check for row in checked.findings}


def test_an_international_from_is_the_domain_in_ascii(tmp_path: Path) -> None:
    content = message({"From": "Büro <a@bücher.example>"})
    checked = run(good_zone("xn--bcher-kva.example"), "bücher.example", message=written(tmp_path, content))
    assert one(checked, "From").state == OK

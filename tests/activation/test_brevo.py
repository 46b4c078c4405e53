"""Peculiarities of Brevo: imports that clear, reports of imports, a low limit on reading processes."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from test_destinations import NOW, Esp

from mailroom.activation.api import StoppedError
from mailroom.activation.rows import Answer, Batch
from mailroom.sandbox import Faults

ANN = "ann@x.de"


@pytest.fixture
def esp(tmp_path: Path) -> Esp:
    return Esp("brevo", tmp_path)


def started(esp: Esp, *emails: str) -> Batch:
    """A running import."""
    batch = Batch("b", "brevo", "vips", "add", [esp.row(email) for email in emails])
    list(esp.opened.send(batch))
    return batch


def settled(esp: Esp, batch: Batch, job: str | None = None) -> list[Answer]:
    reference = f"/v3/processes/{job or next(iter(esp.account.jobs))}"
    return list(esp.opened.settle(batch, reference))


def n_requests(esp: Esp, path: str) -> int:
    return sum(n for (_, _, found), n in esp.sandbox.requests.items() if found.startswith(path))


def test_clearing_a_field_of_one_contact_clears_no_other(esp: Esp) -> None:
    emails = [ANN, "bob@x.de", "eve@x.de"]
    fields: dict[str, Any] = {"first_name": "Ann", "top_category": "Tea", "churn_band": "low"}
    esp.send(*[esp.row(email, **fields) for email in emails])
    sent = esp.send(
        esp.row(ANN, "update", top_category=None, churn_band="high"),
        esp.row("bob@x.de", "update", churn_band=None),
        esp.row("eve@x.de", "update", first_name="Eve"),
    )
    assert {answer.status for answer in sent.values()} == {"accepted"}
    found = {
        email: [esp.field(email, name) for name in ("first_name", "top_category", "churn_band")]
        for email in emails
    }
    assert found == {
        ANN: ["Ann", "", "high"], "bob@x.de": ["Ann", "Tea", ""], "eve@x.de": ["Eve", "Tea", "low"],
    }  # fmt: skip


def test_an_address_in_capitals_is_found_where_brevo_keeps_it(esp: Esp) -> None:
    esp.send(esp.row("Ann@X.de"))
    assert esp.emails() == {ANN}
    for operation in ("remove", "suppress", "delete"):
        sent = esp.send(esp.row("Ann@X.de", operation))
        assert {answer.status for answer in sent.values()} == {"accepted"}
        assert not esp.emails()
    assert not esp.account.find(ANN)


def test_an_unknown_address_is_not_created_for_a_suppression(esp: Esp) -> None:
    assert esp.send(esp.row(ANN, "suppress"))[f"suppress-{ANN}"].status == "accepted"
    assert not esp.account.profiles


@pytest.mark.parametrize("report", ["", "EMAIL\n", "EMAIL\nlater@fails.example\nsomebo", None])
def test_with_an_unclear_report_no_row_is_accepted(
    esp: Esp, report: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = started(esp, ANN, "later@fails.example")
    monkeypatch.setattr(
        httpx.Client,
        "get",
        lambda self, url: httpx.Response(403 if report is None else 200, text=report or ""),
    )
    assert settled(esp, batch) == []
    assert {answer.code for answer in settled(esp, batch)} == {"report_unclear"}


def test_a_report_is_fetched_without_the_key(esp: Esp, monkeypatch: pytest.MonkeyPatch) -> None:
    keys: list[tuple[str, str | None]] = []
    send = httpx.Client.send

    def spied(self: httpx.Client, request: httpx.Request, **options: Any) -> httpx.Response:
        keys.append((request.url.path, request.headers.get("api-key")))
        return send(self, request, **options)

    monkeypatch.setattr(httpx.Client, "send", spied)
    esp.send(esp.row(ANN), esp.row("later@fails.example"))
    assert {key for path, key in keys if "/reports/" in path} == {None}
    assert {key for path, key in keys if "/v3/" in path} == {"sandbox"}


def test_a_lost_process_is_reported_and_one_over_the_limit_waits(esp: Esp) -> None:
    batch = started(esp, ANN)
    assert {answer.code for answer in settled(esp, batch, "99")} == {"job_lost"}
    esp.sandbox.faults = Faults(share=1, kinds=["429"])
    assert settled(esp, batch) == []
    esp.sandbox.faults = Faults()
    while not (answers := settled(esp, batch)):
        pass
    assert [answer.status for answer in answers] == ["accepted"]
    for _ in range(100):
        settled(esp, batch, "98")
    assert settled(esp, batch, "98") == [], "a hundred an hour"
    esp.sleep(3601)
    assert {answer.code for answer in settled(esp, batch, "98")} == {"job_lost"}


def test_one_request_reads_many_imports(esp: Esp) -> None:
    batches = [started(esp, f"who{number}@x.de") for number in range(70)]
    answers: dict[str, Answer] = {}
    while len(answers) < 70:
        for job, batch in zip(list(esp.account.jobs), batches, strict=True):
            answers |= {answer.outbox_id: answer for answer in settled(esp, batch, job)}
    assert {answer.status for answer in answers.values()} == {"accepted"}
    assert n_requests(esp, "/v3/processes") <= 5


def test_an_attribute_that_would_drop_text_stops_the_destination(esp: Esp) -> None:
    esp.account.fields["attributes"]["MAILROOM_N_ORDERS"] = "date"
    with pytest.raises(StoppedError, match="MAILROOM_N_ORDERS as normal date"):
        esp.send(esp.row(ANN, n_orders=3))


def test_the_first_name_is_the_account_s_own(esp: Esp) -> None:
    esp.account.fields["attributes"] = {"NOM": "text", "PRENOM": "text"}
    esp.send(esp.row(ANN, first_name="Ann"))
    ann = esp.account.find(ANN)
    assert ann and ann.fields["PRENOM"] == "Ann" and "FIRSTNAME" not in esp.account.fields["attributes"]


def test_an_old_refusal_is_pulled_too(esp: Esp) -> None:
    esp.send(esp.row(ANN))
    esp.now = NOW + timedelta(days=30)
    esp.account.refuse(ANN, "unsubscribed")
    esp.now = NOW + timedelta(days=200)
    esp.account.upsert(ANN)
    assert [no.occurred_at for no in esp.opened.refusals(NOW)] == [NOW + timedelta(days=30)]

"""Reading jobs takes fewer requests than sending the work."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from test_destinations import Esp

from mailroom.activation.api import RefusedError
from mailroom.activation.jobs import Jobs
from mailroom.activation.rows import Answer, Batch, Operation

N_BATCHES = 30


@pytest.mark.parametrize(
    ("destination", "operation", "path"),
    [
        ("klaviyo", "add", "/api/profile-bulk-import-jobs"),
        ("klaviyo", "suppress", "/api/profile-suppression-bulk-create-jobs"),
        ("mailchimp", "update", "/batches"),
        ("brevo", "add", "/v3/processes"),
    ],
)
def test_one_request_reads_many_jobs(
    tmp_path: Path, destination: str, operation: Operation, path: str
) -> None:
    esp = Esp(destination, tmp_path)
    emails = [f"who{number}@x.de" for number in range(N_BATCHES)]
    esp.send(*[esp.row(email) for email in emails])
    esp.opened = esp.open()
    sent: list[tuple[Batch, str]] = []
    for number, email in enumerate(emails):
        batch = Batch(str(number), destination, "vips", operation, [esp.row(email, operation)])
        (answer,) = esp.opened.send(batch)
        sent.append((batch, str(answer.reference)))
    esp.sandbox.requests.clear()
    answers: dict[str, Answer] = {}
    for _ in range(10):
        for batch, reference in sent:
            if batch.rows[0].outbox_id not in answers:
                answers |= {answer.outbox_id: answer for answer in esp.opened.settle(batch, reference)}
        esp.sleep(10)
    assert {answer.status for answer in answers.values()} == {"accepted"} and len(answers) == N_BATCHES
    n_requests = sum(n for (_, method, at), n in esp.sandbox.requests.items() if at.startswith(path))
    assert n_requests <= 4, n_requests


def test_activecampaign_imports_are_read_more_slowly_than_sent(tmp_path: Path) -> None:
    opened: Any = Esp("activecampaign", tmp_path).opened
    asked, sent = (
        [(rate.limit, rate.interval) for rate in api.rates] for api in (opened.jobs, opened.imports)
    )
    assert asked == [(1, 1_000)] and (5, 1_000) in sent


def test_a_job_outside_the_list_is_read_alone() -> None:
    asked: list[str] = []

    def look(name: str) -> Mapping[str, dict[str, Any]]:
        asked.append("all")
        if name == "refused":
            raise RefusedError(404, None)
        return {"a": {"n": len(asked)}, "b": {"n": len(asked)}}

    def ask(name: str) -> dict[str, Any]:
        asked.append(name)
        return {"n": 0}

    jobs = Jobs(look, ask)
    assert [jobs.latest(name)["n"] for name in ("a", "b", "a", "c", "refused")] == [1, 1, 2, 0, 0]
    assert asked == ["all", "all", "all", "c", "all", "refused"]

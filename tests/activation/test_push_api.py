"""mailroom push to an API that misbehaves, killed at any moment: every row ends accepted, or listed with a
reason."""

import json
import os
import random
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_push import KilledError, outbox_of, receipts

from mailroom.activation import ledger
from mailroom.activation.api import Connection
from mailroom.activation.destinations import known
from mailroom.activation.push import Asked, as_json, as_text, push
from mailroom.activation.rows import OPERATIONS
from mailroom.sandbox import Faults, Sandbox, serve

DESTINATIONS = [name for name in known() if name != "file"]
N_ROWS = 40


class Mortal(httpx.BaseTransport):
    """A transport that dies at one of its requests, before or after it has arrived."""

    def __init__(self, transport: httpx.BaseTransport, at: int | None, before: bool) -> None:
        self.transport, self.at, self.before, self.n = transport, at, before, 0

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.n += 1
        if self.n == self.at and self.before:
            raise KilledError
        response = self.transport.handle_request(request)
        if self.n == self.at:
            raise KilledError
        return response


def wishes(destination: str, seed: int) -> list[dict[str, Any]]:
    """Rows of an outbox about some people, each in one audience at most once."""
    chosen = random.Random(seed)
    rows = []
    for number in range(N_ROWS):
        operation = chosen.choice(OPERATIONS)
        email = chosen.choice([f"who{number}@x.de"] * 9 + [f"who{number}@fails.example", f"nowhere{number}"])
        payload = {"customer_id": f"c{number}", "first_name": "Zoë", "n_orders": number, "top_category": None}
        rows.append(
            {
                "destination": destination, "operation": operation, "email": email,
                "audience": "" if operation == "delete" else chosen.choice(["vips", "welcome"]),
                "payload": json.dumps(payload) if operation in ("add", "update") else None,
            }
        )  # fmt: skip
    return rows


def reached(sandbox: Sandbox, at: int | None = None, before: bool = False) -> Connection:
    """A way to a sandbox whose clock goes on while we wait."""

    def sleep(seconds: float) -> None:
        then = sandbox.now()
        sandbox.now = lambda: then + timedelta(seconds=seconds)

    mortal = Mortal(sandbox.transport(), at, before)
    return Connection(transport=mortal, sleep=sleep, attempts=50, seconds=10**6)


def held(sandbox: Sandbox, destination: str) -> list[Any]:
    account = sandbox.accounts[destination]
    return sorted(
        (
            profile.email, json.dumps(profile.fields, sort_keys=True, default=str), sorted(profile.refusals),
            sorted(account.groups[group] for group in profile.groups),
        )
        for profile in account.profiles.values()
    )  # fmt: skip


def ends(folder: Path) -> dict[str, str]:
    """How each row of the outbox has ended, by its last receipt."""
    told = sorted(receipts(folder, "outbox_id, answered_at, status, code, operation"), key=lambda row: row[1])
    assert all(status != "rejected" or code for _, _, status, code, _ in told), "a refusal has a reason"
    return {outbox_id: status for outbox_id, _, status, _, _ in told if outbox_id}


@pytest.mark.slow
@pytest.mark.parametrize("destination", DESTINATIONS)
@settings(max_examples=15)
@given(seed=st.integers(0, 2**32), kills=st.lists(st.tuples(st.integers(1, 30), st.booleans()), max_size=3))
def test_killed_among_faults_the_end_is_the_same(
    destination: str, seed: int, kills: list[tuple[int, bool]]
) -> None:
    calm, rough = Sandbox(now=lambda: datetime(2026, 7, 1)), Sandbox(now=lambda: datetime(2026, 7, 1))
    with TemporaryDirectory() as place:
        warehouse = Path(place) / "warehouse.duckdb"
        outbox_of(warehouse, wishes(destination, seed))
        push(warehouse, Path(place) / "calm", connection=reached(calm))
        rough.faults = Faults(0.2, seed)
        for at, before in kills:
            try:
                push(warehouse, Path(place) / "rough", connection=reached(rough, at, before))
            except KilledError:
                continue
        pushed = push(warehouse, Path(place) / "rough", connection=reached(rough))
        assert pushed.stopped == {}
        found = ends(Path(place) / "rough")
        assert found == ends(Path(place) / "calm")
        assert set(found.values()) <= {"accepted", "rejected"}
        assert held(rough, destination) == held(calm, destination)
        assert push(warehouse, Path(place) / "rough", connection=reached(rough)).sent == [], "nothing is left"


@pytest.fixture
def warehouse(tmp_path: Path) -> Path:
    rows = [
        {"destination": "klaviyo", "audience": f"audience_{number % 4}", "email": f"who{number}@x.de"}
        for number in range(N_ROWS)
    ]
    outbox_of(tmp_path / "warehouse.duckdb", [*rows, {"destination": "file", "email": "who@x.de"}])
    return tmp_path / "warehouse.duckdb"


def test_a_destination_that_is_down_keeps_no_other_from_what_is_theirs(
    warehouse: Path, tmp_path: Path
) -> None:
    down = Sandbox(Faults(share=1, kinds=["lost"]))
    pushed = push(
        warehouse, tmp_path, connection=Connection(transport=down.transport(), sleep=lambda _: None)
    )
    assert [(sent.destination, sent.accepted) for sent in pushed.sent if sent.accepted] == [("file", 1)]
    assert pushed.exit_code == 5 and "klaviyo does not answer" in as_text(pushed)
    assert {row[0] for row in receipts(tmp_path, "destination")} == {"file"}
    with duckdb.connect() as connection:
        told = connection.execute(
            f"""
            select distinct destination, outcome, reason like '%does not answer%'
            from {ledger.scan(tmp_path, "pushes")}
            """
        ).fetchall()
    assert sorted(told) == [("file", "finished", None), ("klaviyo", "stopped", True)]


def test_not_let_in_half_way_stops_and_the_next_push_goes_on(warehouse: Path, tmp_path: Path) -> None:
    sandbox = Sandbox(Faults(script=[None] * 8 + ["401"]))
    pushed = push(warehouse, tmp_path, connection=reached(sandbox))
    assert "401" in pushed.stopped["klaviyo"] and len(receipts(tmp_path, "outbox_id")) > 0
    assert push(warehouse, tmp_path, connection=reached(sandbox)).stopped == {}
    assert set(ends(tmp_path).values()) == {"accepted"} and len(ends(tmp_path)) == N_ROWS + 1
    assert len(sandbox.accounts["klaviyo"].profiles) == N_ROWS


def test_a_job_that_is_not_done_stays_pending_until_it_is(warehouse: Path, tmp_path: Path) -> None:
    sandbox = Sandbox()
    pushed = push(warehouse, tmp_path, Asked(destinations=["klaviyo"], wait=0), reached(sandbox))
    assert sum(sent.pending for sent in pushed.sent) == N_ROWS and pushed.exit_code == 0
    again = push(warehouse, tmp_path, Asked(destinations=["klaviyo"], wait=0), reached(sandbox))
    assert sum(sent.accepted for sent in again.sent) == N_ROWS and not any(sent.rows for sent in again.sent)
    assert "of an earlier push" in as_text(again)


def test_a_job_that_nobody_knows_is_refused_and_may_be_sent_again(warehouse: Path, tmp_path: Path) -> None:
    sandbox = Sandbox()
    push(warehouse, tmp_path, Asked(destinations=["klaviyo"], wait=0), reached(sandbox))
    sandbox.accounts["klaviyo"].jobs.clear()
    push(warehouse, tmp_path, Asked(destinations=["klaviyo"]), reached(sandbox))
    assert set(receipts(tmp_path, "status, code")) == {("pending", None), ("rejected", "job_lost")}


def test_no_address_no_name_and_no_key_is_told(
    warehouse: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("KLAVIYO_API_KEY", "pk_secret")
    caplog.set_level("DEBUG")
    sandbox = Sandbox(Faults(0.2, 3))
    dry = push(warehouse, tmp_path, Asked(dry_run=True))
    assert any(
        "POST /api/profile-bulk-import-jobs" in request for sent in dry.sent for request in sent.requests
    )
    down = Sandbox(Faults(share=1, kinds=["garbled"]))
    told = [
        as_text(dry, dry_run=True), as_json(dry),
        *(found(push(warehouse, tmp_path, connection=reached(sandbox))) for found in (as_text, as_json)),
        as_text(push(warehouse, tmp_path, connection=reached(down))), caplog.text,
    ]  # fmt: skip
    for text in told:
        assert "pk_secret" not in text and "Zoë" not in text
        assert "who1@x.de" not in text and "who" not in text.replace("w***", "")


@pytest.fixture
def server() -> Iterator[tuple[Sandbox, str]]:
    """A sandbox behind a real socket."""
    sandbox = Sandbox()
    running = serve(sandbox, 0)
    thread = threading.Thread(target=running.serve_forever)
    thread.start()
    yield sandbox, f"http://127.0.0.1:{running.port}"
    running.shutdown()
    thread.join()
    running.server_close()


def test_over_a_network_with_faults_all_arrive(
    warehouse: Path, tmp_path: Path, server: tuple[Sandbox, str]
) -> None:
    sandbox, url = server
    sandbox.faults = Faults(0.3, 1)
    pushed = push(warehouse, tmp_path, connection=Connection(url, sleep=lambda seconds: None, is_paced=False))
    assert pushed.stopped == {} and set(ends(tmp_path).values()) == {"accepted"}
    assert len(sandbox.accounts["klaviyo"].profiles) == N_ROWS


@pytest.mark.slow
def test_a_real_kill_in_the_middle_loses_nothing(
    warehouse: Path, tmp_path: Path, server: tuple[Sandbox, str]
) -> None:
    sandbox, url = server
    for number in (2, 5, 8):
        program = f"""
import os, signal
from pathlib import Path
import httpx
from mailroom.activation.api import Connection
from mailroom.activation.push import push
send, calls = httpx.Client.request, []
def dying(self, *args, **kwargs):
    answer = send(self, *args, **kwargs)
    calls.append(1)
    if len(calls) == {number}:
        os.kill(os.getpid(), signal.SIGKILL)
    return answer
httpx.Client.request = dying
connection = Connection({url!r}, is_paced=False)
push(Path({str(warehouse)!r}), Path({str(tmp_path / str(number))!r}), connection=connection)
"""
        done = subprocess.run(
            [sys.executable, "-c", program], capture_output=True, check=False, env=os.environ
        )
        assert done.returncode == -signal.SIGKILL, done.stderr.decode()
        push(
            warehouse,
            tmp_path / str(number),
            connection=Connection(url, sleep=lambda _: None, is_paced=False),
        )
        assert set(ends(tmp_path / str(number)).values()) == {"accepted"}
        assert len(ends(tmp_path / str(number))) == N_ROWS + 1
    assert len(sandbox.accounts["klaviyo"].profiles) == N_ROWS

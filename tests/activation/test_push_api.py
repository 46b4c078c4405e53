"""mailroom push to a faulty API, killed at any moment: every row ends accepted, or rejected with a reason."""

import gzip
import json
import math
import os
import random
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import quote

import duckdb
import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_push import KilledError, outbox_of, receipts

from mailroom.activation import ledger
from mailroom.activation.api import Api, Connection, RefusedError, retry_after
from mailroom.activation.destinations import known, repeats_sends
from mailroom.activation.push import PushOptions, PushResult, as_json, as_text, push
from mailroom.activation.rows import OPERATIONS
from mailroom.sandbox import Faults, Sandbox, serve

DESTINATIONS = [name for name in known() if name != "file"]
N_ROWS = 40
# CI has time for some.
N_KILLED = int(os.environ.get("MAILROOM_KILLED", "3"))
# One in so many odd answers is tried per destination, each time another; 1 for all.
ODD_STEP = int(os.environ.get("MAILROOM_ODD_STEP", "3"))


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
    """Rows of an outbox about some people, each at most once per audience."""
    chosen = random.Random(seed)
    # test_messages.py has messages that may not be repeated: not each of them arrives.
    operations = [name for name in OPERATIONS if name != "send" or repeats_sends(destination)]
    rows = []
    for number in range(N_ROWS):
        operation = chosen.choice(operations)
        email = chosen.choice([f"who{number}@x.de"] * 9 + [f"who{number}@fails.example", f"nowhere{number}"])
        payload = {"customer_id": f"c{number}", "first_name": "Zoë", "n_orders": number, "top_category": None}
        rows.append(
            {
                "destination": destination, "operation": operation, "email": email,
                "audience": "" if operation == "delete" else chosen.choice(["vips", "welcome"]),
                "payload": json.dumps(payload) if operation in ("add", "update", "send") else None,
            }
        )  # fmt: skip
    return rows


def reached(sandbox: Sandbox, at: int | None = None, before: bool = False) -> Connection:
    """A connection to a sandbox whose clock advances during waits."""
    mortal = Mortal(sandbox.transport(), at, before)
    return Connection(transport=mortal, sleep=waits_for(sandbox), attempts=50, seconds=10**6)


def waits_for(sandbox: Sandbox) -> Callable[[float], None]:
    """A sleep that advances the clock of a sandbox."""

    def sleep(seconds: float) -> None:
        then = sandbox.now()
        sandbox.now = lambda: then + timedelta(seconds=seconds)

    return sleep


def held(sandbox: Sandbox, destination: str) -> list[Any]:
    account = sandbox.accounts[destination]
    events = [f"{key} {properties}" for key, properties in account.events.items()]
    return sorted(events) + sorted(
        (
            profile.email, json.dumps(profile.fields, sort_keys=True, default=str), sorted(profile.refusals),
            sorted(account.groups[group] for group in profile.groups),
        )
        for profile in account.profiles.values()
    )  # fmt: skip


def ends(folder: Path) -> dict[str, str]:
    """The last status of each row of the outbox."""
    ordered = sorted(
        receipts(folder, "outbox_id, answered_at, status, code, operation"), key=lambda row: row[1]
    )
    assert all(status != "rejected" or code for _, _, status, code, _ in ordered), "a rejection has a code"
    return {outbox_id: status for outbox_id, _, status, _, _ in ordered if outbox_id}


def assert_only_noes_are_left(again: PushResult) -> None:
    """A rejected opt-out is sent again with each push; nothing else is sent twice."""
    refused = {(sent.operation, sent.rows == sent.rejected) for sent in again.sent}
    assert refused <= {("suppress", True), ("delete", True)}


@pytest.mark.slow
@pytest.mark.parametrize("destination", DESTINATIONS)
@settings(max_examples=N_KILLED)
@given(seed=st.integers(0, 2**32), kills=st.lists(st.tuples(st.integers(1, 30), st.booleans()), max_size=3))
@pytest.mark.deep
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
        assert_only_noes_are_left(push(warehouse, Path(place) / "rough", connection=reached(rough)))


@pytest.fixture
def warehouse(tmp_path: Path) -> Path:
    rows = [
        {"destination": "klaviyo", "audience": f"audience_{number % 4}", "email": f"who{number}@x.de"}
        for number in range(N_ROWS)
    ]
    outbox_of(tmp_path / "warehouse.duckdb", [*rows, {"destination": "file", "email": "who@x.de"}])
    return tmp_path / "warehouse.duckdb"


def test_a_destination_that_is_down_does_not_stop_the_others(warehouse: Path, tmp_path: Path) -> None:
    down = Sandbox(Faults(share=1, kinds=["lost"]))
    pushed = push(
        warehouse, tmp_path, connection=Connection(transport=down.transport(), sleep=lambda _: None)
    )
    assert [(sent.destination, sent.accepted) for sent in pushed.sent if sent.accepted] == [("file", 1)]
    assert pushed.exit_code == 5 and "klaviyo does not answer" in as_text(pushed)
    found = set(receipts(tmp_path, "destination, status"))
    assert found == {("file", "accepted"), ("klaviyo", "sent")}, "what was sent may have arrived"
    with duckdb.connect() as connection:
        outcomes = connection.execute(
            f"""
            select distinct destination, outcome, reason like '%does not answer%'
            from {ledger.scan(tmp_path, "pushes")}
            """
        ).fetchall()
    assert sorted(outcomes) == [("file", "finished", None), ("klaviyo", "stopped", True)]


def test_access_denied_half_way_stops_and_the_next_push_continues(warehouse: Path, tmp_path: Path) -> None:
    sandbox = Sandbox(Faults(script=[None] * 8 + ["401"]))
    pushed = push(warehouse, tmp_path, connection=reached(sandbox))
    assert "401" in pushed.stopped["klaviyo"] and len(receipts(tmp_path, "outbox_id")) > 0
    assert push(warehouse, tmp_path, connection=reached(sandbox)).stopped == {}
    assert set(ends(tmp_path).values()) == {"accepted"} and len(ends(tmp_path)) == N_ROWS + 1
    assert len(sandbox.accounts["klaviyo"].profiles) == N_ROWS


def test_a_job_that_is_not_done_stays_pending_until_it_is(warehouse: Path, tmp_path: Path) -> None:
    sandbox = Sandbox()
    pushed = push(warehouse, tmp_path, PushOptions(destinations=["klaviyo"], wait=0), reached(sandbox))
    assert sum(sent.pending for sent in pushed.sent) == N_ROWS and pushed.exit_code == 0
    again = push(warehouse, tmp_path, PushOptions(destinations=["klaviyo"], wait=0), reached(sandbox))
    assert sum(sent.accepted for sent in again.sent) == N_ROWS and not any(sent.rows for sent in again.sent)
    assert "of an earlier push" in as_text(again)


def test_an_unknown_job_is_rejected_and_may_be_sent_again(warehouse: Path, tmp_path: Path) -> None:
    sandbox = Sandbox()
    push(warehouse, tmp_path, PushOptions(destinations=["klaviyo"], wait=0), reached(sandbox))
    sandbox.accounts["klaviyo"].jobs.clear()
    push(warehouse, tmp_path, PushOptions(destinations=["klaviyo"]), reached(sandbox))
    assert set(receipts(tmp_path, "status, code")) == {("pending", None), ("rejected", "job_lost")}


def test_no_address_no_name_and_no_key_is_printed(
    warehouse: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("KLAVIYO_API_KEY", "pk_secret")
    caplog.set_level("DEBUG")
    sandbox = Sandbox(Faults(0.2, 3))
    dry = push(warehouse, tmp_path, PushOptions(dry_run=True))
    assert any(
        "POST /api/profile-bulk-import-jobs" in request for sent in dry.sent for request in sent.requests
    )
    down = Sandbox(Faults(share=1, kinds=["garbled"]))
    outputs = [
        as_text(dry, dry_run=True), as_json(dry),
        *(found(push(warehouse, tmp_path, connection=reached(sandbox))) for found in (as_text, as_json)),
        as_text(push(warehouse, tmp_path, connection=reached(down))), caplog.text,
    ]  # fmt: skip
    for text in outputs:
        assert "pk_secret" not in text and "Zoë" not in text
        assert "who1@x.de" not in text and "who" not in text.replace("w***", "")


Response = Callable[[httpx.Request], httpx.Response]
OTHER_HOST = "https://elsewhere.example/take?it=all"


def answers(status: int, content: bytes, **headers: str) -> Response:
    """An answer that is the same for every request. headers: with _ for -."""
    named = {"Content_Type": "application/json"} | headers
    raw = [(name.replace("_", "-").encode(), value.encode("latin-1")) for name, value in named.items()]
    return lambda request: httpx.Response(status, headers=raw, stream=httpx.ByteStream(content))


class Crooked(httpx.BaseTransport):
    """A connection to a sandbox that replaces some answers. n: how many; reaches: whether the request arrives
    nevertheless; reads: whether answers to reading requests are replaced, too."""

    def __init__(
        self, sandbox: Sandbox, answer: Response, n: int = 10**9, reaches: bool = False, reads: bool = False
    ) -> None:
        self.transport, self.answer, self.n = sandbox.transport(), answer, n
        self.reaches, self.reads = reaches, reads
        self.hosts: set[str] = set()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.hosts.add(request.url.host)
        if self.n > 0 and (self.reads or request.method != "GET"):
            self.n -= 1
            if self.reaches:
                self.transport.handle_request(request).read()
            return self.answer(request)
        return self.transport.handle_request(request)


DEEP = b"[" * 100_000 + b"]" * 100_000
WHOLE = gzip.compress(json.dumps({"data": {"id": "1"}, "id": 1, "batchId": "1"} | {"x": "y" * 999}).encode())
ODD: dict[str, Response] = {
    "deep": answers(200, DEEP),
    "deep_objects": answers(200, b'{"data":' * 100_000 + b"1" + b"}" * 100_000),
    "deep_refusal": answers(400, DEEP),
    "deep_within": answers(422, b'{"errors":' + b"[" * 900 + b"]" * 900 + b"}"),
    "number": answers(200, b'{"data": ' + b"9" * 100_000 + b"}"),
    "number_refusal": answers(400, b'{"detail": ' + b"9" * 100_000 + b"}"),
    "infinite": answers(200, b'{"data": 1e999, "id": 1e999, "processId": 1e999, "batchId": 1e999}'),
    "nan": answers(200, b"NaN"),
    "nan_within": answers(200, b'{"data": {"id": NaN}, "processId": NaN, "batchId": NaN}'),
    "cut": answers(200, b'{"data": {"id": "1'),
    "cut_refusal": answers(400, b'{"errors": [{"detail": "who1@x.de'),
    "no_utf8": answers(400, b'{"errors": [{"detail": "Zo\xeb \xff\xfe"}]}'),
    "surrogate": answers(400, b'{"errors": [{"detail": "\\ud83d who1\\u0040x.de", "code": "\\udc00"}]}'),
    "surrogate_id": answers(200, b'{"data": {"id": "\\ud800"}, "id": "\\ud800", "batchId": "\\ud800"}'),
    "no_url": answers(200, b'{"data": {"id": "\\u0000 "}, "id": "\\u0000", "batchId": "\\n"}'),
    "nothing": answers(200, b""),
    "null": answers(200, b"null"),
    "text": answers(200, b'"yes"'),
    "empty": answers(200, b"{}"),
    "odd_refusal": answers(400, b'{"errors": "no", "title": ["x"], "failureReasons": 7}'),
    "null_refusal": answers(400, b'{"errors": [null, 7, {"source": 1}], "failureReasons": [null]}'),
    "far_place": answers(400, b'{"errors": [{"source": {"pointer": "/profiles/data/%s"}}]}' % (b"9" * 999)),
    "page": answers(200, b"<html>Who are you?</html>", Content_Type="text/html"),
    "page_refusal": answers(422, b"<html>No.</html>", Content_Type="text/html"),
    "odd_charset": answers(400, b"\xffNo.", Content_Type="text/plain; charset=punycode"),
    "odd_type": answers(400, b"No.", Content_Type=";;;=\xe9"),
    "truncated_gzip": answers(200, WHOLE[: len(WHOLE) // 2], Content_Encoding="gzip"),
    "gzip_head_only": answers(200, WHOLE[:6], Content_Encoding="gzip"),
    "no_gzip": answers(200, b'{"data": {"id": "1"}}', Content_Encoding="gzip"),
    "no_deflate": answers(400, b'{"errors": []}', Content_Encoding="deflate"),
    "unknown_coding": answers(200, b"\x00\x01\x02", Content_Encoding="lzma, x-own"),
    "redirect": answers(302, b"", Location=OTHER_HOST),
    "redirect_307": answers(307, b"{}", Location=OTHER_HOST),
    "redirect_308": answers(308, b"{}", Location="//elsewhere.example"),
    "redirect_nowhere": answers(301, b"", Location="http://["),
    "not_modified": answers(304, b""),
    "unavailable": answers(503, b"Down.", Retry_After="Fri, 31 Dec 9999 23:59:59 -2400"),
    "too_many": answers(429, b"{}", Retry_After="1e400"),
}  # fmt: skip


READ_TOO = ("deep", "number", "cut", "empty", "page", "redirect", "null_refusal")


def patient(transport: httpx.BaseTransport) -> Connection:
    return Connection(transport=transport, sleep=lambda seconds: None)


def few(destination: str, **given: Any) -> list[dict[str, Any]]:
    """One row of each operation, and three additions."""
    return [
        {
            "destination": destination, "operation": operation, "email": f"who{number}@x.de",
            "audience": "" if operation == "delete" else "vips",
        } | given
        for number, operation in enumerate([*OPERATIONS, "add", "add"])
    ]  # fmt: skip


def known_to(sandbox: Sandbox, destination: str) -> Sandbox:
    for number in range(len(OPERATIONS)):
        sandbox.accounts[destination].upsert(f"who{number}@x.de")
    return sandbox


@pytest.mark.slow
@pytest.mark.parametrize("destination", DESTINATIONS)
@pytest.mark.deep
def test_a_nonsensical_answer_ends_no_push_and_loses_no_row(tmp_path: Path, destination: str) -> None:
    now = datetime(2026, 7, 1)
    calm = known_to(Sandbox(now=lambda: now), destination)
    today, later = tmp_path / "today.duckdb", tmp_path / "later.duckdb"
    outbox_of(today, few(destination))
    outbox_of(later, few(destination, n_rejections=1))
    push(today, tmp_path / "calm", connection=reached(calm))
    odd_answers = [(name, False) for name in ODD] + [(name, True) for name in READ_TOO]
    for name, reads in odd_answers[DESTINATIONS.index(destination) % ODD_STEP :: ODD_STEP]:
        odd, folder = known_to(Sandbox(now=lambda: now), destination), tmp_path / f"{name}-{reads}"
        # A success has done the work; all else has not.
        has_done = 200 <= ODD[name](httpx.Request("GET", "/")).status_code < 300
        crooked = Crooked(odd, ODD[name], reaches=has_done, reads=reads)
        pushed = push(today, folder, PushOptions(wait=0), patient(crooked))
        assert crooked.hosts == {"sandbox"}, f"{name}: nothing goes to another host"
        kept = receipts(folder, "outbox_id, status, code, message, reference")
        assert pushed.stopped or len({row[0] for row in kept}) == len(few(destination)), name
        for printed in (as_text(pushed), as_json(pushed), str(kept)):
            assert not re.search(r"who\d|x\.de|elsewhere", printed), name

        # Rejected rows wait for their retry, pending ones for a day. Then they are in the outbox again.
        with duckdb.connect() as connection:
            for path in (folder / "receipts").glob("*.parquet"):
                connection.execute(f"""
                    copy (
                        select * replace (
                            if(status = 'pending', 'rejected', status) as status,
                            if(status = 'pending', 'lost', code) as code
                        )
                        from read_parquet('{path}')
                    ) to '{path}'
                """)
        assert push(later, folder, connection=reached(odd)).stopped == {}, name
        assert held(odd, destination) == held(calm, destination), name
        assert set(ends(folder).values()) == {"accepted"}, name


@pytest.mark.parametrize("destination", DESTINATIONS)
@pytest.mark.parametrize("name", ["deep", "deep_refusal"])
def test_a_batch_with_an_unreadable_answer_is_rejected(tmp_path: Path, destination: str, name: str) -> None:
    sandbox = Sandbox()
    outbox_of(tmp_path / "warehouse.duckdb", [{"destination": destination}, {"destination": "file"}])
    push(tmp_path / "warehouse.duckdb", tmp_path / "first", connection=reached(sandbox))  # creates the lists
    pushed = push(
        tmp_path / "warehouse.duckdb", tmp_path / "odd", connection=patient(Crooked(sandbox, ODD[name]))
    )
    assert pushed.stopped == {} and pushed.exit_code == 1
    found = dict(receipts(tmp_path / "odd", "destination, (status, code, message)"))
    assert found["file"][0] == "accepted"
    status, code, message = found[destination]
    assert (status, code) == ("rejected", "not_understood") and "can't be read" in message


@pytest.mark.slow
@pytest.mark.parametrize("reaches", [False, True])
@pytest.mark.parametrize("destination", DESTINATIONS)
@pytest.mark.parametrize(
    "answer",
    [
        answers(500, b"<html>"), answers(503, b"{}", Retry_After="1"), answers(504, DEEP),
        answers(429, b"{}"),
    ],
)  # fmt: skip
@pytest.mark.deep
def test_an_error_before_or_after_the_work_is_done_changes_nothing(
    tmp_path: Path, destination: str, answer: Response, reaches: bool
) -> None:
    now = datetime(2026, 7, 1)
    calm, rough = (known_to(Sandbox(now=lambda: now), destination) for _ in range(2))
    warehouse = tmp_path / "warehouse.duckdb"
    outbox_of(warehouse, few(destination))
    push(warehouse, tmp_path / "calm", connection=reached(calm))
    crooked = Crooked(rough, answer, 3, reaches)
    connection = Connection(transport=crooked, sleep=waits_for(rough))
    assert push(warehouse, tmp_path / "rough", connection=connection).stopped == {}
    assert set(ends(tmp_path / "rough").values()) == {"accepted"}
    assert held(rough, destination) == held(calm, destination)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("3", 3), ("0.5", 0.5), ("0", 0), ("-5", 0), ("99999999999", 99_999_999_999), ("1e400", math.inf),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0), ("Wed, 21 Oct 2015 07:28:00 -0000", 0),
        ("Mon, 01 Jan 0001 00:00:00 -0000", 0), ("Fri, 31 Dec 9999 23:59:59 -2400", None),
        ("Fri, 99 Foo 2026 99:99:99 GMT", None), ("Fri, 31 Dec 99999 23:59:59 GMT", None),
        ("nan", None), ("soon", None), ("", None), ("1, 2", None), ("\u0663", 3), ("1" * 9_999, math.inf),
    ],
)  # fmt: skip
def test_retry_after_is_read_in_every_form(value: str, seconds: float | None) -> None:
    found = retry_after(httpx.Headers([(b"Retry-After", value.encode())], encoding="utf-8"))
    assert found == seconds
    in_an_hour = format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True)
    assert 3_590 < (retry_after({"Retry-After": in_an_hour}) or 0) < 3_601
    assert retry_after({}) is None


@pytest.mark.parametrize(
    "value", ["2", "-3", "0", "nan", "Wed, 21 Oct 2015 07:28:00 GMT", "soon", None, "1e400", "9" * 30]
)
def test_too_many_requests_retries_later_and_not_for_ever(
    warehouse: Path, tmp_path: Path, value: str | None
) -> None:
    waits: list[float] = []
    headers = {} if value is None else {"Retry_After": value}
    crooked = Crooked(Sandbox(), answers(429, b"{}", **headers), reads=True)
    options = PushOptions(destinations=["klaviyo"])
    pushed = push(warehouse, tmp_path, options, Connection(transport=crooked, sleep=waits.append))
    assert "does not answer: status 429" in pushed.stopped["klaviyo"]
    assert all(wait >= 1 for wait in waits) and sum(waits) <= 601
    assert {row[0] for row in receipts(tmp_path, "status")} <= {"sent"}, "not an answer is written down"


FORMS: list[Callable[[str], str]] = [
    str,
    lambda text: quote(text, safe=""),
    lambda text: quote(quote(text, safe=""), safe=""),
    lambda text: text.replace("@", "\\u0040"),
    lambda text: text.replace("@", "&#64;"),
    lambda text: text.replace("@", "&commat;"),
    lambda text: text.replace("@", "\uff20"),
    lambda text: text.replace("@", " @ "),
    lambda text: "-" * 280 + text,
]


@pytest.mark.slow
@pytest.mark.parametrize("destination", DESTINATIONS)
@pytest.mark.parametrize("form", range(len(FORMS)))
@pytest.mark.parametrize("reads", [False, True])
def test_a_refusal_that_quotes_a_person_is_kept_without_them(
    tmp_path: Path, destination: str, form: int, reads: bool
) -> None:
    def quoting(request: httpx.Request) -> httpx.Response:
        said = f"{request.url} {request.content.decode()} who1@x.de who5@x.de Zoë +49 170 1234567"
        said = FORMS[form](said if form < len(FORMS) - 1 else "who5@x.de")
        body = {name: said for name in ("detail", "message", "title", "code")}
        return httpx.Response(400, json=body | {"errors": [body]})

    outbox_of(tmp_path / "warehouse.duckdb", few(destination))
    crooked = Crooked(known_to(Sandbox(), destination), quoting, reads=reads)
    pushed = push(tmp_path / "warehouse.duckdb", tmp_path, PushOptions(wait=0), patient(crooked))
    kept = receipts(tmp_path, "code, message, reference")
    with duckdb.connect() as connection:
        kept += connection.execute(f"select reason from {ledger.scan(tmp_path, 'pushes')}").fetchall()
    for said in (str(kept), as_text(pushed), as_json(pushed)):
        assert not re.search(r"who\d|x\.de|Zo(ë|e)|170.?1234567", said), said


def test_a_job_that_quotes_a_field_is_kept_without_it(tmp_path: Path) -> None:
    """Pending receipts have no fields, so they are read from the outbox again."""
    sandbox = Sandbox()
    outbox_of(tmp_path / "warehouse.duckdb", [{"destination": "klaviyo"}])
    push(tmp_path / "warehouse.duckdb", tmp_path, PushOptions(wait=0), reached(sandbox))
    lost = Crooked(
        sandbox, lambda request: httpx.Response(404, json={"detail": "No ZOË is at WHO0@X.DE"}), reads=True
    )
    push(tmp_path / "warehouse.duckdb", tmp_path, PushOptions(wait=0), patient(lost))
    (message,) = (row[0] for row in receipts(tmp_path, "message") if row[0])
    assert message == "No (a value) is at (an address)"


def test_a_quoted_key_is_stored_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_KEY", "pk_secret")
    key = {"Key": "pk_secret"}
    api = Api("some", "https://api.example", "SOME_KEY", lambda _: key, [], Connection("", is_paced=False))

    def quoting(request: httpx.Request) -> httpx.Response:
        return httpx.Response(400, json=f"Bad key {request.headers['Key']}")

    api._client = httpx.Client(
        base_url="https://api.example", headers=key, transport=httpx.MockTransport(quoting)
    )
    with pytest.raises(RefusedError) as refused:
        api.call("GET", "/")
    assert refused.value.body == "Bad key (the key)"


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


@pytest.mark.slow
@pytest.mark.parametrize("destination", DESTINATIONS)
@pytest.mark.deep
def test_killed_at_random_moments_the_state_is_equal_and_nothing_is_lost(
    tmp_path: Path, server: tuple[Sandbox, str], destination: str
) -> None:
    rough, url = server
    now = datetime(2026, 7, 1)
    calm, rough.now = Sandbox(now=lambda: now), lambda: now
    warehouse, folder = tmp_path / "warehouse.duckdb", tmp_path / "rough"
    outbox_of(warehouse, wishes(destination, 1))
    push(warehouse, tmp_path / "calm", connection=reached(calm))
    program = """
import os, signal, sys, threading
from pathlib import Path
from mailroom.activation.api import Connection
from mailroom.activation.push import push
url, warehouse, folder, seconds = sys.argv[1:]
threading.Timer(float(seconds), os.kill, (os.getpid(), signal.SIGKILL)).start()
push(Path(warehouse), Path(folder), connection=Connection(url, is_paced=False, sleep=lambda _: None))
os._exit(0)
"""
    chosen, killed = random.Random(destination), 0
    for _ in range(8):
        arguments = [url, str(warehouse), str(folder), f"{chosen.uniform(0, 0.6):.3f}"]
        done = subprocess.run([sys.executable, "-c", program, *arguments], capture_output=True, check=False)
        assert done.returncode in (0, -signal.SIGKILL), done.stderr.decode()
        killed += done.returncode != 0
    assert killed, "some were killed before they were through"
    rough.faults = Faults(0.2, 1)
    connection = Connection(url, is_paced=False, sleep=waits_for(rough), attempts=50, seconds=10**6)
    assert push(warehouse, folder, connection=connection).stopped == {}
    assert ends(folder) == ends(tmp_path / "calm")
    assert held(rough, destination) == held(calm, destination)
    assert_only_noes_are_left(push(warehouse, folder, connection=connection))


@pytest.mark.parametrize("dash", ["\u2013", "\u201c", "\u00a0", "\n"])
def test_a_key_with_a_typographic_character_is_named(
    warehouse: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dash: str
) -> None:
    monkeypatch.setenv("KLAVIYO_API_KEY", f"pk{dash}secret")
    pushed = push(warehouse, tmp_path, PushOptions(wait=0), Connection(sandbox="", attempts=1))
    assert pushed.stopped == {
        "klaviyo": "KLAVIYO_API_KEY has a character that no key has: copy the key again"
    }
    assert pushed.exit_code == 5 and sum(sent.accepted for sent in pushed.sent) == 1, "the file goes out"


def drip(server: socket.socket, does_answer: bool) -> None:
    """Answer each request with a slow, endless stream of bytes, or not at all."""

    def answer(client: socket.socket) -> None:
        with client, suppress(OSError):
            client.recv(65_536)
            while does_answer:
                client.sendall(b"H")
                time.sleep(0.05)
            time.sleep(10)

    while True:
        try:
            client, _ = server.accept()
        except OSError:
            return
        threading.Thread(target=answer, args=[client], daemon=True).start()


@pytest.mark.parametrize("does_answer", [True, False])
def test_an_endless_answer_is_aborted(warehouse: Path, tmp_path: Path, does_answer: bool) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=drip, args=[server, does_answer], daemon=True).start()
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
        slow = Connection(sandbox=url, deadline=0.5, attempts=2, sleep=lambda _: None)
        started = time.monotonic()
        pushed = push(warehouse, tmp_path, PushOptions(wait=0), slow)
    assert time.monotonic() - started < 30, "seconds; it would never end"
    assert "klaviyo does not answer" in pushed.stopped["klaviyo"]


def test_the_time_limit_includes_the_time_of_requests(warehouse: Path, tmp_path: Path) -> None:
    """Otherwise ten requests of a minute each would exceed the limit by ten minutes."""
    requested = []

    class Slow(httpx.BaseTransport):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            requested.append(request.url.path)
            time.sleep(0.3)
            raise httpx.ReadTimeout("Too slow.")

    patience = Connection(transport=Slow(), seconds=0.5, sleep=lambda _: None)
    push(warehouse, tmp_path, PushOptions(destinations=["klaviyo"], wait=0), patience)
    assert len(requested) == 1, "the next wait would exceed the time limit"


def test_a_removal_that_waits_for_a_job_is_sent_in_the_same_push(tmp_path: Path) -> None:
    warehouse, sandbox = tmp_path / "warehouse.duckdb", Sandbox()
    ann = {"destination": "klaviyo", "email": "ann@x.de"}
    outbox_of(warehouse, [ann])
    push(warehouse, tmp_path, PushOptions(wait=0), reached(sandbox))
    is_done = iter([False, False, False, True])
    account = sandbox.accounts["klaviyo"]
    ann_there = account.find("ann@x.de")
    assert ann_there and account.members("Mailroom vips")

    class LateJob(httpx.BaseTransport):
        """Adds Ann to the list when the job is done, not before."""

        def handle_request(self, request: httpx.Request) -> httpx.Response:
            if "import-jobs" in request.url.path and not next(is_done, True):
                (job,) = account.jobs.values()
                job["n_asked"] = 0
            elif "import-jobs" in request.url.path and ann_there:
                ann_there.groups |= set(account.groups)
            response: httpx.Response = sandbox.transport().handle_request(request)
            return response

    ann_there.groups.clear()
    outbox_of(warehouse, [ann | {"operation": "remove", "is_no": True, "outbox_id": "other"}])
    late = Connection(transport=LateJob(), sleep=waits_for(sandbox))
    pushed = push(warehouse, tmp_path, connection=late)
    assert [(sent.operation, sent.accepted) for sent in pushed.sent] == [("add", 1), ("remove", 1)]
    assert not account.members("Mailroom vips")

"""mailroom push, killed anywhere, refused or run twice: every row is accepted once or has a reason."""

import csv
import errno
import hashlib
import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
from filelock import FileLock
from hypothesis import given
from hypothesis import strategies as st

from mailroom.activation.api import StoppedError
from mailroom.activation.destinations import file, known, open_destination
from mailroom.activation.ledger import AnotherPushError
from mailroom.activation.push import PushOptions, as_json, as_text, push
from mailroom.activation.rows import Answer, Batch, Limits, masked

N_ROWS, N_AUDIENCES = 30, 2
MAX_ROWS = 2
N_BATCHES = 20  # two of each audience and operation
REPLACES = 3  # a batch's file, the manifest, the receipts
N_ADDING = 8  # batches of additions and updates, which are also recorded before they are sent
ENDS = 5  # the push's outcome, and receipts of the deletions, blanked
OPERATIONS = ("add", "update", "remove", "suppress", "delete")


def outbox_of(warehouse: Path, rows: list[dict[str, Any]]) -> None:
    """A warehouse with these rows of sync_outbox. Missing columns are those of a plain addition."""
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute("""
            create table if not exists sync_guards (
                destination varchar, audience varchar, guard varchar, reason varchar
            )
        """)
        connection.execute("""
            create or replace table mailbox_domains as
            select * from (values
                ('gmail.com', 'gmail.com', true, true), ('googlemail.com', 'gmail.com', true, true),
                ('web.de', 'web.de', false, false)
            ) as domains (email_domain, canonical_domain, ignores_dots, ignores_plus_part)
        """)
        connection.execute("create or replace table audience_catalog (destination varchar, audience varchar)")
        connection.execute("""
            create or replace table sync_outbox (
                outbox_id varchar, destination varchar, audience varchar, operation varchar,
                customer_id varchar, email varchar, payload varchar, held varchar, reason varchar,
                n_rejections bigint, retry_at timestamp, decided_at timestamp, is_no boolean,
                expires_at timestamp
            )
        """)
        for number, row in enumerate(rows):
            filled = {
                "outbox_id": f"row{number:04}", "destination": "file", "audience": "vips", "operation": "add",
                "customer_id": f"c{number}", "email": f"who{number}@x.de",
                "payload": json.dumps({"customer_id": f"c{number}", "first_name": "Zoë", "n_orders": 3}),
                "held": None, "reason": "Buys a lot.", "n_rejections": 0, "retry_at": None,
                "decided_at": datetime(2026, 7, 1), "is_no": row.get("operation") in ("delete", "suppress"),
                "expires_at": None,
            } | row  # fmt: skip
            connection.execute(
                f"insert into sync_outbox values ({', '.join('?' * len(filled))})", list(filled.values())
            )


@pytest.fixture
def warehouse(tmp_path: Path) -> Path:
    rows = [
        {"audience": f"audience_{number % N_AUDIENCES}", "operation": OPERATIONS[number % 5]}
        for number in range(N_ROWS)
    ]
    outbox_of(tmp_path / "warehouse.duckdb", rows)
    return tmp_path / "warehouse.duckdb"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(file.FileDestination, "max_rows", MAX_ROWS)
    return tmp_path / "activation"


def receipts(folder: Path, columns: str) -> list[tuple[Any, ...]]:
    if not any((folder / "receipts").glob("*.parquet")):
        return []
    with duckdb.connect() as connection:
        found = f"select {columns} from read_parquet('{folder}/receipts/*.parquet')"
        return connection.execute(found).fetchall()


def listed(folder: Path) -> dict[str, list[dict[str, str]]]:
    """The rows of every file in a manifest, after checking its hash."""
    found = {}
    for manifest in (folder / "file").glob("*/manifest.json"):
        for name, entry in json.loads(manifest.read_text()).items():
            content = (manifest.parent / name).read_bytes()
            assert hashlib.sha256(content).hexdigest() == entry["sha256"]
            found[name] = list(csv.DictReader(content.decode().splitlines()))
            assert len(found[name]) == entry["rows"]
    return found


def assert_all_arrived(folder: Path) -> None:
    found = receipts(folder, "status, reference, customer_id, email, operation")
    accepted = [row for row in found if row[0] != "sent"]
    assert sorted(row[2] for row in accepted) == sorted(f"c{number}" for number in range(N_ROWS))
    files = listed(folder)
    for status, reference, customer_id, email, operation in accepted:
        assert status == "accepted"
        (line,) = [line for line in files[reference] if line["customer_id"] == customer_id]
        assert email == (None if operation == "delete" else line["email"])


def test_every_row_is_sent_once_and_then_nothing_is_left(warehouse: Path, folder: Path) -> None:
    first = push(warehouse, folder)
    assert sum(sent.accepted for sent in first.sent) == N_ROWS and not any(
        sent.rejected for sent in first.sent
    )
    assert_all_arrived(folder)
    operations = [sent.operation for sent in first.sent]
    order = ["delete", "suppress", "remove", "update", "add"]
    assert operations == sorted(operations, key=order.index), "who must hear no more comes first"
    assert push(warehouse, folder).sent == []


class KilledError(BaseException):
    """Stands for SIGKILL: nothing catches it."""


def killed_at(number: int, before: bool) -> Callable[..., None]:
    """os.replace that dies at the given call, before or after its work."""
    calls = iter(range(1_000_000))
    replace = os.replace

    def dying(source: Path, target: Path) -> None:
        call = next(calls)
        if call == number and before:
            raise KilledError
        replace(source, target)
        if call == number:
            raise KilledError

    return dying


@pytest.mark.slow
@pytest.mark.deep
def test_killed_anywhere_the_next_push_finishes_the_job(
    warehouse: Path, tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    n_writes = REPLACES * N_BATCHES + N_ADDING + ENDS
    for number in range(n_writes + 1):
        place = tmp_path / f"killed-{number}"
        is_killed = False
        with monkeypatch.context() as patched:
            # Little happens between two files, so die before every second one and after the others.
            patched.setattr("mailroom.activation.ledger.os.replace", killed_at(number, number % 2 == 0))
            try:
                push(warehouse, place)
            except KilledError:
                is_killed = True
        assert is_killed == (number < n_writes), "every file that is written was killed at"
        push(warehouse, place)
        assert_all_arrived(place)


def test_a_real_kill_loses_nothing_either(warehouse: Path, folder: Path) -> None:
    program = f"""
import os, signal, sys
from pathlib import Path
from mailroom.activation.api import StoppedError
from mailroom.activation.destinations import file
from mailroom.activation.push import push
file.FileDestination.max_rows = {MAX_ROWS}
replace, calls = os.replace, []
def dying(source, target):
    calls.append(target)
    if len(calls) == 11:
        os.kill(os.getpid(), signal.SIGKILL)
    replace(source, target)
os.replace = dying
push(Path({str(warehouse)!r}), Path({str(folder)!r}))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()
    before = len(receipts(folder, "outbox_id"))
    assert 0 < before < N_ROWS
    push(warehouse, folder)
    assert_all_arrived(folder)


def test_receipts_do_not_name_deleted_customers(tmp_path: Path, folder: Path) -> None:
    warehouse = tmp_path / "warehouse.duckdb"
    gone = {"email": "gone@x.de", "customer_id": "gone", "held": ";first_name=1;"}
    outbox_of(warehouse, [gone, {"email": "stays@x.de"}])
    push(warehouse, folder)
    outbox_of(warehouse, [gone | {"outbox_id": "other", "operation": "delete", "audience": "", "held": None}])
    push(warehouse, folder)
    assert sorted(receipts(folder, "operation, email, held, outbox_id, customer_id"), key=str) == [
        ("add", "stays@x.de", None, "row0001", "c1"),
        ("add", None, None, None, "gone"),
        ("delete", None, None, "other", "gone"),
    ]
    assert not any(b"gone@x.de" in path.read_bytes() for path in (folder / "receipts").iterdir())

    outbox_of(warehouse, [gone])
    assert [sent.accepted for sent in push(warehouse, folder).sent] == [1], "they are a new profile then"


def test_the_second_of_two_pushes_stops_with_an_error(warehouse: Path, folder: Path) -> None:
    folder.mkdir()
    with FileLock(folder / "push.lock"), pytest.raises(AnotherPushError, match="another push"):
        push(warehouse, folder)
    assert receipts(folder, "outbox_id") == []


def test_rejected_rows_are_listed_and_wait_for_their_retry(tmp_path: Path, folder: Path) -> None:
    warehouse = tmp_path / "warehouse.duckdb"
    outbox_of(warehouse, [{"email": "=cmd()@x.de"}, {}])
    assert [(sent.accepted, sent.rejected) for sent in push(warehouse, folder).sent] == [(1, 1)]
    assert receipts(folder, "outbox_id, status, code, attempt") == [
        ("row0000", "rejected", "unsafe_address", 1), ("row0001", "accepted", None, 1)
    ]  # fmt: skip
    again = push(warehouse, folder)
    assert again.sent == [] and again.waiting == 1, "not before the outbox is built again"

    now = datetime.now(UTC).replace(tzinfo=None)
    later = {"email": "=cmd()@x.de", "n_rejections": 1, "retry_at": now + timedelta(hours=1)}
    outbox_of(warehouse, [later])
    assert push(warehouse, folder).waiting == 1, "nor before its time"
    outbox_of(warehouse, [later | {"retry_at": now - timedelta(hours=1)}])
    assert [sent.rejected for sent in push(warehouse, folder).sent] == [1]
    assert max(receipts(folder, "attempt")) == (2,)


def test_a_rejected_opt_out_is_sent_again_at_once(tmp_path: Path, folder: Path) -> None:
    warehouse = tmp_path / "warehouse.duckdb"
    operations: list[dict[str, Any]] = [{"operation": name} for name in ("suppress", "delete", "remove")]
    noes = [row | {"email": "=cmd()@x.de", "is_no": True} for row in operations]
    outbox_of(warehouse, [*noes, {"email": "=cmd()@y.de"}])
    assert sum(sent.rejected for sent in push(warehouse, folder).sent) == 4
    again = push(warehouse, folder)
    assert [(sent.operation, sent.rejected) for sent in again.sent] == [
        ("delete", 1), ("suppress", 1), ("remove", 1)
    ]  # fmt: skip
    assert again.waiting == 1


def test_additions_are_recorded_before_they_are_sent(
    warehouse: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    send = file.FileDestination.send

    def watched(self: file.FileDestination, batch: Batch) -> Iterable[Answer]:
        sent = {row[0] for row in receipts(folder, "outbox_id, status") if row[1] == "sent"}
        going = {row.outbox_id for row in batch.rows} if batch.operation in ("add", "update") else set()
        assert sent == going
        return send(self, batch)

    monkeypatch.setattr(file.FileDestination, "send", watched)
    assert push(warehouse, folder).stopped == {}
    assert {row[0] for row in receipts(folder, "status")} == {"accepted"}, (
        "and taken back once it is answered"
    )


class Elsewhere:
    """A second destination, in which something goes wrong."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, send: Callable[[Batch], Iterable[Answer]]) -> None:
        self.send = send

        def opened(name: str, folder: Path, connection: object = None) -> Any:
            return self if name == "brevo" else open_destination(name, folder)

        monkeypatch.setattr("mailroom.activation.push.open_destination", opened)

    def limits(self, operation: str) -> Limits:
        return Limits(MAX_ROWS)

    def size(self, row: object) -> int:
        return 1


def outbox_of_two(tmp_path: Path) -> Path:
    warehouse = tmp_path / "warehouse.duckdb"
    outbox_of(
        warehouse,
        [
            {"destination": name, "operation": operation, "email": f"{operation}@x.de"}
            for name in ("brevo", "file") for operation in OPERATIONS
        ],
    )  # fmt: skip
    return warehouse


ODD = [
    (RuntimeError("zoe@x.de"), "internal error: RuntimeError in test_push.py, line"),
    (UnicodeEncodeError("ascii", "zoe@x.de\u2013", 8, 9, "ordinal not in range"), "UnicodeEncodeError"),
    (RecursionError("zoe@x.de"), "RecursionError"), (MemoryError(), "MemoryError"),
    (OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), "No space left on device"),
    (StoppedError("it does not answer"), "it does not answer"),
]  # fmt: skip


@pytest.mark.parametrize(("error", "words"), ODD, ids=[type(error).__name__ for error, _ in ODD])
def test_an_error_in_one_destination_stops_only_that_one(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, words: str
) -> None:
    def fails(batch: Batch) -> Iterable[Answer]:
        raise error

    Elsewhere(monkeypatch, fails)
    pushed = push(outbox_of_two(tmp_path), folder)
    assert words in pushed.stopped["brevo"] and "@" not in pushed.stopped["brevo"]
    assert pushed.stopped.keys() == {"brevo"} and pushed.exit_code == 5
    assert sum(sent.accepted for sent in pushed.sent if sent.destination == "file") == len(OPERATIONS)
    with duckdb.connect() as connection:
        outcomes = connection.execute(
            f"select distinct destination, outcome from '{folder}/pushes/*.parquet'"
        )
        assert sorted(outcomes.fetchall()) == [("brevo", "stopped"), ("file", "finished")]


def test_no_destination_waits_for_another(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    is_done = threading.Event()
    send = file.FileDestination.send

    def last(self: file.FileDestination, batch: Batch) -> Iterable[Answer]:
        if batch.operation == "add":
            is_done.set()
        return send(self, batch)

    def waits(batch: Batch) -> Iterable[Answer]:
        assert is_done.wait(60), "the other one never comes to its end"
        return [Answer(row.outbox_id, "accepted") for row in batch.rows]

    monkeypatch.setattr(file.FileDestination, "send", last)
    Elsewhere(monkeypatch, waits)
    pushed = push(outbox_of_two(tmp_path), folder)
    assert pushed.stopped == {} and sum(sent.accepted for sent in pushed.sent) == 2 * len(OPERATIONS)


def test_a_warehouse_in_use_is_named(warehouse: Path, folder: Path) -> None:
    program = (
        "import duckdb, sys, time; c = duckdb.connect(sys.argv[1]); print(1, flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", program, warehouse], stdout=subprocess.PIPE) as builds:
        assert builds.stdout and builds.stdout.readline()
        with pytest.raises(ValueError, match=r"warehouse\.duckdb is in use"):
            push(warehouse, folder)
        builds.kill()
    assert push(warehouse, folder).exit_code == 0


def test_a_full_disk_ends_in_a_sentence(
    warehouse: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*arguments: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched:
        patched.setattr("mailroom.activation.ledger.pq.write_table", full)
        with pytest.raises(ValueError, match="can't be written or read: No space left on device"):
            push(warehouse, folder)
    push(warehouse, folder)
    assert_all_arrived(folder)


def test_receipts_are_in_order_when_the_clock_is_set_back(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    warehouse = tmp_path / "warehouse.duckdb"
    for year, operation in ((2031, "add"), (2026, "remove")):
        monkeypatch.setattr("mailroom.activation.ledger.now", lambda year=year: datetime(year, 1, 1))
        outbox_of(warehouse, [{"operation": operation, "outbox_id": operation}])
        push(warehouse, folder)
    found = sorted(receipts(folder, "sequence, operation, answered_at"))
    assert [operation for _, operation, _ in found] == ["add", "remove"]
    assert found[0][2] > found[1][2]


def test_only_chosen_audiences_are_sent(warehouse: Path, folder: Path) -> None:
    pushed = push(warehouse, folder, PushOptions(audiences=["audience_1"]))
    assert {sent.audience for sent in pushed.sent} == {"audience_1"}
    assert push(warehouse, folder, PushOptions(destinations=["elsewhere"])).sent == []


def guard(warehouse: Path, *rows: tuple[str, str]) -> None:
    """Audiences that guards stop, with the guard."""
    with duckdb.connect(str(warehouse)) as connection:
        for audience, name in rows:
            values = ["file", audience, name, f"Because of {name}."]
            connection.execute("insert into sync_guards values (?, ?, ?, ?)", values)


def test_a_guard_holds_its_audience_and_the_rest_is_sent(warehouse: Path, folder: Path) -> None:
    guard(warehouse, ("audience_0", "shrank"), ("audience_0", "drift"))
    pushed = push(warehouse, folder)
    operations = {sent.operation for sent in pushed.sent if sent.audience == "audience_0"}
    assert operations == {"suppress", "delete"}, "no guard stops a no"
    assert {sent.operation for sent in pushed.sent if sent.audience == "audience_1"} == set(OPERATIONS)
    (held,) = pushed.held
    assert (held.audience, held.rows, held.overridden) == ("audience_0", N_ROWS // 2 * 3 // 5, False)
    assert held.guards == {"shrank": "Because of shrank.", "drift": "Because of drift."}
    assert "held back" in as_text(pushed) and "Because of shrank." in as_text(pushed)


def test_an_override_is_for_one_push_and_recorded(warehouse: Path, folder: Path) -> None:
    guard(warehouse, ("audience_0", "shrank"), ("audience_1", "shrank"))
    with pytest.raises(ValueError, match="needs a reason"):
        push(warehouse, folder, PushOptions(overrides=["audience_0"]))
    with pytest.raises(ValueError, match="no guard stops unknown"):
        push(warehouse, folder, PushOptions(overrides=["unknown"], because="Sale is over"))
    pushed = push(warehouse, folder, PushOptions(overrides=["audience_0"], because="Sale is over"))
    added = {sent.audience for sent in pushed.sent if sent.operation in ("add", "update", "remove")}
    assert added == {"audience_0"}
    with duckdb.connect() as connection:
        written = connection.execute(
            f"select push_id, audience, guard, because from '{folder}/overrides/*.parquet'"
        ).fetchall()
    assert written == [(pushed.push_id, "audience_0", "shrank", "Sale is over")]
    assert push(warehouse, folder).sent == [] and len(push(warehouse, folder).held) == 1


def test_only_opt_outs_are_sent_after_a_failed_build(tmp_path: Path, folder: Path) -> None:
    warehouse = tmp_path / "warehouse.duckdb"
    outbox_of(
        warehouse,
        [{}, {"operation": "delete", "audience": ""}, {"operation": "suppress", "audience": "do_not_mail"}],
    )
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute("""
            create table build_failures as
            select * from (values
                ('no_customer_is_written_to_twice', true, timestamp '2026-07-01 04:00:00'),
                ('mended', true, timestamp '2026-07-01 04:00:00'),
                ('mended', false, timestamp '2026-07-01 05:00:00')
            ) as reports (node, is_failing, reported_at)
        """)
    pushed = push(warehouse, folder)
    assert [(sent.operation, sent.accepted) for sent in pushed.sent] == [("delete", 1), ("suppress", 1)]
    assert pushed.held[0].guards == {
        "failed_build": "The last build failed: no_customer_is_written_to_twice."
    }


def test_a_dry_run_sends_nothing_and_shows_what_would_be_sent(warehouse: Path, folder: Path) -> None:
    pushed = push(warehouse, folder, PushOptions(dry_run=True))
    assert sum(sent.rows for sent in pushed.sent) == N_ROWS
    assert listed(folder) == {} and receipts(folder, "outbox_id") == []
    assert "would be sent" in as_text(pushed, dry_run=True)


def test_no_address_and_no_name_is_in_what_is_printed(warehouse: Path, folder: Path) -> None:
    pushed = push(warehouse, folder)
    for printed in (as_text(pushed), as_json(pushed)):
        assert "@" not in printed and "Zoë" not in printed
    assert masked("zoe@x.de") == "z***@x***"


def test_a_row_without_an_answer_is_rejected(
    warehouse: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def forgetful(self: file.FileDestination, batch: Batch) -> Iterator[Answer]:
        return iter([Answer(row.outbox_id, "accepted") for row in batch.rows[1:]])

    monkeypatch.setattr(file.FileDestination, "send", forgetful)
    pushed = push(warehouse, folder)
    assert sum(sent.rejected for sent in pushed.sent) == sum(sent.batches for sent in pushed.sent) > 0
    assert set(receipts(folder, "code")) == {(None,), ("no_answer",)}


def test_an_answer_about_a_row_that_was_not_sent_is_an_error(
    warehouse: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file.FileDestination, "send", lambda self, batch: [Answer("another", "accepted")])
    pushed = push(warehouse, folder)
    assert "answered about 1 rows" in pushed.stopped["file"] and pushed.exit_code == 5


def test_a_missing_destination_or_warehouse_is_named(tmp_path: Path, folder: Path) -> None:
    assert "file" in known()
    with pytest.raises(ValueError, match="destination fax is not one of"):
        open_destination("fax", folder)
    with pytest.raises(ValueError, match="run dbt build"):
        push(tmp_path / "none.duckdb", folder)


def test_fields_are_columns_and_cleared_ones_are_named(tmp_path: Path, folder: Path) -> None:
    warehouse = tmp_path / "warehouse.duckdb"
    payload = {"customer_id": "c0", "first_name": "=1+1", "top_category": None, "n_orders": -3}
    outbox_of(warehouse, [{"operation": "update", "payload": json.dumps(payload)}, {"operation": "update"}])
    push(warehouse, folder)
    ((first, second),) = listed(folder).values()
    assert first == {
        "email": "who0@x.de", "customer_id": "c0", "first_name": "'=1+1", "n_orders": "-3",
        "cleared": "top_category",
    }  # fmt: skip
    assert second["first_name"] == "Zoë" and second["cleared"] == ""


def test_parquet_keeps_types_and_any_address(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAILROOM_DROP_FORMAT", "parquet")
    warehouse = tmp_path / "warehouse.duckdb"
    payload = {"customer_id": "c0", "first_name": "=1+1", "n_orders": -3, "top_category": None}
    outbox_of(warehouse, [{"email": "=a@x.de", "operation": "update", "payload": json.dumps(payload)}])
    assert [sent.accepted for sent in push(warehouse, folder).sent] == [1]
    (written,) = (folder / "file").glob("*/*.parquet")
    with duckdb.connect() as connection:
        found = connection.sql(f"select email, first_name, n_orders, cleared from '{written}'").fetchall()
    assert found == [("=a@x.de", "=1+1", -3, "top_category")]
    monkeypatch.setenv("MAILROOM_DROP_FORMAT", "xlsx")
    with pytest.raises(StoppedError, match="neither csv nor parquet"):
        open_destination("file", folder)


@given(st.text())
def test_no_cell_of_text_is_a_formula(text: str) -> None:
    assert not re.match(r"[=+\-@\t\r]", file.safe(text))
    assert file.safe(text).replace("'", "") == text.replace("'", "")

"""`mailroom push`: the outbox goes out in batches, each answered for in receipts before the next goes.

Killed anywhere, the next push sends what has no receipt: at most one batch twice, which changes nothing.
"""

import hashlib
import json
import os
import uuid
from collections.abc import Collection, Iterator
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from typing import Any

import duckdb
from filelock import FileLock, Timeout

from mailroom.activation.destinations import open_destination
from mailroom.activation.receipts import forget_deleted, write_receipts
from mailroom.activation.rows import OPERATIONS, Batch, Row

READ_AT_ONCE = 10_000  # rows


class AnotherPushError(RuntimeError):
    """Another push is under way."""


@dataclass
class Sent:
    """What became of the rows of one destination, audience and operation."""

    destination: str
    audience: str
    operation: str
    rows: int = 0
    batches: int = 0
    accepted: int = 0
    rejected: int = 0
    pending: int = 0


@dataclass
class Pushed:
    """One push: its key, what became of the rows, and how many wait for another day."""

    push_id: str
    sent: list[Sent] = field(default_factory=list)
    waiting: int = 0


def activation_folder(warehouse: Path) -> Path:
    """Where a warehouse's receipts and files are; macro activation_folder() finds the same place."""
    beside = f"{str(warehouse).replace('.duckdb', '')}-activation"
    return Path(os.environ.get("MAILROOM_ACTIVATION", beside))


def push(
    warehouse: Path,
    folder: Path,
    destinations: Collection[str] = (),
    audiences: Collection[str] = (),
    dry_run: bool = False,
) -> Pushed:
    """Send what the outbox has for these destinations and audiences (all where none is named). dry_run:
    count only.

    Raises AnotherPushError, ValueError (no such destination, no outbox).
    """
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / "push.lock")
    try:
        with lock.acquire(blocking=False):
            return _push(warehouse, folder, destinations, audiences, dry_run)
    except Timeout as error:
        raise AnotherPushError(f"another push holds {lock.lock_file}") from error


def _push(
    warehouse: Path, folder: Path, destinations: Collection[str], audiences: Collection[str], dry_run: bool
) -> Pushed:
    pushed = Pushed(uuid.uuid4().hex[:12])
    outbox = _copied(warehouse, folder)
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        pushed.waiting = _due(connection, outbox, folder / "receipts", destinations, audiences)
        for destination, rows in groupby(_rows(connection), key=lambda row: row.destination):
            opened = open_destination(destination, folder)
            for key, alike in groupby(rows, key=lambda row: (row.audience, row.operation)):
                sent = Sent(destination, *key)
                pushed.sent.append(sent)
                for batch in batches(alike, opened.max_rows):
                    sent.rows += len(batch.rows)
                    sent.batches += 1
                    if dry_run:
                        continue
                    answers = opened.send(batch)
                    now = datetime.now(UTC).replace(tzinfo=None)
                    counts = write_receipts(folder / "receipts", pushed.push_id, batch, answers, now)
                    for status, count in counts.items():
                        setattr(sent, status, getattr(sent, status) + count)
    outbox.unlink()
    if not dry_run:
        forget_deleted(folder / "receipts")
    return pushed


def batches(rows: Iterator[Row], max_rows: int) -> Iterator[Batch]:
    """Rows of one destination, audience and operation, in batches of so many at most."""
    together: list[Row] = []
    for row in rows:
        together.append(row)
        if len(together) == max_rows:
            yield _batch(together)
            together = []
    if together:
        yield _batch(together)


def _batch(rows: list[Row]) -> Batch:
    first = rows[0]
    key = hashlib.sha256("/".join(row.outbox_id for row in rows).encode()).hexdigest()[:16]
    return Batch(key, first.destination, first.audience, first.operation, rows)


def _copied(warehouse: Path, folder: Path) -> Path:
    """A copy of the outbox, so that a long push locks no build out of the warehouse."""
    copy = folder / "outbox.parquet"
    if not warehouse.exists():
        raise ValueError(f"there is no warehouse {warehouse}: run dbt build")
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        found = connection.execute(
            "select table_schema from information_schema.tables where table_name = 'sync_outbox'"
        ).fetchall()
        if not found:
            raise ValueError(f"{warehouse} has no sync_outbox: run dbt build")
        connection.execute(f"copy {found[0][0]}.sync_outbox to '{copy}' (format parquet)")
    return copy


def _due(
    connection: duckdb.DuckDBPyConnection,
    outbox: Path,
    receipts: Path,
    destinations: Collection[str],
    audiences: Collection[str],
) -> int:
    """Make the table due of the rows to send now; how many of the others wait for their time."""
    answered = "(select null as outbox_id, null as status where false)"
    if any(receipts.glob("*.parquet")):
        answered = f"read_parquet('{receipts}/*.parquet')"
    places = " ".join(f"when '{operation}' then {place}" for place, operation in enumerate(OPERATIONS))
    connection.execute(
        f"""
        create table due as
        with answers as (
            select
                outbox_id, count(*) filter (status = 'rejected') as n_rejected,
                count(*) filter (status <> 'rejected') as n_taken
            from {answered} group by outbox_id
        )
        select
            outbox.*, coalesce(answers.n_rejected, 0) + 1 as attempt,
            case operation {places} end as place,
            -- What was refused since the outbox was built waits until it is built again.
            coalesce(answers.n_rejected, 0) = n_rejections
            and coalesce(retry_at <= now()::timestamp, true) as is_due
        from read_parquet('{outbox}') as outbox
        left join answers using (outbox_id)
        where
            coalesce(n_taken, 0) = 0
            and (len($destinations) = 0 or list_contains($destinations, destination))
            and (len($audiences) = 0 or list_contains($audiences, audience))
        """,
        {"destinations": list(destinations), "audiences": list(audiences)},
    )
    return int(connection.execute("select count(*) from due where not is_due").fetchall()[0][0])


def _rows(connection: duckdb.DuckDBPyConnection) -> Iterator[Row]:
    found = connection.execute("""
        select
            outbox_id, destination, audience, operation, customer_id, email, payload, held, decided_at,
            attempt
        from due where is_due order by destination, place, audience, outbox_id
    """)
    while some := found.fetchmany(READ_AT_ONCE):
        for outbox_id, destination, audience, operation, customer_id, email, payload, *rest in some:
            fields: dict[str, Any] = json.loads(payload) if payload else {}
            fields.pop("customer_id", None)
            yield Row(outbox_id, destination, audience, operation, customer_id, email, fields, *rest)


def as_json(pushed: Pushed) -> str:
    """What became of the rows, for a scheduler. Counts only: no address, no name."""
    return json.dumps(asdict(pushed))


def as_text(pushed: Pushed, dry_run: bool = False) -> str:
    """What became of the rows, for a person."""
    lines = []
    for sent in pushed.sent:
        told = "would go out" if dry_run else f"{sent.accepted:,} accepted"
        for name in ("rejected", "pending"):
            told += f", {getattr(sent, name):,} {name}" if getattr(sent, name) else ""
        lines.append(
            f"{sent.destination:<10} {sent.audience or '(everywhere)':<20} {sent.operation:<9} "
            f"{sent.rows:>9,} rows in {sent.batches:,} batch{'es' if sent.batches != 1 else ''}: {told}"
        )
    if not lines:
        lines.append("Nothing to send: every destination holds what it should.")
    if pushed.waiting:
        lines.append(f"{pushed.waiting:,} refused rows wait until it is their time again.")
    return "\n".join(lines)

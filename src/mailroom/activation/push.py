"""`mailroom push`: the outbox goes out in batches, each answered for in receipts before the next goes.

Killed anywhere, the next push sends what has no receipt: at most one batch twice, which changes nothing.
"""

import getpass
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
from mailroom.activation.receipts import forget_deleted, write_overrides, write_receipts
from mailroom.activation.rows import OPERATIONS, Batch, Row
from mailroom.show import qualified_tables

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
class Held:
    """An audience that guards kept back: how many rows, and why. overridden: they went out all the same."""

    destination: str
    audience: str
    rows: int
    guards: dict[str, str]  # reasons
    overridden: bool


@dataclass
class Pushed:
    """One push: its key, what became of the rows, what guards said, how many rows wait for another day."""

    push_id: str
    sent: list[Sent] = field(default_factory=list)
    held: list[Held] = field(default_factory=list)
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
    overrides: Collection[str] = (),
    because: str = "",
    dry_run: bool = False,
) -> Pushed:
    """Send what the outbox has for these destinations and audiences (all where none is named), but for
    audiences that a guard stops. overrides: audiences to send all the same, because of what is to be written
    down. dry_run: count only.

    Raises AnotherPushError, ValueError (no such destination, no outbox, an override that has no because or is
    of no audience).
    """
    if overrides and not because.strip():
        raise ValueError("an override needs a reason: --because")
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / "push.lock")
    try:
        with lock.acquire(blocking=False), duckdb.connect() as connection:
            connection.execute("set TimeZone = 'UTC'")
            pushed = Pushed(uuid.uuid4().hex[:12])
            _read(connection, warehouse, folder, destinations, audiences)
            pushed.waiting = _count(connection, "not is_due")
            pushed.held = _held(connection, overrides)
            if not dry_run:
                _record_overrides(folder / "overrides", pushed, because)
            _send(connection, folder, pushed, dry_run)
            (folder / "outbox.parquet").unlink()
            if not dry_run:
                forget_deleted(folder / "receipts")
            return pushed
    except Timeout as error:
        raise AnotherPushError(f"another push holds {lock.lock_file}") from error


def _send(connection: duckdb.DuckDBPyConnection, folder: Path, pushed: Pushed, dry_run: bool) -> None:
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
                counts = write_receipts(folder / "receipts", pushed.push_id, batch, answers, _now())
                for status, count in counts.items():
                    setattr(sent, status, getattr(sent, status) + count)


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)


def _held(connection: duckdb.DuckDBPyConnection, overrides: Collection[str]) -> list[Held]:
    """What guards stop of what is due, taken out of it unless it is overridden. Deletions are of no audience:
    nothing stops them."""
    stopped = {row[0] for row in connection.execute("select distinct audience from guards").fetchall()}
    if unstopped := set(overrides) - stopped:
        raise ValueError(f"no guard stops {', '.join(sorted(unstopped))}: nothing to override")
    stopping = connection.execute("""
        select guards.destination, guards.audience, guard, any_value(guards.reason), count(*)
        from guards inner join due using (destination, audience)
        where is_due
        group by all order by all
    """).fetchall()
    held = []
    for (destination, audience), rows in groupby(stopping, key=lambda row: (row[0], row[1])):
        found = list(rows)
        reasons = {guard: reason for _, _, guard, reason, _ in found}
        held.append(Held(destination, audience, found[0][4], reasons, audience in overrides))
        if audience not in overrides:
            connection.execute(
                "delete from due where destination = ? and audience = ?", [destination, audience]
            )
    return held


def _record_overrides(folder: Path, pushed: Pushed, because: str) -> None:
    rows = [
        {
            "push_id": pushed.push_id, "destination": held.destination, "audience": held.audience,
            "guard": guard, "reason": reason, "because": because, "overridden_by": getpass.getuser(),
            "overridden_at": _now(),
        }
        for held in pushed.held if held.overridden for guard, reason in held.guards.items()
    ]  # fmt: skip
    if rows:
        write_overrides(folder, rows)


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


def _read(
    connection: duckdb.DuckDBPyConnection,
    warehouse: Path,
    folder: Path,
    destinations: Collection[str],
    audiences: Collection[str],
) -> None:
    """Make the tables guards, and due of the rows that wait for an answer. The outbox is copied: a long push
    locks no build out of the warehouse."""
    copy, receipts = folder / "outbox.parquet", folder / "receipts"
    if not warehouse.exists():
        raise ValueError(f"there is no warehouse {warehouse}: run dbt build")
    with duckdb.connect(str(warehouse), read_only=True) as built:
        tables = qualified_tables(built)
        if not {"sync_outbox", "sync_guards"} <= tables.keys():
            raise ValueError(f"{warehouse} has no sync_outbox or no sync_guards: run dbt build")
        built.execute(f"copy {tables['sync_outbox']} to '{copy}' (format parquet)")
        guards = built.sql(
            f"select destination, audience, guard, reason from {tables['sync_guards']}"
        ).to_arrow_table()
        failing = _failing(built, tables.get("build_failures"))
    connection.register("guards_read", guards)
    connection.execute("create table guards as from guards_read")

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
        from read_parquet('{copy}') as outbox
        left join answers using (outbox_id)
        where
            coalesce(n_taken, 0) = 0
            and (len($destinations) = 0 or list_contains($destinations, destination))
            and (len($audiences) = 0 or list_contains($audiences, audience))
        """,
        {"destinations": list(destinations), "audiences": list(audiences)},
    )
    if failing:
        connection.execute(
            """
            insert into guards
            select distinct destination, audience, 'failed_build', ?
            from due where operation not in ('delete', 'suppress')
            """,
            [f"The last build has failed: {', '.join(failing)}."],
        )


def _failing(built: duckdb.DuckDBPyConnection, table: str | None) -> list[str]:
    """What the outbox rests on and has failed since it last passed; macro failing_nodes() asks the same."""
    if table is None:
        return []
    found = built.execute(
        f"select node from {table} group by node having arg_max(is_failing, reported_at) order by node"
    )
    return [row[0] for row in found.fetchall()]


def _count(connection: duckdb.DuckDBPyConnection, condition: str) -> int:
    return int(connection.execute(f"select count(*) from due where {condition}").fetchall()[0][0])


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
    for held in pushed.held:
        told = "sent all the same" if held.overridden else "held back"
        lines.append(f"{held.destination:<10} {held.audience:<20} {told}, {held.rows:,} rows:")
        lines += [f"    {guard}: {reason}" for guard, reason in held.guards.items()]
    if not lines:
        lines.append("Nothing to send: every destination holds what it should.")
    if pushed.waiting:
        lines.append(f"{pushed.waiting:,} refused rows wait until it is their time again.")
    return "\n".join(lines)

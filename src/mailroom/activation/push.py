"""`mailroom push`: the outbox goes out in batches, each answered for in receipts before the next goes.

Killed anywhere, the next push sends what has no receipt: at most one batch twice, which changes nothing.
"""

import getpass
import hashlib
import json
import uuid
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq
from tqdm import tqdm

from mailroom.activation import ledger
from mailroom.activation.api import Connection, StoppedError, understood
from mailroom.activation.destinations import open_destination
from mailroom.activation.ledger import now
from mailroom.activation.preview import dry_connection, preview
from mailroom.activation.receipts import PENDING, ROW, forget_deleted, pending, write_receipts
from mailroom.activation.rows import OPERATIONS, Answer, Batch, Destination, Row
from mailroom.show import qualified_tables

READ_AT_ONCE = 10_000  # rows
NOT_SETTLED = timedelta(days=1)  # after which a job that says nothing is taken for lost


@dataclass
class Sent:
    """What became of the rows of one destination, audience and operation. requests: those that a dry run
    would make for its first batch."""

    destination: str
    audience: str
    operation: str
    rows: int = 0
    batches: int = 0
    accepted: int = 0
    rejected: int = 0
    pending: int = 0
    requests: list[str] = field(default_factory=list)


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
    """One push: its key, what became of the rows, what guards said, why destinations stopped, how many rows
    wait for another day."""

    push_id: str
    sent: list[Sent] = field(default_factory=list)
    held: list[Held] = field(default_factory=list)
    stopped: dict[str, str] = field(default_factory=dict)
    waiting: int = 0

    @property
    def exit_code(self) -> int:
        """5: a destination stopped; 4: a guard held something back; 1: a row was refused; else 0."""
        if self.stopped:
            return 5
        if any(not held.overridden for held in self.held):
            return 4
        return 1 if any(sent.rejected for sent in self.sent) else 0

    def told(self, batch: Batch) -> Sent:
        """Where the rows of a batch are counted."""
        key = (batch.destination, batch.audience, batch.operation)
        for sent in self.sent:
            if (sent.destination, sent.audience, sent.operation) == key:
                return sent
        self.sent.append(Sent(*key))
        return self.sent[-1]


@dataclass(frozen=True)
class Asked:
    """What a push is asked to do: destinations and audiences (all where none is named), audiences to send
    though a guard stops them and why, dry_run (say what would go out), is_shown (a progress bar), wait:
    seconds that it waits at most for jobs to be done."""

    destinations: Collection[str] = ()
    audiences: Collection[str] = ()
    overrides: Collection[str] = ()
    because: str = ""
    dry_run: bool = False
    is_shown: bool = False
    wait: float = 600


def push(
    warehouse: Path, folder: Path, asked: Asked | None = None, connection: Connection | None = None
) -> Pushed:
    """Send what the outbox has, but for audiences that a guard stops.

    Raises AnotherPushError, ValueError (no such destination, no outbox, an override that has no because or is
    of no audience).
    """
    asked = asked or Asked()
    if asked.overrides and not asked.because.strip():
        raise ValueError("an override needs a reason: --because")
    with ledger.locked(folder):
        return _Push(warehouse, folder, asked, connection or Connection()).run()


class _Push:
    """One push under way."""

    def __init__(self, warehouse: Path, folder: Path, asked: Asked, connection: Connection) -> None:
        self.warehouse, self.folder, self.asked, self.connection = warehouse, folder, asked, connection
        self.pushed = Pushed(uuid.uuid4().hex[:12])
        self.started_at = now()
        self.opened: dict[str, Destination] = {}
        self.batch_ids: set[str] = set()

    def run(self) -> Pushed:
        try:
            return self._run()
        finally:
            for name in ("outbox", "due", "pending"):
                (self.folder / f"{name}.parquet").unlink(missing_ok=True)

    def _run(self) -> Pushed:
        for name in ledger.SCHEMAS:
            ledger.merge(self.folder, name)
        with ledger.connect(self.folder) as database:
            routes = _read(database, self.warehouse, self.folder, self.asked)
            names = list(dict.fromkeys(destination for destination, _ in routes))
            if not self.asked.dry_run:
                for name in names:
                    self._try(name, partial(self._settle, name))
            _find_due(database, self.folder, self.asked)
            self.pushed.waiting = _count(database, "not is_due")
            self.pushed.held = _held(database, self.asked.overrides)
            n_due = _count(database, "is_due")
            _copy_due(database, self.folder)
        if not self.asked.dry_run:
            self._record_overrides()
        with tqdm(total=n_due, unit=" rows", disable=None if self.asked.is_shown else True) as bar:
            for name, rows in groupby(_rows(self.folder), key=lambda row: row.destination):
                self._try(name, partial(self._send, name, rows, bar))
        if not self.asked.dry_run:
            for name in names:
                self._try(name, partial(self._wait_for_jobs, name))
            self._record(routes)
            forget_deleted(self.folder)
        return self.pushed

    def _try(self, name: str, action: Callable[[], object]) -> None:
        """A destination that stops does not keep the others from what is theirs; its own rows stay as they
        are."""
        if name not in self.pushed.stopped:
            try:
                action()
            except StoppedError as error:
                self.pushed.stopped[name] = str(error)

    def _open(self, name: str) -> Destination:
        if name not in self.opened:
            connection = dry_connection() if self.asked.dry_run else self.connection
            self.opened[name] = open_destination(name, self.folder, connection)
        return self.opened[name]

    def _send(self, name: str, rows: Iterator[Row], bar: "tqdm[Any]") -> None:
        opened = self._open(name)
        for _, alike in groupby(rows, key=lambda row: (row.audience, row.operation)):
            for batch, does_fit in batches(alike, opened):
                sent = self.pushed.told(batch)
                sent.rows += len(batch.rows)
                sent.batches += 1
                if self.asked.dry_run:
                    sent.requests = sent.requests or preview(batch, self.folder)
                    continue
                self.batch_ids.add(batch.batch_id)
                answers = list(understood(partial(opened.send, batch))) if does_fit else _too_large(batch)
                self._write(batch, answers)
                bar.update(len(batch.rows))

    def _write(self, batch: Batch, answers: Collection[Answer]) -> None:
        counts = write_receipts(self.folder, self.pushed.push_id, batch, answers, now())
        sent = self.pushed.told(batch)
        for status, count in counts.items():
            setattr(sent, status, getattr(sent, status) + count)

    def _settle(self, name: str) -> int:
        """Ask what became of what was pending; how many jobs are not done yet."""
        waiting = 0
        for reference, since, batch in pending(self.folder, name):
            opened = self._open(name)
            answers = list(understood(partial(opened.settle, batch, reference)))
            if not answers and now() - since > NOT_SETTLED:
                words = f"Nothing was heard of it since {since:%Y-%m-%d %H:%M}."
                answers = [Answer(row.outbox_id, "rejected", "job_lost", words) for row in batch.rows]
            if answers:
                self._write(batch, answers)
                if batch.batch_id in self.batch_ids:
                    self.pushed.told(batch).pending -= len(batch.rows)
            else:
                waiting += 1
        return waiting

    def _wait_for_jobs(self, name: str) -> None:
        waited, pause = 0.0, 1.0
        while self._settle(name) and waited < self.asked.wait:
            self.connection.sleep(pause)
            waited, pause = waited + pause, min(2 * pause, 30.0)

    def _record_overrides(self) -> None:
        rows = [
            {
                "push_id": self.pushed.push_id, "destination": held.destination, "audience": held.audience,
                "guard": guard, "reason": reason, "because": self.asked.because,
                "overridden_by": getpass.getuser(), "overridden_at": now(),
            }
            for held in self.pushed.held if held.overridden for guard, reason in held.guards.items()
        ]  # fmt: skip
        ledger.write(self.folder, "overrides", self.pushed.push_id, rows)

    def _record(self, routes: Mapping[tuple[str, str], datetime | None]) -> None:
        """What this push did for each destination and audience, also where there was nothing to do."""
        held = {
            (held.destination, held.audience): "; ".join(held.guards)
            for held in self.pushed.held if not held.overridden
        }  # fmt: skip
        rows = []
        for (destination, audience), decided_at in routes.items():
            reason = self.pushed.stopped.get(destination) or held.get((destination, audience))
            outcome = (
                "finished" if reason is None else "held" if (destination, audience) in held else "stopped"
            )
            rows.append(
                {
                    "push_id": self.pushed.push_id, "destination": destination, "audience": audience,
                    "outcome": outcome, "reason": reason, "started_at": self.started_at, "ended_at": now(),
                    "decided_at": decided_at,
                    "n_rows": sum(
                        sent.rows for sent in self.pushed.sent
                        if (sent.destination, sent.audience) == (destination, audience)
                    ),
                }
            )  # fmt: skip
        ledger.write(self.folder, "pushes", f"{self.started_at:%Y%m%dT%H%M%S%f}-{self.pushed.push_id}", rows)


def batches(rows: Iterable[Row], opened: Destination) -> Iterator[tuple[Batch, bool]]:
    """Rows of one destination, audience and operation in batches as large as the destination takes them, and
    whether it takes them: a row that is too large for it stands alone."""
    together: list[Row] = []
    n_bytes = 0
    for row in rows:
        limits, size = opened.limits(row.operation), opened.size(row)
        if size > (limits.row_bytes or limits.bytes or size):
            yield _batch([row]), False
            continue
        if together and (len(together) == limits.rows or n_bytes + size > (limits.bytes or n_bytes + size)):
            yield _batch(together), True
            together, n_bytes = [], 0
        together.append(row)
        n_bytes += size
    if together:
        yield _batch(together), True


def _batch(rows: list[Row]) -> Batch:
    first = rows[0]
    key = hashlib.sha256("/".join(row.outbox_id for row in rows).encode()).hexdigest()[:16]
    return Batch(key, first.destination, first.audience, first.operation, rows)


def _too_large(batch: Batch) -> list[Answer]:
    words = "Its fields are more than the destination takes of one profile."
    return [Answer(row.outbox_id, "rejected", "too_large", words) for row in batch.rows]


def _read(
    database: duckdb.DuckDBPyConnection, warehouse: Path, folder: Path, asked: Asked
) -> dict[tuple[str, str], datetime | None]:
    """Copy the outbox, so that a long push locks no build out of the warehouse, and make the table guards;
    the destinations and audiences that were asked for, and as of when the outbox of each is."""
    copy = folder / "outbox.parquet"
    if not warehouse.exists():
        raise ValueError(f"there is no warehouse {warehouse}: run dbt build")
    with duckdb.connect(str(warehouse), read_only=True) as built:
        tables = qualified_tables(built)
        for name in ("sync_outbox", "sync_guards", "audience_catalog"):
            if name not in tables:
                raise ValueError(f"{warehouse} has no {name}: run dbt build")
        built.execute(f"copy {tables['sync_outbox']} to '{copy}' (format parquet)")
        guards = built.sql(
            f"select destination, audience, guard, reason from {tables['sync_guards']}"
        ).to_arrow_table()
        catalog = built.sql(
            f"select destination, audience from {tables['audience_catalog']}"
        ).to_arrow_table()
        failing = _failing(built, tables.get("build_failures"))
    for name, table in (("guards", guards), ("catalog", catalog)):
        database.register(f"{name}_read", table)
        database.execute(f"create table {name} as from {name}_read")
    if failing:
        database.execute(
            f"""
            insert into guards
            select distinct destination, audience, 'failed_build', ?
            from '{copy}' where operation not in ('delete', 'suppress')
            """,
            [f"The last build has failed: {', '.join(failing)}."],
        )
    found = database.execute(
        f"""
        select destination, audience, max(decided_at)
        from (
            select destination, audience, null as decided_at from catalog
            union all
            select destination, audience, decided_at from '{copy}'
        ) where {_IS_ASKED}
        group by all order by all
        """,
        _asked(asked),
    )
    return {(destination, audience): moment for destination, audience, moment in found.fetchall()}


_IS_ASKED = """
    (len($destinations) = 0 or list_contains($destinations, destination))
    and (len($audiences) = 0 or list_contains($audiences, audience))
"""


def _asked(asked: Asked) -> dict[str, list[str]]:
    return {"destinations": list(asked.destinations), "audiences": list(asked.audiences)}


def _find_due(database: duckdb.DuckDBPyConnection, folder: Path, asked: Asked) -> None:
    """Make the view due of the rows that nobody has taken: is_due says whether it is their time.

    Left out: what is accepted; whoever has a row pending about the same audience, so that the older wish
    does not arrive last; and additions of people who have said no at an ESP since the outbox was built.
    """
    receipts = ledger.scan(folder, "receipts")
    database.execute(
        f"""
        create table due as
        with outbox as (
            from '{folder}/outbox.parquet' where {_IS_ASKED}
        ),
        answers as (
            select
                outbox_id,
                count(distinct receipt_id) filter (status = 'rejected') as n_rejected,
                bool_or(status = 'accepted') as is_accepted
            from {receipts}
            where outbox_id in (select outbox_id from outbox)
            group by outbox_id
        ),
        underway as (
            select distinct destination, audience, email from ({PENDING.format(receipts=receipts)})
        ),
        refused as (
            select lower(email) as email, max(occurred_at::timestamp) as refused_at
            from (
                from {ledger.scan(folder, "privacy_consent_events")} select email, occurred_at
                union all
                from {ledger.scan(folder, "esp_message_events")} inner join (
                    from {ledger.scan(folder, "esp_profiles")} select distinct profile_id, email
                ) using (profile_id) select email, occurred_at
            )
            group by all
        )
        select
            outbox.outbox_id, outbox.destination, outbox.audience,
            coalesce(answers.n_rejected, 0) + 1 as attempt,
            -- What was refused since the outbox was built waits until it is built again.
            coalesce(answers.n_rejected, 0) = n_rejections
            and coalesce(retry_at <= now()::timestamp, true) as is_due
        from outbox
        left join answers using (outbox_id)
        left join refused on outbox.email = refused.email
        anti join underway
            on
                outbox.destination = underway.destination and outbox.audience = underway.audience
                and outbox.email = underway.email
        where
            not coalesce(answers.is_accepted, false)
            and (operation not in ('add', 'update') or coalesce(refused_at < decided_at, true))
        """,
        _asked(asked),
    )


def _copy_due(database: duckdb.DuckDBPyConnection, folder: Path) -> None:
    """Write down what goes out, in the order in which it does."""
    places = " ".join(f"when '{operation}' then {place}" for place, operation in enumerate(OPERATIONS))
    database.execute(f"""
        copy (
            select outbox.* exclude (reason), due.attempt
            from due inner join '{folder}/outbox.parquet' as outbox using (outbox_id)
            where due.is_due
            order by outbox.destination, case operation {places} end, outbox.audience, outbox_id
        ) to '{folder}/due.parquet' (format parquet, row_group_size 20_480)
    """)


def _failing(built: duckdb.DuckDBPyConnection, table: str | None) -> list[str]:
    """What the outbox rests on and has failed since it last passed; macro failing_nodes() asks the same."""
    if table is None:
        return []
    found = built.execute(
        f"select node from {table} group by node having arg_max(is_failing, reported_at) order by node"
    )
    return [row[0] for row in found.fetchall()]


def _held(database: duckdb.DuckDBPyConnection, overrides: Collection[str]) -> list[Held]:
    """What guards stop of what is due, taken out of it unless it is overridden. Deletions are of no audience:
    nothing stops them."""
    stopped = {row[0] for row in database.execute("select distinct audience from guards").fetchall()}
    if unstopped := set(overrides) - stopped:
        raise ValueError(f"no guard stops {', '.join(sorted(unstopped))}: nothing to override")
    stopping = database.execute("""
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
            database.execute(
                "delete from due where destination = ? and audience = ?", [destination, audience]
            )
    return held


def _count(database: duckdb.DuckDBPyConnection, condition: str) -> int:
    return int(database.execute(f"select count(*) from due where {condition}").fetchall()[0][0])


def _rows(folder: Path) -> Iterator[Row]:
    """What goes out, read some at a time."""
    with pq.ParquetFile(folder / "due.parquet") as file:
        for some in file.iter_batches(READ_AT_ONCE):
            for row in some.to_pylist():
                fields = json.loads(row["payload"]) if row["payload"] else {}
                fields.pop("customer_id", None)
                yield Row(**{name: row[name] for name in ROW}, payload=fields)


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
        went = f"{sent.rows:>9,} rows in {sent.batches:,} batch{'es' if sent.batches != 1 else ''}"
        if not sent.rows:
            went = "    of an earlier push"
        lines.append(
            f"{sent.destination:<14} {sent.audience or '(everywhere)':<20} {sent.operation:<9} {went}: {told}"
        )
        lines += [f"    {line}" for request in sent.requests for line in request.splitlines()]
    for held in pushed.held:
        told = "sent all the same" if held.overridden else "held back"
        lines.append(f"{held.destination:<14} {held.audience:<20} {told}, {held.rows:,} rows:")
        lines += [f"    {guard}: {reason}" for guard, reason in held.guards.items()]
    lines += [f"{name:<14} stopped: {reason}" for name, reason in pushed.stopped.items()]
    if not lines:
        lines.append("Nothing to send: every destination holds what it should.")
    if pushed.waiting:
        lines.append(f"{pushed.waiting:,} refused rows wait until it is their time again.")
    return "\n".join(lines)

"""`mailroom push`: the outbox goes out in batches, each answered for in receipts before the next goes.

Killed anywhere, the next push sends what has no receipt: at most one batch twice, which changes nothing.
"""

import dataclasses
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
import pyarrow as pa
import pyarrow.parquet as pq
from tqdm import tqdm

from mailroom.activation import ledger
from mailroom.activation.api import Connection, NotUnderstoodError, StoppedError, understood
from mailroom.activation.destinations import open_destination
from mailroom.activation.destinations.file import tidy
from mailroom.activation.ledger import now
from mailroom.activation.preview import dry_connection, preview
from mailroom.activation.receipts import PENDING, ROW, forget_deleted, pending, write_receipts
from mailroom.activation.rows import OPERATIONS, Answer, Batch, Destination, Row
from mailroom.activation.scrub import Scrubber
from mailroom.mailbox import widest_mailbox
from mailroom.show import qualified_tables

READ_AT_ONCE = 10_240  # rows; of a group in a file, too
NOS = pa.schema({"outbox_id": ledger.TEXT, "refused_at": ledger.MOMENT})
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
            for name in ("outbox", "not_due"):
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
            n_due, self.pushed.waiting = _find_not_due(database, self.folder)
            self.pushed.held = _held(database, self.asked.overrides)
        if not self.asked.dry_run:
            self._record_overrides()
        kept_back = [held for held in self.pushed.held if not held.overridden]
        n_going = n_due - sum(held.rows for held in kept_back)
        held = {(held.destination, held.audience) for held in kept_back}
        with tqdm(total=n_going, unit=" rows", disable=None if self.asked.is_shown else True) as bar:
            for name, rows in groupby(_rows(self.folder, held), key=lambda row: row.destination):
                self._try(name, partial(self._send, name, rows, bar))
        if not self.asked.dry_run:
            for name in names:
                self._try(name, partial(self._wait_for_jobs, name))
            self._record(routes)
            forget_deleted(self.folder)
            self._try("file", partial(tidy, self.folder / "file"))
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
                answers = _answers(opened, batch) if does_fit else _too_large(batch)
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
            try:
                answers = list(understood(partial(opened.settle, batch, reference)))
            except NotUnderstoodError:  # of a job: as if it had said nothing yet
                answers = []
            if not answers and now() - since > NOT_SETTLED:
                words = f"Nothing was heard of it since {since:%Y-%m-%d %H:%M}."
                answers = [Answer(row.outbox_id, "rejected", "job_lost", words) for row in batch.rows]
            if answers:
                if any(answer.message for answer in answers):
                    batch = _with_fields(batch, self.folder)
                self._write(batch, [dataclasses.replace(answer, reference=reference) for answer in answers])
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


def _answers(opened: Destination, batch: Batch) -> list[Answer]:
    """What a destination answers about a batch. Rows about which it says nothing that can be read are
    rejected, and sent again another time: that they arrived is not known. Raises StoppedError, without the
    people in the batch."""
    answers: list[Answer] = []
    try:
        for answer in understood(partial(opened.send, batch)):
            answers.append(answer)
    except NotUnderstoodError as error:
        answered = {answer.outbox_id for answer in answers}
        answers += [
            Answer(row.outbox_id, "rejected", "not_understood", str(error))
            for row in batch.rows if row.outbox_id not in answered
        ]  # fmt: skip
    except StoppedError as error:
        raise StoppedError(str(Scrubber(batch.rows).message(error))) from error
    return answers


def _with_fields(batch: Batch, folder: Path) -> Batch:
    """A batch that was pending, with the fields that its rows went out with, as far as they are still in the
    outbox: what a job says of them may repeat them."""
    ids = [row.outbox_id for row in batch.rows]
    found = pq.read_table(
        folder / "outbox.parquet", columns=["outbox_id", "payload"], filters=[("outbox_id", "in", ids)]
    ).to_pylist()
    fields = {row["outbox_id"]: json.loads(row["payload"]) for row in found if row["payload"]}
    rows = [dataclasses.replace(row, payload=fields.get(row.outbox_id, {})) for row in batch.rows]
    return dataclasses.replace(batch, rows=rows)


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
    with ledger.connect(folder, warehouse) as built:
        tables = qualified_tables(built)
        for name in ("sync_outbox", "sync_guards", "audience_catalog"):
            if name not in tables:
                raise ValueError(f"{warehouse} has no {name}: run dbt build")
        built.execute(
            f"""
            copy (
                select * exclude (reason) from {tables["sync_outbox"]} where {_IS_ASKED} order by {_ORDER}
            ) to '{copy}' (format parquet, row_group_size {READ_AT_ONCE})
            """,
            _asked(asked),
        )
        guards = built.sql(
            f"select destination, audience, guard, reason from {tables['sync_guards']}"
        ).to_arrow_table()
        domains = _domains(built, tables.get("mailbox_domains"))
        catalog = built.sql(
            f"select destination, audience from {tables['audience_catalog']}"
        ).to_arrow_table()
        failing = _failing(built, tables.get("build_failures"))
    for name, table in (("guards", guards), ("catalog", catalog), ("domains", domains)):
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
            select destination, audience, null as decided_at from catalog where {_IS_ASKED}
            union all
            select destination, audience, decided_at from '{copy}'
        )
        group by all order by all
        """,
        _asked(asked),
    )
    return {(destination, audience): moment for destination, audience, moment in found.fetchall()}


def _domains(built: duckdb.DuckDBPyConnection, table: str | None) -> pa.Table:
    """The seed mailbox_domains; empty where there is none."""
    columns = "email_domain, canonical_domain, ignores_dots, ignores_plus_part"
    nothing = "select null::varchar, null::varchar, null::boolean, null::boolean where false"
    found = f"select {columns} from {table}" if table else nothing
    return built.sql(f"with found ({columns}) as ({found}) from found").to_arrow_table()


_IS_ASKED = """
    (len($destinations) = 0 or list_contains($destinations, destination))
    and (len($audiences) = 0 or list_contains($audiences, audience))
"""
# In which rows go out.
_ORDER = f"destination, list_position({list(OPERATIONS)}, operation), audience, outbox_id"


def _asked(asked: Asked) -> dict[str, list[str]]:
    return {"destinations": list(asked.destinations), "audiences": list(asked.audiences)}


def _find_not_due(database: duckdb.DuckDBPyConnection, folder: Path) -> tuple[int, int]:
    """Write down, in the order of the outbox, which of its rows do not go out now; how many do, and how
    many wait for another day.

    Which do not: what is accepted; what was refused since the outbox was built, or before, until its time
    has come; whoever has a row pending about the same audience, so that the older wish does not arrive
    last; and additions and changes of people who have said no at an ESP since the outbox was built.
    """
    receipts = ledger.scan(folder, "receipts")
    database.execute(f"create view outbox as from '{folder}/outbox.parquet'")
    database.register("refused_read", _refused(database, folder))
    database.execute("create table refused as from refused_read")
    database.execute(f"""
        copy (
            with recent as (
                select outbox_id, status, attempt
                from {receipts}
                -- A build may be younger than the answers to what was in the outbox before it.
                where decided_at >= (select min(decided_at) from outbox) - interval 2 days
            ),
            underway as (
                select distinct destination, audience, email from ({PENDING.format(receipts=receipts)})
            ),
            not_due as (
                select outbox_id, status = 'rejected' as waits
                from outbox inner join recent using (outbox_id)
                where status = 'accepted' or (status = 'rejected' and attempt > n_rejections)
                union all
                select outbox_id, true from outbox where retry_at > now()::timestamp
                union all
                select outbox_id, false from outbox semi join underway using (destination, audience, email)
                union all
                select outbox_id, false
                from outbox inner join refused using (outbox_id)
                where operation in ('add', 'update') and refused_at >= decided_at
            )
            select outbox_id, destination, audience, bool_and(waits) as waits
            from not_due inner join outbox using (outbox_id)
            group by outbox_id, destination, audience, operation
            order by {_ORDER}
        ) to '{folder}/not_due.parquet' (format parquet, row_group_size {READ_AT_ONCE});
        create view not_due as from '{folder}/not_due.parquet';
    """)
    counted = database.execute("""
        select (select count(*) from outbox) - count(*), count(*) filter (waits) from not_due
    """)
    n_due, n_waiting = counted.fetchall()[0]
    return n_due, n_waiting


def _refused(database: duckdb.DuckDBPyConnection, folder: Path) -> pa.Table:
    """Rows about a mailbox that has said no since the outbox was built, by outbox_id, and when it did.

    A no counts from when it was given or, if that is later, from when it was learned: one that was pulled
    after the build is in no build. It counts for the mailbox, by the widest notion of it, whatever the
    spelling of either address. Mailboxes are worked out here, row by row (seconds for a million), and only
    where there is such a no.
    """
    refused = database.execute(f"""
        with refusals as (
            from {ledger.scan(folder, "privacy_consent_events")} select email, occurred_at, pulled_at
            union all
            from {ledger.scan(folder, "esp_message_events")} inner join (
                from {ledger.scan(folder, "esp_profiles")} select distinct profile_id, email
            ) using (profile_id) select email, occurred_at, pulled_at
        )
        -- A no without any date is new, whenever it is read.
        select email, max(coalesce(greatest(
            coalesce(try_cast(occurred_at as timestamp), pulled_at),
            coalesce(pulled_at, try_cast(occurred_at as timestamp))
        ), timestamp '9999-12-31')) as refused_at
        from refusals
        where email is not null
        group by email
        having refused_at >= (select min(decided_at) from outbox)
    """).fetchall()
    found: list[dict[str, Any]] = []
    if refused:
        domains = {
            domain: (canonical, bool(ignores_dots), bool(ignores_plus_part))
            for domain, canonical, ignores_dots, ignores_plus_part
            in database.execute("from domains").fetchall()
        }  # fmt: skip
        newest: dict[str, datetime] = {}
        for email, refused_at in refused:
            mailbox = widest_mailbox(email, domains)
            newest[mailbox] = max(refused_at, newest.get(mailbox, refused_at))
        for row in _read_some(folder / "outbox.parquet", ["outbox_id", "email"]):
            if at := newest.get(widest_mailbox(row["email"], domains)):
                found.append({"outbox_id": row["outbox_id"], "refused_at": at})
    return pa.Table.from_pylist(found, NOS)


def _failing(built: duckdb.DuckDBPyConnection, table: str | None) -> list[str]:
    """What the outbox rests on and has failed since it last passed; macro failing_nodes() asks the same."""
    if table is None:
        return []
    found = built.execute(
        f"select node from {table} group by node having arg_max(is_failing, reported_at) order by node"
    )
    return [row[0] for row in found.fetchall()]


def _held(database: duckdb.DuckDBPyConnection, overrides: Collection[str]) -> list[Held]:
    """What guards stop of what is due. Deletions are of no audience: nothing stops them."""
    stopped = {row[0] for row in database.execute("select distinct audience from guards").fetchall()}
    if unstopped := set(overrides) - stopped:
        raise ValueError(f"no guard stops {', '.join(sorted(unstopped))}: nothing to override")
    stopping = database.execute("""
        with due as (
            select destination, audience, sum(n) as n_due
            from (
                select destination, audience, count(*) as n from outbox group by all
                union all
                select destination, audience, -count(*) as n from not_due group by all
            )
            group by all
        )
        select destination, audience, guard, any_value(reason), any_value(n_due)::bigint
        from guards inner join due using (destination, audience)
        where n_due > 0
        group by all order by all
    """).fetchall()
    held = []
    for (destination, audience), rows in groupby(stopping, key=lambda row: (row[0], row[1])):
        found = list(rows)
        reasons = {guard: reason for _, _, guard, reason, _ in found}
        held.append(Held(destination, audience, found[0][4], reasons, audience in overrides))
    return held


def _rows(folder: Path, held: Collection[tuple[str, str]]) -> Iterator[Row]:
    """What goes out, read some at a time, but for what is held back."""
    left_out = (row["outbox_id"] for row in _read_some(folder / "not_due.parquet"))
    next_left_out = next(left_out, None)
    for row in _read_some(folder / "outbox.parquet"):
        if row["outbox_id"] == next_left_out:
            next_left_out = next(left_out, None)
        elif (row["destination"], row["audience"]) not in held:
            fields = json.loads(row["payload"]) if row["payload"] else {}
            fields.pop("customer_id", None)
            told = {name: row[name] for name in ROW if name != "attempt"}
            yield Row(**told, payload=fields, attempt=row["n_rejections"] + 1)


def _read_some(path: Path, columns: list[str] | None = None) -> Iterator[dict[str, Any]]:
    # A group at a time: iter_batches() holds what it has read.
    with pq.ParquetFile(path) as file:
        for group in range(file.num_row_groups):
            yield from file.read_row_group(group, columns).to_pylist()


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

"""`mailroom push` sends the outbox in batches and writes receipts for each batch before the next.

Destinations run in parallel, and in each of them opt-outs go first. If a push is killed, the next one sends
the rows without a receipt: at most one batch per destination twice, which changes nothing. Batches that add
people are recorded before they are sent: until a later removal, the people count as added. So are messages. A
message that may have arrived is sent again only where its event has a key by which the destination knows a
repeated one.
"""

import dataclasses
import getpass
import hashlib
import json
import threading
import uuid
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
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
from mailroom.activation.api import (
    Connection,
    NotUnderstoodError,
    StoppedError,
    UnansweredError,
    validated_answers,
    why,
)
from mailroom.activation.destinations import check_known, open_destination, repeats_sends
from mailroom.activation.destinations.file import tidy
from mailroom.activation.ledger import now
from mailroom.activation.preview import dry_connection, preview
from mailroom.activation.receipts import PENDING, ROW, Receipts, forget_deleted, pending
from mailroom.activation.rows import OPERATIONS, UNCLEAR, Answer, Batch, Destination, Row, Status
from mailroom.activation.scrub import Scrubber
from mailroom.mailbox import widest_mailbox
from mailroom.warehouse import qualified_tables

READ_AT_ONCE = 10_240  # rows; also of a row group in a file
NOT_SETTLED = timedelta(days=1)  # after which a job without a result counts as lost


@dataclass
class BatchResult:
    """Counts of one destination, audience and operation. unanswered: messages that may have arrived and are
    not sent again. requests: those of the first batch in a dry run."""

    destination: str
    audience: str
    operation: str
    rows: int = 0
    batches: int = 0
    accepted: int = 0
    rejected: int = 0
    pending: int = 0
    unanswered: int = 0
    requests: list[str] = field(default_factory=list)


@dataclass
class HeldAudience:
    """An audience that guards stopped: number of rows and reasons. overridden: the rows were sent anyway."""

    destination: str
    audience: str
    rows: int
    guards: dict[str, str]  # reasons
    overridden: bool


@dataclass
class PushResult:
    """One push: its key, counts, stopped audiences, why destinations stopped, the rows that wait for a retry,
    and the messages that were too old to send."""

    push_id: str
    sent: list[BatchResult] = field(default_factory=list)
    held: list[HeldAudience] = field(default_factory=list)
    stopped: dict[str, str] = field(default_factory=dict)
    waiting: int = 0
    expired: int = 0

    @property
    def exit_code(self) -> int:
        """5: a destination stopped; 4: a guard stopped an audience; 1: a row was rejected; else 0."""
        if self.stopped:
            return 5
        if any(not held.overridden for held in self.held):
            return 4
        return 1 if any(sent.rejected for sent in self.sent) else 0

    def summary(self, batch: Batch) -> BatchResult:
        """Return the counts that a batch belongs to."""
        key = (batch.destination, batch.audience, batch.operation)
        for sent in self.sent:
            if (sent.destination, sent.audience, sent.operation) == key:
                return sent
        self.sent.append(BatchResult(*key))
        return self.sent[-1]


@dataclass(frozen=True)
class PushOptions:
    """Options of a push. destinations and audiences: all if none is named. overrides: audiences to send
    although a guard stops them, and because: the reason. dry_run: report what would be sent. is_shown: show
    a progress bar. wait: seconds to wait for jobs, at most. as_of: the moment, in UTC, by which a message is
    too old; the clock's if there is none."""

    destinations: Collection[str] = ()
    audiences: Collection[str] = ()
    overrides: Collection[str] = ()
    because: str = ""
    dry_run: bool = False
    is_shown: bool = False
    wait: float = 600
    as_of: datetime | None = None


def push(
    warehouse: Path, folder: Path, options: PushOptions | None = None, connection: Connection | None = None
) -> PushResult:
    """Send the outbox, except for audiences that a guard stops.

    Raises AnotherPushError, and ValueError for an unknown destination, a missing outbox, a warehouse in use,
    a full disk, or an override without a reason or a stopped audience.
    """
    options = options or PushOptions()
    if options.overrides and not options.because.strip():
        raise ValueError("an override needs a reason: --because")
    with ledger.locked(folder), ledger.in_a_sentence(warehouse, folder):
        return _Push(warehouse, folder, options, connection or Connection()).run()


class _Push:
    """One running push."""

    def __init__(self, warehouse: Path, folder: Path, options: PushOptions, connection: Connection) -> None:
        self.warehouse, self.folder, self.options, self.connection = warehouse, folder, options, connection
        self.result = PushResult(uuid.uuid4().hex[:12])
        self.started_at = now()
        self.opened: dict[str, Destination] = {}
        self.batch_ids: set[str] = set()

    def run(self) -> PushResult:
        try:
            return self._run()
        finally:
            for name in ("outbox", "not_due"):
                (self.folder / f"{name}.parquet").unlink(missing_ok=True)

    def _run(self) -> PushResult:
        for name in ledger.SCHEMAS:
            ledger.merge(self.folder, name)
        self.receipts = Receipts(self.folder, self.result.push_id)
        with ledger.connect(self.folder) as database:
            routes = _read(database, self.warehouse, self.folder, self.options)
            names = list(dict.fromkeys(destination for destination, _ in routes))
            check_known(names)
            if not self.options.dry_run:
                self._side_by_side(names, self._settle)
            n_due, self.result.waiting, self.result.expired, waits_for_jobs = _find_not_due(
                database,
                self.folder,
                self.options.as_of or now(),
                [name for name in names if not repeats_sends(name)],
            )
            self.result.held = _held(database, self.options.overrides)
        if not self.options.dry_run:
            self._record_overrides()
        kept_back = [held for held in self.result.held if not held.overridden]
        n_going = n_due - sum(held.rows for held in kept_back)
        held = {(held.destination, held.audience) for held in kept_back}
        with tqdm(total=n_going, unit=" rows", disable=None if self.options.is_shown else True) as bar:
            go = partial(self._go, held=held, waits_for_jobs=waits_for_jobs, bar=bar)
            self._side_by_side(names, go)
        self.result.sent.sort(key=lambda sent: names.index(sent.destination))
        if not self.options.dry_run:
            self._record(routes)
            forget_deleted(self.folder)
            self._try("file", partial(tidy, self.folder / "file"))
        return self.result

    def _side_by_side(self, names: Sequence[str], action: Callable[[str], object]) -> None:
        """Run action for every destination, in a thread each. Killed, each leaves one batch open at most."""
        ended: list[BaseException] = []

        def run(name: str) -> None:
            try:
                self._try(name, partial(action, name))
            except BaseException as error:  # raised again below, in the main thread
                ended.append(error)

        threads = [threading.Thread(target=run, args=[name], daemon=True) for name in names]
        for thread in threads:
            thread.start()
            if self.options.dry_run:
                thread.join()
        for thread in threads:
            thread.join()
        if ended:
            raise ended[0]

    def _try(self, name: str, action: Callable[[], object]) -> None:
        """Run action. If it fails, the destination stops and its rows stay due. Other destinations go on."""
        if name not in self.result.stopped:
            try:
                action()
            except Exception as error:
                self.result.stopped[name] = why(error)

    def _open(self, name: str) -> Destination:
        if name not in self.opened:
            connection = dry_connection() if self.options.dry_run else self.connection
            self.opened[name] = open_destination(name, self.folder, connection)
        return self.opened[name]

    def _go(
        self,
        name: str,
        held: Collection[tuple[str, str]],
        waits_for_jobs: Collection[str],
        bar: "tqdm[Any]",
    ) -> None:
        """Send the due rows, wait for their jobs, then send the opt-outs that waited for a job. Sent earlier,
        the job could add the customer again. A message without an answer stops the others, no opt-out."""
        unanswered: UnansweredError | None = None
        try:
            self._send(name, _rows(self.folder, name, held), bar)
        except UnansweredError as error:
            unanswered = error
        if not self.options.dry_run and self._wait_for_jobs(name) and name in waits_for_jobs:
            self._send(name, _rows(self.folder, name, held, is_after_jobs=True), bar)
            self._wait_for_jobs(name)
        if unanswered:
            raise unanswered

    def _send(self, name: str, rows: Iterator[Row], bar: "tqdm[Any]") -> None:
        for _, group in groupby(rows, key=lambda row: (row.audience, row.operation)):
            opened = self._open(name)
            for batch, does_fit in batches(group, opened):
                sent = self.result.summary(batch)
                sent.rows += len(batch.rows)
                sent.batches += 1
                if self.options.dry_run:
                    sent.requests = sent.requests or preview(batch, self.folder)
                    continue
                self.batch_ids.add(batch.batch_id)
                if not does_fit:
                    self._write(batch, _too_large(batch))
                else:
                    adds = batch.operation in ("add", "update", "send")
                    written = self.receipts.sent(batch) if adds else None
                    answers, stopped = _answers(opened, batch)
                    self._write(batch, answers, written)
                    if stopped:
                        raise stopped
                bar.update(len(batch.rows))

    def _write(self, batch: Batch, answers: Collection[Answer], written: str | None = None) -> None:
        counts = self.receipts.answered(batch, answers, written)
        sent = self.result.summary(batch)
        for status, count in counts.items():
            name = "unanswered" if status == "sent" else status
            setattr(sent, name, getattr(sent, name) + count)

    def _settle(self, name: str) -> int:
        """Read the results of pending jobs. Return how many are not done yet."""
        waiting = 0
        for reference, since, batch in pending(self.folder, name):
            opened = self._open(name)
            try:
                answers = list(validated_answers(partial(opened.settle, batch, reference)))
            except NotUnderstoodError:  # a job's unreadable answer counts as none yet
                answers = []
            except StoppedError as error:
                raise _without_people(error, _with_fields(batch, self.folder)) from error
            if not answers and now() - since > NOT_SETTLED:
                words = f"No result since {since:%Y-%m-%d %H:%M}."
                answers = [Answer(row.outbox_id, "rejected", "job_lost", words) for row in batch.rows]
            if answers:
                if any(answer.message for answer in answers):
                    batch = _with_fields(batch, self.folder)
                self._write(batch, [dataclasses.replace(answer, reference=reference) for answer in answers])
                if batch.batch_id in self.batch_ids:
                    self.result.summary(batch).pending -= len(batch.rows)
            else:
                waiting += 1
        return waiting

    def _wait_for_jobs(self, name: str) -> bool:
        """Wait for all jobs. Return whether they are done within options.wait seconds."""
        waited, pause = 0.0, 1.0
        while self._settle(name):
            if waited >= self.options.wait:
                return False
            self.connection.sleep(pause)
            waited, pause = waited + pause, min(2 * pause, 30.0)
        return True

    def _record_overrides(self) -> None:
        rows = [
            {
                "push_id": self.result.push_id, "destination": held.destination, "audience": held.audience,
                "guard": guard, "reason": reason, "because": self.options.because,
                "overridden_by": getpass.getuser(), "overridden_at": now(),
            }
            for held in self.result.held if held.overridden for guard, reason in held.guards.items()
        ]  # fmt: skip
        ledger.write(self.folder, "overrides", self.result.push_id, rows)

    def _record(self, routes: Mapping[tuple[str, str], datetime | None]) -> None:
        """Write the outcome of this push for each destination and audience, even without a due row."""
        held = {
            (held.destination, held.audience): "; ".join(held.guards)
            for held in self.result.held if not held.overridden
        }  # fmt: skip
        rows = []
        for (destination, audience), decided_at in routes.items():
            reason = self.result.stopped.get(destination) or held.get((destination, audience))
            outcome = (
                "finished" if reason is None else "held" if (destination, audience) in held else "stopped"
            )
            rows.append(
                {
                    "push_id": self.result.push_id, "destination": destination, "audience": audience,
                    "outcome": outcome, "reason": reason, "started_at": self.started_at, "ended_at": now(),
                    "decided_at": decided_at,
                    "n_rows": sum(
                        sent.rows for sent in self.result.sent
                        if (sent.destination, sent.audience) == (destination, audience)
                    ),
                }
            )  # fmt: skip
        ledger.write(self.folder, "pushes", f"{self.started_at:%Y%m%dT%H%M%S%f}-{self.result.push_id}", rows)


def batches(rows: Iterable[Row], opened: Destination) -> Iterator[tuple[Batch, bool]]:
    """Yield rows of one destination, audience and operation in batches within the destination's limits, and
    whether they fit. A row that is too large is a batch of its own, and does not fit."""
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


def _answers(opened: Destination, batch: Batch) -> tuple[list[Answer], StoppedError | None]:
    """Return a destination's answers about a batch, and why it stopped. Rows without a readable answer are
    rejected and sent again later, because they may not have arrived. Messages that must not arrive twice
    stay as sent if they may have arrived, and are rejected if they did not. Raises StoppedError for other
    rows. Errors are scrubbed of the people in the batch."""
    answers: list[Answer] = []
    try:
        for answer in validated_answers(partial(opened.send, batch)):
            answers.append(answer)
    except NotUnderstoodError as error:
        return answers + _others(batch, answers, "rejected", "not_understood", str(error)), None
    except StoppedError as error:
        stopped = _without_people(error, batch)
        if batch.operation != "send" or opened.repeats_sends:
            raise stopped from error
        if isinstance(stopped, UnansweredError):
            return answers + _others(batch, answers, "sent", None, str(stopped)), stopped
        return answers + _others(batch, answers, "rejected", "stopped", str(stopped)), stopped
    return answers, None


def _others(
    batch: Batch, answers: Collection[Answer], status: Status, code: str | None, message: str
) -> list[Answer]:
    """Return answers about the rows of a batch that have none yet."""
    answered = {answer.outbox_id for answer in answers}
    rows = [row for row in batch.rows if row.outbox_id not in answered]
    return [Answer(row.outbox_id, status, code, message) for row in rows]


def _without_people(error: StoppedError, batch: Batch) -> StoppedError:
    return type(error)(str(Scrubber(batch.rows).message(error)))


def _with_fields(batch: Batch, folder: Path) -> Batch:
    """Return a pending batch with the fields of its rows that are still in the outbox. The job's messages may
    repeat their values, so the scrubber needs them."""
    ids = [row.outbox_id for row in batch.rows]
    sent = pq.read_table(
        folder / "outbox.parquet", columns=["outbox_id", "payload"], filters=[("outbox_id", "in", ids)]
    ).to_pylist()
    fields = {row["outbox_id"]: json.loads(row["payload"]) for row in sent if row["payload"]}
    rows = [dataclasses.replace(row, payload=fields.get(row.outbox_id, {})) for row in batch.rows]
    return dataclasses.replace(batch, rows=rows)


def _too_large(batch: Batch) -> list[Answer]:
    words = "The fields exceed the size limit of the destination for one profile."
    return [Answer(row.outbox_id, "rejected", "too_large", words) for row in batch.rows]


def _read(
    database: duckdb.DuckDBPyConnection, warehouse: Path, folder: Path, options: PushOptions
) -> dict[tuple[str, str], datetime | None]:
    """Copy the outbox, so that a long push does not lock builds out of the warehouse, and create the table
    guards. Return the chosen destinations and audiences with the decided_at of their outbox rows."""
    copy = folder / "outbox.parquet"
    if not warehouse.exists():
        raise ValueError(f"there is no warehouse {warehouse}: run dbt build")
    with ledger.connect(folder, warehouse) as built:
        tables = qualified_tables(built)
        for name in ("sync_outbox", "sync_guards", "audience_catalog"):
            if name not in tables:
                raise ValueError(f"{warehouse} has no {name}: run dbt build")
        # An outbox of an earlier version does not say which removals are opt-outs.
        columns = {row[0] for row in built.execute(f"describe {tables['sync_outbox']}").fetchall()}
        is_no = "is_no" if "is_no" in columns else "operation in ('delete', 'suppress') as is_no"
        expires_at = "expires_at" if "expires_at" in columns else "null::timestamp as expires_at"
        left_out = ", ".join({"reason", "is_no", "expires_at"} & columns)
        built.execute(
            f"""
            copy (
                select * exclude ({left_out}), {is_no}, {expires_at}
                from {tables["sync_outbox"]} where {_IS_CHOSEN} order by {_ORDER}
            ) to '{copy}' (format parquet, row_group_size {READ_AT_ONCE})
            """,
            _chosen(options),
        )
        guards = built.sql(
            f"select destination, audience, guard, reason from {tables['sync_guards']}"
        ).to_arrow_table()
        domains = _domains(built, tables.get("mailbox_domains"))
        catalog = built.sql(
            f"select destination, audience from {tables['audience_catalog']}"
        ).to_arrow_table()
        failing = _failing(built, tables.get("build_failures"))
        unseen = built.sql(_unseen(folder, tables)).to_arrow_table()
    for name, table in (
        ("guards", guards), ("catalog", catalog), ("domains", domains), ("unseen", unseen)
    ):  # fmt: skip
        database.register(f"{name}_read", table)
        database.execute(f"create table {name} as from {name}_read")
    if failing:
        database.execute(
            f"""
            insert into guards
            select distinct destination, audience, 'failed_build', ?
            from '{copy}' where not is_no
            """,
            [f"The last build failed: {', '.join(failing)}."],
        )
    routes = database.execute(
        f"""
        select destination, audience, max(decided_at)
        from (
            select destination, audience, null as decided_at from catalog where {_IS_CHOSEN}
            union all
            select destination, audience, decided_at from '{copy}'
        )
        group by all order by all
        """,
        _chosen(options),
    )
    return {(destination, audience): moment for destination, audience, moment in routes.fetchall()}


def _domains(built: duckdb.DuckDBPyConnection, table: str | None) -> pa.Table:
    """Return the seed mailbox_domains; empty if there is none."""
    columns = "email_domain, canonical_domain, ignores_dots, ignores_plus_part"
    no_rows = "select null::varchar, null::varchar, null::boolean, null::boolean where false"
    rows = f"select {columns} from {table}" if table else no_rows
    return built.sql(f"with mailbox_domains ({columns}) as ({rows}) from mailbox_domains").to_arrow_table()


_IS_CHOSEN = """
    (len($destinations) = 0 or list_contains($destinations, destination))
    and (len($audiences) = 0 or list_contains($audiences, audience))
"""
# The order in which rows are sent.
_ORDER = f"destination, not is_no, list_position({list(OPERATIONS)}, operation), audience, outbox_id"


# A message that needs consent. Only a transactional one goes to people who opted out.
_IS_MARKETING = "operation = 'send' and payload not like '%\"message_class\": \"transactional\"%'"


def _chosen(options: PushOptions) -> dict[str, list[str]]:
    return {"destinations": list(options.destinations), "audiences": list(options.audiences)}


def _find_not_due(
    database: duckdb.DuckDBPyConnection, folder: Path, moment: datetime, once: Sequence[str]
) -> tuple[int, int, int, set[str]]:
    """Write the rows that are not sent now to not_due.parquet, in the order of the outbox. Return how many
    are due, how many wait for a retry, how many messages are too old at this moment, and the destinations
    with opt-outs that wait for a job.

    Not due are accepted rows; rejected rows until their retry time, except opt-outs, which are always due;
    addresses with a pending row of the same audience until its job is done, so that the older change does not
    arrive last; additions, updates and marketing messages of people who opted out at an ESP since the build;
    messages after their shelf life; and messages that may have arrived at destinations of `once`, which do
    not know a repeated one.
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
                -- Answers may be older than the build, if they are about the outbox before it.
                where decided_at >= (select min(decided_at) from outbox) - interval 2 days
            ),
            -- However old: nothing else keeps such a message from going out again.
            maybe_arrived as (
                select outbox_id
                from {receipts}
                where operation = 'send' and list_contains({list(once)}::varchar[], destination)
                and (status in ('sent', 'accepted') or code in {UNCLEAR})
            ),
            underway as (
                select distinct destination, audience, email from ({PENDING.format(receipts=receipts)})
            ),
            not_due as (
                select outbox_id, if(status = 'rejected', 'time', 'nothing') as waits_for
                from outbox inner join recent using (outbox_id)
                where status = 'accepted' or (status = 'rejected' and attempt > n_rejections and not is_no)
                union all
                select outbox_id, 'time' from outbox where retry_at > now()::timestamp and not is_no
                union all
                select outbox_id, 'job' from outbox semi join underway using (destination, audience, email)
                union all
                select outbox_id, 'nothing'
                from outbox semi join refused using (outbox_id)
                where operation in ('add', 'update') or {_IS_MARKETING}
                union all
                select outbox_id, 'nothing'
                from outbox semi join maybe_arrived using (outbox_id)
                union all
                select outbox_id, 'expiry' from outbox where expires_at < timestamp '{moment}'
            )
            select
                outbox_id, destination, bool_and(waits_for = 'time') as waits,
                bool_and(waits_for = 'job') and is_no and operation = 'remove' as waits_for_job,
                bool_or(waits_for = 'expiry') and bool_and(waits_for in ('expiry', 'time')) as is_expired,
                audience, is_no
            from not_due inner join outbox using (outbox_id)
            group by outbox_id, destination, audience, operation, is_no
            order by {_ORDER}
        ) to '{folder}/not_due.parquet' (format parquet, row_group_size {READ_AT_ONCE});
        create view not_due as from '{folder}/not_due.parquet';
    """)
    totals = database.execute("""
        select
            (select count(*) from outbox) - count(*),
            count(*) filter (waits),
            count(*) filter (is_expired)
        from not_due
    """)
    n_due, n_waiting, n_expired = totals.fetchall()[0]
    late = database.execute("select distinct destination from not_due where waits_for_job").fetchall()
    return n_due, n_waiting, n_expired, {destination for (destination,) in late}


_OCCURRED_AT = "try_cast(occurred_at as timestamp)"


def _unseen(folder: Path, tables: Mapping[str, str]) -> str:
    """Return a query for the addresses with an opt-out at an ESP that the outbox may not include: pulled
    after the moment of the outbox, or not among the rows that the last build read.

    It ignores an ESP's dates, and a clock that was set back does not matter.
    """
    queries = []
    for name, key, base in (
        ("privacy_consent_events", "consent_event_id", "base_privacy__consent_events"),
        ("esp_message_events", "event_id", "base_esp__message_events"),
    ):
        pulled = f"from {ledger.scan(folder, name)}"
        # A new subscription follows an earlier opt-out. The build decides on it, and it is no new opt-out.
        is_no = "true" if name == "esp_message_events" else "status is distinct from 'granted'"
        if name == "esp_message_events":
            profiles = f"from {ledger.scan(folder, 'esp_profiles')} select distinct profile_id, email"
            pulled += f" inner join ({profiles}) using (profile_id)"
        read, moment = f"from {tables.get(base)} semi join pulled using ({key})", "pulled_at"
        if base not in tables:  # built in another warehouse: only the moments are known
            read, moment = "from pulled", f"greatest(pulled_at, {_OCCURRED_AT})"
        queries.append(f"""
            with pulled as (
                {pulled} select email, {key}, pulled_at, occurred_at where email is not null and {is_no}
            ),
            read as ({read} select distinct {key})
            from pulled left join read using ({key})
            select email
            where read.{key} is null or coalesce({moment}, {_OCCURRED_AT}, timestamp '9999-12-31')
                >= (select min(decided_at) from {tables["sync_outbox"]})
        """)
    return f"select distinct email from (({') union all ('.join(queries)}))"


def _refused(database: duckdb.DuckDBPyConnection, folder: Path) -> pa.Table:
    """Return the outbox_id of rows whose mailbox has an opt-out that the outbox may not include.

    An opt-out counts for the widest mailbox, in any spelling of either address. Mailboxes are computed here
    row by row (seconds for a million), and only if there is such an opt-out.
    """
    unseen = database.execute("select email from unseen").fetchall()
    refused: list[dict[str, Any]] = []
    if unseen:
        domains = {
            domain: (canonical, bool(ignores_dots), bool(ignores_plus_part))
            for domain, canonical, ignores_dots, ignores_plus_part
            in database.execute("from domains").fetchall()
        }  # fmt: skip
        mailboxes = {widest_mailbox(email, domains) for (email,) in unseen}
        for row in _read_some(folder / "outbox.parquet", ["outbox_id", "email"]):
            if widest_mailbox(row["email"], domains) in mailboxes:
                refused.append({"outbox_id": row["outbox_id"]})
    return pa.Table.from_pylist(refused, pa.schema({"outbox_id": ledger.TEXT}))


def _failing(built: duckdb.DuckDBPyConnection, table: str | None) -> list[str]:
    """Return the nodes above the outbox whose last run failed, as macro failing_nodes() does."""
    if table is None:
        return []
    nodes = built.execute(
        f"select node from {table} group by node having arg_max(is_failing, reported_at) order by node"
    )
    return [row[0] for row in nodes.fetchall()]


def _held(database: duckdb.DuckDBPyConnection, overrides: Collection[str]) -> list[HeldAudience]:
    """Return the due audiences that guards stop. No guard stops an opt-out."""
    stopped = {row[0] for row in database.execute("select distinct audience from guards").fetchall()}
    if unstopped := set(overrides) - stopped:
        raise ValueError(f"no guard stops {', '.join(sorted(unstopped))}: there is nothing to override")
    stopping = database.execute("""
        with due as (
            select destination, audience, sum(n) as n_due
            from (
                select destination, audience, count(*) as n from outbox where not is_no group by all
                union all
                select destination, audience, -count(*) as n from not_due where not is_no group by all
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
        guards = list(rows)
        reasons = {guard: reason for _, _, guard, reason, _ in guards}
        held.append(HeldAudience(destination, audience, guards[0][4], reasons, audience in overrides))
    return held


def _rows(
    folder: Path, destination: str, held: Collection[tuple[str, str]], is_after_jobs: bool = False
) -> Iterator[Row]:
    """Yield the rows of a destination, read in groups: the due rows that no guard stops or, after its jobs,
    the opt-outs that waited for them."""
    not_due = _read_some(folder / "not_due.parquet", destination=destination)
    following = next(not_due, None)
    for row in _read_some(folder / "outbox.parquet", destination=destination):
        is_due, waits_for_job = True, False
        if following and row["outbox_id"] == following["outbox_id"]:
            is_due, waits_for_job = False, following["waits_for_job"]
            following = next(not_due, None)
        goes = is_due and (row["is_no"] or (destination, row["audience"]) not in held)
        if waits_for_job if is_after_jobs else goes:
            fields = json.loads(row["payload"]) if row["payload"] else {}
            fields.pop("customer_id", None)
            columns = {name: row[name] for name in ROW if name != "attempt"}
            yield Row(**columns, payload=fields, attempt=row["n_rejections"] + 1)


def _read_some(
    path: Path, columns: list[str] | None = None, destination: str | None = None
) -> Iterator[dict[str, Any]]:
    """Yield the rows of a file, or those of one destination. The file is ordered by destination."""
    # Read one row group at a time, because iter_batches() keeps what it has read.
    with pq.ParquetFile(path) as file:
        place = file.schema_arrow.names.index("destination")
        for group in range(file.num_row_groups):
            has = file.metadata.row_group(group).column(place).statistics
            if destination is None or not has or has.min <= destination <= has.max:
                for row in file.read_row_group(group, columns).to_pylist():
                    if destination is None or row["destination"] == destination:
                        yield row


def as_json(pushed: PushResult) -> str:
    """Return a push as JSON for a scheduler. It has counts only: no address, no name."""
    return json.dumps(asdict(pushed))


def as_text(pushed: PushResult, dry_run: bool = False) -> str:
    """Return a push as text for a person."""
    lines = []
    for sent in pushed.sent:
        outcome = "would be sent" if dry_run else f"{sent.accepted:,} accepted"
        for name in ("rejected", "pending", "unanswered"):
            outcome += f", {getattr(sent, name):,} {name}" if getattr(sent, name) else ""
        rows = f"{sent.rows:>9,} rows in {sent.batches:,} batch{'es' if sent.batches != 1 else ''}"
        if not sent.rows:
            rows = "    of an earlier push"
        audience = sent.audience or "(everywhere)"
        lines.append(f"{sent.destination:<14} {audience:<20} {sent.operation:<9} {rows}: {outcome}")
        lines += [f"    {line}" for request in sent.requests for line in request.splitlines()]
    for held in pushed.held:
        outcome = "sent despite the guard" if held.overridden else "held back"
        lines.append(f"{held.destination:<14} {held.audience:<20} {outcome}, {held.rows:,} rows:")
        lines += [f"    {guard}: {reason}" for guard, reason in held.guards.items()]
    lines += [f"{name:<14} stopped: {reason}" for name, reason in pushed.stopped.items()]
    if pushed.expired:
        lines.append(f"{pushed.expired:,} messages were too old to send.")
    if not lines:
        lines.append("Nothing to send: every destination is up to date.")
    if pushed.waiting:
        lines.append(f"{pushed.waiting:,} rejected rows wait for their next retry.")
    return "\n".join(lines)

"""Receipts: the answer about every row that was sent, one file per batch, written before the next batch."""

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import fields
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from mailroom.activation import ledger
from mailroom.activation.api import StoppedError
from mailroom.activation.rows import NOT_THERE, Answer, Batch, Row
from mailroom.activation.scrub import Scrubber, without_addresses
from mailroom.files import replace
from mailroom.mailbox import spelled

READ_AT_ONCE = 10_000  # addresses
ROW = tuple(column.name for column in fields(Row) if column.name != "payload")
# Receipts of rows in a running job. A job has results for all its rows at once.
PENDING = """
    select *
    from {receipts}
    where status = 'pending' and reference not in (
        select reference from {receipts} where status not in ('pending', 'sent') and reference is not null
    )
"""


class Receipts:
    """Writes the receipts of one push into the ledger in a folder. They are numbered, because a clock may be
    set back. Threads may share one."""

    def __init__(self, folder: Path, push_id: str) -> None:
        self.folder, self.push_id = folder, push_id
        with ledger.connect(folder) as connection:
            last = f"select coalesce(max(sequence), 0) from {ledger.scan(folder, 'receipts')}"
            self._numbers = itertools.count(connection.execute(last).fetchall()[0][0] + 1)

    def sent(self, batch: Batch) -> str:
        """Record that a batch is about to be sent. Return the file's name. If the push dies before answered()
        replaces the file, it records that all rows may have arrived."""
        at = ledger.now()
        name = f"{at:%Y%m%dT%H%M%S%f}-{batch.batch_id}"
        records, _ = self._records(batch, [Answer(row.outbox_id, "sent") for row in batch.rows], at)
        ledger.write(self.folder, "receipts", name, records)
        return name

    def answered(self, batch: Batch, answers: Iterable[Answer], name: str | None = None) -> dict[str, int]:
        """Write all answers of a batch at once, replacing the file of sent(). Return the count of each
        status. A row without an answer is rejected, because it may not have arrived. Messages are scrubbed of
        the people in the batch. Raises StoppedError if a destination answers about rows that were not
        sent."""
        at = ledger.now()
        records, counts = self._records(batch, answers, at)
        # Replace the file instead of deleting it, because a build may be reading it.
        ledger.write(self.folder, "receipts", name or f"{at:%Y%m%dT%H%M%S%f}-{batch.batch_id}", records)
        return counts

    def _records(
        self, batch: Batch, answers: Iterable[Answer], at: datetime
    ) -> tuple[list[dict[str, Any]], dict[str, int]]:
        by_row = {answer.outbox_id: answer for answer in answers}
        unknown = by_row.keys() - {row.outbox_id for row in batch.rows}
        if unknown:
            raise StoppedError(
                f"{batch.destination} answered about {len(unknown)} rows that batch {batch.batch_id} lacks"
            )
        scrubber = Scrubber(batch.rows)
        counts: dict[str, int] = {}
        records = []
        for row in batch.rows:
            answer = by_row.get(row.outbox_id) or Answer(
                row.outbox_id, "rejected", "no_answer", "The destination gave no answer."
            )
            counts[answer.status] = counts.get(answer.status, 0) + 1
            number = next(self._numbers)
            records.append(
                {
                    "receipt_id": f"{self.push_id}-{number}", "push_id": self.push_id,
                    "batch_id": batch.batch_id,
                    "attempt": row.attempt, "outbox_id": row.outbox_id, "destination": row.destination,
                    "audience": row.audience, "operation": row.operation, "customer_id": row.customer_id,
                    "email": row.email, "held": row.held, "status": answer.status,
                    "code": _code(answer, scrubber), "message": scrubber.message(answer.message),
                    "reference": None if answer.reference is None else without_addresses(answer.reference),
                    "answered_at": at, "decided_at": row.decided_at, "sequence": number,
                }
            )  # fmt: skip
        return records, counts


def _code(answer: Answer, scrubber: Scrubber) -> str | None:
    # NOT_THERE stays as it is: it means that the destination holds nothing.
    if answer.code in (None, NOT_THERE):
        return answer.code or ("refused" if answer.status == "rejected" else None)
    return scrubber.message(answer.code)


def pending(folder: Path, destination: str) -> Iterator[tuple[str, datetime, Batch]]:
    """Yield the pending batches of a destination: reference, since when, and the rows in the order in which
    they were sent. Their receipts have that reference."""
    receipts = ledger.scan(folder, "receipts")
    with ledger.connect(folder) as connection:
        jobs = connection.execute(
            f"""
            select min(answered_at), reference, batch_id, filename
            from ({PENDING.format(receipts=receipts)})
            where destination = ?
            group by all order by all
            """,
            [destination],
        ).fetchall()
    for since, reference, batch_id, filename in jobs:
        chosen = [("reference", "=", reference), ("batch_id", "=", batch_id), ("status", "=", "pending")]
        sent = pq.read_table(filename, columns=list(ROW), filters=chosen).to_pylist()
        rows = [Row(**row, payload={}) for row in sent]
        yield reference, since, Batch(batch_id, destination, rows[0].audience, rows[0].operation, rows)


def forget_deleted(folder: Path) -> None:
    """Remove the address, and values made of it, from all receipts and pulled rows of deleted profiles.
    Receipts of requests that may arrive after the deletion (no answer, a running job) keep it until a later
    one.

    Receipts of the deletions are changed last. If killed before, the next call still finds them."""
    receipts = ledger.scan(folder, "receipts")
    with ledger.connect(folder) as connection:
        connection.execute(f"""
            create table deleted as
            select
                destination, email, max(coalesce(sequence, 0)) as deleted_as,
                max(answered_at) as deleted_at
            from {receipts}
            where operation = 'delete' and status = 'accepted' and email is not null
            group by destination, email
        """)
        connection.execute(f"""
            create table settled as
            select distinct reference from {receipts}
            where status not in ('pending', 'sent') and reference is not null
        """)
        _forget_pulled(connection, folder)
        about_deleted = """
            inner join deleted
            on receipts.destination = deleted.destination and receipts.email = deleted.email
            and coalesce(sequence, 0) <= deleted_as
            and (
                (
                    status <> 'sent' and coalesce(code, '') <> 'job_lost'
                    and (status <> 'pending' or reference in (select reference from settled))
                )
                or answered_at < deleted_at - interval 1 day
            )
        """
        files = connection.execute(f"""
            select filename
            from {receipts} as receipts {about_deleted}
            group by filename order by bool_or(operation = 'delete'), filename
        """).fetchall()
        for (name,) in files:
            in_file = ledger.scan(folder, "receipts", Path(name).name)
            blanked = f"""
                with about_deleted as (
                    select receipt_id from {in_file} as receipts {about_deleted}
                )
                select receipts.* exclude (filename, file_row_number) replace (
                    if(about.receipt_id is null or operation = 'delete', outbox_id, null) as outbox_id,
                    if(about.receipt_id is null, email, null) as email,
                    if(about.receipt_id is null, held, null) as held,
                    if(about.receipt_id is null, message, null) as message
                )
                from {in_file} as receipts
                left join about_deleted as about on receipts.receipt_id = about.receipt_id
            """
            replace(Path(name), partial(_copy, connection, blanked))


def _forget_pulled(connection: duckdb.DuckDBPyConnection, folder: Path) -> None:
    """Remove the pulled rows of deleted people, in any spelling of their address. The erasure ledger keeps
    their opt-out by its hash."""
    deleted = {spelled(row[0]) for row in connection.execute("select distinct email from deleted").fetchall()}
    if not deleted:
        return
    for name in ("esp_profiles", "privacy_consent_events"):
        pulled = connection.execute(f"select distinct email, filename from {ledger.scan(folder, name)}")
        by_file: dict[str, set[str]] = {}
        while rows := pulled.fetchmany(READ_AT_ONCE):
            for email, filename in rows:
                if email is not None and spelled(email) in deleted:
                    by_file.setdefault(filename, set()).add(email)
        for path, emails in by_file.items():
            connection.register("gone_read", pa.table({"email": pa.array(sorted(emails), pa.string())}))
            connection.execute("create or replace table gone as from gone_read")
            kept = f"from read_parquet('{path}') anti join gone using (email)"
            replace(Path(path), partial(_copy, connection, kept))


def _copy(connection: duckdb.DuckDBPyConnection, query: str, path: Path) -> None:
    connection.execute(f"copy ({query}) to '{path}' (format parquet)")

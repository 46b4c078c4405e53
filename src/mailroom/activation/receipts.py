"""Receipts: what was answered about every row that went out, a file a batch, written before the next."""

import os
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from mailroom.activation.rows import Answer, Batch

# As macro receipt_columns() has them.
SCHEMA = pa.schema(
    [
        ("receipt_id", pa.string()), ("push_id", pa.string()), ("batch_id", pa.string()),
        ("attempt", pa.int64()), ("outbox_id", pa.string()), ("destination", pa.string()),
        ("audience", pa.string()), ("operation", pa.string()), ("customer_id", pa.string()),
        ("email", pa.string()), ("held", pa.string()), ("status", pa.string()), ("code", pa.string()),
        ("message", pa.string()), ("reference", pa.string()), ("answered_at", pa.timestamp("us")),
        ("decided_at", pa.timestamp("us")),
    ]
)  # fmt: skip


# As macro override_columns() has them.
OVERRIDES = pa.schema(
    [
        ("push_id", pa.string()), ("destination", pa.string()), ("audience", pa.string()),
        ("guard", pa.string()), ("reason", pa.string()), ("because", pa.string()),
        ("overridden_by", pa.string()), ("overridden_at", pa.timestamp("us")),
    ]
)  # fmt: skip


def write_overrides(folder: Path, overrides: Sequence[Mapping[str, object]]) -> None:
    """Write down what a push was told to send all the same: rows as OVERRIDES has them, of one push."""
    folder.mkdir(parents=True, exist_ok=True)
    table = pa.Table.from_pylist([dict(row) for row in overrides], OVERRIDES)
    replace(folder / f"{overrides[0]['push_id']}.parquet", lambda path: pq.write_table(table, path))


def write_receipts(
    folder: Path, push_id: str, batch: Batch, answers: Iterable[Answer], answered_at: datetime
) -> dict[str, int]:
    """Write down every row's answer, all or none of them; how many of each status. A row without an answer is
    rejected: nothing says that it arrived. answered_at: UTC, without a zone."""
    said = {answer.outbox_id: answer for answer in answers}
    unknown = said.keys() - {row.outbox_id for row in batch.rows}
    if unknown:
        raise ValueError(
            f"{batch.destination} answered about {len(unknown)} rows that batch {batch.batch_id} has not"
        )
    counts: dict[str, int] = {}
    records = []
    for row in batch.rows:
        answer = said.get(row.outbox_id) or Answer(
            row.outbox_id, "rejected", "no_answer", "Was not answered."
        )
        counts[answer.status] = counts.get(answer.status, 0) + 1
        records.append(
            {
                "receipt_id": uuid.uuid4().hex, "push_id": push_id, "batch_id": batch.batch_id,
                "attempt": row.attempt, "outbox_id": row.outbox_id, "destination": row.destination,
                "audience": row.audience, "operation": row.operation, "customer_id": row.customer_id,
                "email": row.email, "held": row.held, "status": answer.status, "code": answer.code,
                "message": answer.message, "reference": answer.reference, "answered_at": answered_at,
                "decided_at": row.decided_at,
            }
        )  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True)
    name = f"{answered_at:%Y%m%dT%H%M%S%f}-{batch.batch_id}.parquet"
    replace(folder / name, lambda path: pq.write_table(pa.Table.from_pylist(records, SCHEMA), path))
    return counts


def forget_deleted(folder: Path) -> None:
    """Take the address, and what was made of it, out of every receipt about a profile that was deleted since.

    Files with deletions come last: killed before, the next call still finds them."""
    if not any(folder.glob("*.parquet")):
        return
    with duckdb.connect() as connection:
        connection.execute(f"""
            create table deleted as
            select destination, email, max(answered_at) as deleted_at
            from read_parquet('{folder}/*.parquet')
            where operation = 'delete' and status = 'accepted' and email is not null
            group by destination, email
        """)
        about_deleted = """
            inner join deleted
            on receipts.destination = deleted.destination and receipts.email = deleted.email
            and answered_at <= deleted_at
        """
        files = connection.execute(f"""
            select filename
            from read_parquet('{folder}/*.parquet', filename = true) as receipts {about_deleted}
            group by filename order by bool_or(operation = 'delete'), filename
        """).fetchall()
        for (name,) in files:
            blanked = f"""
                with about_deleted as (
                    select receipt_id from read_parquet('{name}') as receipts {about_deleted}
                )
                select receipts.* replace (
                    if(about.receipt_id is null or operation = 'delete', outbox_id, null) as outbox_id,
                    if(about.receipt_id is null, email, null) as email,
                    if(about.receipt_id is null, held, null) as held
                )
                from read_parquet('{name}') as receipts
                left join about_deleted as about on receipts.receipt_id = about.receipt_id
            """
            replace(Path(name), partial(_copy, connection, blanked))


def _copy(connection: duckdb.DuckDBPyConnection, query: str, path: Path) -> None:
    connection.execute(f"copy ({query}) to '{path}' (format parquet)")


def replace(path: Path, write: Callable[[Path], object]) -> None:
    """Write a file so that it is there whole or not at all, also after a power cut."""
    unfinished = path.with_name(f".{path.name}.unfinished")
    write(unfinished)
    with unfinished.open("rb") as file:
        os.fsync(file.fileno())
    os.replace(unfinished, path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)

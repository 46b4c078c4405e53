"""Ledgers: append-only folders of Parquet files, each written completely or not at all.

dbt reads them, too (macro read_ledger), with the columns of macro ledger_columns().
"""

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
from filelock import FileLock, Timeout

from mailroom.files import replace
from mailroom.sql import SETTINGS

MOST_FILES = 200  # in a ledger, before they are merged
LARGEST_MERGED = 64 * 1024 * 1024  # bytes; larger files are not merged
MERGED = b"mailroom.merged"

TEXT, MOMENT = pa.string(), pa.timestamp("us")
SCHEMAS = {
    "receipts": pa.schema(
        {
            "receipt_id": TEXT, "push_id": TEXT, "batch_id": TEXT, "attempt": pa.int64(), "outbox_id": TEXT,
            "destination": TEXT, "audience": TEXT, "operation": TEXT, "customer_id": TEXT, "email": TEXT,
            "held": TEXT, "status": TEXT, "code": TEXT, "message": TEXT, "reference": TEXT,
            "answered_at": MOMENT, "decided_at": MOMENT, "sequence": pa.int64(),
        }
    ),
    "overrides": pa.schema(
        {
            "push_id": TEXT, "destination": TEXT, "audience": TEXT, "guard": TEXT, "reason": TEXT,
            "because": TEXT, "overridden_by": TEXT, "overridden_at": MOMENT,
        }
    ),
    "pushes": pa.schema(
        {
            "push_id": TEXT, "destination": TEXT, "audience": TEXT, "outcome": TEXT, "reason": TEXT,
            "n_rows": pa.int64(), "started_at": MOMENT, "ended_at": MOMENT, "decided_at": MOMENT,
        }
    ),
    "pulls": pa.schema(
        {"destination": TEXT, "newest_at": MOMENT, "n_new": pa.int64(), "pulled_at": MOMENT}
    ),
    # Pulled rows as the source contract has them, all text, and when they were pulled. Files of earlier
    # versions lack that, and the evidence of an opt-in.
    "esp_profiles": pa.schema({"profile_id": TEXT, "email": TEXT, "created_at": TEXT}),
    "esp_message_events": pa.schema(
        {
            "event_id": TEXT, "message_id": TEXT, "profile_id": TEXT, "event_type": TEXT,
            "bounce_type": TEXT, "occurred_at": TEXT, "pulled_at": MOMENT,
        }
    ),
    "privacy_consent_events": pa.schema(
        {
            "consent_event_id": TEXT, "email": TEXT, "channel": TEXT, "purpose": TEXT, "status": TEXT,
            "lawful_basis": TEXT, "recorded_by": TEXT, "form": TEXT, "confirmed_at": TEXT,
            "occurred_at": TEXT, "pulled_at": MOMENT,
        }
    ),
}  # fmt: skip


def activation_folder(warehouse: Path) -> Path:
    """Return the folder of a warehouse's ledgers and files, as macro activation_folder() does."""
    beside = f"{str(warehouse).replace('.duckdb', '')}-activation"
    return Path(os.environ.get("MAILROOM_ACTIVATION", beside))


class AnotherPushError(RuntimeError):
    """Another push or pull is running."""


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Lock the ledgers of this folder. Raises AnotherPushError if another process holds the lock."""
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / "push.lock")
    try:
        with lock.acquire(blocking=False):
            yield
    except Timeout as error:
        raise AnotherPushError(f"another push or pull holds {lock.lock_file}") from error


@contextmanager
def in_a_sentence(warehouse: Path, folder: Path) -> Iterator[None]:
    """Raise a warehouse in use, a full disk and other I/O errors as ValueError with one sentence."""
    try:
        yield
    except duckdb.IOException as error:
        if "lock" in str(error):
            raise ValueError(f"{warehouse} is in use: wait for the build that writes it") from error
        raise ValueError(f"{folder} can't be written or read: is the disk full?") from error
    except OSError as error:
        raise ValueError(f"{folder} can't be written or read: {error.strerror or error}") from error


def now() -> datetime:
    """Return the current time, UTC without a zone."""
    return datetime.now(UTC).replace(tzinfo=None)


def write(folder: Path, ledger: str, name: str, rows: Iterable[Mapping[str, Any]]) -> None:
    """Add a file of rows to a ledger in this folder. Without a row, write nothing."""
    table = pa.Table.from_pylist([dict(row) for row in rows], SCHEMAS[ledger])
    if table.num_rows:
        (folder / ledger).mkdir(parents=True, exist_ok=True)
        replace(folder / ledger / f"{name}.parquet", lambda path: pq.write_table(table, path))


def scan(folder: Path, ledger: str, files: str = "*.parquet") -> str:
    """Return a ledger, or some of its files, as a relation in DuckDB's SQL, with the file and place of each
    row. Without files it is empty. Columns that files of earlier versions lack are null."""
    types = {TEXT: "varchar", MOMENT: "timestamp", pa.int64(): "bigint"}
    columns = [f"null::{types[field.type]} as {field.name}" for field in SCHEMAS[ledger]]
    empty = (
        f"select {', '.join(columns)}, null::varchar as filename, null::bigint as file_row_number where false"
    )
    if not any((folder / ledger).glob(files)):
        return f"({empty})"
    files_read = f"'{folder / ledger}/{files}', filename = true, file_row_number = true, union_by_name = true"
    return f"({empty} union all by name from read_parquet({files_read}))"


def connect(folder: Path, warehouse: Path | None = None) -> duckdb.DuckDBPyConnection:
    """Connect to a DuckDB in memory, or to a warehouse read-only, with a low memory limit that spills into
    this folder."""
    folder.mkdir(parents=True, exist_ok=True)
    connection = duckdb.connect(
        str(warehouse or ":memory:"),
        read_only=warehouse is not None,
        config={
            **SETTINGS,
            "memory_limit": "250MB",
            "threads": 1,
            "temp_directory": str(folder / ".spill"),
        },
    )
    connection.execute("set TimeZone = 'UTC'; set preserve_insertion_order = false")
    return connection


def merge(folder: Path, ledger: str) -> None:
    """Merge many small files into one, so that years of hourly pushes stay quick to read. If killed before
    the small files are deleted, the next call deletes them; until then their rows are duplicated. It also
    deletes unfinished files of a killed push."""
    for path in (folder / ledger).glob(".*.unfinished"):
        path.unlink()
    for path in (folder / ledger).glob("*-merged.parquet"):
        if path.exists():  # another merge may have taken it in
            for name in json.loads((pq.read_schema(path).metadata or {}).get(MERGED, b"[]")):
                path.with_name(name).unlink(missing_ok=True)
    small = [
        path for path in sorted((folder / ledger).glob("*.parquet")) if path.stat().st_size <= LARGEST_MERGED
    ]
    if len(small) <= MOST_FILES:
        return
    names = json.dumps([path.name for path in small])
    schema = SCHEMAS[ledger].with_metadata({MERGED: names.encode()})

    def write_all(merged: Path) -> None:
        with pq.ParquetWriter(merged, schema) as writer:
            for path in small:
                with pq.ParquetFile(path) as file:
                    for rows in file.iter_batches():
                        writer.write_batch(_with_all_columns(rows, SCHEMAS[ledger]))

    replace(small[-1].with_stem(f"{small[-1].stem}-merged"), write_all)
    for path in small:
        path.unlink()


def _with_all_columns(rows: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    """Return the rows of a file with all columns. Files of earlier versions may lack some."""
    columns = [
        rows.column(field.name).cast(field.type)
        if field.name in rows.schema.names
        else pa.nulls(rows.num_rows, field.type)
        for field in schema
    ]
    return pa.RecordBatch.from_arrays(columns, schema=schema)

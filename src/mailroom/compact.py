"""`mailroom compact`: the warehouse in a new file, which has no bytes of what was deleted.

DuckDB marks a deleted row as gone and a dropped table's blocks as free. Their bytes stay in the file until
others are written over them, also after a checkpoint. A new file has only what is there.
"""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb

from mailroom.activation.ledger import locked
from mailroom.files import replace
from mailroom.sql import literal, quoted

# What a database consists of, without its rows.
DEFINITIONS = (
    "select schema_name, table_name, sql, comment from duckdb_tables()",
    "select schema_name, view_name, sql, comment from duckdb_views()",
    "select schema_name, table_name || '.' || column_name, data_type, comment from duckdb_columns()",
    "select schema_name, index_name, sql, comment from duckdb_indexes()",
    "select schema_name, sequence_name, sql, comment from duckdb_sequences()",
    "select schema_name, function_name, macro_definition, comment from duckdb_functions()",
)


@dataclass(frozen=True)
class Compacted:
    """A warehouse in its new file: its tables, and the bytes of its file before and after."""

    tables: int
    bytes_before: int
    bytes_after: int


def compact(warehouse: Path, activation: Path) -> Compacted:
    """Copy a warehouse into a new file of the same storage version, and put that in its place.

    The copy is compared first: every definition, and of every table the rows and a hash over their values.
    Killed anywhere, the old file or the new one is there, whole. It needs as much free space as the warehouse
    takes. activation: the folder whose lock push and pull take.

    Raises:
        AnotherPushError: a push or pull runs.
        ValueError: there is no warehouse, another process has it open, or the copy is not the same.
    """
    if not warehouse.exists():
        raise ValueError(f"there is no warehouse {warehouse}: run dbt build")
    warehouse = warehouse.resolve()  # A link to it stays a link.
    before = warehouse.stat().st_size
    tables = []
    with locked(activation), ExitStack() as until_replaced:

        def write(path: Path) -> None:
            path.unlink(missing_ok=True)  # of a compact that was killed
            tables.extend(_copy(warehouse, path))
            path.chmod(warehouse.stat().st_mode)
            until_replaced.enter_context(_kept_from_others(warehouse))

        try:
            replace(warehouse, write)
        except Exception:
            warehouse.with_name(f".{warehouse.name}.unfinished").unlink(missing_ok=True)
            raise
    return Compacted(len(tables), before, warehouse.stat().st_size)


def _copy(warehouse: Path, path: Path) -> list[str]:
    """Copy all of a warehouse to a file, which is not there yet; the names of its tables."""
    old, new = quoted(warehouse.stem), quoted(f"{warehouse.stem}_compacted")
    spill = warehouse.with_name(f"{warehouse.name}.tmp")
    with duckdb.connect() as connection:
        try:
            # Opened to write: no other process may write meanwhile, and what is in the log is read in.
            connection.execute(f"attach {literal(warehouse)} as {old}")
        except duckdb.IOException as error:
            raise ValueError(f"{warehouse} cannot be opened; does a build hold it? {error}") from error
        # What a build spilled that was killed holds rows, too.
        shutil.rmtree(spill, ignore_errors=True)
        connection.execute(f"set temp_directory = {literal(spill)}")
        connection.execute("set memory_limit = ?", [os.environ.get("MAILROOM_DUCKDB_MEMORY", "35%")])
        connection.execute(f"checkpoint {old}")
        version = connection.execute(
            "select tags['storage_version'] from duckdb_databases() where database_name = ?",
            [warehouse.stem],
        ).fetchall()[0][0]
        connection.execute(
            f"attach {literal(path)} as {new} (storage_version {literal(version.rstrip('+'))})"
        )
        connection.execute(f"copy from database {old} to {new}")
        tables = _compared(connection, warehouse.stem, f"{warehouse.stem}_compacted")
        connection.execute(f"detach {new}")  # writes what is in its log into the file
        connection.execute(f"detach {old}")
    for file in (warehouse, path):
        if file.with_name(f"{file.name}.wal").exists():
            raise ValueError(f"{file} still has a log beside it")
    shutil.rmtree(spill, ignore_errors=True)
    return tables


def _compared(connection: duckdb.DuckDBPyConnection, old: str, new: str) -> list[str]:
    """The names of the tables that two databases both have; ValueError where they are not the same."""
    for query in DEFINITIONS:
        only = f"{query} where database_name = ? order by all"
        if connection.execute(only, [old]).fetchall() != connection.execute(only, [new]).fetchall():
            raise ValueError(f"the copy of {old} is not defined as it is: {query}")
    tables = connection.execute(
        "select schema_name, table_name from duckdb_tables() where database_name = ? and not internal",
        [old],
    ).fetchall()
    for schema, table in tables:
        old_rows, new_rows = (
            connection.execute(
                "select count(*), sum(hash(every_value))"
                f" from {quoted(database)}.{quoted(schema)}.{quoted(table)} as every_value"
            ).fetchall()
            for database in (old, new)
        )
        if old_rows != new_rows:
            raise ValueError(f"the copy of {schema}.{table} has other rows")
    return [table for _, table in tables]


@contextmanager
def _kept_from_others(warehouse: Path) -> Iterator[None]:
    """No other process opens this file meanwhile, by the lock that DuckDB itself takes. ValueError where one
    has it open, and may have changed it."""
    with warehouse.open("r+b") as file:
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise ValueError(f"another process has opened {warehouse}; run compact again") from error
        yield


def as_text(compacted: Compacted) -> str:
    """What became of the warehouse, for a person."""
    return (
        f"{compacted.tables} tables in a new file of {compacted.bytes_after:,} bytes;"
        f" the old one had {compacted.bytes_before:,}."
    )

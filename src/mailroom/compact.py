"""`mailroom compact` copies the warehouse into a new file without the bytes of deleted data.

DuckDB marks deleted rows, and the blocks of dropped tables, as free. Their bytes stay in the file until they
are overwritten, also after a checkpoint. A new file has only the current data.
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
from mailroom.sql import SETTINGS, literal, quoted

# The definitions of a database, without its rows.
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
    """The result: number of tables, and bytes of the file before and after."""

    tables: int
    bytes_before: int
    bytes_after: int


def compact(warehouse: Path, activation: Path) -> Compacted:
    """Copy a warehouse into a new file of the same storage version, and replace it by the copy.

    The copy is compared first: all definitions, and per table the row count and a hash of all values. If
    killed, the old or the new file is complete. It needs as much free space as the warehouse. activation: the
    folder with the lock of push and pull.

    Raises:
        AnotherPushError: a push or pull runs.
        ValueError: the warehouse is missing or open in another process, or the copy differs.
    """
    if not warehouse.exists():
        raise ValueError(f"there is no warehouse {warehouse}: run dbt build")
    warehouse = warehouse.resolve()  # A link to it stays a link.
    before = warehouse.stat().st_size
    tables = []
    with locked(activation), ExitStack() as until_replaced:

        def write(path: Path) -> None:
            path.unlink(missing_ok=True)  # left by a killed compact
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
    """Copy a warehouse to a new file. Return the names of its tables."""
    old, new = quoted(warehouse.stem), quoted(f"{warehouse.stem}_compacted")
    spill = warehouse.with_name(f"{warehouse.name}.tmp")
    with duckdb.connect(config=SETTINGS) as connection:
        try:
            # Opened to write, so that no other process can write, and the log is applied.
            connection.execute(f"attach {literal(warehouse)} as {old}")
        except duckdb.IOException as error:
            raise ValueError(f"{warehouse} can't be opened (is a build running?): {error}") from error
        # Spill files of a killed build contain rows, too.
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
        connection.execute(f"detach {new}")  # applies the log to the file
        connection.execute(f"detach {old}")
    for file in (warehouse, path):
        if file.with_name(f"{file.name}.wal").exists():
            raise ValueError(f"{file} still has a log file beside it")
    shutil.rmtree(spill, ignore_errors=True)
    return tables


def _compared(connection: duckdb.DuckDBPyConnection, old: str, new: str) -> list[str]:
    """Return the table names of two databases. Raises ValueError if they differ."""
    for query in DEFINITIONS:
        only = f"{query} where database_name = ? order by all"
        if connection.execute(only, [old]).fetchall() != connection.execute(only, [new]).fetchall():
            raise ValueError(f"the definitions of the copy of {old} differ: {query}")
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
            raise ValueError(f"the rows of the copy of {schema}.{table} differ")
    return [table for _, table in tables]


@contextmanager
def _kept_from_others(warehouse: Path) -> Iterator[None]:
    """Lock the file with DuckDB's own lock, so that no other process can open it. Raises ValueError if one
    has it open, and may have changed it."""
    with warehouse.open("r+b") as file:
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise ValueError(f"another process has opened {warehouse}: run compact again") from error
        yield


def as_text(compacted: Compacted) -> str:
    """Return the result as text for a person."""
    return (
        f"{compacted.tables} tables in a new file of {compacted.bytes_after:,} bytes;"
        f" the old one had {compacted.bytes_before:,}."
    )

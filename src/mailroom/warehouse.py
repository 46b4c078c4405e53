"""The DuckDB file that dbt builds: its path, a read-only connection, its tables."""

import os
from pathlib import Path

import duckdb

from mailroom.sql import SETTINGS


def database_path() -> Path:
    """Return the DuckDB file of target `dev` in profiles.yml."""
    return Path(os.environ.get("MAILROOM_DUCKDB_PATH", "warehouse/mailroom.duckdb"))


def opened(path: Path) -> duckdb.DuckDBPyConnection:
    """Return a read-only connection that finds a table of any schema by its bare name.

    Raises:
        ValueError: the file does not exist.
    """
    if not path.exists():
        raise ValueError(f"{path} does not exist: build first (make build)")
    connection = duckdb.connect(str(path), read_only=True, config=SETTINGS)
    find_in_all_schemas(connection)
    return connection


def find_in_all_schemas(connection: duckdb.DuckDBPyConnection) -> None:
    """Let bare names of tables be found in every schema, first in the public one."""
    connection.execute(f"set search_path = '{','.join(_schemas(connection))}'")


def qualified_tables(connection: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """Return all tables and views by name, as schema.name. Of several with a name, the public one."""
    rows = connection.execute(
        "select table_schema, table_name from information_schema.tables"
        " where table_catalog = current_database()"
    ).fetchall()
    order = _schemas(connection)
    rows.sort(key=lambda row: order.index(row[0]), reverse=True)
    return {table: f"{schema}.{table}" for schema, table in rows}


def _schemas(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """Return the schemas, first the public one (of field_dictionary). Others may be another project's."""
    rows = connection.execute("""
        select schema_name from duckdb_schemas()
        where database_name = current_database() and (not internal or schema_name = 'main')
        order by
            schema_name not in (
                select table_schema from information_schema.tables
                where table_catalog = current_database() and table_name = 'field_dictionary'
            ),
            schema_name <> 'main',
            schema_name
    """).fetchall()
    return [schema for (schema,) in rows]

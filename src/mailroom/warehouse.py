"""The DuckDB file that dbt builds: where it is, opened to read, and which tables it has."""

import os
from pathlib import Path

import duckdb


def database_path() -> Path:
    """The DuckDB file that target `dev` of profiles.yml builds."""
    return Path(os.environ.get("MAILROOM_DUCKDB_PATH", "warehouse/mailroom.duckdb"))


def opened(path: Path) -> duckdb.DuckDBPyConnection:
    """A read-only connection, in which a table of any schema is found by its bare name.

    Raises:
        ValueError: there is no such file.
    """
    if not path.exists():
        raise ValueError(f"{path} does not exist; build first (make build)")
    connection = duckdb.connect(str(path), read_only=True)
    connection.execute(f"set search_path = '{search_path(connection)}'")
    return connection


def search_path(connection: duckdb.DuckDBPyConnection) -> str:
    """Every schema of the project, the public one first."""
    schemas = connection.execute(
        "select schema_name from duckdb_schemas() where database_name = current_database() and not internal"
        " order by schema_name <> 'main', schema_name"
    ).fetchall()
    return ",".join(schema for (schema,) in schemas)


def qualified_tables(connection: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """Every table and view by its name, as schema.name."""
    rows = connection.execute(
        "select table_name, table_schema || '.' || table_name from information_schema.tables"
    ).fetchall()
    return dict(rows)

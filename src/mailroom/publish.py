"""`mailroom publish` copies the public tables for BI readers, so that no dashboard blocks a build.

Each publication is a folder with mailroom.duckdb and parquet/<table>.parquet. The link `latest` points to the
newest. The links mailroom.duckdb and parquet beside it lead through `latest`. Moving that one link publishes,
so that there is one complete publication at any moment. It needs a file system with symbolic links.
"""

import json
import os
import re
import secrets
import shutil
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import duckdb
from filelock import FileLock, Timeout

from mailroom.files import replace, sync_folder
from mailroom.sql import SETTINGS, literal, quoted

# The oldest DuckDB that can open the copy. Otherwise only 2.0 and later could.
STORAGE_VERSION = "v1.0.0"

# PII classes of field_dictionary that identify no person. All other classes are personal data.
NOT_PERSONAL = ("none", "pseudonymous")
# Contact data in any text: an address, or a phone number with its country or area code.
REACHES = (
    r"\S(@|\x{FF20}|%40)[\p{L}\p{N}]+([.-]+[\p{L}\p{N}]+)*[.]\p{L}{2,}"
    r"|(^|[^0-9A-Za-z_.]|[^0-9][.])([+]|00?)[1-9][0-9 ()/.-]{6,}[0-9]($|[^0-9A-Za-z_])"
)
LINKS = {"mailroom.duckdb": "latest/mailroom.duckdb", "parquet": "latest/parquet"}
WITHOUT_PERSONAL_DATA = "-without-personal-data"
PUBLICATION = re.compile(rf"\d{{8}}T\d{{12}}({WITHOUT_PERSONAL_DATA})?")
LEFTOVER = re.compile(rf"\.({PUBLICATION.pattern}|latest|mailroom\.duckdb|parquet)\.unfinished|\.spill")


class AnotherPublishError(ValueError):
    """Another publish is running."""


@dataclass
class Column:
    """A column of a public table: one entry of field_dictionary, and its type in the warehouse."""

    name: str
    description: str
    is_key: bool
    is_personal: bool
    data_type: str


@dataclass
class Table:
    """One published table: its rows, and the bytes of its Parquet file."""

    name: str
    rows: int
    bytes: int


@dataclass
class Published:
    """One publication: its folder, its tables, the bytes of mailroom.duckdb. left_out: columns of personal
    data that were left out. missing: tables and columns of field_dictionary that the warehouse lacks. Columns
    are named table.column."""

    folder: str
    tables: list[Table] = field(default_factory=list)
    duckdb_bytes: int = 0
    left_out: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)


def published_folder(warehouse: Path) -> Path:
    """Return the folder of a warehouse's publications."""
    return warehouse.with_name(f"{warehouse.name.removesuffix('.duckdb')}-published")


def publish(warehouse: Path, folder: Path, without_personal_data: bool = False) -> Published:
    """Copy the public tables, those of field_dictionary, and point folder/latest to the copy.

    Rows are ordered by their key, so that the same warehouse gives the same Parquet bytes. The previous
    publication stays for its current readers, and older ones are deleted. If it has personal data and the new
    one has none, it is deleted as well. Without personal data, columns that field_dictionary classes as such
    are left out. In all other columns, a text with an address or phone number becomes hidden_ and a hash,
    which is stable within the publication. The warehouse is open, read-only, until its tables are in
    mailroom.duckdb.

    Raises:
        AnotherPublishError: another publish writes to this folder.
        ValueError: the warehouse is missing or in use, it has no field_dictionary or none of its tables, a
        view
            reads a missing table, or the folder has a file in place of a link.
    """
    if not warehouse.exists():
        raise ValueError(f"there is no warehouse {warehouse}: run dbt build")
    for name in (*LINKS, "latest"):
        if (folder / name).exists() and not (folder / name).is_symlink():
            raise ValueError(f"{folder / name} was not made by mailroom publish: choose another folder")
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / "publish.lock")
    try:
        with lock.acquire(blocking=False):
            return _publish(warehouse, folder, without_personal_data)
    except Timeout as error:
        raise AnotherPublishError(f"another publish holds {lock.lock_file}") from error


def _publish(warehouse: Path, folder: Path, without_personal_data: bool) -> Published:
    _remove(folder, LEFTOVER.fullmatch)
    before = os.readlink(folder / "latest") if (folder / "latest").is_symlink() else ""
    name = f"{datetime.now(UTC):%Y%m%dT%H%M%S%f}{WITHOUT_PERSONAL_DATA if without_personal_data else ''}"
    unfinished = folder / f".{name}.unfinished"
    try:
        published = _written(warehouse, unfinished, without_personal_data)
    except Exception:
        shutil.rmtree(unfinished, ignore_errors=True)  # Free the space of a full disk.
        raise
    published.folder = str(folder / name)
    os.replace(unfinished, folder / name)
    for link, target in LINKS.items():
        if not (folder / link).is_symlink():
            _point(folder / link, target)
    _point(folder / "latest", name)

    keeps_before = before.endswith(WITHOUT_PERSONAL_DATA) or not without_personal_data
    kept = {name, before} if keeps_before else {name}
    _remove(folder, lambda entry: PUBLICATION.fullmatch(entry) and entry not in kept)
    return published


def _written(warehouse: Path, publication: Path, without_personal_data: bool) -> Published:
    """Write the tables in both formats into a new folder."""
    published = Published(str(publication))
    (publication / "parquet").mkdir(parents=True)
    with duckdb.connect(config=SETTINGS) as connection:
        connection.execute(f"set temp_directory = {literal(publication.parent / '.spill')}")
        connection.execute("set memory_limit = ?", [os.environ.get("MAILROOM_DUCKDB_MEMORY", "35%")])
        try:
            connection.execute(f"attach {literal(warehouse)} as built (read_only)")
        except duckdb.IOException as error:
            raise ValueError(f"{warehouse} can't be read (is a build running?): {error}") from error
        # Random for each publication and never stored, so that no address can be found by its hash.
        connection.execute("set variable salt = ?", [secrets.token_hex()])
        queries, comments = [], []
        for table, (place, columns) in _public(connection, warehouse, published).items():
            chosen = [column for column in columns if not (without_personal_data and column.is_personal)]
            published.left_out += [f"{table}.{column.name}" for column in columns if column not in chosen]
            if chosen:
                queries.append((table, _query(place, chosen, columns, without_personal_data)))
                comments += [(table, column) for column in chosen]
        replace(publication / "mailroom.duckdb", partial(_write_duckdb, connection, queries, comments))
        published.duckdb_bytes = (publication / "mailroom.duckdb").stat().st_size
        connection.execute("detach built")

        connection.execute(f"attach {literal(publication / 'mailroom.duckdb')} as published (read_only)")
        for table, _ in queries:
            path = publication / "parquet" / f"{table}.parquet"
            replace(path, partial(_write_parquet, connection, table))
            rows = connection.execute(f"select count(*) from published.{quoted(table)}").fetchall()[0][0]
            published.tables.append(Table(table, rows, path.stat().st_size))
    return published


def _public(
    connection: duckdb.DuckDBPyConnection, warehouse: Path, published: Published
) -> dict[str, tuple[str, list[Column]]]:
    """Return the existing public tables: the place of each, and its columns."""
    built_columns: dict[tuple[str, str], dict[str, str]] = {}
    for schema, table, column_name, data_type in connection.execute(
        "select table_schema, table_name, column_name, data_type from information_schema.columns"
        " where table_catalog = 'built'"
    ).fetchall():
        built_columns.setdefault((schema, table), {})[column_name] = data_type
    dictionaries = [place for place in built_columns if place[1] == "field_dictionary"]
    if not dictionaries:
        raise ValueError(f"{warehouse} has no field_dictionary: run dbt build")

    public: dict[str, tuple[str, list[Column]]] = {}
    entries = connection.execute(f"""
        select
            schema_name, model_name, column_name, coalesce(description, ''), is_key,
            coalesce(pii, '') not in {NOT_PERSONAL}
        from {_place(*dictionaries[0])} order by model_name, column_number
    """)
    for schema, table, column_name, description, is_key, is_personal in entries.fetchall():
        if (schema, table) not in built_columns:
            if table not in published.missing:
                published.missing.append(table)
        elif column_name not in built_columns[schema, table]:
            published.missing.append(f"{table}.{column_name}")
        else:
            data_type = built_columns[schema, table][column_name]
            column = Column(column_name, description, is_key, is_personal, data_type)
            public.setdefault(table, (_place(schema, table), []))[1].append(column)
    if not public:
        raise ValueError(f"{warehouse} has none of the tables that field_dictionary names: run dbt build")
    return public


def _query(place: str, chosen: Sequence[Column], columns: Sequence[Column], hides: bool) -> str:
    """Return a query for a table's rows, ordered by its key, or by all chosen columns if the key is unknown
    or not published, because the order must not reveal it. hides: whether contact data in texts is hidden."""
    keys = [column for column in columns if column.is_key]
    order = keys if keys and all(key in chosen for key in keys) else chosen
    names = [", ".join(quoted(column.name) for column in some) for some in (chosen, order)]
    values = ", ".join(_hidden(column) if hides else quoted(column.name) for column in chosen)
    return f"select {names[0]} from (select {values} from {place}) order by {names[1]}"


def _hidden(column: Column) -> str:
    """Return a column expression that replaces texts with an address or phone number by a hash. A nested
    value with such a text becomes null."""
    name = quoted(column.name)
    if "VARCHAR" not in column.data_type and column.data_type != "JSON":
        return name
    is_text = column.data_type == "VARCHAR"
    hidden = f"'hidden_' || left(sha256(getvariable('salt') || {name}), 16)" if is_text else "null"
    reaches = f"regexp_matches({name}::varchar, {literal(REACHES)})"
    return f"case when {reaches} then {hidden} else {name} end as {name}"


def _write_duckdb(
    connection: duckdb.DuckDBPyConnection,
    queries: Sequence[tuple[str, str]],
    comments: Sequence[tuple[str, Column]],
    path: Path,
) -> None:
    connection.execute(f"attach {literal(path)} as published (storage_version '{STORAGE_VERSION}')")
    for table, query in queries:
        try:
            connection.execute(f"create table published.{quoted(table)} as {query}")
        except (duckdb.BinderException, duckdb.CatalogException, duckdb.IOException) as error:
            raise ValueError(f"{table} can't be read from the warehouse file alone: {error}") from error
    connection.execute("begin")
    for table, column in comments:
        place = f"published.{quoted(table)}.{quoted(column.name)}"
        connection.execute(f"comment on column {place} is {literal(column.description)}")
    connection.execute("commit")
    connection.execute("detach published")  # writes what is in its log into the file
    _protect(path)


def _write_parquet(connection: duckdb.DuckDBPyConnection, table: str, path: Path) -> None:
    connection.execute(f"copy published.{quoted(table)} to {literal(path)} (format parquet)")
    _protect(path)


def _protect(path: Path) -> None:
    """Make the file read-only, because a reader that opens it to write would change it for all others."""
    path.chmod(path.stat().st_mode & 0o555)


def _point(link: Path, target: str) -> None:
    """Create or move a link atomically."""
    unfinished = link.with_name(f".{link.name}.unfinished")
    unfinished.symlink_to(target)
    os.replace(unfinished, link)
    sync_folder(link.parent)


def _remove(folder: Path, is_obsolete: Callable[[str], object]) -> None:
    for path in folder.iterdir():
        if is_obsolete(path.name):
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()


def _place(schema: str, table: str) -> str:
    return f"built.{quoted(schema)}.{quoted(table)}"


def as_json(published: Published) -> str:
    """Return the publication as JSON for a scheduler."""
    return json.dumps(asdict(published))


def as_text(published: Published) -> str:
    """Return the publication as text: a line per table with its rows and the bytes of its Parquet file."""
    lines = [f"{table.name:<28}{table.rows:>14,} rows{table.bytes:>16,} bytes" for table in published.tables]
    if published.left_out:
        lines.append(f"{len(published.left_out):,} columns of personal data left out (--json names them).")
    if published.missing:
        lines.append(f"In field_dictionary, but not built: {', '.join(published.missing)}")
    parquet_bytes = sum(table.bytes for table in published.tables)
    lines.append(
        f"{len(published.tables)} tables in {published.folder}: mailroom.duckdb"
        f" {published.duckdb_bytes:,} bytes, parquet {parquet_bytes:,} bytes"
    )
    return "\n".join(lines)

"""`mailroom publish`: a copy of the public tables for BI readers, so that no dashboard blocks a build.

Each publication is a folder of its own, with mailroom.duckdb and parquet/<table>.parquet. The link `latest`
points to the newest; the links mailroom.duckdb and parquet beside it lead through `latest`. Moving that one
link publishes: killed at any moment, one whole publication stands. Needs a file system with symbolic links.
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
from mailroom.sql import literal, quoted

# The oldest DuckDB that can open the copy. Without it, 2.0 and later only.
STORAGE_VERSION = "v1.0.0"

# PII classes of field_dictionary that name nobody. Whatever else a column is classed as is personal data.
NOT_PERSONAL = ("none", "pseudonymous")
# What reaches a person wherever it stands: an address, a phone number with its country or area code.
REACHES = (
    r"\S(@|\x{FF20}|%40)[\p{L}\p{N}]+([.-]+[\p{L}\p{N}]+)*[.]\p{L}{2,}"
    r"|(^|[^0-9A-Za-z_.]|[^0-9][.])([+]|00?)[1-9][0-9 ()/.-]{6,}[0-9]($|[^0-9A-Za-z_])"
)
LINKS = {"mailroom.duckdb": "latest/mailroom.duckdb", "parquet": "latest/parquet"}
WITHOUT_PERSONAL_DATA = "-without-personal-data"
PUBLICATION = re.compile(rf"\d{{8}}T\d{{12}}({WITHOUT_PERSONAL_DATA})?")
LEFTOVER = re.compile(rf"\.({PUBLICATION.pattern}|latest|mailroom\.duckdb|parquet)\.unfinished|\.spill")


class AnotherPublishError(ValueError):
    """Another publish is under way."""


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
    """One publication: its folder, its tables by name, the bytes of mailroom.duckdb. left_out: columns of
    personal data that were not to be in it; missing: tables and columns that field_dictionary names and the
    warehouse lacks. Columns are named table.column."""

    folder: str
    tables: list[Table] = field(default_factory=list)
    duckdb_bytes: int = 0
    left_out: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)


def published_folder(warehouse: Path) -> Path:
    """Where a warehouse's publications are."""
    return warehouse.with_name(f"{warehouse.name.removesuffix('.duckdb')}-published")


def publish(warehouse: Path, folder: Path, without_personal_data: bool = False) -> Published:
    """Copy the public tables, those of field_dictionary, and point folder/latest to the copy.

    Rows are in the order of their key: the same warehouse gives the same Parquet bytes. The publication
    before stays for whoever is reading it; older ones go. If it has personal data and the new one is to have
    none, it goes as well. Without personal data, columns that field_dictionary classes as such are left out;
    in all others a text with an address or phone number in it becomes hidden_ and a hash, for this
    publication always the same. The warehouse is open, read-only, until its tables are in mailroom.duckdb.

    Raises:
        AnotherPublishError: another publish writes to this folder.
        ValueError: there is no warehouse, a build holds it, it has no field_dictionary or none of its tables,
            a view rests on what is not there, or the folder has a file where a link belongs.
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
        shutil.rmtree(unfinished, ignore_errors=True)  # A disk that is full is not left full.
        raise
    published.folder = str(folder / name)
    os.replace(unfinished, folder / name)
    for link, target in LINKS.items():
        if not (folder / link).is_symlink():
            _point(folder / link, target)
    _point(folder / "latest", name)

    keeps_before = before.endswith(WITHOUT_PERSONAL_DATA) or not without_personal_data
    kept = {name, before} if keeps_before else {name}
    _remove(folder, lambda found: PUBLICATION.fullmatch(found) and found not in kept)
    return published


def _written(warehouse: Path, publication: Path, without_personal_data: bool) -> Published:
    """Write both forms of the tables into a new folder."""
    published = Published(str(publication))
    (publication / "parquet").mkdir(parents=True)
    with duckdb.connect() as connection:
        connection.execute(f"set temp_directory = {literal(publication.parent / '.spill')}")
        connection.execute("set memory_limit = ?", [os.environ.get("MAILROOM_DUCKDB_MEMORY", "35%")])
        try:
            connection.execute(f"attach {literal(warehouse)} as built (read_only)")
        except duckdb.IOException as error:
            raise ValueError(f"{warehouse} cannot be read; does a build hold it? {error}") from error
        # Drawn for each publication and kept nowhere: no address can be found by its hash.
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
    """The public tables that are there: where each is, and its columns."""
    found: dict[tuple[str, str], dict[str, str]] = {}
    for schema, table, column_name, data_type in connection.execute(
        "select table_schema, table_name, column_name, data_type from information_schema.columns"
        " where table_catalog = 'built'"
    ).fetchall():
        found.setdefault((schema, table), {})[column_name] = data_type
    dictionaries = [place for place in found if place[1] == "field_dictionary"]
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
        if (schema, table) not in found:
            if table not in published.missing:
                published.missing.append(table)
        elif column_name not in found[schema, table]:
            published.missing.append(f"{table}.{column_name}")
        else:
            data_type = found[schema, table][column_name]
            column = Column(column_name, description, is_key, is_personal, data_type)
            public.setdefault(table, (_place(schema, table), []))[1].append(column)
    if not public:
        raise ValueError(f"{warehouse} has none of the tables that field_dictionary names: run dbt build")
    return public


def _query(place: str, chosen: Sequence[Column], columns: Sequence[Column], hides: bool) -> str:
    """A table's rows in the order of its key; of all its columns where the key is not known or not published:
    what is left out must not show in the order. hides: whether texts that reach a person are hidden."""
    keys = [column for column in columns if column.is_key]
    order = keys if keys and all(key in chosen for key in keys) else chosen
    names = [", ".join(quoted(column.name) for column in some) for some in (chosen, order)]
    values = ", ".join(_hidden(column) if hides else quoted(column.name) for column in chosen)
    return f"select {names[0]} from (select {values} from {place}) order by {names[1]}"


def _hidden(column: Column) -> str:
    """A column whose texts with an address or phone number are a hash instead; a list or the like with such a
    text in it is empty."""
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
            raise ValueError(f"{table} cannot be read out of the warehouse alone: {error}") from error
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
    """Nobody may write to the file: a reader that opens it to write would change it for all others."""
    path.chmod(path.stat().st_mode & 0o555)


def _point(link: Path, target: str) -> None:
    """Make a link, or move it, so that it points to the old or the new target at any moment."""
    unfinished = link.with_name(f".{link.name}.unfinished")
    unfinished.symlink_to(target)
    os.replace(unfinished, link)
    sync_folder(link.parent)


def _remove(folder: Path, is_to_go: Callable[[str], object]) -> None:
    for path in folder.iterdir():
        if is_to_go(path.name):
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()


def _place(schema: str, table: str) -> str:
    return f"built.{quoted(schema)}.{quoted(table)}"


def as_json(published: Published) -> str:
    """What was published, for a scheduler."""
    return json.dumps(asdict(published))


def as_text(published: Published) -> str:
    """What was published, for a person: a line per table with its rows and the bytes of its Parquet file."""
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

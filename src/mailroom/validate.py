"""`mailroom validate` checks the public tables against field_dictionary with Great Expectations.

The entries of a public table are its expectation suite: key, fill share, format, accepted values and bounds.
A field without a source in this shop need not be filled, and is listed. One more suite checks the columns and
types of all tables. Results hold counts, and no value of a row.
"""

import importlib
import json
import os
import shutil
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd

from mailroom.data_docs import Checked, stand_alone
from mailroom.warehouse import opened

# The switch of Great Expectations' telemetry, which is read at import.
os.environ["GX_ANALYTICS_ENABLED"] = "False"

# DuckDB's names of the contracts' types, if they differ.
DUCKDB_TYPES = {"string": "varchar"}

# Counts without values, which may be addresses.
RESULT_FORMAT = {"result_format": "BASIC", "partial_unexpected_count": 0}

# The suite of the columns and types of all tables. It reads no row.
CONTRACT = "columns_and_types"

# The column with the record type, one of given_by, that a customer was first seen in.
RECORD_TYPE = "first_record_type"

Entry = dict[str, Any]


def validate(database: Path, output: Path, max_rows: int = 100_000) -> list[Checked]:
    """Check the public tables in a DuckDB file against their entries in field_dictionary.

    Writes output/result.json and the Data Docs site output/data_docs/index.html, replacing earlier ones. A
    table of more than max_rows rows is sampled by key, with the same keys in each run and all rows of a key.
    About max_rows rows of one table are in memory at once.

    Raises:
        ValueError: the file, field_dictionary or field_checks is missing or empty.
    """
    with opened(database) as connection:
        return _validate(connection, output, max_rows)


def _validate(connection: duckdb.DuckDBPyConnection, output: Path, max_rows: int) -> list[Checked]:
    tables, as_of = _entries(connection)
    types = _columns(connection, tables)

    import great_expectations as gx
    from great_expectations.data_context.types.base import ProgressBarsConfig

    docs = output / "data_docs"
    shutil.rmtree(docs, ignore_errors=True)
    docs.mkdir(parents=True, exist_ok=True)
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    context.delete_data_docs_site("local_site")
    context.add_data_docs_site("public_tables", _site(docs.resolve()))
    source = context.data_sources.add_pandas("public_tables")

    def check(
        name: str, frame: pd.DataFrame, expectations: Iterable[Any], n_rows: int, not_asked: dict[str, str]
    ) -> Checked:
        suite = context.suites.add(gx.ExpectationSuite(name=name, expectations=list(expectations)))
        batch = source.add_dataframe_asset(name).add_batch_definition_whole_dataframe("viewed")
        definition = gx.ValidationDefinition(name=name, data=batch, suite=suite)
        context.validation_definitions.add(definition)
        checkpoint = gx.Checkpoint(
            name=name, validation_definitions=[definition], result_format=RESULT_FORMAT
        )
        run = context.checkpoints.add(checkpoint).run(batch_parameters={"dataframe": frame})
        (validation,) = run.run_results.values()
        results = [_without_exception(result.to_json_dict()) for result in validation.results]
        failed = [_named(result) for result in results if not result["success"]]
        return Checked(name, n_rows, len(frame), len(results), sorted(failed), results, not_asked)

    contract = pd.DataFrame({field: [data_type] for field, data_type in types.items()})
    checked = [check(CONTRACT, contract, _contract_expectations(tables, types), len(contract), {})]
    for table, entries in tables.items():
        fields = [entry for entry in entries if types.get(_field(entry)) == _type(entry)]
        if fields:
            frame, n_rows = _rows(connection, fields, max_rows)
            not_asked = {entry["column_name"]: entry["not_given"] for entry in fields if _is_not_asked(entry)}
            checked.append(check(table, frame, _value_expectations(fields, as_of), n_rows, not_asked))
    context.build_data_docs()
    stand_alone(docs, checked, as_of.isoformat(sep=" "))
    _write_result(output / "result.json", checked, as_of)
    return checked


def _entries(connection: duckdb.DuckDBPyConnection) -> tuple[dict[str, list[Entry]], datetime]:
    """Return the entries of each public table, ordered by column, and the moment that the build describes."""
    try:
        rows = connection.execute("select * from field_dictionary order by model_name, column_number")
        names = [column[0] for column in rows.description or []]
        tables: dict[str, list[Entry]] = defaultdict(list)
        for row in rows.fetchall():
            entry = dict(zip(names, row, strict=True))
            tables[entry["model_name"]].append(entry)
        (as_of,) = connection.execute("select max(checked_at) from field_checks").fetchall()[0]
    except duckdb.CatalogException as error:
        raise ValueError("field_dictionary or field_checks is missing: run dbt build first") from error
    if as_of is None:
        raise ValueError("field_checks is empty: run dbt build first")
    return dict(tables), as_of


def _columns(connection: duckdb.DuckDBPyConnection, tables: dict[str, list[Entry]]) -> dict[str, str]:
    """Return the types of the public tables' columns, by table.column."""
    rows = connection.execute(
        "select table_schema, table_name, column_name, lower(data_type) from information_schema.columns"
        " where table_catalog = current_database() order by table_name, ordinal_position"
    ).fetchall()
    places = {(entries[0]["schema_name"], table) for table, entries in tables.items()}
    return {
        f"{table}.{column}": data_type
        for schema, table, column, data_type in rows
        if (schema, table) in places
    }


def _field(entry: Entry) -> str:
    return f"{entry['model_name']}.{entry['column_name']}"


def _type(entry: Entry) -> str:
    data_type: str = entry["data_type"]
    return DUCKDB_TYPES.get(data_type, data_type)


def _is_not_asked(entry: Entry) -> bool:
    """Return whether a field must be filled but the shop has no source for it."""
    return bool(entry["min_fill_share"] and entry["not_given"] and not entry["given_by"])


def _asked_rows(entry: Entry) -> Any:
    """Return Great Expectations' condition for the rows that must be filled; None for all rows."""
    if not entry["given_by"]:
        return None
    conditions = importlib.import_module("great_expectations.expectations.row_conditions")
    return conditions.Column(RECORD_TYPE).is_in(entry["given_by"].split(", "))


def _expectations() -> Any:
    """Return Great Expectations' expectations, which it does not type as exported. The import takes
    seconds."""
    return importlib.import_module("great_expectations.expectations")


def _contract_expectations(tables: dict[str, list[Entry]], types: dict[str, str]) -> Iterable[Any]:
    """Yield that each table has exactly the columns of its entries, each of its type."""
    gxe = _expectations()
    entries = [entry for fields in tables.values() for entry in fields]
    yield gxe.ExpectTableColumnsToMatchSet(column_set=[_field(entry) for entry in entries], exact_match=True)
    for entry in entries:
        yield gxe.ExpectColumnDistinctValuesToEqualSet(column=_field(entry), value_set=[_type(entry)])


def _value_expectations(entries: Sequence[Entry], as_of: datetime) -> Iterable[Any]:
    """Yield the expectations of one table's entries about its rows."""
    gxe = _expectations()
    keys = [entry["column_name"] for entry in entries if entry["is_key"]]
    if len(keys) == 1:
        yield gxe.ExpectColumnValuesToBeUnique(column=keys[0])
    elif keys:
        yield gxe.ExpectCompoundColumnsToBeUnique(column_list=keys)
    for entry in entries:
        column = entry["column_name"]
        at_least = 1.0 if entry["is_key"] else entry["min_fill_share"]
        if at_least and not _is_not_asked(entry):
            yield gxe.ExpectColumnValuesToNotBeNull(
                column=column, mostly=at_least, row_condition=_asked_rows(entry)
            )
        if entry["accepted"] and entry["format"] != "list":
            accepted = entry["accepted"].split(", ")
            values = accepted if entry["data_type"] == "string" else [float(value) for value in accepted]
            yield gxe.ExpectColumnValuesToBeInSet(column=column, value_set=values)
        elif entry["pattern"]:
            yield gxe.ExpectColumnValuesToMatchRegex(column=column, regex=entry["pattern"])
        if entry["data_type"] in ("date", "timestamp") and entry["format"] != "expiry":
            # Time zones are up to 14 hours ahead of UTC, and a day is in the shop's time zone.
            ahead = timedelta(hours=14 if entry["data_type"] == "date" else 0)
            yield gxe.ExpectColumnValuesToBeBetween(column=column, max_value=as_of + ahead)
        elif entry["at_least"] is not None or entry["at_most"] is not None:
            yield gxe.ExpectColumnValuesToBeBetween(
                column=column, min_value=entry["at_least"], max_value=entry["at_most"]
            )


def _rows(
    connection: duckdb.DuckDBPyConnection, entries: Sequence[Entry], max_rows: int
) -> tuple[pd.DataFrame, int]:
    """Return the rows of a table to check, and its row count."""
    table = f'"{entries[0]["schema_name"]}"."{entries[0]["model_name"]}"'
    columns = ", ".join(f'"{entry["column_name"]}"' for entry in entries)
    keys = ", ".join(f'"{entry["column_name"]}"' for entry in entries if entry["is_key"]) or columns
    n_rows: int = connection.execute(f"select count(*) from {table}").fetchall()[0][0]
    part = f" where hash({keys}) % {n_rows} < {max_rows}" if n_rows > max_rows else ""
    return connection.execute(f"select {columns} from {table}{part}").df(), n_rows


def _site(folder: Path) -> Any:
    return {
        "class_name": "SiteBuilder",
        "show_how_to_buttons": False,
        "store_backend": {"class_name": "TupleFilesystemStoreBackend", "base_directory": str(folder)},
        "site_index_builder": {"class_name": "DefaultSiteIndexBuilder", "show_cta_footer": False},
    }


def _without_exception(result: dict[str, Any]) -> dict[str, Any]:
    """Return a result without the text of an exception, which may quote a value."""
    return {key: value for key, value in result.items() if key != "exception_info"}


def _named(result: dict[str, Any]) -> tuple[str, str]:
    kwargs = result["expectation_config"]["kwargs"]
    field = kwargs.get("column") or ", ".join(kwargs.get("column_list", [])) or "all columns"
    return field, result["expectation_config"]["type"]


def _write_result(path: Path, checked: Sequence[Checked], as_of: datetime) -> None:
    document = {
        "success": not any(suite.failed for suite in checked),
        "as_of": as_of.isoformat(sep=" "),
        "suites": [
            {
                "name": suite.name,
                "n_rows": suite.n_rows,
                "n_looked_at": suite.n_looked_at,
                "not_asked": suite.not_asked,
                "results": suite.results,
            }
            for suite in checked
        ],
    }
    path.write_text(json.dumps(document, indent=2) + "\n")


def summary(checked: Sequence[Checked]) -> str:
    """Return the suites as text: a table, then fields that need not be filled, then failures. No values."""
    lines = [f"{'table':<28}{'rows':>12}{'checked':>12}{'expectations':>14}{'failed':>8}"]
    for suite in checked:
        lines.append(
            f"{suite.name:<28}{suite.n_rows:>12,}{suite.n_looked_at:>12,}"
            f"{suite.n_expectations:>14,}{len(suite.failed):>8,}"
        )
    without_source: dict[str, list[str]] = defaultdict(list)
    for suite in checked:
        for field, not_given in suite.not_asked.items():
            without_source[not_given].append(f"{suite.name}.{field}")
    for not_given, fields in without_source.items():
        lines.append(f"need not be filled, because the shop has no {not_given}: {', '.join(fields)}")
    for suite in checked:
        lines += [f"{suite.name}: {field}: {expectation}" for field, expectation in suite.failed]
    return "\n".join(lines)

"""Great Expectations over the public tables, from field_dictionary: what `mailroom validate` runs.

The entries of a public table's fields make its expectation suite: the key, the fill share, the format, the
accepted values and the bounds. A field that this shop has nothing to fill from is not asked to be filled, and
named. One more suite holds the columns and types of all tables. No value of a row leaves this module: results
hold counts.
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

# The one switch of Great Expectations' telemetry; it is read at import.
os.environ["GX_ANALYTICS_ENABLED"] = "False"

# How DuckDB names the contracts' types, where it names them otherwise.
DUCKDB_TYPES = {"string": "varchar"}

# Counts but no values: what would be shown may be an address.
RESULT_FORMAT = {"result_format": "BASIC", "partial_unexpected_count": 0}

# The suite that holds the columns and types of all tables. It looks at no row.
CONTRACT = "columns_and_types"

# The column that says which of the record types in given_by a customer was first seen in.
RECORD_TYPE = "first_record_type"

Entry = dict[str, Any]


def validate(database: Path, output: Path, max_rows: int = 100_000) -> list[Checked]:
    """Check the public tables in a DuckDB file against their entries in field_dictionary.

    Writes output/result.json and the Data Docs site output/data_docs/index.html, replacing what was there.
    A table of more than max_rows rows is looked at in part: a share of its keys, the same at each run, and
    all rows of a key. About that many rows, of one table, are in memory at once.

    Raises:
        ValueError: the file, field_dictionary or field_checks is not there or empty.
    """
    with opened(database) as connection:
        return _validate(connection, output, max_rows)


def _validate(connection: duckdb.DuckDBPyConnection, output: Path, max_rows: int) -> list[Checked]:
    tables, as_of = _entries(connection)
    found = _columns(connection, tables)

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

    contract = pd.DataFrame({field: [data_type] for field, data_type in found.items()})
    checked = [check(CONTRACT, contract, _contract_expectations(tables, found), len(contract), {})]
    for table, entries in tables.items():
        fields = [entry for entry in entries if found.get(_field(entry)) == _type(entry)]
        if fields:
            frame, n_rows = _rows(connection, fields, max_rows)
            not_asked = {entry["column_name"]: entry["not_given"] for entry in fields if _is_not_asked(entry)}
            checked.append(check(table, frame, _value_expectations(fields, as_of), n_rows, not_asked))
    context.build_data_docs()
    stand_alone(docs, checked, as_of.isoformat(sep=" "))
    _write_result(output / "result.json", checked, as_of)
    return checked


def _entries(connection: duckdb.DuckDBPyConnection) -> tuple[dict[str, list[Entry]], datetime]:
    """The entries of each public table in the order of its columns, and the moment the build is as of."""
    try:
        rows = connection.execute("select * from field_dictionary order by model_name, column_number")
        names = [column[0] for column in rows.description or []]
        tables: dict[str, list[Entry]] = defaultdict(list)
        for row in rows.fetchall():
            entry = dict(zip(names, row, strict=True))
            tables[entry["model_name"]].append(entry)
        (as_of,) = connection.execute("select max(checked_at) from field_checks").fetchall()[0]
    except duckdb.CatalogException as error:
        raise ValueError("field_dictionary and field_checks are not there; run dbt build first") from error
    if as_of is None:
        raise ValueError("field_checks is empty; run dbt build first")
    return dict(tables), as_of


def _columns(connection: duckdb.DuckDBPyConnection, tables: dict[str, list[Entry]]) -> dict[str, str]:
    """The types of the columns that the public tables have, by table.column."""
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
    """Whether a field would have to be filled and the shop has nothing that fills it."""
    return bool(entry["min_fill_share"] and entry["not_given"] and not entry["given_by"])


def _asked_rows(entry: Entry) -> Any:
    """Great Expectations' condition for the rows that must be filled; None for all of them."""
    if not entry["given_by"]:
        return None
    conditions = importlib.import_module("great_expectations.expectations.row_conditions")
    return conditions.Column(RECORD_TYPE).is_in(entry["given_by"].split(", "))


def _expectations() -> Any:
    """Great Expectations' expectations, which it does not type as exported. Importing them takes seconds."""
    return importlib.import_module("great_expectations.expectations")


def _contract_expectations(tables: dict[str, list[Entry]], found: dict[str, str]) -> Iterable[Any]:
    """That each table has the columns of its entries and no other, each of its type."""
    gxe = _expectations()
    entries = [entry for fields in tables.values() for entry in fields]
    yield gxe.ExpectTableColumnsToMatchSet(column_set=[_field(entry) for entry in entries], exact_match=True)
    for entry in entries:
        yield gxe.ExpectColumnDistinctValuesToEqualSet(column=_field(entry), value_set=[_type(entry)])


def _value_expectations(entries: Sequence[Entry], as_of: datetime) -> Iterable[Any]:
    """What the entries of one table say of its rows."""
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
            # Somewhere it is up to 14 hours later, and a day is one by the clocks of the shop.
            ahead = timedelta(hours=14 if entry["data_type"] == "date" else 0)
            yield gxe.ExpectColumnValuesToBeBetween(column=column, max_value=as_of + ahead)
        elif entry["at_least"] is not None or entry["at_most"] is not None:
            yield gxe.ExpectColumnValuesToBeBetween(
                column=column, min_value=entry["at_least"], max_value=entry["at_most"]
            )


def _rows(
    connection: duckdb.DuckDBPyConnection, entries: Sequence[Entry], max_rows: int
) -> tuple[pd.DataFrame, int]:
    """The rows of a table to look at, and how many it has."""
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
    """A result without the text of an exception, which may quote a value."""
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
    """The suites as a table of text, below it what is not asked to be filled, then what failed. No values."""
    lines = [f"{'table':<28}{'rows':>12}{'looked at':>12}{'expectations':>14}{'failed':>8}"]
    for suite in checked:
        lines.append(
            f"{suite.name:<28}{suite.n_rows:>12,}{suite.n_looked_at:>12,}"
            f"{suite.n_expectations:>14,}{len(suite.failed):>8,}"
        )
    wanting: dict[str, list[str]] = defaultdict(list)
    for suite in checked:
        for field, not_given in suite.not_asked.items():
            wanting[not_given].append(f"{suite.name}.{field}")
    for not_given, fields in wanting.items():
        lines.append(f"not asked to be filled, since the shop has no {not_given}: {', '.join(fields)}")
    for suite in checked:
        lines += [f"{suite.name}: {field}: {expectation}" for field, expectation in suite.failed]
    return "\n".join(lines)

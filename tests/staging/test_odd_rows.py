"""One odd row never stops a build: every column of every source table with unexpected values.

Each odd value has a row of its own, copied from the demo, in all tables of one build. The tables also have
ids that live for months, empty rows and rows that are there twice. All models and data tests must pass.
"""

import csv
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from conftest import PROJECT, Warehouse

pytestmark = [pytest.mark.slow, pytest.mark.deep]

SEED = 5
AS_OF = "2026-07-01 06:00:00"
ODD: list[str | None] = [
    None, "", "   ", "soon", "null", "NaN", "true", "0", "-5", "1e400", "9" * 20, "x" * 3000, "<b>",
    "o'neil; drop", "\N{GRINNING FACE}\N{ZERO WIDTH SPACE}", "0001-01-01 00:00:00", "1969-12-31",
    "2026-02-30", "2026-06-30T23:59:59+14:00", "2027-01-01 10:00:00", "9999-12-31 23:59:59",
]  # fmt: skip
N_MIXED, N_LONG_LIVED, N_TWICE = 60, 40, 20
Row = dict[str, str | None]


def tables() -> Iterator[tuple[str, str, list[str]]]:
    """System, table and columns of the source contract."""
    for path in sorted((PROJECT / "models/staging").glob("*/_*__sources.yml")):
        for source in yaml.safe_load(path.read_text(encoding="utf-8"))["sources"]:
            for table in source["tables"]:
                yield source["name"], table["name"], [column["name"] for column in table["columns"]]


def odd_rows(good: list[Row], columns: list[str], chance: Random) -> list[Row]:
    """The first column is the key."""
    key, *others = columns
    rows = [{**chance.choice(good), key: f"odd {column} {n}", column: value}
            for column in columns for n, value in enumerate(ODD)]  # fmt: skip
    for _ in range(N_MIXED):
        rows.append({**chance.choice(good), **{c: chance.choice(ODD) for c in chance.sample(columns, 4)}})
    for column in others:
        if column.endswith("_id"):
            lived = chance.sample(good, min(N_LONG_LIVED, len(good)))
            rows += [{**row, key: f"long {column} {n}", column: "for ever"} for n, row in enumerate(lived)]
    twice = chance.sample(good, min(N_TWICE, len(good)))
    return [*rows, dict.fromkeys(columns), dict.fromkeys(columns, ""), *twice]


def write(folder: Path) -> dict[str, dict[str, str]]:
    """Writes the demo's tables with odd rows as text in Parquet. Returns the vars that read them."""
    chance = Random(SEED)
    variables = {}
    for system, table, columns in tables():
        seed = PROJECT / f"seeds/demo/{system}/demo_{system}__{table}.csv"
        given = csv.DictReader(seed.read_text(encoding="utf-8").splitlines()) if seed.exists() else []
        rows: list[Row] = [{column: row.get(column) or None for column in columns} for row in given]
        if rows:
            rows += odd_rows(rows, columns, chance)
        path = folder / system / f"{table}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        texts = {column: pa.array([row[column] for row in rows], pa.string()) for column in columns}
        pq.write_table(pa.table(texts), path)
        variables[system] = {"files": f"{folder / system}/{{table}}.parquet"}
    return variables


def test_odd_rows_stop_nothing(tmp_path: Path) -> None:
    run = Warehouse(tmp_path).dbt(
        "build", "--exclude-resource-type", "unit_test", "--exclude", "path:seeds/demo",
        as_of=AS_OF, max_flawed_share=1, **write(tmp_path),
    )  # fmt: skip
    stopped = {
        name: message for name, (status, message) in run.results.items() if status in ("error", "fail")
    }
    assert run.ok and not stopped, stopped or run.output

"""Writing the demo shop: typed Parquet part files, or small CSV seeds as text."""

import csv
import json
import sys
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from datetime import datetime, timedelta
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from mailroom.demo.contract import SOURCES, TRUTH, contract
from mailroom.demo.tables import build_chunk
from mailroom.demo.world import Config, build_world

OFFSET_EVERY = 9  # in seeds, every ninth CRM row gives its times with an offset from UTC
PROGRESS_SECONDS = 5


def write_parquet(config: Config, to: Path, jobs: int) -> dict[str, int]:
    """Write `to`/<source>/<table>/part-<chunk>.parquet; return rows per table. `jobs` does not change the
    output."""
    for source, table in (*SOURCES, *TRUTH):
        folder = to / source / table
        folder.mkdir(parents=True, exist_ok=True)
        for old in folder.glob("part-*.parquet"):
            old.unlink()
    rows: dict[str, int] = {}
    begun = printed_at = time.monotonic()
    for done, counts in enumerate(_written(config, to, jobs), start=1):
        for name, count in counts.items():
            rows[name] = rows.get(name, 0) + count
        if time.monotonic() - printed_at > PROGRESS_SECONDS:
            printed_at = time.monotonic()
            people = min(done * config.chunk_people, config.customers)
            share = f"{people:,} of {config.customers:,} customers ({people / config.customers:.0%})"
            print(f"{share}, {printed_at - begun:.0f} s", file=sys.stderr, flush=True)
    return rows


def _written(config: Config, to: Path, jobs: int) -> Iterator[dict[str, int]]:
    """Rows per table of each chunk, in order, once it is written."""
    write = partial(_write_chunk, config, to)
    if jobs <= 1 or config.chunks == 1:
        yield from map(write, range(config.chunks))
        return
    with ProcessPoolExecutor(min(jobs, config.chunks), get_context("spawn")) as pool:
        yield from pool.map(write, range(config.chunks))


def _write_chunk(config: Config, to: Path, index: int) -> dict[str, int]:
    tables, _ = build_chunk(build_world(config), index)
    for (source, table), rows in tables.items():
        part = to / source / table / f"part-{index:05d}.parquet"
        pq.write_table(rows, part, compression="zstd", compression_level=1)
    return {f"{source}.{table}": rows.num_rows for (source, table), rows in tables.items()}


def write_seeds(config: Config, to: Path) -> dict[str, int]:
    """Write `to`/<source>/demo_<source>__<table>.csv, every value as text, and their entries for dbt in
    `to`/_demo.yml; returns rows per table."""
    if config.chunks > 1:
        raise ValueError(f"seeds are for small shops: at most {config.chunk_people:,} customers")
    tables, cells = build_chunk(build_world(config), 0)
    for (source, table), rows in tables.items():
        columns = {
            name: _as_text(column, offsets=source == "crm")
            for name, column in zip(rows.column_names, rows.columns, strict=True)
        }
        for name, unparseable in cells.get((source, table), {}).items():
            for row, text in unparseable:
                columns[name][row] = text
        folder = to / source
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / f"demo_{source}__{table}.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(columns)
            writer.writerows(zip(*columns.values(), strict=True))
    (to / "_demo.yml").write_text(_entries(tables), encoding="utf-8")
    return {f"{source}.{table}": rows.num_rows for (source, table), rows in tables.items()}


def _entries(tables: Mapping[tuple[str, str], pa.Table]) -> str:
    """The YAML of the seeds. Every column is text, so that staging has values to cast and to reject."""
    lines = [
        "version: 2",
        "",
        "# Written by `make demo`, as the seeds are. Columns are those of the source contract.",
        "# A seed is loaded only while its source is the demo.",
        "seeds:",
    ]
    for source, table in SOURCES:
        names, about = tables[source, table].column_names, contract()[source, table]["description"].strip()
        lines += [
            f"  - name: demo_{source}__{table}",
            f"    description: {json.dumps(f'Raw demo data. {about}')}",
            "    config:",
            f"      enabled: \"{{{{ var('{source}') == 'demo' }}}}\"",
            "      column_types:",
            *(f"        {name}: string" for name in names),
        ]
    return "\n".join(lines) + "\n"


def _as_text(column: pa.ChunkedArray, offsets: bool) -> list[str | None]:
    """A column as text: times as ISO 8601 in UTC or, where `offsets`, now and then two hours east of it."""
    if not pa.types.is_timestamp(column.type):
        text: list[str | None] = pc.cast(column, pa.string()).to_pylist()
        return text
    moments: list[datetime | None] = column.to_pylist()
    return [
        None
        if at is None
        else (at + timedelta(hours=2)).strftime("%Y-%m-%dT%H:%M:%S+02:00")
        if offsets and row % OFFSET_EVERY == 4
        else at.strftime("%Y-%m-%dT%H:%M:%SZ")
        for row, at in enumerate(moments)
    ]

"""Writing the demo shop: typed Parquet part files, or small CSV seeds as text."""

import csv
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from datetime import timedelta
from multiprocessing import get_context
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from mailroom.demo import constants as c
from mailroom.demo.chunk import Chunk, build_chunk
from mailroom.demo.contract import SOURCES, TRUTH
from mailroom.demo.world import Config, build_world

OFFSET_EVERY = 9  # in seeds, every ninth CRM row gives its times with an offset
PROGRESS_SECONDS = 5


def write_parquet(config: Config, to: Path, jobs: int) -> dict[str, int]:
    """Write `to`/<source>/<table>/part-<chunk>.parquet; returns rows per table. Files depend on config only."""
    for source, table in (*SOURCES, *TRUTH):
        folder = to / source / table
        folder.mkdir(parents=True, exist_ok=True)
        for old in folder.glob("part-*.parquet"):
            old.unlink()
    rows: dict[str, int] = {}
    begun = told = time.monotonic()
    for done, counts in enumerate(_written(config, to, jobs), start=1):
        for name, count in counts.items():
            rows[name] = rows.get(name, 0) + count
        if time.monotonic() - told > PROGRESS_SECONDS:
            told = time.monotonic()
            people = min(done * c.CHUNK_PEOPLE, config.customers)
            share = people / config.customers
            print(
                f"{people:,} of {config.customers:,} customers ({share:.0%}), {told - begun:.0f} s",
                file=sys.stderr,
            )
    return rows


def _written(config: Config, to: Path, jobs: int) -> Iterator[dict[str, int]]:
    if jobs <= 1 or config.chunks == 1:
        for index in range(config.chunks):
            yield _write_chunk(config, to, index)
        return
    with ProcessPoolExecutor(min(jobs, config.chunks), get_context("spawn")) as pool:
        yield from pool.map(
            _write_chunk, [config] * config.chunks, [to] * config.chunks, range(config.chunks)
        )


def _write_chunk(config: Config, to: Path, index: int) -> dict[str, int]:
    pa.set_cpu_count(1)
    chunk = build_chunk(build_world(config), index)
    for (source, table), rows in chunk.tables.items():
        pq.write_table(
            rows, to / source / table / f"part-{index:05d}.parquet", compression="zstd", compression_level=1
        )
    return {f"{source}.{table}": rows.num_rows for (source, table), rows in chunk.tables.items()}


def write_seeds(config: Config, to: Path) -> dict[str, int]:
    """Write `to`/<source>/demo_<source>__<table>.csv, every value as text; returns rows per table."""
    if config.chunks > 1:
        raise ValueError(f"seeds are for small shops: at most {c.CHUNK_PEOPLE:,} customers")
    chunk = build_chunk(build_world(config), 0)
    counts = {}
    for (source, table), rows in chunk.tables.items():
        folder = to / source
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / f"demo_{source}__{table}.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(rows.column_names)
            writer.writerows(zip(*_as_text(chunk, source, table), strict=True))
        counts[f"{source}.{table}"] = rows.num_rows
    return counts


def _as_text(chunk: Chunk, source: str, table: str) -> list[list[str | None]]:
    """The columns of a table as text; times as ISO 8601 in UTC, some of the CRM's with an offset."""
    columns = []
    for name, column in zip(
        chunk.tables[source, table].column_names, chunk.tables[source, table].columns, strict=True
    ):
        if pa.types.is_timestamp(column.type):
            texts = []
            for row, at in enumerate(column.to_pylist()):
                if at is None:
                    texts.append(None)
                elif source == "crm" and row % OFFSET_EVERY == 4:
                    texts.append((at + timedelta(hours=2)).strftime("%Y-%m-%dT%H:%M:%S+02:00"))
                else:
                    texts.append(at.strftime("%Y-%m-%dT%H:%M:%SZ"))
        else:
            texts = pc.cast(column, pa.string()).to_pylist()
        for row, text in chunk.unparseable.get((source, table), {}).get(name, []):
            texts[row] = text
        columns.append(texts)
    return columns

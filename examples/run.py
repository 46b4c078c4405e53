"""Build Mailroom on a public data set: map its file onto the source contract, run dbt, reconcile.

python -m examples.run online_retail

An example is a folder with three files. map.sql makes the tables of the contract from the view raw_file,
vars.yml gives dbt their location, and reconcile.sql counts rows and money floor by floor.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import yaml

from mailroom.sql import SETTINGS

ROOT = Path(__file__).resolve().parents[1]
DBT = "import sys; from dbt.cli.main import cli; sys.exit(cli())"
COUNTS = ("n_lines", "n_orders", "n_customers", "amount")


@dataclass(frozen=True)
class Example:
    """A data set: its file below the shared data, and the contract tables that map.sql makes."""

    name: str
    file: str
    tables: tuple[str, ...]  # <source>.<table>
    title: str

    @property
    def folder(self) -> Path:
        return ROOT / "examples" / self.name


EXAMPLES = {
    example.name: example
    for example in (
        Example(
            "online_retail",
            "online_retail/online_retail.parquet",
            ("shop.customers", "shop.products", "shop.orders", "shop.order_lines", "shop.refunds"),
            "Online Retail: a gift shop's invoice lines, December 2010 to December 2011",
        ),
        Example(
            "retailrocket",
            "retailrocket/events.parquet",
            ("web.events", "shop.products", "shop.orders", "shop.order_lines"),
            "Retailrocket: views, cart adds and purchases of 2,174 buyers, May to September 2015",
        ),
        Example(
            "cdnow",
            "cdnow/cdnow_master.parquet",
            ("shop.customers", "shop.orders"),
            "CDNOW: every order of those who first bought in the first quarter of 1997, to June 1998",
        ),
    )
}


@dataclass(frozen=True)
class Part:
    """A line of the reconciliation: rows and money of one part of a floor. None: not counted there."""

    floor: str
    part: str
    n_lines: int | None
    n_orders: int | None
    n_customers: int | None
    amount: Decimal | None


@dataclass(frozen=True)
class Place:
    """Output paths of an example: mapped Parquet files, dbt's artefacts and the warehouse."""

    data: Path
    target: Path
    warehouse: Path

    @classmethod
    def below(cls, root: Path, name: str) -> "Place":
        return cls(root / "data" / name, root / "target" / name, root / "warehouse" / f"{name}.duckdb")


@dataclass
class Reconciliation:
    """The parts of every floor. A floor that counts lines or money must add up to the first one."""

    parts: list[Part]
    gaps: list[str] = field(init=False)

    def __post_init__(self) -> None:
        self.gaps = []
        file, *above = self.floors()
        for floor in above:
            for what in ("n_lines", "amount"):
                expected, found = self.total(file, what), self.total(floor, what)
                if found is not None and found != expected:
                    self.gaps.append(f"{floor}: {what} is {found:,}, but {expected:,} in the file")

    def floors(self) -> list[str]:
        return list(dict.fromkeys(part.floor for part in self.parts))

    def total(self, floor: str, what: str) -> int | Decimal | None:
        """The sum over a floor's parts, or None if one of them does not count it."""
        counts = [getattr(part, what) for part in self.parts if part.floor == floor]
        return None if None in counts else sum(counts)

    def table(self) -> Iterator[str]:
        width = max(len(part.part) for part in self.parts) + 2
        heads = ("lines", "orders", "customers", "money")
        yield " " * width + "".join(f"{head:>12}" for head in heads[:3]) + f"{heads[3]:>16}"
        for floor in self.floors():
            yield floor
            for part in self.parts:
                if part.floor == floor:
                    yield _row("  " + part.part, [getattr(part, count) for count in COUNTS], width)
            totals = [self.total(floor, "n_lines"), None, None, self.total(floor, "amount")]
            if sum(part.floor == floor for part in self.parts) > 1:
                yield _row("  =", totals, width)


def _row(label: str, counts: list[int | Decimal | None], width: int) -> str:
    cells = ["" if count is None else f"{count:,}" for count in counts]
    return f"{label:<{width}}" + "".join(f"{cell:>12}" for cell in cells[:3]) + f"{cells[3]:>16}"


def shared_data() -> Path:
    """The folder of public data sets: MAILROOM_SHARED_DATA, otherwise ../shared/data beside the checkout."""
    return Path(os.environ.get("MAILROOM_SHARED_DATA", ROOT.parent / "shared" / "data"))


def map_tables(example: Example, file: Path, data: Path) -> Iterator[tuple[str, int]]:
    """Write the contract's tables to data/<source>/<table>.parquet. Yields each with its row count."""
    with duckdb.connect() as connection:
        connection.execute("set threads = 2")
        connection.execute(f"create view raw_file as {_parquet(file, 'file_row_number = true')}")
        connection.execute((example.folder / "map.sql").read_text())
        for name in (*example.tables, "mapping.ledger"):
            source, table = name.split(".")
            path = data / source / f"{table}.parquet"
            path.parent.mkdir(parents=True, exist_ok=True)
            connection.execute(f"copy (select * from {table} order by all) to '{path}' (format parquet)")
            ((n_rows,),) = connection.execute(f"select count(*) from {table}").fetchall()
            yield name, n_rows


def build(example: Example, place: Place, earlier: Sequence[str] = ()) -> bool:
    """Run dbt build on the mapped tables, into a new DuckDB file. Returns whether it succeeded.

    Builds as of the moments in `earlier` first, then as of vars.yml, so that the ledgers have a history.
    """
    place.warehouse.parent.mkdir(parents=True, exist_ok=True)
    place.warehouse.unlink(missing_ok=True)
    text = (example.folder / "vars.yml").read_text().replace(f"data/{example.name}/", f"{place.data}/")
    variables = yaml.safe_load(text)
    moments = [*earlier, variables["as_of"]]
    return all(run_dbt({**variables, "as_of": moment}, place) for moment in moments)


def run_dbt(variables: dict[str, Any], place: Place) -> bool:
    """Run one dbt build. Returns whether it succeeded."""
    finished = subprocess.run(
        [
            *(sys.executable, "-c", DBT, "build"),
            *("--profiles-dir", str(ROOT), "--project-dir", str(ROOT)),
            *("--target-path", str(place.target), "--log-path", str(place.target)),
            *("--exclude-resource-type", "unit_test"),  # they expect the vars of the demo
            *("--vars", json.dumps(variables)),
        ],
        cwd=ROOT,
        env={**os.environ, "MAILROOM_DUCKDB_PATH": str(place.warehouse)},
        check=False,
    )
    return finished.returncode == 0


def reconcile(example: Example, file: Path, place: Place) -> Reconciliation:
    """Count rows and money of the file on every floor."""
    with duckdb.connect(str(place.warehouse), read_only=True, config=SETTINGS) as connection:
        connection.execute(f"create temp view raw_file as {_parquet(file)}")
        connection.execute(
            f"create temp view ledger as {_parquet(place.data / 'mapping' / 'ledger.parquet')}"
        )
        for name in example.tables:
            source, table = name.split(".")
            mapped = _parquet(place.data / source / f"{table}.parquet")
            connection.execute(f"create temp view contract_{table} as {mapped}")
        rows = connection.sql((example.folder / "reconcile.sql").read_text()).fetchall()
    return Reconciliation([Part(*row) for row in rows])


def _parquet(file: Path, option: str = "") -> str:
    return f"select * from read_parquet('{file}'{', ' + option if option else ''})"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m examples.run", description=__doc__.splitlines()[0])
    parser.add_argument("example", choices=sorted(EXAMPLES))
    parser.add_argument("--below", type=Path, default=ROOT, help="folder to write to (default: the checkout)")
    parser.add_argument(
        "--earlier", nargs="*", default=[], metavar="MOMENT", help="build as of these moments first"
    )
    arguments = parser.parse_args()
    example = EXAMPLES[arguments.example]
    file = shared_data() / example.file
    if not file.exists():
        print(f"{file} is missing. Set MAILROOM_SHARED_DATA to the folder that has {example.file}.")
        return 2
    place = Place.below(arguments.below.resolve(), example.name)
    started = time.monotonic()
    print(f"{example.title}\nMapping {file.name} …", flush=True)
    for table, n_rows in map_tables(example, file, place.data):
        print(f"  mapped {n_rows:>9,} rows  {table}", flush=True)
    if not build(example, place, arguments.earlier):
        return 1
    reconciliation = reconcile(example, file, place)
    print()
    print("\n".join(reconciliation.table()))
    print(f"\n{place.warehouse} in {time.monotonic() - started:.0f} s.", end=" ")
    if reconciliation.gaps:
        print("The floors do not add up to the file:", *reconciliation.gaps, sep="\n  ")
        return 1
    print("Every floor adds up to the file.")
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Measure Mailroom beside floors, peers, truths and papers, and write benchmarks/report.md,
its plots and docs/scale.md.

    python -m benchmarks                                   everything
    python -m benchmarks --only overhead activation        these parts; of the others what was measured last
    python -m benchmarks --only shops --shops 5000x540 20000x540    smaller shops, to try it out
    python -m benchmarks --only identity --people 20000x365      who is one person, beside Splink

Shops, warehouses and measurements go to benchmarks/data, or to the folder that MAILROOM_BENCH_DATA names. A
shop of the same size, days, seed and generator is used again, and so is a measurement of the same code (the
last commit that changed what it measures, and nothing uncommitted). Everything takes a little more than two
hours on two cores, and 85 GB of disk: five million customers' warehouse and what their recommendations spill
are 63, a million's warehouse 12.
"""

import argparse
import os
import shutil
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

from benchmarks import activation, identity, measurement, overhead, scores, shops, spark
from benchmarks.measure import PROJECT, Json, say
from benchmarks.report import PARTS, keep, write_report


def size(text: str) -> tuple[int, int]:
    """customers and days, of e.g. 100000x540."""
    customers, _, days = text.partition("x")
    return int(customers), int(days)


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", nargs="+", choices=list(PARTS), default=list(PARTS))
    parser.add_argument(
        "--shops",
        type=size,
        nargs="+",
        default=[(100_000, 540), (1_000_000, 540), (5_000_000, 90)],
        metavar="CUSTOMERSxDAYS",
    )
    parser.add_argument(
        "--people",
        type=size,
        nargs="+",
        default=[(20_000, 365), (100_000, 365)],
        metavar="CUSTOMERSxDAYS",
        help="the shops of identity",
    )
    parser.add_argument("--seed", type=int, default=7, metavar="S")
    parser.add_argument("--fresh", action="store_true", help="measure again what was measured before")
    arguments = parser.parse_args()
    folder = Path(os.environ.get("MAILROOM_BENCH_DATA", PROJECT / "benchmarks" / "data")).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    say(f"{shutil.disk_usage(folder).free / 1e9:.0f} GB free")
    measure: dict[str, Callable[[Path, bool], Json]] = {
        "shops": partial(shops.measure, shops=arguments.shops, seed=arguments.seed),
        "identity": partial(identity.measure, shops=arguments.people, seed=arguments.seed),
        "spark": partial(spark.measure, seed=arguments.seed),
        "overhead": overhead.measure,
        "scores": scores.measure,
        "activation": activation.measure,
        "measurement": measurement.measure,
    }
    for part in arguments.only:
        keep(part, measure[part](folder, arguments.fresh), folder / "results")
        write_report(folder / "results")
    say("benchmarks/report.md")
    return 0


if __name__ == "__main__":
    sys.exit(main())

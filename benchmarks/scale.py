"""docs/scale.md: measurements on two cores, extrapolated to a hundred million customers on a cluster."""

from dataclasses import dataclass
from pathlib import Path

from benchmarks import spark
from benchmarks.formats import seconds, table
from benchmarks.measure import PROJECT, Json
from benchmarks.shops_report import BUILDS, exponent, judged, name_of

FILE = PROJECT / "docs" / "scale.md"
CUSTOMERS = 100_000_000


@dataclass(frozen=True)
class Cluster:
    """Number of workers, cores and GB of memory of each, and the share of cores that a build keeps busy."""

    workers: int = 32
    cores: int = 16
    memory: int = 128
    busy: float = 0.5

    @property
    def all_cores(self) -> int:
        return self.workers * self.cores


def needed(shops: Json, engines: Json, build: str) -> Json:
    """Return the processor seconds of a build for CUSTOMERS on Spark, and their factors."""
    sizes = shops["shops"]
    largest = judged(sizes)
    grown = exponent(sizes, build, "cpu")
    if grown is None:
        raise ValueError("an exponent needs two shops with the same number of days")
    times = (CUSTOMERS / largest["customers"]) ** grown
    on_duckdb = largest[build]["used"]["cpu"]
    ratio = spark.ratio(engines, spark.SIZES[-1])
    return {
        "measured": on_duckdb, "exponent": grown, "times": times, "ratio": ratio,
        "cpu": on_duckdb * times * ratio,
    }  # fmt: skip


def write_page(shops: Json, engines: Json, file: Path = FILE, cluster: Cluster | None = None) -> None:
    """Write the page from the parts shops and spark of the report."""
    cluster = cluster or Cluster()
    sizes = shops["shops"]
    largest = judged(sizes)
    smallest = engines["sizes"][str(spark.SIZES[0])]["spark"]
    # The time that more machines don't shorten: with so few customers it is almost only dbt's and Spark's
    # own.
    serial = smallest["used"]["wall"]
    times = CUSTOMERS / largest["customers"]
    rows, steps = [], []
    for build, label in BUILDS.items():
        of = needed(shops, engines, build)
        share = len(largest[build]["models"]) / len(largest["full"]["models"])
        started = serial * share
        wall = started + of["cpu"] / (cluster.all_cores * cluster.busy)
        in_proportion = started + of["measured"] * times * of["ratio"] / (cluster.all_cores * cluster.busy)
        rows.append(
            [
                label, seconds(of["measured"]), f"{of['exponent']:.2f}", f"{of['times']:,.0f}",
                f"{of['ratio']:.1f}", f"{of['cpu'] / 3600:,.0f} h", f"{started / 60:.0f} min",
                f"**{wall / 60:,.0f} min**", f"{in_proportion / 60:,.0f} min",
            ]
        )  # fmt: skip
        steps.append(
            f"- {label}: {of['measured']:,.0f} s × "
            f"{times:,.0f}^{of['exponent']:.2f} × {of['ratio']:.1f} = "
            f"{of['cpu']:,.0f} s of processor. {of['cpu']:,.0f} s ÷ ({cluster.all_cores} cores × "
            f"{cluster.busy:.0%}) + {started:,.0f} s = {wall:,.0f} s."
        )
    raw = largest["made"]["bytes"] * times
    kept = engines["sizes"][str(spark.SIZES[-1])]["spark"]["size"] * CUSTOMERS / spark.SIZES[-1]
    per_core = kept / cluster.all_cores
    lines = [
        "# A hundred million customers",
        "",
        "`make bench` writes this page from what [the report](../benchmarks/report.md) measured. It is not "
        "edited by hand. Mailroom has not run at this size: these are the measured numbers, extrapolated.",
        "",
        f"The cluster: {cluster.workers} workers of {cluster.cores} cores and {cluster.memory} GB "
        f"({cluster.all_cores} cores in all), Spark with Delta or Iceberg tables. The shop: "
        f"{name_of(largest)} as generated, {times:,.0f} times over: "
        f"{largest['made']['rows']['web.events'] * times / 1e9:,.1f} billion web events, "
        f"{largest['made']['rows']['esp.message_events'] * times / 1e9:,.1f} billion message events, "
        f"{raw / 1e12:.2f} TB of Parquet.",
        "",
        *table(
            [
                "",
                f"Processors, {largest['customers']:,} customers, DuckDB",
                "Exponent",
                f"Times as much at {CUSTOMERS:,}",
                "Spark ÷ DuckDB",
                "Core hours on Spark",
                "Not parallel",
                "Wall",
                "Wall if in proportion",
            ],
            rows,
        ),
        "",
        "The arithmetic, line by line:",
        "",
        *steps,
        "",
        "How each number was obtained:",
        "",
        f"- Exponents by processor time between {sizes[0]['customers']:,} and {largest['customers']:,} "
        f"customers. Over this distance, 0.05 more in one would be {times**0.05 - 1:.0%} more in the result. "
        "dbt's own work, which does not grow, lowers them: the last column is in proportion to customers.",
        f"- Spark ÷ DuckDB: processor seconds of the same models at {spark.SIZES[-1]:,} customers on the "
        f"same cores ({spark.ratio(engines, spark.SIZES[0]):.1f} at {spark.SIZES[0]:,}: it falls with "
        "size). Tests are assumed to cost the same multiple. The ratio is of a full build. Later builds copy "
        "tables that DuckDB changes in place ([engines](engines.md)), which is not included.",
        f"- {cluster.busy:.0%} of the cores busy is an assumption: stages wait for their slowest task, and "
        "models for their parents. dbt runs as many models at once as `threads` says.",
        f"- Not parallel: the wall of the smallest shop on Spark ({seconds(serial)} for "
        f"{spark.SIZES[0]:,} customers), by the number of models. More machines do not shorten it. More "
        "threads do.",
        f"- Tables on Spark: {kept / 1e12:.2f} TB of Parquet, {per_core / 1e9:.2f} GB a core, beside "
        f"{cluster.memory / cluster.cores:.0f} GB of memory.",
        "",
        "Three things may not grow in proportion: identity's rounds (one more join for each doubling "
        "of the longest chain), customers with very many events, because one task gets each whole, and "
        "addresses on very many records. Count the rows of the largest keys before you buy the cluster.",
    ]
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")

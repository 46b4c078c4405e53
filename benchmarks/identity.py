"""Who is one person, on generated shops against their truth: Mailroom beside Splink's rules and its model.

Mailroom for certain, and with probable pairs from each of PROBABLE; Splink by exact rules and by the model
that it trains (splink_peer). All on the same records, scored by accuracy. The shops have few web and mail
events: nothing is asked of them here. Kept by commit of the models, the generator and the scoring.
"""

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from benchmarks.formats import Aim, seconds, table
from benchmarks.measure import Json, Measurements, Warehouse, measured_commit, python, say, shop
from benchmarks.shops import MEASURED
from mailroom.demo import constants as c

FEW = {
    "web_events_per_order": 3.0,
    "message_events_per_customer": 5.0,
}  # per order, and per customer in 540 days
PROBABLE = (0.998, 0.9999)  # var identity_probable_from
EXACT = {
    "raw": "Splink, exact rules on every identifier",
    "usable": "Splink, exact rules on usable identifiers",
    "guarded": "Splink, exact rules on what Mailroom's guards let through",
}
AIMS = {"precision": 0.999, "recall": 0.9}
BENCH = (
    "benchmarks/accuracy.py", "benchmarks/splink_peer.py", "src/mailroom/demo", "src/mailroom/matching.py",
)  # fmt: skip
BUILD = ("build", "--select", "+customer_keys", "--resource-type", "seed", "--resource-type", "model")
SURE = "Mailroom, joined for certain"


def probable(least: float) -> str:
    return f"Mailroom, with probable pairs from {least}"


def measure(folder: Path, fresh: bool, shops: list[tuple[int, int]], seed: int) -> Json:
    """Measure every shop, as (customers, days), smallest first."""
    commit, results = measured_commit(folder, (*MEASURED, *BENCH), fresh)
    found = []
    for customers, days in sorted(shops):
        data, made = shop(folder, customers, days, seed, **FEW)
        work = folder / f"work-identity-{customers}-{days}d"
        found.append({"customers": customers, "days": days, "made": made} | _measured(results, data, work))
    return {"commit": commit, "seed": seed, "shops": found}


def _measured(results: Measurements, data: Path, work: Path) -> Json:
    """Measure one shop. ways: seconds and score or error of each way of joining, in the order of the
    report."""
    ways: Json = {}

    def step(name: str, measured: Callable[[], Json]) -> Json:
        return results.of(f"{work.name}-{name}", measured)

    def score(warehouse: Warehouse, name: str, clusters: str | None = None) -> Json:
        arguments = [str(warehouse.file), str(data), *([clusters] if clusters else [])]
        return step(f"score-{name}", lambda: python("accuracy", *arguments, log=work / f"score-{name}.log"))

    def ours(name: str, label: str, **variables: float) -> Warehouse:
        warehouse = Warehouse(data, work / f"{name}.duckdb", variables)
        built = step(name, lambda: _built(warehouse))
        if not warehouse.file.exists():
            _built(warehouse)
        ways[label] = {"seconds": built["used"]["wall"]} | score(warehouse, name)
        return warehouse

    sure = ours("sure", SURE)
    for least in PROBABLE:
        ours(f"probable-{least}", probable(least), identity_probable_from=least)
    for form, label in EXACT.items():
        out = work / f"splink-{form}.parquet"
        peer = step(f"splink-{form}", lambda form=form, out=out: _peer(sure, form, out))  # type: ignore[misc]
        if "result" in peer:
            spent = peer["result"]["link"] + peer["result"]["cluster"]
            ways[label] = {"seconds": spent} | score(sure, form, str(out))
        else:
            ways[label] = peer
    peer = step("splink-model", lambda: _peer(sure, "model", work / "splink-model.parquet"))
    if "result" not in peer:
        return {"ways": ways | {"Splink, its model": peer}}
    model = peer["result"]
    for least, clusters in model["clusters"].items():
        spent = model["learn"] + model["link"] + model["cluster"]
        ways[f"Splink, its model from {least}"] = {"seconds": spent} | score(sure, f"model-{least}", clusters)
    return {"ways": ways}


def _built(warehouse: Warehouse) -> Json:
    warehouse.file.unlink(missing_ok=True)
    build = warehouse.dbt(*BUILD, name=warehouse.file.stem)
    if build.failures:
        say(f"{warehouse.file.stem}: {', '.join(build.failures)}")
    return asdict(build)


def _peer(warehouse: Warehouse, form: str, out: Path) -> Json:
    return python("splink_peer", str(warehouse.file), form, str(out), log=out.with_suffix(".log"))


def aims(found: Json) -> list[Aim]:
    """Return precision and recall of Mailroom's joins for the largest shop."""
    size = found["shops"][-1]
    reached = []
    for label, way in size["ways"].items():
        if label.startswith("Mailroom") and "result" in way:
            for what, least in AIMS.items():
                value = way["result"][what]
                name = (
                    f"identity of {size['customers']:,} customers: {label.removeprefix('Mailroom, ')}, {what}"
                )
                reached.append(Aim(name, f"{value:.5f}", f"≥ {least}", value >= least))
    return reached


def _row(customers: int, label: str, way: Json) -> list[str]:
    if "result" not in way:
        return [f"{customers:,}", label, "did not finish", "", "", "", ""]
    score = way["result"]
    pairs = score["pairs"]
    return [
        f"{customers:,}", label, *(f"{score[what]:.5f}" for what in ("precision", "recall", "recall_of_all")),
        f"{pairs['joined'] - pairs['joined_rightly']:,} of {pairs['joined']:,}", seconds(way["seconds"]),
    ]  # fmt: skip


def chapter(found: Json) -> list[str]:
    """What measure() found, as a chapter of the report."""
    sizes = found["shops"]
    size = sizes[-1]
    n_records = max(way["result"]["pairs"]["records"] for way in size["ways"].values() if "result" in way)
    notes = [
        f"{label}, {of['customers']:,} customers: {way['error']}"
        for of in sizes
        for label, way in of["ways"].items()
        if "error" in way
    ]
    lines = [
        "## Who is one person: Mailroom, Splink's rules, Splink's model",
        "",
        *table(
            ["Customers", "What", "Precision", "Recall", "Recall of all pairs", "False pairs", "Time"],
            [_row(of["customers"], label, way) for of in sizes for label, way in of["ways"].items()],
        ),
        "",
        f"One run on the same generated records ({n_records:,} at the largest size, over {size['days']} "
        "days), by pairs of records. Recall is among the pairs of one person that a careful person "
        "could join: the two share a usable identifier (an address, a number or an account that may belong "
        "to a person), or have the same name, birth date, street and postal code, or a "
        "chain of that person's records leads from one to the other. Recall of all pairs also counts "
        "unlinked pairs. Times: of Mailroom the whole build from raw files to customers, of "
        "Splink learning, linking and clustering, from a ready table in memory.",
        "",
        "What makes it hard, with its sources in `src/mailroom/demo/constants.py`: a typing error in "
        f"{c.NAME_SLIP_SHARE:.0%} of names, streets and birth dates each, {c.EMAIL_SLIP_SHARE:.0%} of "
        f"addresses, {c.PHONE_SLIP_SHARE:.1%} of numbers; {c.SWAPPED_NAMES_SHARE:.0%} of records with "
        f"the names swapped; {c.RECYCLED_SHARE:.1%} of people with a number that was another "
        f"customer's; of further members of a household {c.JUNIOR_SHARE:.0%} with the first one's name, "
        f"{c.TWIN_SHARE:.1%} a twin. Whole names are few "
        f"({len(c.FIRST_NAMES['de']) * len(c.LAST_NAMES['de'])} in German), and so are streets: "
        "strangers of one name, or at one street number, are far more frequent here than in life. That "
        "costs what weighs names (a model, probable pairs) more than what asks for an identifier.",
        "",
        *[f"- {note}" for note in notes],
        *([""] if notes else []),
    ]
    for label in (SURE, probable(PROBABLE[0])):
        way = size["ways"].get(label, {})
        if "result" in way:
            lines += _kinds(label, size["customers"], way["result"])
    return lines


def _kinds(label: str, customers: int, score: Json) -> list[str]:
    """Return the kinds of missed pairs and false joins of a way."""
    pairs = score["pairs"]
    missed, wrong = pairs["linked"] - pairs["linked_and_joined"], pairs["joined"] - pairs["joined_rightly"]
    return [
        f"{label}, {customers:,} customers. Missed, {missed:,} of {pairs['linked']:,} pairs:",
        "",
        *table(["Why", "Pairs"], [[kind, f"{count:,}"] for kind, count in score["misses"]]),
        "",
        f"False joins, {wrong:,} of {pairs['joined']:,} pairs:",
        "",
        *table(["How", "Pairs"], [[kind, f"{count:,}"] for kind, count in score["false_joins"]]),
        "",
    ]

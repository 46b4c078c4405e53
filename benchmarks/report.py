"""benchmarks/report.md and its two plots, out of the measurements. Nothing in the report is written "
"by hand."""

import math
import os
import platform
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import altair as alt
import pandas as pd

from benchmarks.accuracy import share
from benchmarks.floor import KEYS
from mailroom.demo.constants import NAMESAKE_SHARE

FOLDER = Path(__file__).parent
AIMS = {
    "ratio": 4.0, "daily": 0.1, "hourly": 60.0, "exponent": 1.1, "peak": 12e9,
    "precision": 0.999, "recall": 0.97,
}  # fmt: skip
Json = dict[str, Any]
BUILDS = {"full": "Full build", "daily": "The next day's build", "hourly": "The next hour's build"}


def seconds(value: float) -> str:
    return f"{value:,.0f} s" if value >= 20 else f"{value:.1f} s"


def verdict(value: float, aim: float, at_most: bool) -> str:
    return "met" if (value <= aim if at_most else value >= aim) else "missed"


def table(head: list[str], rows: list[list[str]]) -> list[str]:
    """A Markdown table; all columns but the first are set right."""
    rule = ["---", *["---:"] * (len(head) - 1)]
    return ["| " + " | ".join(row) + " |" for row in (head, rule, *rows)]


def machine() -> str:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    model = platform.machine()
    for line in Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []:
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
            break
    return f"{os.cpu_count()} cores ({model}), {memory / 1e9:.0f} GB of memory, {platform.system()}"


def floor_of(size: Json, form: str) -> float:
    return float(sum(size[f"floor-{form}"]["result"].values()))


def times_floor(size: Json, form: str) -> float:
    return float(size["full"]["used"]["wall"]) / floor_of(size, form)


def daily_share(size: Json) -> float:
    return float(size["daily"]["used"]["wall"]) / float(size["full"]["used"]["wall"])


def exponent(sizes: list[Json], of: str) -> float | None:
    """Log of the ratio of times over log of the ratio of sizes, smallest to largest."""
    if len(sizes) < 2:
        return None
    first, last = sizes[0], sizes[-1]
    grown = last[of]["used"]["wall"] / first[of]["used"]["wall"]
    return math.log(grown) / math.log(last["customers"] / first["customers"])


def write_report(sizes: list[Json], commit: str, arguments: Json) -> None:
    """Write report.md, model_seconds.png and growth.png beside this file. sizes: smallest first."""
    lines = [
        "# Benchmarks",
        "",
        "Written by `make bench` (`python -m benchmarks`); not edited by hand.",
        "",
        f"- Machine: {machine()}. DuckDB with 2 threads throughout.",
        "- Versions: Python " + platform.python_version() + "".join(
            f", {name} {version(name)}" for name in ("dbt-core", "dbt-duckdb", "duckdb", "splink")
        ) + ".",
        f"- Models as of commit {commit}, seed {arguments['seed']}, {arguments['days']} days, "
        f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC.",
        "- Load of the machine before a step (0 is quiet): "
        + ", ".join(
            f"{name} of {size['customers']:,} {size[name]['load']:.1f}"
            for size in sizes
            for name in ("floor-narrow", "floor-whole", *BUILDS)
            if "load" in size.get(name, {})
        )
        + ". Where others compute on the same cores, wall times say less than processor times.",
        "- DuckDB's memory limit: " + (arguments["memory_limit"] or "as in profiles.yml") + ".",
        "",
        *_speed(sizes),
        *_slowest(sizes[-1]),
        *_scans(sizes[-1]),
        *_identity(sizes),
        *_peer(sizes),
        *_floors(sizes[-1]),
    ]  # fmt: skip
    (FOLDER / "report.md").write_text("\n".join(lines).rstrip() + "\n", encoding="utf-8")
    _plots(sizes)


def _speed(sizes: list[Json]) -> list[str]:
    largest = sizes[-1]
    narrow, whole = times_floor(largest, "narrow"), times_floor(largest, "whole")
    daily = daily_share(largest)
    hourly = largest["hourly"]["used"]["wall"]
    peak = max(largest[name]["used"]["peak"] for name in BUILDS)
    rows = [
        ["Raw data, Parquet", *[f"{size['made']['bytes'] / 1e6:,.0f} MB" for size in sizes]],
        *[
            [name, *[f"{size['made']['rows'][key]:,}" for size in sizes]]
            for name, key in (
                ("Orders", "shop.orders"),
                ("Web events", "web.events"),
                ("Message events", "esp.message_events"),
            )
        ],
    ]
    for name, label in BUILDS.items():
        rows += [
            [f"**{label}**", *[f"**{seconds(size[name]['used']['wall'])}**" for size in sizes]],
            ["… processor time", *[seconds(size[name]["used"]["cpu"]) for size in sizes]],
            ["… peak memory (resident)", *[f"{size[name]['used']['peak'] / 1e9:.1f} GB" for size in sizes]],
            ["… warehouse file after it", *[f"{size[name]['size'] / 1e9:.2f} GB" for size in sizes]],
            ["… nodes built or tested", *[str(sum(size[name]["statuses"].values())) for size in sizes]],
            [
                "… nodes that failed, warned or were skipped",
                *[str(len(size[name]["failures"])) for size in sizes],
            ],
        ]
    rows += [
        ["Daily ÷ full build", *[f"{daily_share(size):.0%}" for size in sizes]],
        ["Floor, narrow", *[seconds(floor_of(size, "narrow")) for size in sizes]],
        ["Floor, whole", *[seconds(floor_of(size, "whole")) for size in sizes]],
        *[
            [f"Full build ÷ {form} floor", *[f"{times_floor(size, form):.1f}" for size in sizes]]
            for form in ("narrow", "whole")
        ],
    ]  # fmt: skip
    text = [
        "## Speed",
        "",
        *table(["", *[f"{size['customers']:,} customers" for size in sizes]], rows),
        "",
        "Each build is one `dbt build`, from its start to its end, with every data test: of everything as of "
        "the day before the last, then `--selector daily` as of the last day, then `--selector hourly` an "
        "hour later.",
        "",
        "The narrow floor reads two columns of each raw table, its person key and its time, and "
        "groups by the key "
        "(count, first, last). The whole floor reads every column, as the models must, and groups by "
        "the same key. "
        "Each is the best of three rounds in a process of its own, so from a warm file cache.",
        "",
        f"At {largest['customers']:,} customers: full build ÷ floor ≤ {AIMS['ratio']:.0f}: "
        f"{narrow:.1f} of the narrow floor ({verdict(narrow, AIMS['ratio'], True)}), "
        f"{whole:.1f} of the whole one ({verdict(whole, AIMS['ratio'], True)}). "
        f"Daily under {AIMS['daily']:.0%} of a full build: {daily:.0%} "
        f"({verdict(daily, AIMS['daily'], True)}). "
        f"Hourly under {AIMS['hourly']:.0f} s: {seconds(hourly)} ({verdict(hourly, AIMS['hourly'], True)}). "
        f"Peak memory under 12 GB: {peak / 1e9:.1f} GB ({verdict(peak, AIMS['peak'], True)}).",
    ]
    for size in sizes:
        for step in BUILDS:
            if names := size[step]["failures"]:
                more = f" and {len(names) - 12} more" if len(names) > 12 else ""
                text += ["", f"Not passed, {step} of {size['customers']:,}: {', '.join(names[:12])}{more}."]
    grown = {name: exponent(sizes, name) for name in BUILDS}
    if grown["full"] is not None:
        told = ", ".join(
            f"{value:.2f} {name} ({verdict(value, AIMS['exponent'], True)})"
            for name, value in grown.items()
            if value is not None
        )
        text += [
            "",
            f"Growth exponent from {sizes[0]['customers']:,} to {largest['customers']:,} customers "
            f"(aim ≤ {AIMS['exponent']}): {told}.",
            "",
            "![Seconds by number of customers](growth.png)",
        ]
    return [*text, ""]


def _slowest(size: Json) -> list[str]:
    lines = [f"## The slowest models at {size['customers']:,} customers", ""]
    for name, label in BUILDS.items():
        models = sorted(size[name]["models"].items(), key=lambda pair: -pair[1])
        total = sum(size[name]["models"].values())
        rows = [[f"`{model}`", seconds(spent), f"{spent / total:.1%}"] for model, spent in models[:10]]
        lines += [
            *table([label, "Time", "Share"], rows),
            "",
            f"Two models run at a time and share the cores: the times of all {len(models)} add up to "
            f"{seconds(total)}.",
            "",
        ]
    return [*lines, "![Seconds of the slowest models](model_seconds.png)", ""]


def _scans(size: Json) -> list[str]:
    return [
        "How often the tables' SQL names each raw file once views are written out (DuckDB may share "
        "some of these "
        "scans): " + ", ".join(f"{table} {count}" for table, count in size["scans"].items()) + ".",
        "",
    ]


def _score_row(name: str, score: Json) -> list[str]:
    return [
        name,
        f"{score['precision']:.5f}",
        f"{score['recall']:.5f}",
        f"{score['recall_of_all']:.5f}",
        f"{score['pairs']['joined']:,}",
        f"{score['pairs']['largest_cluster']:,}",
    ]


def _identity(sizes: list[Json]) -> list[str]:
    scored = [size for size in sizes if "result" in size.get("score", {})]
    if not scored:
        return ["## Identity", "", "Not scored: " + str(sizes[-1].get("score", {}).get("error")), ""]
    score = scored[-1]["score"]["result"]
    precision, recall, pairs, visitors = (score[key] for key in ("precision", "recall", "pairs", "visitors"))
    return [
        "## Identity against the generator's truth",
        "",
        *table(
            [
                "Customers",
                "Precision",
                "Recall",
                "Recall of all pairs",
                "Pairs joined",
                "Largest customer, records",
            ],
            [_score_row(f"{size['customers']:,}", size["score"]["result"]) for size in scored],
        ),
        "",
        f"Aim: precision ≥ {AIMS['precision']}: {verdict(precision, AIMS['precision'], False)}; "
        f"recall ≥ {AIMS['recall']}: {verdict(recall, AIMS['recall'], False)}.",
        "",
        "By pairs of records (shop account, CRM contact, ESP profile, guest checkout, help-desk "
        "requester). Recall is "
        "among pairs of one person that are linked: the two share a usable identifier, or a chain of "
        "that person's "
        "records leads from one to the other. Usable: an address, number or account as the models "
        "normalise it, "
        "unless it is a role account, a blocked or placeholder value or on more than 20 records. A "
        "phone without a "
        "given name beside it and a mailbox of several names are usable here although the models "
        "don't trust them. "
        "Recall of all pairs also counts people whose records share nothing.",
        "",
        "The precision hangs on how often two people of one household go by the same given name, for "
        f"which no source was found: the generator lets {NAMESAKE_SHARE:.0%} of those to whom chance gave "
        "another's name at home keep it.",
        "",
        f"Misses at {scored[-1]['customers']:,} customers, "
        f"{pairs['linked'] - pairs['linked_and_joined']:,} of {pairs['linked']:,} pairs:",
        "",
        *table(["Why", "Pairs"], [[kind, f"{count:,}"] for kind, count in score["misses"]]),
        "",
        f"False joins, {pairs['joined'] - pairs['joined_rightly']:,} of {pairs['joined']:,} pairs:",
        "",
        *table(["How", "Pairs"], [[kind, f"{count:,}"] for kind, count in score["false_joins"]]),
        "",
        f"Visitors, scored apart: of {visitors['own']:,} devices that one person uses, "
        f"{visitors['own_joined']:,} are joined to a customer, "
        f"{share(visitors['own_joined_rightly'], visitors['own_joined']):.3%} of them to the right one; of "
        f"{visitors['shared']:,} devices that several people use, {visitors['shared_left_alone']:,} are "
        "given to nobody.",
        "",
    ]


def _peer(sizes: list[Json]) -> list[str]:
    rows, notes = [], []
    for size in sizes:
        if "identity" not in size:
            continue
        models = size["identity"]["models"]
        whole, clustering = sum(models.values()), sum(models.values()) - models["person_identifiers"]
        name = f"{size['customers']:,}"
        ours = [*_score_row("", size["score"]["result"])[1:3]] if "result" in size["score"] else ["", ""]
        rows += [
            [name, "Mailroom, from raw identifiers and names to customers", seconds(whole), "1.0", *ours],
            [name, "Mailroom, from guarded identifiers to customers", seconds(clustering),
             f"{clustering / whole:.1f}", *ours],
        ]  # fmt: skip
        for form, label in (
            ("guarded", "Splink 5, guarded identifiers"),
            ("raw", "Splink 5, raw identifiers"),
        ):
            peer = size.get(f"splink-{form}", {})
            if "result" not in peer:
                rows.append([name, label, "did not finish", "", "", ""])
                notes.append(f"{label}, {name} customers: {peer.get('error')}")
                continue
            spent = peer["result"]["link"] + peer["result"]["cluster"]
            scored = size.get(f"score-{form}", {}).get("result")
            rows.append([
                name,
                f"{label}: {peer['result']['pairs']:,.0f} pairs",
                seconds(spent),
                f"{spent / whole:.1f}",
                *(_score_row("", scored)[1:3] if scored else ["", ""]),
            ])  # fmt: skip
    if not rows:
        return []
    records = sizes[-1].get("splink-guarded", {}).get("result", {}).get("records", 0)
    return [
        "## Identity against Splink 5",
        "",
        *table(["Customers", "What", "Time", "÷ Mailroom", "Precision", "Recall"], rows),
        "",
        f"The same records ({records:,.0f} at the largest size) on DuckDB with two threads. Splink: "
        "deterministic "
        "rules (same address, same number, same account), then its own clustering; timed from a "
        "ready table of "
        "normalised identifiers in memory. Mailroom: its models written to the warehouse file, one "
        "after the other, "
        "on their own; the first line also normalises phones and mailboxes and decides what may "
        "join, which Splink "
        "is spared. Guarded gives Splink what Mailroom's guards let through; raw gives it every identifier.",
        "",
        *[f"- {note}" for note in notes],
        *([""] if notes else []),
    ]


def _floors(size: Json) -> list[str]:
    rows = []
    for name, (key, at) in KEYS.items():
        narrow, whole = (size[f"floor-{form}"]["result"][name] for form in ("narrow", "whole"))
        rows.append([name, f"`{key}`" + (f", `{at}`" if at else ""), f"{narrow:.2f} s", f"{whole:.2f} s"])
    return [
        f"## The floor, table by table, at {size['customers']:,} customers",
        "",
        *table(["Raw table", "Columns of the narrow floor", "Narrow", "Whole"], rows),
        "",
    ]


def _plots(sizes: list[Json]) -> None:
    largest = sizes[-1]
    models = sorted(largest["full"]["models"].items(), key=lambda pair: -pair[1])[:20]
    spent = [
        {"model": model, "build": label, "seconds": largest[name]["models"].get(model, 0.0)}
        for model, _ in models
        for name, label in BUILDS.items()
    ]
    bars = (
        alt.Chart(pd.DataFrame(spent))
        .mark_bar()
        .encode(
            x=alt.X("seconds:Q", title="seconds"),
            y=alt.Y("model:N", sort=[model for model, _ in models], title=None),
            yOffset=alt.YOffset("build:N", sort=list(BUILDS.values())),
            color=alt.Color("build:N", sort=list(BUILDS.values()), title=None),
        )
        .properties(width=420, title=f"The slowest models, {largest['customers']:,} customers")
    )
    bars.save(FOLDER / "model_seconds.png", scale_factor=1.5)
    if len(sizes) < 2:
        return
    points = pd.DataFrame(
        [
            {"customers": size["customers"], "what": what, "seconds": value}
            for size in sizes
            for what, value in (
                *((label, size[name]["used"]["wall"]) for name, label in BUILDS.items()),
                ("floor, whole", floor_of(size, "whole")),
                ("floor, narrow", floor_of(size, "narrow")),
            )
        ]
    )
    growth = (
        alt.Chart(points)
        .mark_line(point=True)
        .encode(
            x=alt.X("customers:Q", scale=alt.Scale(type="log"), title="customers"),
            y=alt.Y("seconds:Q", scale=alt.Scale(type="log"), title="seconds"),
            color=alt.Color("what:N", title=None),
        )
        .properties(width=420, height=260, title="Seconds by number of customers")
    )
    growth.save(FOLDER / "growth.png", scale_factor=1.5)

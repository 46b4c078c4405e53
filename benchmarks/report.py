"""benchmarks/report.md and its two plots, out of the measurements. Nothing in the report is written "
"by hand."""

import math
import os
import platform
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import altair as alt
import pandas as pd

from benchmarks.accuracy import share
from benchmarks.floor import KEYS, ROUNDS
from mailroom.demo.constants import NAMESAKE_SHARE

FOLDER = Path(__file__).parent
AIMS = {"ratio": 4.0, "exponent": 1.1, "peak": 12e9, "precision": 0.999, "recall": 0.97}
Json = dict[str, Any]
BUILD_ROWS: list[tuple[str, Callable[[Json], str]]] = [
    ("`dbt build`, with every test", lambda build: seconds(build["used"]["wall"])),
    ("… peak memory", lambda build: f"{build['used']['peak'] / 1e9:.1f} GB"),
    ("… nodes that failed, warned or were skipped", lambda build: str(len(build["failures"]))),
]


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


def floor_cpu(size: Json, form: str) -> float:
    return float(size[f"floor-{form}"]["used"]["cpu"]) / ROUNDS


def exponent(sizes: list[Json], of: str) -> float | None:
    """Log of the ratio of times over log of the ratio of sizes, smallest to largest."""
    if len(sizes) < 2:
        return None
    first, last = sizes[0], sizes[-1]
    grown = {
        "process": last["run"]["used"]["wall"] / first["run"]["used"]["wall"],
        "processor": last["run"]["used"]["cpu"] / first["run"]["used"]["cpu"],
        "models": last["run"]["models_wall"] / first["run"]["models_wall"],
    }[of]
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
            for name in ("floor-narrow", "floor-whole", "run", "build")
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
    ratio = largest["run"]["models_wall"] / floor_of(largest, "narrow")
    whole = largest["run"]["models_wall"] / floor_of(largest, "whole")
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
        ["`dbt run`, whole process", *[seconds(size["run"]["used"]["wall"]) for size in sizes]],
        ["… first model to last", *[seconds(size["run"]["models_wall"]) for size in sizes]],
        ["… dbt starting and stopping", *[
            seconds(size["run"]["used"]["wall"] - size["run"]["models_wall"]) for size in sizes
        ]],
        ["Processor time", *[seconds(size["run"]["used"]["cpu"]) for size in sizes]],
        ["… ÷ processor time of the narrow floor", *[
            f"{size['run']['used']['cpu'] / floor_cpu(size, 'narrow'):.1f}" for size in sizes
        ]],
        ["… ÷ processor time of the whole floor", *[
            f"{size['run']['used']['cpu'] / floor_cpu(size, 'whole'):.1f}" for size in sizes
        ]],
        ["Peak memory (resident)", *[f"{size['run']['used']['peak'] / 1e9:.1f} GB" for size in sizes]],
        ["Warehouse file", *[f"{size['run']['size'] / 1e9:.2f} GB" for size in sizes]],
        ["Floor, narrow", *[seconds(floor_of(size, "narrow")) for size in sizes]],
        ["Floor, whole", *[seconds(floor_of(size, "whole")) for size in sizes]],
        ["**Models ÷ narrow floor**", *[
            f"**{size['run']['models_wall'] / floor_of(size, 'narrow'):.1f}**" for size in sizes
        ]],
        ["**Models ÷ whole floor**", *[
            f"**{size['run']['models_wall'] / floor_of(size, 'whole'):.1f}**" for size in sizes
        ]],
    ]  # fmt: skip
    if any("build" in size for size in sizes):
        rows += [
            [name, *[of(size["build"]) if "build" in size else "not run" for size in sizes]]
            for name, of in BUILD_ROWS
        ]
    text = [
        "## Speed",
        "",
        *table(["", *[f"{size['customers']:,} customers" for size in sizes]], rows),
        "",
        "The narrow floor reads two columns of each raw table, its person key and its time, and "
        "groups by the key "
        "(count, first, last). The whole floor reads every column, as the models must, and groups by "
        "the same key. "
        "Each is the best of three rounds in a process of its own, so from a warm file cache.",
        "",
        f"Aim: models ÷ floor ≤ {AIMS['ratio']:.0f}: {ratio:.1f} of the narrow floor "
        f"({verdict(ratio, AIMS['ratio'], True)}), {whole:.1f} of the whole one "
        f"({verdict(whole, AIMS['ratio'], True)}). "
        f"Aim: peak memory < 12 GB: {largest['run']['used']['peak'] / 1e9:.1f} GB "
        f"({verdict(largest['run']['used']['peak'], AIMS['peak'], True)}).",
    ]
    for size in sizes:
        for step in ("run", "build"):
            if names := size.get(step, {}).get("failures"):
                more = f" and {len(names) - 12} more" if len(names) > 12 else ""
                text += ["", f"Not passed, {step} of {size['customers']:,}: {', '.join(names[:12])}{more}."]
    models, process, processor = (exponent(sizes, of) for of in ("models", "process", "processor"))
    if models is not None and process is not None and processor is not None:
        text += [
            "",
            f"Growth exponent from {sizes[0]['customers']:,} to {largest['customers']:,} customers: "
            f"{models:.2f} for the models ({verdict(models, AIMS['exponent'], True)}; "
            f"aim ≤ {AIMS['exponent']}), {process:.2f} for the whole process, "
            f"{processor:.2f} by processor time.",
            "",
            "![Seconds by number of customers](growth.png)",
        ]
    return [*text, ""]


def _slowest(size: Json) -> list[str]:
    models = sorted(size["run"]["models"].items(), key=lambda pair: -pair[1])
    total = sum(size["run"]["models"].values())
    return [
        f"## The slowest models at {size['customers']:,} customers",
        "",
        *table(
            ["Model", "Time", "Share"],
            [[f"`{name}`", seconds(spent), f"{spent / total:.1%}"] for name, spent in models[:5]],
        ),
        "",
        f"Two models run at a time and share the cores: the times of all {len(models)} add up to "
        f"{seconds(total)}.",
        "",
        "![Seconds of the slowest models](model_seconds.png)",
        "",
    ]


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
    models = sorted(largest["run"]["models"].items(), key=lambda pair: -pair[1])[:12]
    bars = (
        alt.Chart(pd.DataFrame(models, columns=["model", "seconds"]))
        .mark_bar()
        .encode(x=alt.X("seconds:Q", title="seconds"), y=alt.Y("model:N", sort="-x", title=None))
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
                ("dbt run", size["run"]["used"]["wall"]),
                ("models", size["run"]["models_wall"]),
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

"""The shops' chapters of the report, and their plots, from the measurements of shops.py."""

import math

from benchmarks.accuracy import share
from benchmarks.floor import KEYS
from benchmarks.formats import Aim, seconds, table
from benchmarks.measure import Json
from mailroom.demo.constants import JUNIOR_SHARE

AIMS = {
    "ratio": 4.0, "daily": 0.1, "hourly": 60.0, "exponent": 1.1, "peak": 12e9,
    "precision": 0.999, "recall": 0.9,
}  # fmt: skip
BUILDS = {"full": "Full build", "daily": "The next day's build", "hourly": "The next hour's build"}


def floor_of(size: Json, form: str) -> float:
    return float(sum(size[f"floor-{form}"]["result"].values()))


def times_floor(size: Json, form: str) -> float:
    return float(size["full"]["used"]["wall"]) / floor_of(size, form)


def daily_share(size: Json) -> float:
    return float(size["daily"]["used"]["wall"]) / float(size["full"]["used"]["wall"])


def exponent(sizes: list[Json], build: str, of: str = "wall") -> float | None:
    """Return log of the ratio of times over log of the ratio of customers, from the smallest to the largest
    shop with the same number of days."""
    same_days = [size for size in sizes if size["days"] == sizes[0]["days"]]
    if len(same_days) < 2:
        return None
    first, last = same_days[0], same_days[-1]
    grown = last[build]["used"][of] / first[build]["used"][of]
    return math.log(grown) / math.log(last["customers"] / first["customers"])


def judged(sizes: list[Json]) -> Json:
    """Return the largest shop with an identity score, which the aims are about."""
    return [size for size in sizes if "score" in size][-1]


def name_of(size: Json) -> str:
    return f"{size['customers']:,} customers, {size['days']} days"


def chapter(found: Json) -> list[str]:
    """Return the results of measure() in shops.py as chapters of the report."""
    sizes: list[Json] = found["shops"]
    largest = judged(sizes)
    return [
        *_speed(sizes), *_by_folder(largest), *_slowest(largest), *_scans(largest),
        *_identity(sizes), *_peer(sizes), *_floors(largest),
    ]  # fmt: skip


def aims(found: Json) -> list[Aim]:
    """Return the aims of builds and identity, and the values reached."""
    sizes: list[Json] = found["shops"]
    size = judged(sizes)
    of = f"{size['customers']:,} customers"
    hourly = size["hourly"]["used"]["wall"]
    reached = []
    for form in ("narrow", "whole"):
        ratio = times_floor(size, form)
        reached.append(
            Aim(
                f"{of}: full build ÷ {form} floor",
                f"{ratio:.1f}",
                f"≤ {AIMS['ratio']:.0f}",
                ratio <= AIMS["ratio"],
            )
        )
    daily = daily_share(size)
    reached += [
        Aim(f"{of}: daily ÷ full build", f"{daily:.0%}", f"< {AIMS['daily']:.0%}", daily < AIMS["daily"]),
        Aim(f"{of}: hourly build", seconds(hourly), f"< {AIMS['hourly']:.0f} s", hourly < AIMS["hourly"]),
    ]
    for build in BUILDS:
        grown = exponent(sizes, build)
        if grown is not None:
            reached.append(
                Aim(
                    f"growth exponent, {build} build",
                    f"{grown:.2f}",
                    f"≤ {AIMS['exponent']}",
                    grown <= AIMS["exponent"],
                )
            )
    for one in sizes:
        peak = max(one[build]["used"]["peak"] for build in BUILDS)
        reached.append(
            Aim(
                f"{name_of(one)}: peak memory",
                f"{peak / 1e9:.1f} GB",
                f"≤ {AIMS['peak'] / 1e9:.0f} GB",
                peak <= AIMS["peak"],
            )
        )
    score = size["score"].get("result")
    if score:
        reached += [
            Aim(
                f"{of}: {what} of identity",
                f"{score[what]:.5f}",
                f"≥ {AIMS[what]}",
                score[what] >= AIMS[what],
            )
            for what in ("precision", "recall")
        ]
    return reached


def load(sizes: list[Json]) -> str:
    """Return a sentence about the load of the machine before each step."""
    return (
        "Load of the machine before a step (0 is quiet; the step before counts): "
        + ", ".join(
            f"{name} of {size['customers']:,} {size[name]['load']:.1f}"
            for size in sizes
            for name in ("floor-narrow", "floor-whole", *BUILDS)
            if "load" in size.get(name, {})
        )
        + ". On cores shared with other work, processor times are more reliable than wall times."
    )


def _speed(sizes: list[Json]) -> list[str]:
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
        *table(["", *[name_of(size) for size in sizes]], rows),
        "",
        "Each build is one `dbt build` from start to end, with every data test: a full build as of the day "
        "before the last, then `--selector daily` as of the last day, then `--selector hourly` an "
        "hour later.",
        "",
        "The narrow floor reads two columns of each raw table, its person key and its time, and groups by "
        "the key (count, first, last). The whole floor reads every column, as the models must, and groups "
        "by the same key. Each is the best of three rounds in a separate process, with a warm file cache.",
    ]
    for size in sizes:
        for step in BUILDS:
            if names := size[step]["failures"]:
                more = f" and {len(names) - 12} more" if len(names) > 12 else ""
                text += ["", f"Not passed, {step} of {name_of(size)}: {', '.join(names[:12])}{more}."]
    grown = {name: (exponent(sizes, name), exponent(sizes, name, "cpu")) for name in BUILDS}
    exponents = [
        f"{wall:.2f} {name} ({cpu:.2f} by processor time)"
        for name, (wall, cpu) in grown.items()
        if wall is not None and cpu is not None
    ]
    if exponents:
        text += [
            "",
            f"Growth exponents between the shops of {sizes[0]['days']} days: {', '.join(exponents)}.",
            "",
            "![Seconds by number of customers](growth.png)",
        ]
    return [*text, ""]


def _by_folder(size: Json) -> list[str]:
    """Return the time of each folder of models per build, which shows where a daily build saves work."""
    folders = size["folders"]
    spent: Json = {folder: dict.fromkeys(BUILDS, 0.0) for folder in dict.fromkeys(folders.values())}
    for build in BUILDS:
        for model, took in size[build]["models"].items():
            spent[folders[model]][build] += took
    tests = {build: size[build]["tests"] for build in BUILDS}
    rows = [
        [f"`{folder}`", *[seconds(of[build]) for build in BUILDS], f"{of['daily'] / of['full']:.0%}"]
        for folder, of in sorted(spent.items(), key=lambda pair: -pair[1]["full"])
        if of["full"]
    ]
    share_of_tests = f"{tests['daily'] / tests['full']:.0%}"
    rows.append(["data tests", *[seconds(tests[build]) for build in BUILDS], share_of_tests])
    return [
        f"## Where the time goes, at {name_of(size)}",
        "",
        *table(["Seconds in the nodes of", *BUILDS.values(), "Daily ÷ full"], rows),
        "",
        "Two nodes run at a time and share the cores, so these add up to more than the wall time. Staging is "
        "incremental, so that a day costs a day there. Above it, each build decides every customer again.",
        "",
    ]


def _slowest(size: Json) -> list[str]:
    lines = [f"## The slowest models at {name_of(size)}", ""]
    for name, label in BUILDS.items():
        models = sorted(size[name]["models"].items(), key=lambda pair: -pair[1])
        total = sum(size[name]["models"].values())
        rows = [[f"`{model}`", seconds(spent), f"{spent / total:.1%}"] for model, spent in models[:10]]
        lines += [
            *table([label, "Time", "Share"], rows),
            "",
            f"The times of all {len(models)} add up to {seconds(total)}.",
            "",
        ]
    return [*lines, "![Seconds of the slowest models](model_seconds.png)", "", *_plans(size)]


def _plans(size: Json) -> list[str]:
    if "result" not in size["plans"]:
        return [f"No plans: {size['plans']['error']}", ""]
    lines = [
        "### Their plans",
        "",
        "The slowest models of the full build, each run again alone, into memory: its reads and the five "
        "operators with the most processor seconds. [docs/profiling.md](../docs/profiling.md) has the "
        "problems found in such plans and their fixes.",
    ]
    for model, plan in size["plans"]["result"].items():
        rows = ", ".join(
            f"`{table}` {n:,}" for table, n in sorted(plan["read"].items(), key=lambda pair: -pair[1])
        )
        lines += [
            "",
            f"`{model}`: {seconds(plan['wall'])} of wall, {seconds(plan['cpu'])} of processor; "
            f"{plan['bytes'] / 1e6:,.0f} MB read from disk; rows scanned: {rows}.",
            "",
            *table(
                ["Operator", "On", "Rows", "Seconds"],
                [
                    [each["type"], f"`{each['of']}`".replace("|", "/") if each["of"] else "",
                     f"{each['rows']:,}", f"{each['seconds']:.1f}"]
                    for each in plan["operators"]
                ],
            ),
        ]  # fmt: skip
    return [*lines, ""]


def _scans(size: Json) -> list[str]:
    return [
        "How often the tables' SQL names each raw file with views expanded (DuckDB may share some of these "
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
    pairs, visitors = score["pairs"], score["visitors"]
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
        "By pairs of records (shop account, CRM contact, ESP profile, guest checkout, help-desk requester). "
        "Recall is among pairs of one person that a careful person could join: the two share a usable "
        "identifier, or have the same name, birth date, street and postal code, or a chain of that "
        "person's records leads from one to the other. Usable: an address, number or account as the "
        "models normalise it, unless it is a role account, a blocked or placeholder value or on more than "
        "20 records. A phone without a given name beside it and a mailbox of several names are usable here "
        "although the models don't trust them. Recall of all pairs also counts people whose records share "
        "nothing.",
        "",
        "The precision depends on how often two people of one household have the same name: here "
        f"{JUNIOR_SHARE:.0%} of further members do, as published for sons.",
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
        f"Visitors, scored separately: of {visitors['own']:,} devices that one person uses, "
        f"{visitors['own_joined']:,} are joined to a customer, "
        f"{share(visitors['own_joined_rightly'], visitors['own_joined']):.3%} of them to the right one; of "
        f"{visitors['shared']:,} devices that several people use, {visitors['shared_left_alone']:,} are "
        "attributed to no customer.",
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
    records = judged(sizes).get("splink-guarded", {}).get("result", {}).get("records", 0)
    return [
        "## Identity against Splink 5",
        "",
        *table(["Customers", "What", "Time", "÷ Mailroom", "Precision", "Recall"], rows),
        "",
        f"The same records ({records:,.0f} at the largest size) on DuckDB with two threads. Splink: "
        "deterministic rules (same address, same number, same account), then its own clustering; timed "
        "from a ready table of normalised identifiers in memory. Mailroom: its models written to the "
        "warehouse file, alone and one after the other; the first line also normalises phones and mailboxes "
        "and decides what may join, which Splink need not do. Guarded gives Splink the identifiers that "
        "Mailroom's guards allow; raw gives it every identifier.",
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

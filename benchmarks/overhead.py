"""The overhead of dbt: parsing, compiling, a first build of the demo and one with nothing new.

The demo is so small that its data takes almost no time, so the time is dbt's own around each node. Each
command is a separate process, on a warehouse and a target folder that the first build creates. Nodes run in
parallel, so the seconds of the kinds add up to more than the wall time.
"""

import json
import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.formats import Aim, seconds, table
from benchmarks.measure import DBT, PROJECT, Json, measured_commit, run_measured, say

MEASURED = (
    "models", "macros", "python_models", "seeds", "tests", "dbt_project.yml", "profiles.yml", "selectors.yml",
)  # fmt: skip
AIM = 15.0  # seconds of a build of the demo in which nothing is new
# In this order: the first parse has no earlier parse, the first build no warehouse.
COMMANDS = {
    "parse, in full": ["parse", "--no-partial-parse"],
    "parse, nothing new": ["parse"],
    "first build": ["build"],
    "compile, nothing new": ["compile"],
    "build, nothing new": ["build"],
    "build, nothing new, daily": ["build", "--selector", "daily"],
}


def measured(folder: Path, command: Sequence[str], name: str) -> Json:
    """Run one dbt command on the demo in the folder. Return wall and cpu in seconds, and its nodes."""
    target = folder / "target"
    results = target / "run_results.json"
    results.unlink(missing_ok=True)
    used = run_measured(
        [
            sys.executable, "-c", DBT, "--no-use-colors", *command,
            "--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT),
            "--target-path", str(target), "--log-path", str(folder / "logs"),
        ],
        folder / f"{name}.log",
        MAILROOM_DUCKDB_PATH=str(folder / "mailroom.duckdb"),
        DBT_SEND_ANONYMOUS_USAGE_STATS="false",
    )  # fmt: skip
    if used.code:
        raise RuntimeError(f"dbt {' '.join(command)} failed: see {folder / f'{name}.log'}")
    found: Json = {"wall": used.wall, "cpu": used.cpu}
    return found | by_kind(target) if command[0] == "build" else found


def by_kind(target: Path) -> Json:
    """Return the nodes of the last build in this target folder: counts per status, and counts and seconds per
    kind."""
    nodes = json.loads((target / "manifest.json").read_text())["nodes"]
    kinds: dict[str, Json] = {}
    statuses: dict[str, int] = {}
    for result in json.loads((target / "run_results.json").read_text())["results"]:
        kind = kinds.setdefault(kind_of(result["unique_id"], nodes), {"nodes": 0, "seconds": 0.0})
        kind["nodes"] += 1
        kind["seconds"] += result["execution_time"]
        statuses[result["status"]] = statuses.get(result["status"], 0) + 1
    return {"nodes": sum(statuses.values()), "statuses": statuses, "kinds": kinds}


def kind_of(unique_id: str, nodes: Json) -> str:
    """Return a node's kind: seed, unit_test, …; for models Python or the materialization; for data tests the
    name."""
    kind = unique_id.split(".")[0]
    node = nodes.get(unique_id, {})
    if kind == "model":
        return "model, Python" if node["language"] == "python" else f"model, {node['config']['materialized']}"
    if kind == "test":
        return f"test, {(node.get('test_metadata') or {'name': 'singular'})['name']}"
    return kind


def commands(folder: Path) -> Json:
    """Run every command once, in an emptied folder."""
    shutil.rmtree(folder, ignore_errors=True)
    found: Json = {}
    for name, command in COMMANDS.items():
        say(f"{name} …")
        load = os.getloadavg()[0]
        found[name] = measured(folder, command, name) | {"load": load}
        say(f"{name}: {found[name]['wall']:.1f} s, {found[name]['cpu']:.1f} s of processors")
    return found


def measure(folder: Path, fresh: bool) -> Json:
    """Measure every command, again if a node or setting has changed."""
    commit, results = measured_commit(folder, MEASURED, fresh)
    found = results.of("overhead", lambda: {"commands": commands(folder / "overhead")})
    return {"commit": commit, **found}


def chapter(found: Json) -> list[str]:
    """What measure() found, as a chapter of the report."""
    runs = found["commands"]
    rows = [
        [
            name,
            seconds(of["wall"]),
            seconds(of["cpu"]),
            f"{of['nodes']:,}" if "nodes" in of else "",
            f"{of['load']:.1f}",
        ]
        for name, of in runs.items()
    ]
    builds = [name for name in COMMANDS if "kinds" in runs[name]]
    kinds = sorted(
        runs["build, nothing new"]["kinds"].items(), key=lambda pair: -pair[1]["seconds"]
    )  # fmt: skip
    by_kind_rows = [
        [
            kind,
            *[
                f"{runs[name]['kinds'][kind]['nodes']}: {seconds(runs[name]['kinds'][kind]['seconds'])}"
                if kind in runs[name]["kinds"]
                else ""
                for name in builds
            ],
        ]
        for kind, _ in kinds
    ]
    return [
        "## The overhead of dbt",
        "",
        "The demo, with data that takes almost no time. Each command is a process, with the start of dbt.",
        "",
        *table(["dbt", "Wall", "Processors", "Nodes", "Load before"], rows),
        "",
        "Number and seconds of nodes by kind. Two run at a time:",
        "",
        *table(["Kind", *builds], by_kind_rows),
        "",
    ]


def aims(found: Json) -> list[Aim]:
    """Return the aim and the value reached."""
    wall = found["commands"]["build, nothing new"]["wall"]
    return [Aim("demo: a build with nothing new", seconds(wall), f"< {AIM:.0f} s", wall < AIM)]

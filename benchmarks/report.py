"""benchmarks/report.md, its plots and docs/scale.md, out of what was measured last of each part."""

import json
import os
import platform
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from benchmarks import activation, overhead, plots, scale, scores_report, shops_report, spark
from benchmarks.formats import table, verdict
from benchmarks.measure import Json

FOLDER = Path(__file__).parent
# In the order of the report: what writes each part's chapter, and says what was aimed at.
PARTS = {
    "shops": shops_report,
    "spark": spark,
    "overhead": overhead,
    "scores": scores_report,
    "activation": activation,
}
PLOTS = {"shops": plots.speed, "scores": plots.accuracy}
LIBRARIES = (
    "dbt-core", "dbt-duckdb", "duckdb", "dbt-spark", "pyspark", "scikit-learn", "splink", "lifetimes",
    "pymc-marketing", "implicit", "drt-core",
)  # fmt: skip


def machine() -> str:
    """Cores, processor, memory and system, in words."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    model = platform.machine()
    for line in Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []:
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
            break
    return f"{os.cpu_count()} cores ({model}), {memory / 1e9:.0f} GB of memory, {platform.system()}"


def keep(part: str, found: Json, results: Path) -> None:
    """Keep what was measured of a part, with when and on what, for this report and the next ones."""
    about = {"machine": machine(), "measured_at": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC"}
    results.mkdir(parents=True, exist_ok=True)
    kept = results / f"{part}.json"
    if kept.exists():
        known = json.loads(kept.read_text())
        # Nothing was measured again: it is still of then.
        if json.dumps(known | found) == json.dumps(known):
            return
    kept.write_text(json.dumps(found | about))


def write_report(results: Path, folder: Path = FOLDER) -> None:
    """Write report.md and its plots to the folder, and docs/scale.md, of what is kept in results."""
    found = {
        part: json.loads((results / f"{part}.json").read_text())
        for part in PARTS
        if (results / f"{part}.json").exists()
    }
    lines = [
        "# Benchmarks",
        "",
        "Written by `make bench` (`python -m benchmarks`); not edited by hand.",
        "",
        *table(
            ["Part", "Commit", "Measured", "Machine"],
            [[part, of["commit"], of["measured_at"], of["machine"]] for part, of in found.items()],
        ),
        "",
        "Python " + platform.python_version() + "".join(f", {name} {version(name)}" for name in LIBRARIES)
        + ". DuckDB with 2 threads throughout.",
    ]  # fmt: skip
    if "shops" in found:
        shops = found["shops"]
        lines += [
            f"Shops are generated from seed {shops['seed']}; DuckDB's memory limit: "
            + (shops["memory_limit"] or "as in profiles.yml") + ".",
            shops_report.load(shops["shops"]),
        ]  # fmt: skip
    lines += ["", "## The aims", "", *_aims(found), ""]
    for part, of in found.items():
        lines += [*PARTS[part].chapter(of), ""]
        if part in PLOTS:
            PLOTS[part](of, folder)
    text = "\n".join(lines).replace("\n\n\n", "\n\n").rstrip()
    (folder / "report.md").write_text(text + "\n", encoding="utf-8")
    # One shop alone says nothing of growth.
    if {"shops", "spark"} <= found.keys() and shops_report.exponent(found["shops"]["shops"], "full"):
        scale.write_page(found["shops"], found["spark"])


def _aims(found: Json) -> list[str]:
    rows = [
        [aim.what, aim.value, aim.bound, verdict(aim.is_met)]
        for part, of in found.items()
        for aim in PARTS[part].aims(of)
    ]
    return table(["", "Reached", "Aim", ""], rows)

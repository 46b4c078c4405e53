"""Write benchmarks/report.md, its plots and docs/scale.md from the last measurements of each part."""

import json
import os
import platform
from contextlib import suppress
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from benchmarks import (
    activation,
    identity,
    measurement,
    overhead,
    plots,
    scale,
    scores_report,
    shops_report,
    spark,
)
from benchmarks.formats import table, verdict
from benchmarks.measure import Json

FOLDER = Path(__file__).parent
# In the order of the report: the module with each part's chapter and aims.
PARTS = {
    "shops": shops_report,
    "identity": identity,
    "spark": spark,
    "overhead": overhead,
    "scores": scores_report,
    "activation": activation,
    "measurement": measurement,
}
PLOTS = {"shops": plots.speed, "scores": plots.accuracy}
LIBRARIES = (
    "dbt-core", "dbt-duckdb", "duckdb", "dbt-spark", "pyspark", "scikit-learn", "splink", "lifetimes",
    "pymc-marketing", "implicit", "drt-core",
)  # fmt: skip


def machine() -> str:
    """Return cores, processor, memory and system as text."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    model = platform.machine()
    for line in Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []:
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
            break
    return f"{os.cpu_count()} cores ({model}), {memory / 1e9:.0f} GB of memory, {platform.system()}"


def keep(part: str, found: Json, results: Path) -> None:
    """Keep the measurements of a part, with time and machine, for this report and later ones."""
    about = {"machine": machine(), "measured_at": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC"}
    results.mkdir(parents=True, exist_ok=True)
    kept = results / f"{part}.json"
    if kept.exists():
        known = json.loads(kept.read_text())
        # Nothing was measured again, so the time stays.
        if json.dumps(known | found) == json.dumps(known):
            return
    kept.write_text(json.dumps(found | about))


def write_report(results: Path, folder: Path = FOLDER) -> None:
    """Write report.md and its plots to the folder, and docs/scale.md, from the results.

    Parts of the report that another machine measured stay unchanged, because their results are not here.
    """
    found = {
        part: json.loads((results / f"{part}.json").read_text())
        for part in PARTS
        if (results / f"{part}.json").exists()
    }
    report = folder / "report.md"
    before = report.read_text(encoding="utf-8") if report.exists() else ""
    elsewhere = {part for part in PARTS if f"\n| {part} | " in before} - found.keys()
    if elsewhere:
        for part, of in found.items():
            before = _with(before, part, of)
        report.write_text(before, encoding="utf-8")
    else:
        report.write_text(_whole(found), encoding="utf-8")
    for part in PLOTS.keys() & found.keys():
        PLOTS[part](found[part], folder)
    # One shop alone shows no growth.
    if {"shops", "spark"} <= found.keys() and shops_report.exponent(found["shops"]["shops"], "full"):
        scale.write_page(found["shops"], found["spark"])


def _whole(found: Json) -> str:
    lines = [
        "# Benchmarks",
        "",
        "Written by `make bench` (`python -m benchmarks`); not edited by hand.",
        "",
        *table(
            ["Part", "Commit", "Measured", "Machine"], [_measured(part, of) for part, of in found.items()]
        ),
        "",
        "Python " + platform.python_version() + _libraries() + ". DuckDB with 2 threads throughout.",
    ]
    if "shops" in found:
        shops = found["shops"]
        lines += [
            f"Shops are generated from seed {shops['seed']}; DuckDB's memory limit: "
            + (shops["memory_limit"] or "as in profiles.yml") + ".",
            shops_report.load(shops["shops"]),
        ]  # fmt: skip
    lines += ["", "## The aims", "", *_aims(found), ""]
    for part, of in found.items():
        lines += [*_chapter(part, of), ""]
    return _tidy("\n".join(lines))


def _tidy(text: str) -> str:
    return text.replace("\n\n\n", "\n\n").rstrip() + "\n"


def _measured(part: str, of: Json) -> list[str]:
    return [part, of["commit"], of["measured_at"], of["machine"]]


def _libraries() -> str:
    known = []
    for name in LIBRARIES:
        with suppress(PackageNotFoundError):
            known.append(f", {name} {version(name)}")
    return "".join(known)


def _chapter(part: str, of: Json) -> list[str]:
    """Return a part's chapters between two marks that identify them."""
    return [f"<!-- {part} -->", "", *PARTS[part].chapter(of), "", f"<!-- end of {part} -->"]


def _with(report: str, part: str, of: Json) -> str:
    """Return the report with one part replaced. The part's aims begin with its name."""
    begin, end = f"<!-- {part} -->", f"<!-- end of {part} -->"
    if f"\n| {part} | " in report and begin not in report:
        raise ValueError(f"the report has no marks around {part}: measure every part")
    head, aims, *chapters = report.split("\n## ", 2)
    rows = [line for line in head.splitlines() if not line.startswith(f"| {part} |")]
    last = max(place for place, line in enumerate(rows) if line.startswith("| "))
    rows.insert(last + 1, *table(_measured(part, of), [])[:1])
    reached = [line for line in aims.splitlines() if not line.startswith(f"| {part} ")]
    last = max(place for place, line in enumerate(reached) if line.startswith("| "))
    reached[last + 1 : last + 1] = _aims({part: of})[2:]
    text = "\n## ".join(["\n".join(rows) + "\n", "\n".join(reached) + "\n", *chapters])
    chapter = "\n".join(_chapter(part, of))
    if begin in text:
        before, rest = text.split(begin, 1)
        return _tidy(before + chapter + rest.split(end, 1)[1])
    return _tidy(f"{text}\n\n{chapter}")


def _aims(found: Json) -> list[str]:
    rows = [
        [aim.what, aim.value, aim.bound, verdict(aim.is_met)]
        for part, of in found.items()
        for aim in PARTS[part].aims(of)
    ]
    return table(["", "Reached", "Aim", ""], rows)

"""The report's plots."""

from pathlib import Path

import altair as alt
import pandas as pd

from benchmarks.measure import Json
from benchmarks.scores_report import COMPARED, TITLES
from benchmarks.shops_report import BUILDS, floor_of, judged, name_of

COLOURS = [
    "#d1495b", "#4c78a8", "#f2a541", "#72b7b2", "#54a24b", "#9d755d", "#b279a2", "#bab0ac", "#17becf",
]  # fmt: skip
SHOWN = {"auc": "AUC of an order", "gini": "Gini of the money"}


def speed(found: Json, folder: Path) -> None:
    """model_seconds.png, and with two shops growth.png, in the folder."""
    sizes: list[Json] = found["shops"]
    largest = judged(sizes)
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
        .properties(width=420, height=560, title=f"The slowest models, {name_of(largest)}")
    )
    bars.save(folder / "model_seconds.png", scale_factor=1.5)
    if len(sizes) < 2:
        return
    points = pd.DataFrame(
        [
            {"customers": size["customers"], "days": f"{size['days']} days", "what": what, "seconds": value}
            for size in sizes
            for what, value in (
                *((label, size[name]["used"]["wall"]) for name, label in BUILDS.items()),
                ("floor, whole", floor_of(size, "whole")),
                ("floor, narrow", floor_of(size, "narrow")),
            )
        ]
    )
    shown = alt.Chart(points).encode(
        x=alt.X(
            "customers:Q",
            scale=alt.Scale(type="log", nice=False, padding=12),
            axis=alt.Axis(values=sorted(points["customers"].unique().tolist())),
            title="customers",
        ),
        y=alt.Y("seconds:Q", scale=alt.Scale(type="log"), title="seconds"),
        color=alt.Color("what:N", title=None),
    )
    # Only shops of the same days lie on one line.
    growth = alt.layer(
        shown.mark_line().encode(detail="days:N"),
        shown.mark_point(filled=True, size=60, opacity=1).encode(shape=alt.Shape("days:N", title=None)),
    ).properties(width=420, height=260, title="Seconds by number of customers")
    growth.save(folder / "growth.png", scale_factor=1.5)


def accuracy(found: Json, folder: Path) -> None:
    """accuracy.png in the folder: Mailroom beside its peers, on held-out days and baskets of real shops."""
    rows = []
    for one in found["cases"]:
        name = f"{TITLES[one['data']]} {one['moment']}"
        for measure, part, _ in COMPARED:
            if measure in SHOWN:
                rows += [
                    {"case": name, "measure": SHOWN[measure], "method": method, "value": of[measure]}
                    for method, of in one[part].items()
                    if of[measure] is not None and method != "Mailroom, base"
                ]
    for made in found["recommendations"]:
        rows += [
            {"case": TITLES[made["result"]["data"]], "measure": "NDCG@10 of recommendations",
             "method": row["method"], "value": row["ndcg"]}
            for row in made["result"]["rows"]
        ]  # fmt: skip
    # Mailroom last, so that it is on top.
    frame = pd.DataFrame(sorted(rows, key=lambda row: row["method"] == "Mailroom"))
    methods = sorted(frame["method"].unique(), key=lambda method: (method != "Mailroom", method))
    colours = alt.Scale(domain=methods, range=COLOURS[: len(methods)])
    charts = [
        alt.Chart(frame[frame["measure"] == measure])
        .mark_point(filled=True, size=90, opacity=0.8)
        .encode(
            x=alt.X("value:Q", title=measure),
            y=alt.Y("case:N", title=None),
            color=alt.Color("method:N", title=None, scale=colours),
            shape=alt.condition("datum.method == 'Mailroom'", alt.value("diamond"), alt.value("circle")),
        )
        .properties(width=480, height=alt.Step(26))
        for measure in dict.fromkeys(frame["measure"])
    ]
    alt.vconcat(*charts).properties(title="Accuracy beside peers: Mailroom is the diamond").save(
        folder / "accuracy.png", scale_factor=1.5
    )

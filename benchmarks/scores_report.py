"""The scores' chapter of the report, from the measurements of scores.py."""

from collections.abc import Callable
from typing import Any

from benchmarks.formats import Aim, number, seconds, table, verdict
from benchmarks.measure import Json

# Fader, Hardie, Lee 2005 and Fader, Hardie 2013, for the same 2,357 customers; LL and parameters by weeks.
PUBLISHED: Json = {
    "bg_nbd": {"r": 0.2426, "alpha": 4.4135, "a": 0.7929, "b": 2.4258, "log_likelihood": -9582.43},
    "gamma_gamma": {"p": 6.2488, "q": 3.7446, "gamma": 15.448},
    "example": 1.2259,
}
PEER_NAMES = {"gamma": "v"}  # other libraries' name of the same parameter
TITLES = {"cdnow": "CDNOW", "online_retail": "Online Retail", "retailrocket": "Retailrocket"}
CALIBRATED, COVERED, UNBIASED = 0.03, (0.75, 0.85), 0.05
# Measures to compare with the best peer, their part, and whether more is better.
COMPARED = (("gini", "money", 1), ("spearman", "money", 1), ("auc", "chance", 1), ("brier", "chance", -1))


def chapter(found: Json) -> list[str]:
    """Return the results of measure() in scores.py as a chapter of the report. Bold is the best of a
    column."""
    parts: dict[str, Callable[[Any], list[str]]] = {
        "published": _published, "cases": _cases, "speed": _speed, "recommendations": _recommendations,
        "truth": _truth, "gates": _gates,
    }  # fmt: skip
    lines = ["## Scores", "", "Bold is the best of a column.", "", "![Accuracy beside peers](accuracy.png)"]
    for name, write in parts.items():
        lines += ["", *write(found[name])]
    return lines


def aims(found: Json) -> list[Aim]:
    """Return how often Mailroom is as good as the best peer, and the other aims of the held-out cases."""
    cases: list[Json] = found["cases"]
    reached = []
    for measure, part, way in COMPARED:
        won = sum(_best_peer(one[part], measure, way)[1] for one in cases)
        reached.append(
            Aim(f"held-out cases in which {measure} is at least the best peer's", f"{won} of {len(cases)}",
                "all", won == len(cases))
        )  # fmt: skip
    errors = [one["chance"]["Mailroom"]["calibration_error"] for one in cases]
    calibrated = sum(error <= CALIBRATED for error in errors)
    unbiased = sum(abs(one["money"]["Mailroom"]["total_bias"]) <= UNBIASED for one in cases)
    covered = [_coverage(one) for one in cases if _coverage(one) is not None]
    low, high = COVERED
    within = sum(low <= share <= high for share in covered if share is not None)
    return [
        *reached,
        Aim(f"held-out cases with a calibration error ≤ {CALIBRATED}", f"{calibrated} of {len(cases)}", "all",
            calibrated == len(cases)),
        Aim(f"held-out cases with a total bias within {UNBIASED:.0%}", f"{unbiased} of {len(cases)}", "all",
            unbiased == len(cases)),
        Aim(f"held-out cases whose 80% interval covers {low:.0%} to {high:.0%}",
            f"{within} of {len(covered)}", "all", within == len(covered)),
    ]  # fmt: skip


def _published(found: Json) -> list[str]:
    def of_peer(peer: str, model: str, name: str) -> Any:
        known = found["peers"][peer]
        return known.get(f"{model}_{name}", known.get(f"{model}_{PEER_NAMES.get(name, name)}"))

    rows = [
        [f"{title} {name}", number(value, digits), number(found[model][name], digits)]
        + [number(of_peer(peer, model, name), digits) for peer in found["peers"]]
        for model, title in (("bg_nbd", "BG/NBD"), ("gamma_gamma", "Gamma-Gamma"))
        for name, value in PUBLISHED[model].items()
        for digits in [2 if name == "log_likelihood" else 4]
    ]
    rows.append(
        ["E[Y(39) \\| 2, 30.43, 38.86]", number(PUBLISHED["example"], 4), number(found["example"], 4)]
        + ["-"] * len(found["peers"])
    )
    return [
        f"### The published sample of CDNOW: {found['customers']:,} customers, "
        f"{found['repeat_customers']:,} of them with a repeat order",
        "",
        *table(["", "published", "Mailroom", *found["peers"]], rows),
        "",
        "The 39 weeks held out, mean number of days with an order by earlier repeat orders:",
        "",
        *table(
            ["repeat orders", "customers", "actual", "BG/NBD"],
            [
                [row["frequency"], f"{row['customers']:,}", number(row["actual"]), number(row["expected"])]
                for row in found["held_out"]
            ],
        ),
    ]


def _best(rows: list[list[Any]], better: list[str]) -> list[list[str]]:
    """Return numbers as text, the best of each column bold. better, from the second column on: max, min,
    near."""
    texts = [[row[0], *(number(value) for value in row[1:])] for row in rows]
    for column, way in enumerate(better, start=1):
        known = [row[column] for row in rows if row[column] is not None and row[column] == row[column]]
        if not known:
            continue
        best = max(known) if way == "max" else min(known) if way == "min" else min(known, key=abs)
        for row, text in zip(rows, texts, strict=True):
            if row[column] is not None and number(row[column]) == number(best):
                text[column] = f"**{text[column]}**"
    return texts


CHANCE = {
    "auc": "max",
    "average_precision": "max",
    "brier": "min",
    "calibration_error": "min",
    "log_loss": "min",
}
MONEY = {
    "gini": "max", "spearman": "max", "mae": "min", "rmse": "min", "decile_error": "min", "total_bias": "near"
}  # fmt: skip


def _cases(cases: list[Json]) -> list[str]:
    lines = [
        "### Held-out days of real shops",
        "",
        "All customers with an order by the moment; later orders are counted from the file. An order is a "
        "day with one, money is net of refunds. Mailroom is its tables, built with dbt as of the moment; its "
        "base is BG/NBD and MBG/NBD times Gamma-Gamma, without regression or trees. lifetimes has no chance "
        "of an order within a time, so P(alive) is used, as its users do. The sentence above each case is "
        "from the model registry, with measures of the past that training could see; the tables measure the "
        "days after.",
    ]
    for one in cases:
        about = one["about"]
        lines += [
            "",
            f"#### {TITLES[one['data']]}, {one['horizon']} days from {one['moment']}: "
            f"{one['customers']:,} customers",
            "",
            f"Churn by the {about['churn']}, value by the {about['value']}, "
            f"next order by the {about['next_order']}. "
            + ("" if about["is_level_verified"] else "Level not verified, which every row states. ")
            + f"{about['reason']}",
            "",
        ]
        rows = [[name, *(of[measure] for measure in CHANCE)] for name, of in one["chance"].items()]
        lines += table(
            ["an order within", *(name.replace("_", " ") for name in CHANCE)],
            _best(rows, list(CHANCE.values())),
        )
        rows = [[name, *(of[measure] for measure in MONEY)] for name, of in one["money"].items()]
        lines += [
            "",
            *table(
                ["money within", *(name.replace("_", " ") for name in MONEY)],
                _best(rows, list(MONEY.values())),
            ),
            "",
        ]
        days = [[name, of["mae_days"], of["coverage"]] for name, of in one["next_order"].items()]
        texts = _best(days, ["min"])
        lines += table([f"next order, {one['came']:,} who ordered", "days off", "80% interval covers"], texts)
        failed = [f"{name} failed: {of['error']}" for name, of in one["peers"].items() if "error" in of]
        lines += ["", *failed] if failed else []
    return [*lines, "", "#### Against the aims", "", *_aims(cases)]


def _best_peer(methods: Json, measure: str, way: int) -> tuple[str, bool]:
    """Return the best peer by a measure (way: 1 if more is better, else -1), and whether Mailroom is as
    good."""
    peers = {name: way * of[measure] for name, of in methods.items() if not name.startswith("Mailroom")}
    best = max(peers, key=lambda name: peers[name])
    return best, round(way * methods["Mailroom"][measure], 3) >= round(peers[best], 3)


def _coverage(one: Json) -> float | None:
    """Return the share of next orders within the interval of the chosen method."""
    coverage: float | None = one["next_order"].get(one["about"]["next_order"], {}).get("coverage")
    return coverage


def _aims(cases: list[Json]) -> list[str]:
    rows = []
    for one in cases:
        ours, value, about = one["chance"]["Mailroom"], one["money"]["Mailroom"], one["about"]
        compared = []
        for measure, part, way in COMPARED:
            best, won = _best_peer(one[part], measure, way)
            compared.append(f"{measure}: {'yes' if won else f'no, {best} {one[part][best][measure]:.3f}'}")
        low, high = COVERED
        covers = _coverage(one)
        bias = verdict(abs(value["total_bias"]) <= UNBIASED) if about["is_level_verified"] else "flagged"
        rows.append(
            [
                f"{TITLES[one['data']]}, {one['moment']}",
                "; ".join(compared),
                f"{value['total_bias']:+.1%} {bias}",
                f"{ours['calibration_error']:.3f} {verdict(ours['calibration_error'] <= CALIBRATED)}",
                "-" if covers is None else f"{covers:.1%} {verdict(low <= covers <= high)}",
            ]
        )
    head = [
        "",
        "at least the best peer",
        "total bias (±5%)",
        "calibration error (≤ .03)",
        "interval (75 to 85%)",
    ]
    return table(head, rows)


def _speed(sizes: Json) -> list[str]:
    rows = []
    for size, found in sizes.items():
        ours = found["Mailroom, base"]["result"]
        base = ours["fit"] + ours["score"]
        for name, made in found.items():
            if name in ("whole", "load"):
                continue
            if "error" in made:
                rows.append([f"{int(size):,}", name, made["error"][:80], "-", "-", "-"])
                continue
            took = made["result"]["fit"] + made["result"]["score"]
            rows.append(
                [
                    f"{int(size):,}", name,
                    f"{made['result']['fit']:.2f} s", f"{made['result']['score']:.2f} s",
                    f"{took / base:.1f}", f"{made['used']['peak'] / 1e9:.2f} GB",
                ]
            )  # fmt: skip
    lines = [
        "### Speed of the scores",
        "",
        "Generated histories by days, fit and score of expected orders, money and the chance of an order in "
        "90 days; ours includes grouping equal histories. Memory is of the process, including libraries.",
        "",
        *table(["customers", "", "fit", "score", "÷ Mailroom", "peak memory"], rows),
        "",
        "Churn and value in full, with given features: train (on a sample), predict for all customers.",
        "",
    ]
    whole = [
        [
            f"{int(size):,}",
            *(
                seconds(found["whole"]["result"]["seconds"][step])
                for step in ("train", "purchases", "churn", "value")
            ),
            seconds(sum(found["whole"]["result"]["seconds"].values())),
            f"{found['whole']['used']['peak'] / 1e9:.2f} GB",
            ", ".join(f"{score} {method}" for score, method in found["whole"]["result"]["methods"].items()),
        ]
        for size, found in sizes.items()
    ]
    head = ["customers", "train", "histories", "churn", "value", "in all", "peak memory", "methods"]
    return [*lines, *table(head, whole)]


def _recommendations(data: list[Json]) -> list[str]:
    lines = [
        "### Recommendations",
        "",
        "Online Retail: each customer's last day with an order is held out. Retailrocket: each visitor's "
        "events from the first purchase of the last day with one are held out. Peers get the same "
        "interactions; implicit's settings are the best of a small grid on the held-out baskets, which "
        "flatters it.",
    ]
    for made in data:
        found = made["result"]
        rows = [
            [
                row["method"] + (f" ({row['setting']})" if row["setting"] else ""),
                row["ndcg"],
                row["recall"],
                row["coverage"],
            ]
            for row in found["rows"]
        ]
        texts = [
            [*row[:3], f"{int(plain[3]):,}"]
            for row, plain in zip(_best(rows, ["max", "max"]), rows, strict=True)
        ]
        lines += [
            "",
            f"{TITLES[found['data']]}, {found['customers']:,} baskets of {found['basket']:.1f} products:",
            "",
            *table(["", "NDCG@10", "recall@10", "products shown"], texts),
        ]
    return lines


def _truth(found: Json) -> list[str]:
    rows = [
        [
            row["part"], f"{row['customers']:,}", number(row["said"], 2), number(row["group"], 2),
            f"{row['within_1']:.0%}", f"{row['group_within_1']:.0%}",
        ]
        for row in found["rows"]
    ]  # fmt: skip
    there, orders, refills = found["there"], found["orders"], found["refills"]
    return [
        "### Against the generator's truth",
        "",
        f"{found['customers']:,} customers of a generated shop. Send time: hours off from the hour at which "
        f"each is most active; the group's is {found['group_hour']}:00 for all.",
        "",
        *table(["", "customers", "hours off", "the group's", "within 1 hour", "the group's"], rows),
        "",
        f"Whether {found['buyers']:,} customers with an order still buy, by the chance of an order within 90 "
        f"days: AUC {number(there['chance'])}, by days since the last order {number(there['recency'])}. How "
        f"often they will order, by expected money: Spearman {number(orders['money'])}, by past orders "
        f"{number(orders['pace'])}.",
        "",
        f"The rhythm of {refills['n']:,.0f} customers who refill: {number(refills['own'], 1)} days off by "
        f"their own, {number(refills['category'], 1)} by their category's.",
        "",
        "Lookalikes: the best buyers among held-out people; the rule ranks the most active first.",
        "",
        *table(
            ["", "people", "AUC of the traits", "95%", "the rule's"],
            [
                [segment, f"{n:,}", number(value), f"{number(low)} to {number(high)}", number(rule)]
                for segment, value, low, high, rule, n in found["lookalikes"]
            ],
        ),
    ]


def _gates(found: Json) -> list[str]:
    rows = [
        [
            row["spoilt"], row["state"],
            ", ".join(f"{score} {method}" for score, method in row["methods"].items()), row["reason"],
        ]
        for row in found["rows"]
    ]  # fmt: skip
    head = ["CDNOW, 90 days from 1998-04-01", "gate", "what scores", "reason in the registry"]
    return ["### The gates", "", *table(head, rows)]

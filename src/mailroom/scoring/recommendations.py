"""Recommendations: rankings of a past moment, back-tested on the baskets that followed."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mailroom.scoring.judging import Evaluation

Floats = NDArray[np.float64]
SHOWN = 10  # products recommended to a customer
RULES = ("personal", "popularity")
METHODS = ("blend", *RULES)
RANKS = [f"{method}_rank" for method in METHODS]
JUDGED_FROM = 50  # customers with a next basket; with fewer, no back-test
SCORE = "recommendation"


@dataclass
class RecommendationKit:
    """The ranking that scores, and the NDCG of each (mean over customers)."""

    methods: dict[str, str]
    ndcg: dict[str, float | None]

    def to_dict(self) -> dict[str, Any]:
        """Return plain numbers for JSON."""
        return {"methods": self.methods, "ndcg": self.ndcg}


def train_recommendations(
    outcomes: pd.DataFrame, horizon: int, cutoff_on: str
) -> tuple[RecommendationKit, list[Evaluation], str | None, str]:
    """Return the ranking that scores, the back-test of each, why there is none (None if there is), and the
    reason of the choice.

    outcomes: rows of recommendation_backtest, one per customer who ordered within the horizon and product
    ranked for them at its start.
    """
    about = {"cutoff_on": cutoff_on, "horizon_days": horizon}
    customers = outcomes.groupby("customer_id")[["n_order_days", "n_bought"]].first()
    measured = {method: _measures(outcomes, customers, f"{method}_rank") for method in METHODS}
    rule = max(RULES, key=lambda method: measured[method]["ndcg"].mean() if len(customers) else 0)
    judged = _judge(outcomes, customers, measured, rule, about)
    ndcg = {
        method: round(float(each["ndcg"].mean()), 6) if len(customers) else None
        for method, each in measured.items()
    }
    if len(customers) < JUDGED_FROM:
        why_not = (
            f"Only {len(customers)} customers have a basket to back-test with; {JUDGED_FROM} are needed, "
            "so own purchases and views rank first, then best-sellers."
        )
        return RecommendationKit({SCORE: "personal"}, ndcg), judged, why_not, why_not
    better = measured["blend"]["ndcg"] - measured[rule]["ndcg"]
    doubt = 1.96 * float(better.std()) / len(better) ** 0.5
    against = f"{SCORE}: NDCG {ndcg['blend']:.3f} against {ndcg[rule]:.3f} for {rule}"
    if better.mean() > doubt:
        return RecommendationKit({SCORE: "blend"}, ndcg), judged, None, against
    reason = f"{against}, not significantly better, so {rule} scores"
    return RecommendationKit({SCORE: rule}, ndcg), judged, None, reason


def _measures(outcomes: pd.DataFrame, customers: pd.DataFrame, rank: str) -> pd.DataFrame:
    """Return ndcg and recall per customer. ndcg: the discounted gain of the products bought, as a share of
    the best possible list's (Järvelin, Kekäläinen 2002). recall: the share of the basket in the list."""
    hits = outcomes[outcomes["was_bought"].astype(bool) & (outcomes[rank] <= SHOWN)]
    gains = 1 / np.log2(np.arange(1, SHOWN + 1) + 1)
    gained = pd.Series(gains[hits[rank].to_numpy(dtype=int) - 1], index=hits["customer_id"], dtype=float)
    n_bought = customers["n_bought"].to_numpy(dtype=int)
    best = gains.cumsum()[np.minimum(n_bought, SHOWN) - 1]
    total = gained.groupby(level=0).sum().reindex(customers.index, fill_value=0.0)
    n_hits = gained.groupby(level=0).size().reindex(customers.index, fill_value=0)
    return pd.DataFrame({"ndcg": total / best, "recall": n_hits / n_bought}, index=customers.index)


def _judge(
    outcomes: pd.DataFrame,
    customers: pd.DataFrame,
    measured: dict[str, pd.DataFrame],
    rule: str,
    about: Evaluation,
) -> list[Evaluation]:
    n_order_days = customers["n_order_days"].to_numpy(dtype=float)
    segments = {
        "all": n_order_days >= 0,
        "no order": n_order_days == 0,
        "one order": n_order_days == 1,
        "several orders": n_order_days > 1,
    }
    entries = []
    for method, each in measured.items():
        for segment, chosen in segments.items():
            n = int(chosen.sum())
            for metric in ("ndcg", "recall"):
                values: Evaluation = dict.fromkeys(("value", "low", "high", "baseline_value"))
                if n >= 2:
                    of, value = each[metric][chosen], float(each[metric][chosen].mean())
                    doubt = 1.96 * float(of.std()) / n**0.5
                    values = {
                        "value": value,
                        "low": value - doubt,
                        "high": value + doubt,
                        "baseline_value": float(measured[rule][metric][chosen].mean()),
                    }
                entries.append(_entry(method, metric, segment, n) | values | about)
        entry = _entry(method, "coverage", "all", len(customers))
        values = {
            "value": _coverage(outcomes, method),
            "low": None,
            "high": None,
            "baseline_value": _coverage(outcomes, rule),
        }
        entries.append(entry | values | about)
    return entries


def _entry(method: str, metric: str, segment: str, n: int) -> Evaluation:
    return {"score": SCORE, "method": method, "metric": metric, "segment": segment, "n_customers": n}


def _coverage(outcomes: pd.DataFrame, method: str) -> float | None:
    """Return the share of the products on sale that were in at least one list."""
    if outcomes.empty:
        return None
    shown = outcomes.loc[outcomes[f"{method}_rank"] <= SHOWN, "product_id"].nunique()
    return float(shown / outcomes["n_on_sale"].iloc[0])

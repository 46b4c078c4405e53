"""Lookalikes: the traits that set the best buyers apart, learned and back-tested."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from mailroom.estimators.evaluation import OF_CHANCES
from mailroom.estimators.likeness import TraitPoints
from mailroom.scoring.judging import Evaluation, choose, judge

SCORE = "lookalike"
BEST_FROM = 50  # best buyers; fewer may share traits by chance
RULE_TRAITS = ("sessions",)  # the most active first
FOLDS = 5
BY = ("auc", 0.5, "log_loss")  # ranking metric, its value by chance, error metric
MEASURES = {name: OF_CHANCES[name] for name in ("auc", "average_precision", "log_loss")}


@dataclass
class LookalikeKit:
    """The points of the traits that score, and the method: traits (all of them) or rule."""

    points: TraitPoints
    methods: dict[str, str]

    def to_dict(self) -> dict[str, Any]:
        """Return plain numbers and texts for JSON."""
        return {"points": self.points.to_dict(), "methods": self.methods}

    @classmethod
    def from_dict(cls, written: dict[str, Any]) -> "LookalikeKit":
        """Read what to_dict wrote."""
        return cls(TraitPoints.from_dict(written["points"]), written["methods"])


def train_lookalikes(
    traits: pd.DataFrame, cutoff_on: str
) -> tuple[LookalikeKit | None, list[Evaluation], str | None, str]:
    """Return the traits that set the best buyers apart, their evaluation by cross-validation in five folds,
    why nothing can be learned (None if it can), and the reason of the choice.

    traits: rows of customer_traits, of sampled people.
    """
    people = traits.groupby("customer_id", sort=True)[
        ["has_bought", "is_best_buyer", "sample_weight"]
    ].first()
    best = people["is_best_buyer"].astype(bool)
    n_best, n_others = int(best.sum()), int((~best).sum())
    if min(n_best, n_others) < BEST_FROM:
        who = "best buyers" if n_best < BEST_FROM else "other customers"
        why = f"Only {min(n_best, n_others)} {who} have known traits; {BEST_FROM} are needed."
        return None, [], why, why
    weight = people["sample_weight"].astype(float)
    used = {"traits": traits, "rule": traits[traits["trait"].isin(RULE_TRAITS)]}
    fold = np.arange(len(people)) % FOLDS
    chances = pd.DataFrame(index=people.index)
    for method, rows in used.items():
        predicted = np.zeros(len(people))
        for number in range(FOLDS):
            known, held_out = people.index[fold != number], people.index[fold == number]
            learned = TraitPoints().fit(rows[rows["customer_id"].isin(known)], best[known], weight[known])
            predicted[fold == number] = learned.predict(rows, held_out)
        chances[f"chance_{method}"] = predicted
    has_bought = people["has_bought"].to_numpy(dtype=bool)
    segments = {
        "all": np.ones(len(people), dtype=bool),
        "among buyers": has_bought,
        "against never-buyers": best.to_numpy() | ~has_bought,
    }
    about = {"cutoff_on": cutoff_on, "horizon_days": 0}
    judged = judge(SCORE, "chance", MEASURES, chances, best.to_numpy(dtype=float), segments, about)
    method, reason = choose(SCORE, *BY, judged, ["traits"])
    return LookalikeKit(TraitPoints().fit(used[method], best, weight), {SCORE: method}), judged, None, reason

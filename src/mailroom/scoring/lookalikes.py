"""Lookalikes: the traits that set the best buyers apart, learned and judged."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from mailroom.estimators.evaluation import OF_CHANCES
from mailroom.estimators.likeness import TraitPoints
from mailroom.scoring.judging import Evaluation, choose, judge

SCORE = "lookalike"
BEST_FROM = 50  # best buyers; fewer may be alike by chance
RULE_TRAITS = ("sessions",)  # the most active first: what anybody would do without a model
FOLDS = 5
BY = ("auc", 0.5, "log_loss")  # what orders people, what chance reaches, what errs
MEASURES = {name: OF_CHANCES[name] for name in ("auc", "average_precision", "log_loss")}


@dataclass
class LookalikeKit:
    """The points of the traits that score, and which they are: all (traits), or those of the rule."""

    points: TraitPoints
    methods: dict[str, str]

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers and texts, ready for JSON."""
        return {"points": self.points.to_dict(), "methods": self.methods}

    @classmethod
    def from_dict(cls, written: dict[str, Any]) -> "LookalikeKit":
        """As to_dict wrote it."""
        return cls(TraitPoints.from_dict(written["points"]), written["methods"])


def train_lookalikes(
    traits: pd.DataFrame, cutoff_on: str
) -> tuple[LookalikeKit | None, list[Evaluation], str | None, str]:
    """What sets the best buyers apart from everybody else, how well it does so for a fifth of the people
    that it was not learned from (every fifth in turn), why nothing can be learned (None where it can), and
    why these traits score.

    traits: rows of customer_traits, of sampled people.
    """
    people = traits.groupby("customer_id", sort=True)[
        ["has_bought", "is_best_buyer", "sample_weight"]
    ].first()
    best = people["is_best_buyer"].astype(bool)
    n_best, n_others = int(best.sum()), int((~best).sum())
    if min(n_best, n_others) < BEST_FROM:
        who = "best buyers" if n_best < BEST_FROM else "other people"
        why = f"Only {min(n_best, n_others)} {who} with known traits; {BEST_FROM} are needed."
        return None, [], why, why
    weight = people["sample_weight"].astype(float)
    used = {"traits": traits, "rule": traits[traits["trait"].isin(RULE_TRAITS)]}
    fold = np.arange(len(people)) % FOLDS
    chances = pd.DataFrame(index=people.index)
    for method, rows in used.items():
        told = np.zeros(len(people))
        for number in range(FOLDS):
            known, asked = people.index[fold != number], people.index[fold == number]
            learned = TraitPoints().fit(rows[rows["customer_id"].isin(known)], best[known], weight[known])
            told[fold == number] = learned.predict(rows, asked)
        chances[f"chance_{method}"] = told
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

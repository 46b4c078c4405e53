"""Send time: the hours and weekdays at which customers are active, learned and back-tested."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mailroom.estimators.presence import CircularPresence
from mailroom.scoring.judging import Evaluation

Floats = NDArray[np.float64]
# Per score: its columns, candidate bandwidths (weekdays have no neighbours), and the slots that are a hit.
HOURS = [f"hour_{n}" for n in range(24)]
WEEKDAYS = [f"weekday_{n}" for n in range(1, 8)]
SLOTS = [*HOURS, *WEEKDAYS]
SCORES = {"send_hour": HOURS, "send_weekday": WEEKDAYS}
BANDWIDTHS = {"send_hour": (0.5, 1.0, 1.5, 2.0, 3.0), "send_weekday": (0.0,)}
NEAR = {"send_hour": 1, "send_weekday": 0}
SIGNALS_FROM = 200  # before and within the horizon; with fewer, no back-test


class SendTimeKit:
    """The presence model and the method of each score: personal or rule.

    The rule is the group's best slot, the same for every customer in it.
    """

    def __init__(self, presence: dict[str, CircularPresence], methods: dict[str, str]) -> None:
        self.presence, self.methods = presence, methods

    def shares(self, customers: pd.DataFrame) -> pd.DataFrame:
        """Return, per customer and slot, the share of presence near enough to be a hit, by the chosen
        method."""
        by_slot: dict[str, Floats] = {}
        for score, columns in SCORES.items():
            model, groups = self.presence[score], customers["group_name"]
            presence = (
                model.predict(customers[columns], groups)
                if self.methods[score] == "personal"
                else model.group_shares(groups)
            )
            by_slot |= dict(zip(columns, _around(presence, NEAR[score]).T, strict=True))
        return pd.DataFrame(by_slot, index=customers.index)

    def personal_weight(self, n_signals: Floats) -> Floats:
        """Return the weight of n_signals hours of presence against the group: 0 none, 1 all."""
        prior = self.presence["send_hour"].prior_
        if self.methods["send_hour"] == "rule" or np.isinf(prior):
            return np.zeros(len(n_signals))
        return np.asarray(n_signals / (n_signals + prior), dtype=float)

    def to_dict(self) -> dict[str, Any]:
        """Return plain numbers for JSON."""
        return {
            "presence": {score: model.to_dict() for score, model in self.presence.items()},
            "methods": self.methods,
        }

    @classmethod
    def from_dict(cls, written: dict[str, Any]) -> "SendTimeKit":
        """Read what to_dict wrote."""
        presence = {score: CircularPresence.from_dict(model) for score, model in written["presence"].items()}
        return cls(presence, written["methods"])


def train_send_times(
    customers: pd.DataFrame, horizon: int, cutoff_on: str
) -> tuple[SendTimeKit | None, list[Evaluation], str]:
    """Return the model of send times, its back-test on the last `horizon` days, and the reason of each
    choice.

    customers: rows of customer_active_hours. The back-test learns from presence before those days, and
    compares each customer's best slot with the hours of activity within them.
    """
    about = {"cutoff_on": cutoff_on, "horizon_days": horizon}
    if not customers[HOURS].to_numpy(dtype=float).sum():
        return None, [], "No activity by any customer yet."
    groups = customers["group_name"]
    presence, methods, judged, reasons = {}, {}, [], []
    for score, columns in SCORES.items():
        seen = customers[columns].to_numpy(dtype=float)
        since = customers[[f"recent_{name}" for name in columns]].to_numpy(dtype=float)
        presence[score] = CircularPresence(BANDWIDTHS[score]).fit(seen, groups)
        methods[score] = "rule"
        before = seen - since
        both = (before.sum(axis=1) > 0) & (since.sum(axis=1) > 0)
        if min(before[both].sum(), since[both].sum()) < SIGNALS_FROM:
            reasons.append(f"{score}: too little activity for a back-test, so the group's best time is used")
            continue
        then = CircularPresence(BANDWIDTHS[score]).fit(before, groups)
        hits = {
            method: _hits(shares[both], since[both], NEAR[score])
            for method, shares in (
                ("rule", then.group_shares(groups)),
                ("personal", then.predict(before, groups)),
            )
        }
        judged += _judge(score, hits, before[both].sum(axis=1), about)
        personal, rule = hits["personal"].mean(), hits["rule"].mean()
        against = (
            f"{score}: {personal:.3f} of activity hit by the personal time against {rule:.3f} by the group's"
        )
        doubt = 1.96 * float((hits["personal"] - hits["rule"]).std()) / len(hits["rule"]) ** 0.5
        if personal - rule > doubt:
            methods[score] = "personal"
            reasons.append(against)
        else:
            reasons.append(f"{against}, not significantly better, so the group's is used")
    return SendTimeKit(presence, methods), judged, "; ".join(reasons)


def _around(counts: Floats, near: int) -> Floats:
    """Return the sum of each slot and its neighbours."""
    return np.asarray(sum(np.roll(counts, by, axis=1) for by in range(-near, near + 1)), dtype=float)


def _hits(shares: Floats, since: Floats, near: int) -> Floats:
    """Return, per customer, the share of later presence near their best slot."""
    best = _around(shares, near).argmax(axis=1)[:, None]
    hit = np.take_along_axis(_around(since, near), best, axis=1)[:, 0]
    return np.asarray(hit / since.sum(axis=1), dtype=float)


def _judge(score: str, hits: dict[str, Floats], n_signals: Floats, about: Evaluation) -> list[Evaluation]:
    entries = []
    for segment, chosen in (
        ("all", n_signals > 0),
        ("one signal", n_signals == 1),
        ("several signals", n_signals > 1),
    ):
        n = int(chosen.sum())
        for method, each in hits.items():
            values: Evaluation = dict.fromkeys(("value", "low", "high", "baseline_value"))
            if n >= 2:
                value, doubt = float(each[chosen].mean()), 1.96 * float(each[chosen].std()) / n**0.5
                values = {
                    "value": value,
                    "low": value - doubt,
                    "high": value + doubt,
                    "baseline_value": float(hits["rule"][chosen].mean()),
                }
            entries.append(
                {"score": score, "method": method, "metric": "hit_share", "segment": segment}
                | values
                | {"n_customers": n}
                | about
            )
    return entries

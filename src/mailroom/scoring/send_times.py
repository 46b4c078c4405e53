"""Send time: the hours and weekdays at which people are there, learned, judged and told."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mailroom.estimators.presence import CircularPresence
from mailroom.scoring.judging import Evaluation

Floats = NDArray[np.float64]
# Per score: its columns, the bandwidths to choose from (weekdays have no neighbours), and how near is a hit.
HOURS = [f"hour_{n}" for n in range(24)]
WEEKDAYS = [f"weekday_{n}" for n in range(1, 8)]
SLOTS = [*HOURS, *WEEKDAYS]
SCORES = {"send_hour": HOURS, "send_weekday": WEEKDAYS}
BANDWIDTHS = {"send_hour": (0.5, 1.0, 1.5, 2.0, 3.0), "send_weekday": (0.0,)}
NEAR = {"send_hour": 1, "send_weekday": 0}
SIGNALS_FROM = 200  # before and within the horizon; with fewer nobody's hours can be judged


class SendTimeKit:
    """What is known of when people are there, by score, and which method tells it: personal or rule.

    The rule is the group's best slot, for everybody in it.
    """

    def __init__(self, presence: dict[str, CircularPresence], methods: dict[str, str]) -> None:
        self.presence, self.methods = presence, methods

    def shares(self, customers: pd.DataFrame) -> pd.DataFrame:
        """Per customer and slot of each score, the share of presence near enough to be a hit, by the
        method that was chosen."""
        found: dict[str, Floats] = {}
        for score, columns in SCORES.items():
            model, groups = self.presence[score], customers["group_name"]
            told = (
                model.predict(customers[columns], groups)
                if self.methods[score] == "personal"
                else model.group_shares(groups)
            )
            found |= dict(zip(columns, _around(told, NEAR[score]).T, strict=True))
        return pd.DataFrame(found, index=customers.index)

    def personal_weight(self, n_signals: Floats) -> Floats:
        """What so many hours in which a customer was seen weigh against the group: 0 not at all, 1 all."""
        prior = self.presence["send_hour"].prior_
        if self.methods["send_hour"] == "rule" or np.isinf(prior):
            return np.zeros(len(n_signals))
        return np.asarray(n_signals / (n_signals + prior), dtype=float)

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers, ready for JSON."""
        return {
            "presence": {score: model.to_dict() for score, model in self.presence.items()},
            "methods": self.methods,
        }

    @classmethod
    def from_dict(cls, written: dict[str, Any]) -> "SendTimeKit":
        """As to_dict wrote it."""
        presence = {score: CircularPresence.from_dict(model) for score, model in written["presence"].items()}
        return cls(presence, written["methods"])


def train_send_times(
    customers: pd.DataFrame, horizon: int, cutoff_on: str
) -> tuple[SendTimeKit | None, list[Evaluation], str]:
    """What is to tell send times, how it would have done on the last `horizon` days, and why it is that.

    customers: rows of customer_active_hours. What was seen before the last days is learned, and each
    customer's best slot is then held against the hours they were active since.
    """
    about = {"cutoff_on": cutoff_on, "horizon_days": horizon}
    if not customers[HOURS].to_numpy(dtype=float).sum():
        return None, [], "Nobody has been seen."
    groups = customers["group_name"]
    presence, methods, judged, said = {}, {}, [], []
    for score, columns in SCORES.items():
        seen = customers[columns].to_numpy(dtype=float)
        since = customers[[f"recent_{name}" for name in columns]].to_numpy(dtype=float)
        presence[score] = CircularPresence(BANDWIDTHS[score]).fit(seen, groups)
        methods[score] = "rule"
        before = seen - since
        both = (before.sum(axis=1) > 0) & (since.sum(axis=1) > 0)
        if min(before[both].sum(), since[both].sum()) < SIGNALS_FROM:
            said.append(f"{score}: too little was seen to judge a personal one, so the group's is told")
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
        against = f"{score}: {personal:.3f} of presence hit by the personal one against {rule:.3f}"
        doubt = 1.96 * float((hits["personal"] - hits["rule"]).std()) / len(hits["rule"]) ** 0.5
        if personal - rule > doubt:
            methods[score] = "personal"
            said.append(against)
        else:
            said.append(f"{against} by the group's, not beyond doubt, so the group's is told")
    return SendTimeKit(presence, methods), judged, "; ".join(said)


def _around(counts: Floats, near: int) -> Floats:
    """Per slot what lies so near it."""
    return np.asarray(sum(np.roll(counts, by, axis=1) for by in range(-near, near + 1)), dtype=float)


def _hits(shares: Floats, since: Floats, near: int) -> Floats:
    """Per customer the part of what was seen since that lies so near the slot that is told."""
    told = _around(shares, near).argmax(axis=1)[:, None]
    hit = np.take_along_axis(_around(since, near), told, axis=1)[:, 0]
    return np.asarray(hit / since.sum(axis=1), dtype=float)


def _judge(score: str, hits: dict[str, Floats], n_signals: Floats, about: Evaluation) -> list[Evaluation]:
    found = []
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
            found.append(
                {"score": score, "method": method, "metric": "hit_share", "segment": segment}
                | values
                | {"n_customers": n}
                | about
            )
    return found

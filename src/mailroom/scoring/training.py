"""Training: learn from past moments, judge on the newest of them, and step aside where a rule is better."""

import hashlib
import json
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mailroom.models.blend import TREES_FROM, ReturnBlend, SpendBlend, shift_to_mean
from mailroom.models.evaluation import OF_CHANCES, OF_MONEY, Measure, confidence_interval
from mailroom.models.inputs import INPUTS
from mailroom.models.rules import RecencyRule, history_rate
from mailroom.scoring.base import Base, grouped
from mailroom.scoring.frames import frame

Floats = NDArray[np.float64]
YEAR = 365
LEVEL_FROM = 150  # days of orders before the moment a year ago that make its level worth comparing
LEVEL_WITHIN = (1 / 3, 3.0)
SMALLEST_MOMENT = 50  # customers; with fewer a past moment teaches nothing
BLEND_FROM = 500  # customers from which rows say more than the base
GATE_BUYERS, GATE_DAYS, GATE_SILENCE, GATE_ORDERS = 500, 180, 30, 3
COLUMNS = (
    "model_name", "model_version", "trained_at", "method", "state", "reason", "is_level_verified",
    "n_customers", "n_rows", "cutoffs", "features", "data_fingerprint", "parameters", "evaluations",
)  # fmt: skip


@dataclass
class Kit:
    """All that was learned up to a moment, to answer for customers at it."""

    horizon: int
    base: Base
    level: dict[str, float]  # factors of the base's level: chance, money, money over a year
    is_level_verified: bool
    rule: RecencyRule | None = None
    chance: ReturnBlend | None = None
    money: SpendBlend | None = None
    intervals: dict[str, Any] = field(default_factory=dict)
    methods: dict[str, str] = field(default_factory=lambda: {"churn": "rule", "value": "rule"})

    def answer(self, features: pd.DataFrame, base: pd.DataFrame) -> pd.DataFrame:
        """Per customer with an order: the chance of another within the horizon, and the money in it, by
        every method that there is. base is what Base.predict says of them."""
        days = self.horizon
        value = self.base.expected_value(features)
        found = pd.DataFrame(index=features.index)
        found["chance_base"] = levelled(
            base[f"order_probability_{days}d"].to_numpy(dtype=float), self.level["chance_shift"]
        )
        found["money_base"] = base[f"expected_orders_{days}d"].to_numpy() * value * self.level["money"]
        found["year_base"] = base[f"expected_orders_{YEAR}d"].to_numpy() * value * self.level["money_year"]
        found["money_rule"], found["year_rule"] = history_rate(features, days), history_rate(features, YEAR)
        if self.rule:
            found["chance_rule"] = self.rule.predict(features)
        if self.chance:
            found["chance_blend"] = self.chance.predict(features, found["chance_base"])
        if self.money:
            found["money_blend"] = self.money.predict(features, found["money_base"])
            ratio = found["money_blend"] / found["money_base"].where(found["money_base"] > 0)
            found["year_blend"] = found["year_base"] * ratio.fillna(1.0)
        return found

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers, ready for JSON."""
        return {
            "horizon": self.horizon,
            "base": self.base.to_dict(),
            "level": self.level,
            "is_level_verified": self.is_level_verified,
            "rule": self.rule.to_dict() if self.rule else None,
            "chance": self.chance.to_dict() if self.chance else None,
            "money": self.money.to_dict() if self.money else None,
            "intervals": self.intervals,
            "methods": self.methods,
        }

    @classmethod
    def from_dict(cls, written: dict[str, Any]) -> "Kit":
        """As to_dict wrote it."""
        kit = cls(
            written["horizon"],
            Base.from_dict(written["base"]),
            written["level"],
            written["is_level_verified"],
        )
        kit.rule = RecencyRule.from_dict(written["rule"]) if written["rule"] else None
        kit.chance = ReturnBlend.from_dict(written["chance"]) if written["chance"] else None
        kit.money = SpendBlend.from_dict(written["money"]) if written["money"] else None
        kit.intervals, kit.methods = written["intervals"], written["methods"]
        return kit


def levelled(chance: Floats, shift: float) -> Floats:
    """Probabilities with logits shifted."""
    odds = np.clip(chance, 1e-9, 1 - 1e-9)
    odds = odds / (1 - odds) * np.exp(shift)
    return np.asarray(odds / (1 + odds))


def train(
    features: Any, outcomes: Any, histories: Any, cutoffs: Any, *, horizon: int, trained_at: str
) -> pd.DataFrame:
    """One row for the model of customers who have bought: what was learned, how it did, and which method is
    to score (columns COLUMNS; cutoffs, features, parameters and evaluations are JSON).

    Tables as dbt.ref() gives them: customer_features, customer_outcomes, purchase_histories and
    feature_cutoffs. Of the features only sampled customers are read.
    """
    sample = frame(features.filter("is_sampled and n_order_days > 0"), ["customer_id", "cutoff_on"])
    known = frame(outcomes, ["customer_id", "cutoff_on"])
    moments = frame(cutoffs, ["cutoff_on"]).set_index("days_back")
    now = frame(histories.filter("is_scoring"), ["frequency", "recency_days", "age_days"])
    past = _past(sample.merge(known, on=["customer_id", "cutoff_on"]), moments, horizon)
    scored = sample[sample["is_scoring"]].reset_index(drop=True)

    why_not = gate(now, moments)
    if now.empty:
        return _row(None, why_not or "", why_not, past, scored, [], trained_at)
    base = Base().fit(now).fit_order_value(scored)
    kit = _learn(base, scored, past, moments, 0, horizon)
    evaluations: list[dict[str, Any]] = []
    if horizon in past and not why_not:
        evaluations = _back_test(kit, past, moments, horizon)
    reasons = _choose(kit, evaluations, why_not)
    return _row(kit, "; ".join(reasons), why_not, past, scored, evaluations, trained_at)


def gate(histories: pd.DataFrame, moments: pd.DataFrame) -> str | None:
    """Why there is too little to learn from, in one sentence; None where there is enough."""
    buyers = int(histories["n_customers"].sum()) if len(histories) else 0
    if not buyers:
        return "Nobody has ordered yet."
    if buyers < GATE_BUYERS:
        return f"Only {buyers:,} customers have ordered; {GATE_BUYERS} are needed."
    days = int(moments.loc[0, "history_days"])
    if days < GATE_DAYS:
        return f"The first order is {days} days old; {GATE_DAYS} are needed."
    silence = int((histories["age_days"] - histories["recency_days"]).min())
    if silence > GATE_SILENCE:
        return f"Nobody has ordered for {silence} days; it should be {GATE_SILENCE} at most."
    if int(histories["frequency"].max()) + 1 < GATE_ORDERS:
        return f"Nobody has ordered on {GATE_ORDERS} days."
    return None


def _past(stack: pd.DataFrame, moments: pd.DataFrame, horizon: int) -> dict[int, pd.DataFrame]:
    """Per past moment whose horizon is over, by its days back: customers with what the base, fitted on what
    was known then, expected of them."""
    found = {}
    for days_back, moment in moments[~moments["is_scoring"].astype(bool)].iterrows():
        rows = stack[stack["cutoff_on"] == moment["cutoff_on"]].reset_index(drop=True)
        if int(days_back) < horizon or len(rows) < SMALLEST_MOMENT:
            continue
        base = Base().fit(grouped(rows)).fit_order_value(rows)
        expected = base.predict(rows, [horizon, YEAR])
        value = base.expected_value(rows)
        found[int(days_back)] = rows.assign(
            chance=expected[f"order_probability_{horizon}d"],
            money=expected[f"expected_orders_{horizon}d"] * value,
            money_year=expected[f"expected_orders_{YEAR}d"] * value,
            returned=rows[f"n_order_days_next_{horizon}d"].to_numpy(dtype=float) > 0,
            spent=rows[f"net_revenue_next_{horizon}d"].to_numpy(dtype=float),
            days_back=int(days_back),
            base=[base] * len(rows),
        )
    return found


def _learn(
    base: Base,
    scored: pd.DataFrame,
    past: dict[int, pd.DataFrame],
    moments: pd.DataFrame,
    at: int,
    horizon: int,
) -> Kit:
    """What can be known `at` days back: from moments whose horizon was over by then."""
    level, verified = _level(past, moments, at, horizon)
    kit = Kit(horizon, base, level, verified)
    usable = [rows for days_back, rows in past.items() if days_back >= at + horizon]
    if not usable:
        return kit
    rows = pd.concat(usable, ignore_index=True)
    kit.rule = RecencyRule().fit(rows, rows["returned"])
    answers = kit.answer(scored, base.predict(scored, [horizon, YEAR]))
    n_customers = max(len(part) for part in usable)
    if n_customers >= BLEND_FROM and 0 < rows["returned"].mean() < 1:
        kit.chance = ReturnBlend(trees=n_customers >= TREES_FROM)
        kit.chance.fit(rows, rows["chance"], rows["days_back"], rows["returned"])
        kit.chance.level(scored, answers["chance_base"])
    if n_customers >= TREES_FROM and (rows["spent"] > 0).any() and (rows["money"] > 0).any():
        kit.money = SpendBlend().fit(rows, rows["money"], rows["days_back"], rows["spent"])
        kit.money.level(scored, answers["money_base"])
    return kit


def _level(
    past: dict[int, pd.DataFrame], moments: pd.DataFrame, at: int, horizon: int
) -> tuple[dict[str, float], bool]:
    """How far off the base was in the same season a year before, for what comes after `at`."""
    level = {"chance_shift": 0.0, "money": 1.0, "money_year": 1.0}
    before = at + YEAR
    if before not in past or int(moments.loc[before, "history_days"]) < LEVEL_FROM:
        return level, False
    rows = past[before]

    def factor(actual: float, expected: float) -> float:
        return float(np.clip(actual / expected, *LEVEL_WITHIN)) if expected > 0 else 1.0

    chance = rows["chance"].to_numpy(dtype=float)
    wanted = chance.mean() * factor(rows["returned"].mean(), chance.mean())
    logits = np.log(np.clip(chance, 1e-9, 1 - 1e-9)) - np.log1p(-np.clip(chance, 1e-9, 1 - 1e-9))
    level["chance_shift"] = float(shift_to_mean(logits, float(np.clip(wanted, 0.001, 0.999))))
    level["money"] = factor(rows["spent"].sum(), rows["money"].sum())
    spent_in_year = rows[f"net_revenue_next_{YEAR}d"].to_numpy(dtype=float, na_value=np.nan)
    over = ~np.isnan(spent_in_year)
    level["money_year"] = (
        factor(float(spent_in_year[over].sum()), float(rows["money_year"][over].sum()))
        if over.any()
        else level["money"]
    )
    return level, True


def _back_test(
    kit: Kit, past: dict[int, pd.DataFrame], moments: pd.DataFrame, horizon: int
) -> list[dict[str, Any]]:
    """Judge every method at the newest moment whose outcome is known, with what was known then; and take
    from it how far actual money lies around the expected."""
    rows = past[horizon]
    then = _learn(rows["base"].iloc[0], rows, past, moments, horizon, horizon)
    answers = then.answer(rows, then.base.predict(rows, [horizon, YEAR]))
    cutoff = str(pd.Timestamp(moments.loc[horizon, "cutoff_on"]).date())
    found = []
    for score, prefix, measures, actual in (
        ("churn", "chance", OF_CHANCES, rows["returned"].to_numpy(dtype=float)),
        ("value", "money", OF_MONEY, np.maximum(rows["spent"].to_numpy(dtype=float), 0)),
    ):
        rule = answers.get(f"{prefix}_rule")
        for method in ("rule", "base", "blend"):
            predicted = answers.get(f"{prefix}_{method}")
            if predicted is None:
                continue
            for segment, chosen in _segments(rows).items():
                for metric, measure in measures.items():
                    found.append(
                        _evaluation(measure, actual[chosen], predicted[chosen], rule, chosen)
                        | {"score": score, "method": method, "metric": metric, "segment": segment}
                        | {"cutoff_on": cutoff, "horizon_days": horizon, "n_customers": int(chosen.sum())}
                    )
    best = answers.get("money_blend", answers["money_base"]).to_numpy(dtype=float)
    kit.intervals = _intervals(best, np.maximum(rows["spent"].to_numpy(dtype=float), 0))
    return found


def _segments(rows: pd.DataFrame) -> dict[str, NDArray[np.bool_]]:
    n = rows["n_order_days"].to_numpy(dtype=float)
    return {"all": n > 0, "one order": n == 1, "several orders": n > 1}


def _evaluation(
    measure: Measure,
    actual: Floats,
    predicted: pd.Series,
    rule: pd.Series | None,
    chosen: NDArray[np.bool_],
) -> dict[str, float | None]:
    if len(actual) < 2:
        return {"value": None, "low": None, "high": None, "baseline_value": None}
    values = predicted.to_numpy(dtype=float)
    low, high = confidence_interval(measure, actual, values)
    baseline = measure(actual, rule.to_numpy(dtype=float)[chosen]) if rule is not None else float("nan")
    numbers = {"value": measure(actual, values), "low": low, "high": high, "baseline_value": baseline}
    return {name: value if np.isfinite(value) else None for name, value in numbers.items()}


def _intervals(expected: Floats, actual: Floats) -> dict[str, Any]:
    """Per tenth of the customers by expected money: its upper bound and the bounds of 80 % of what
    customers spent, as shares of what was expected of them on average."""
    order = np.argsort(expected, kind="stable")
    parts = [part for part in np.array_split(order, 10) if len(part)]
    means = [max(float(expected[part].mean()), 1e-9) for part in parts]
    bounds = [np.quantile(actual[part], [0.1, 0.9]) for part in parts]
    return {
        "until": [float(expected[part].max()) for part in parts],
        "low": [float(bound[0] / mean) for bound, mean in zip(bounds, means, strict=True)],
        "high": [float(bound[1] / mean) for bound, mean in zip(bounds, means, strict=True)],
    }


def _choose(kit: Kit, evaluations: list[dict[str, Any]], why_not: str | None) -> list[str]:
    """Set each score's method: the best one that beats the rule, and chance beyond doubt; else the rule. The
    reasons in words."""
    if why_not:
        return [why_not]
    reasons = []
    for score, metric, by_chance in (("churn", "auc", 0.5), ("value", "gini", 0.0)):
        judged = {
            row["method"]: row
            for row in evaluations
            if (row["score"], row["metric"], row["segment"]) == (score, metric, "all")
            and row["value"] is not None
        }
        if "base" not in judged:
            kit.methods[score] = "base"
            reasons.append(f"{score}: no past moment to judge by, so the base scores")
            continue
        rule = judged["rule"]["value"] if "rule" in judged else by_chance
        fitted = kit.chance if score == "churn" else kit.money
        able = [method for method in judged if method == "base" or (method == "blend" and fitted)]
        best = max(able, key=lambda method: judged[method]["value"])
        value, low = judged[best]["value"], judged[best]["low"]
        against = f"{score}: {metric} {value:.3f} of the {best} against {rule:.3f} of the rule"
        if value > rule and low > by_chance:
            kit.methods[score] = best
            reasons.append(against)
        else:
            reasons.append(f"{against} (and {by_chance} by chance), so the rule scores")
    return reasons


def _row(
    kit: Kit | None,
    reason: str,
    why_not: str | None,
    past: dict[int, pd.DataFrame],
    scored: pd.DataFrame,
    evaluations: list[dict[str, Any]],
    trained_at: str,
) -> pd.DataFrame:
    parameters = json.dumps(kit.to_dict() if kit else {}, sort_keys=True)
    used = pd.concat([scored, *(rows.drop(columns=["base"]) for rows in past.values())], ignore_index=True)
    digest = pd.util.hash_pandas_object(used[[*INPUTS, "customer_id"]].astype(str), index=False)
    days = sorted(past)
    values = {
        "model_name": "customers_who_bought",
        "model_version": hashlib.sha256(parameters.encode()).hexdigest()[:12],
        "trained_at": pd.Timestamp(trained_at),
        "method": json.dumps(kit.methods if kit else {}, sort_keys=True),
        "state": "closed" if why_not else "open",
        "reason": reason,
        "is_level_verified": bool(kit and kit.is_level_verified),
        "n_customers": len(scored),
        "n_rows": sum(len(rows) for rows in past.values()),
        "cutoffs": json.dumps([str(pd.Timestamp(past[back]["cutoff_on"].iloc[0]).date()) for back in days]),
        "features": json.dumps(list(INPUTS)),
        "data_fingerprint": f"{int(digest.to_numpy(dtype='uint64').sum(dtype='uint64')):016x}",
        "parameters": parameters,
        "evaluations": json.dumps(evaluations),
    }
    return pd.DataFrame([values], columns=list(COLUMNS))

"""Back-test: each method predicts a past moment with a known outcome, from what was known then. The best
method that beats the rule scores, else the rule."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mailroom.estimators.evaluation import Measure, confidence_interval
from mailroom.scoring.base import QUANTILES

Floats = NDArray[np.float64]
Evaluation = dict[str, Any]
METHODS = ("rule", "base", "blend", "traits")


def judge(
    score: str,
    prefix: str,
    measures: dict[str, Measure],
    answers: pd.DataFrame,
    actual: Floats,
    segments: dict[str, NDArray[np.bool_]],
    about: Evaluation,
) -> list[Evaluation]:
    """Return one entry per method with predictions (column <prefix>_<method>), measure and segment."""
    rule = answers.get(f"{prefix}_rule")
    entries = []
    for method in METHODS:
        predicted = answers.get(f"{prefix}_{method}")
        if predicted is None:
            continue
        for segment, chosen in segments.items():
            for metric, measure in measures.items():
                entries.append(
                    {"score": score, "method": method, "metric": metric, "segment": segment}
                    | _evaluation(measure, actual[chosen], predicted[chosen], rule, chosen)
                    | {"n_customers": int(chosen.sum())}
                    | about
                )
    return entries


def _evaluation(
    measure: Measure,
    actual: Floats,
    predicted: pd.Series,
    rule: pd.Series | None,
    chosen: NDArray[np.bool_],
) -> Evaluation:
    if len(actual) < 2:
        return {"value": None, "low": None, "high": None, "baseline_value": None}
    values = predicted.to_numpy(dtype=float)
    low, high = confidence_interval(measure, actual, values)
    baseline = measure(actual, rule.to_numpy(dtype=float)[chosen]) if rule is not None else float("nan")
    numbers = {"value": measure(actual, values), "low": low, "high": high, "baseline_value": baseline}
    return {name: value if np.isfinite(value) else None for name, value in numbers.items()}


def judge_dates(
    answers: dict[str, pd.DataFrame],
    actual: Floats,
    segments: dict[str, NDArray[np.bool_]],
    about: Evaluation,
) -> list[Evaluation]:
    """Return one entry per method, measure and segment of the customers who ordered, `actual` days after the
    moment. Measures: mae_days of the median; interval_coverage, the share of orders within the bounds; and
    quantile_loss, the pinball loss of bounds and median in days."""
    entries = []
    rule_error = np.abs(answers["rule"]["median"].to_numpy(dtype=float) - actual)
    for method, predicted in answers.items():
        low, median, high = (predicted[name].to_numpy(dtype=float) for name in QUANTILES)
        losses = [
            np.maximum(level * (actual - at), (level - 1) * (actual - at))
            for level, at in zip(QUANTILES.values(), (low, median, high), strict=True)
        ]
        measured = {
            "mae_days": np.abs(median - actual),
            "interval_coverage": ((low <= actual) & (actual <= high)).astype(float),
            "quantile_loss": np.mean(losses, axis=0),
        }
        for metric, per_customer in measured.items():
            for segment, chosen in segments.items():
                n = int(chosen.sum())
                values = dict.fromkeys(("value", "low", "high", "baseline_value"))
                if n >= 2:
                    middle = per_customer[chosen]
                    doubt = 1.96 * float(middle.std()) / n**0.5
                    values["value"] = float(middle.mean())
                    values["low"], values["high"] = values["value"] - doubt, values["value"] + doubt
                    values["baseline_value"] = (
                        float(rule_error[chosen].mean()) if metric == "mae_days" else None
                    )
                entries.append(
                    {"score": "next_order", "method": method, "metric": metric, "segment": segment}
                    | values
                    | {"n_customers": n}
                    | about
                )
    return entries


def choose_dates(evaluations: Iterable[Evaluation]) -> tuple[str, str]:
    """Return the method that predicts the next order's date, and why: the one with the smallest quantile
    loss, if its median is nearer than the rule's."""
    judged = {
        (row["method"], row["metric"]): row["value"]
        for row in evaluations
        if row["score"] == "next_order" and row["segment"] == "all" and row["value"] is not None
    }
    able = [method for method in ("base", "rhythm") if (method, "quantile_loss") in judged]
    if not able:
        return "base", "next_order: no repeat order to back-test with, so the base scores"
    best = min(able, key=lambda method: judged[method, "quantile_loss"])
    error, rule = judged[best, "mae_days"], judged["rule", "mae_days"]
    against = f"next_order: {error:.1f} days off with the {best} against {rule:.1f} with the rule"
    return (best, against) if error < rule else ("rule", f"{against}, so the rule scores")


def choose(
    score: str,
    order: str,
    by_chance: float,
    error: str,
    evaluations: Iterable[Evaluation],
    able: Iterable[str],
) -> tuple[str, str]:
    """Return the method that scores, among the able ones, and why. It is the one that ranks customers best,
    if it is significantly better than chance and better than the rule. If the rule's ranking lies within its
    confidence interval, it scores if its error is smaller. Otherwise the rule scores.

    order and error name metrics. by_chance is the value of a random order.
    """
    judged = {
        (row["method"], row["metric"]): row
        for row in evaluations
        if row["score"] == score and row["segment"] == "all" and row["value"] is not None
    }
    candidates = [method for method in able if (method, order) in judged]
    if not candidates:
        return "rule", f"{score}: only the rule can be back-tested, so the rule scores"
    best = max(candidates, key=lambda method: judged[method, order]["value"])
    measured = judged[best, order]
    rule = judged["rule", order]["value"] if ("rule", order) in judged else by_chance
    against = f"{score}: {order} {measured['value']:.3f} for the {best} against {rule:.3f} for the rule"
    if measured["low"] > by_chance and measured["value"] > rule:
        return best, against
    if measured["low"] > by_chance and measured["high"] >= rule and ("rule", error) in judged:
        errors = judged[best, error]["value"], judged["rule", error]["value"]
        against += f", {error} {errors[0]:.3f} against {errors[1]:.3f}"
        if errors[0] < errors[1]:
            return best, against
    return "rule", f"{against} ({by_chance} by chance), so the rule scores"


def intervals(expected: Floats, actual: Floats) -> dict[str, list[float]]:
    """Return, per tenth of the customers by expected money, its upper bound and the 80% interval of actual
    money, as shares of the tenth's mean expected money."""
    order = np.argsort(expected, kind="stable")
    parts = [part for part in np.array_split(order, 10) if len(part)]
    means = [max(float(expected[part].mean()), 1e-9) for part in parts]
    bounds = [np.quantile(actual[part], [0.1, 0.9]) for part in parts]
    return {
        "until": [float(expected[part].max()) for part in parts],
        "low": [float(bound[0] / mean) for bound, mean in zip(bounds, means, strict=True)],
        "high": [float(bound[1] / mean) for bound, mean in zip(bounds, means, strict=True)],
    }


def within(expected: Floats, bounds: dict[str, list[float]]) -> tuple[Floats, Floats]:
    """Return the 80% interval around expected money from learned intervals; NaN without any."""
    if not bounds:
        unknown = np.full(len(expected), np.nan)
        return unknown, unknown
    part = np.minimum(np.searchsorted(bounds["until"], expected), len(bounds["until"]) - 1)
    low, high = np.asarray(bounds["low"])[part], np.asarray(bounds["high"])[part]
    # An expectation above all that was learned must not lie outside its own interval.
    return np.minimum(expected * low, expected), np.maximum(expected * high, expected)

"""Measures of a prediction. A score uses several at once, because each alone can mislead.

The mean absolute error, for one, rewards a prediction of zero, because most customers buy nothing. Each
measure is a few lines of numpy, because in a bootstrap of a hundred draws scikit-learn's input checks take
longer than the measure. A test compares them with scikit-learn's.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import rankdata

Floats = NDArray[np.float64]
DRAWN = 4_000  # customers
Measure = Callable[[Floats, Floats], float]


def gini(actual: Floats, predicted: Floats) -> float:
    """Return the normalised Gini: 1 ranks customers exactly by what they spent, 0 is a random ranking. Ties
    share their places, so a constant prediction has 0. NaN if no customer spent, or all spent the same."""
    best = _gain(actual, actual)
    return _gain(actual, predicted) / best if best else float("nan")


def _gain(actual: Floats, predicted: Floats) -> float:
    """Return the covariance of actual money with the ranks of the prediction."""
    return float(np.mean((actual - actual.mean()) * rankdata(predicted)))


def spearman(actual: Floats, predicted: Floats) -> float:
    """Return the rank correlation; NaN if either is constant."""
    one, other = rankdata(actual), rankdata(predicted)
    spread = one.std() * other.std()
    return float(np.mean((one - one.mean()) * (other - other.mean())) / spread) if spread else float("nan")


def mean_absolute_error(actual: Floats, predicted: Floats) -> float:
    """Return the error in the unit of the values."""
    return float(np.abs(actual - predicted).mean())


def root_mean_squared_error(actual: Floats, predicted: Floats) -> float:
    """Return the error in the unit of the values."""
    return float(np.sqrt(np.mean((actual - predicted) ** 2)))


def total_bias(actual: Floats, predicted: Floats) -> float:
    """Return predicted total / actual total - 1: 0.05 is 5% too much. NaN if the actual total is 0."""
    total = actual.sum()
    return float(predicted.sum() / total - 1) if total else float("nan")


def decile_error(actual: Floats, predicted: Floats) -> float:
    """Return the mean distance between predicted and actual means over tenths of the customers by prediction,
    as a share of the overall actual mean."""
    order = np.argsort(predicted, kind="stable")
    mean = actual.mean()
    if not mean:
        return float("nan")
    parts = [part for part in np.array_split(order, 10) if len(part)]
    return float(np.mean([abs(actual[part].mean() - predicted[part].mean()) for part in parts]) / mean)


def top_tenth_share(actual: Floats, predicted: Floats) -> float:
    """Return the share of all money that came from the tenth of customers with the highest prediction; NaN if
    there was none."""
    top = np.argsort(-predicted, kind="stable")[: max(len(actual) // 10, 1)]
    total = actual.sum()
    return float(actual[top].sum() / total) if total else float("nan")


def calibration_error(happened: Floats, probability: Floats) -> float:
    """Return the mean distance between probability and outcome over tenths of the customers by probability,
    weighted by customers."""
    order = np.argsort(probability, kind="stable")
    parts = [part for part in np.array_split(order, 10) if len(part)]
    gaps = [abs(happened[part].mean() - probability[part].mean()) * len(part) for part in parts]
    return float(sum(gaps) / len(happened))


def brier(happened: Floats, probability: Floats) -> float:
    """Return the mean squared distance of probability and outcome."""
    return float(np.mean((happened - probability) ** 2))


def area_under_curve(happened: Floats, probability: Floats) -> float:
    """Return the chance that a customer with the outcome has a higher probability than one without it; NaN if
    all have it or none."""
    n_did = happened.sum()
    n_pairs = n_did * (len(happened) - n_did)
    places = rankdata(probability) @ happened
    return float((places - n_did * (n_did + 1) / 2) / n_pairs) if n_pairs else float("nan")


def average_precision(happened: Floats, probability: Floats) -> float:
    """Return the stepwise area under the precision-recall curve; NaN without a positive outcome."""
    total = happened.sum()
    if not total:
        return float("nan")
    order = np.argsort(-probability, kind="stable")
    last_of_equals = np.flatnonzero(np.diff(probability[order], append=-1.0))
    hits = np.cumsum(happened[order])[last_of_equals]
    return float(np.diff(hits, prepend=0) @ (hits / (last_of_equals + 1)) / total)


def logarithmic_loss(happened: Floats, probability: Floats) -> float:
    """Return the mean negative logarithm of the probability of the outcome."""
    likelihood = np.clip(np.where(happened > 0, probability, 1 - probability), 1e-9, 1 - 1e-9)
    return float(-np.log(likelihood).mean())


OF_CHANCES: dict[str, Measure] = {
    "auc": area_under_curve,
    "average_precision": average_precision,
    "brier": brier,
    "calibration_error": calibration_error,
    "log_loss": logarithmic_loss,
}
OF_MONEY: dict[str, Measure] = {
    "gini": gini,
    "top_tenth_share": top_tenth_share,
    "spearman": spearman,
    "mae": mean_absolute_error,
    "rmse": root_mean_squared_error,
    "decile_error": decile_error,
    "total_bias": total_bias,
}


def confidence_interval(
    measure: Measure, actual: ArrayLike, predicted: ArrayLike, draws: int = 100, seed: int = 0
) -> tuple[float, float]:
    """Return the 95% bootstrap interval of a measure, over customers drawn with replacement. A draw has DRAWN
    customers at most. The interval is then scaled by the root of the share drawn (Politis, Romano 1994)."""
    happened, expected = np.asarray(actual, dtype=float), np.asarray(predicted, dtype=float)
    random = np.random.default_rng(seed)
    n = len(happened)
    n_drawn = min(n, DRAWN)
    values = []
    for _ in range(draws):
        drawn = random.integers(0, n, n_drawn)
        values.append(measure(happened[drawn], expected[drawn]))
    known = [value for value in values if np.isfinite(value)]
    if not known:
        return float("nan"), float("nan")
    low, middle, high = np.quantile(known, [0.025, 0.5, 0.975])
    value, scale = measure(happened, expected), (n_drawn / n) ** 0.5
    return float(value + scale * (low - middle)), float(value + scale * (high - middle))

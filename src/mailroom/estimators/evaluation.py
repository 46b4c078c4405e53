"""How good a prediction is, judged by several measures at once: each alone can be cheated.

The mean absolute error, for one, rewards whoever predicts nothing, because most customers buy nothing.
Each is a line or three of numpy: drawn again a hundred times, scikit-learn's checks of its input take longer
than the measure. A test holds them to scikit-learn's.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import rankdata

Floats = NDArray[np.float64]
DRAWN = 4_000  # customers
Measure = Callable[[Floats, Floats], float]


def gini(actual: Floats, predicted: Floats) -> float:
    """Normalised Gini: 1 puts the customers in the order of what they spent, 0 in no order. Ties share
    their places, so that a constant prediction has 0. NaN where nobody or only equals spent."""
    best = _gain(actual, actual)
    return _gain(actual, predicted) / best if best else float("nan")


def _gain(actual: Floats, predicted: Floats) -> float:
    """Covariance of what was spent with the places of the prediction."""
    return float(np.mean((actual - actual.mean()) * rankdata(predicted)))


def spearman(actual: Floats, predicted: Floats) -> float:
    """Rank correlation; NaN where either is constant."""
    one, other = rankdata(actual), rankdata(predicted)
    spread = one.std() * other.std()
    return float(np.mean((one - one.mean()) * (other - other.mean())) / spread) if spread else float("nan")


def mean_absolute_error(actual: Floats, predicted: Floats) -> float:
    """In the unit of the values."""
    return float(np.abs(actual - predicted).mean())


def root_mean_squared_error(actual: Floats, predicted: Floats) -> float:
    """In the unit of the values."""
    return float(np.sqrt(np.mean((actual - predicted) ** 2)))


def total_bias(actual: Floats, predicted: Floats) -> float:
    """Predicted total over the actual one, less 1: .05 is 5% too much. NaN where nothing happened."""
    total = actual.sum()
    return float(predicted.sum() / total - 1) if total else float("nan")


def decile_error(actual: Floats, predicted: Floats) -> float:
    """Over tenths of the customers by prediction, the mean distance between predicted and actual means, as
    a share of the overall actual mean."""
    order = np.argsort(predicted, kind="stable")
    mean = actual.mean()
    if not mean:
        return float("nan")
    parts = [part for part in np.array_split(order, 10) if len(part)]
    return float(np.mean([abs(actual[part].mean() - predicted[part].mean()) for part in parts]) / mean)


def top_tenth_share(actual: Floats, predicted: Floats) -> float:
    """The part of all money that came from the tenth of the customers with the highest prediction; NaN where
    nothing happened."""
    top = np.argsort(-predicted, kind="stable")[: max(len(actual) // 10, 1)]
    total = actual.sum()
    return float(actual[top].sum() / total) if total else float("nan")


def calibration_error(happened: Floats, probability: Floats) -> float:
    """Over tenths of the customers by probability, the mean distance between it and what happened,
    weighted by customers."""
    order = np.argsort(probability, kind="stable")
    parts = [part for part in np.array_split(order, 10) if len(part)]
    gaps = [abs(happened[part].mean() - probability[part].mean()) * len(part) for part in parts]
    return float(sum(gaps) / len(happened))


def brier(happened: Floats, probability: Floats) -> float:
    """Mean squared distance of a probability from what happened."""
    return float(np.mean((happened - probability) ** 2))


def area_under_curve(happened: Floats, probability: Floats) -> float:
    """The chance that of two customers the one who did it has the higher probability; NaN if all did or
    nobody."""
    n_did = happened.sum()
    n_pairs = n_did * (len(happened) - n_did)
    places = rankdata(probability) @ happened
    return float((places - n_did * (n_did + 1) / 2) / n_pairs) if n_pairs else float("nan")


def average_precision(happened: Floats, probability: Floats) -> float:
    """Area under precision over recall, in steps; NaN if nobody did it."""
    total = happened.sum()
    if not total:
        return float("nan")
    order = np.argsort(-probability, kind="stable")
    last_of_equals = np.flatnonzero(np.diff(probability[order], append=-1.0))
    hits = np.cumsum(happened[order])[last_of_equals]
    return float(np.diff(hits, prepend=0) @ (hits / (last_of_equals + 1)) / total)


def logarithmic_loss(happened: Floats, probability: Floats) -> float:
    """Mean negative logarithm of the probability of what happened."""
    said = np.clip(np.where(happened > 0, probability, 1 - probability), 1e-9, 1 - 1e-9)
    return float(-np.log(said).mean())


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
    """95% around a measure, by customers drawn again with replacement (bootstrap). Of many customers no more
    than DRAWN are drawn at a time; a measure of so many varies more by the root of their share (Politis,
    Romano 1994)."""
    happened, expected = np.asarray(actual, dtype=float), np.asarray(predicted, dtype=float)
    random = np.random.default_rng(seed)
    n = len(happened)
    n_drawn = min(n, DRAWN)
    found = []
    for _ in range(draws):
        drawn = random.integers(0, n, n_drawn)
        found.append(measure(happened[drawn], expected[drawn]))
    known = [value for value in found if np.isfinite(value)]
    if not known:
        return float("nan"), float("nan")
    low, middle, high = np.quantile(known, [0.025, 0.5, 0.975])
    value, scale = measure(happened, expected), (n_drawn / n) ** 0.5
    return float(value + scale * (low - middle)), float(value + scale * (high - middle))

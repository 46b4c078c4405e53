"""The simple rules that a model has to beat, and that score in its place where it does not."""

from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator

Floats = NDArray[np.float64]
BANDS = (30, 60, 90, 180, 365)  # days, up to and with
CUSTOMERS_ON_LOAN = 20  # how many customers of the shop's own rate every cell begins with
SHORTEST_AGE = 90  # days; a rate of money over less time would be nonsense


class RateRule(BaseEstimator):  # type: ignore[misc]
    """Who stands where others stood does as they did: customers in bands of days, those who ordered on one
    day or none apart from the rest.

    Parameter: days, the column that is banded. Attributes: rates_, one per cell (six bands of those who
    ordered once at most, then of the others).
    """

    def __init__(self, days: str = "days_since_last_order") -> None:
        self.days = days

    def fit(self, features: pd.DataFrame, happened: ArrayLike, weight: ArrayLike | None = None) -> Self:
        """One row per customer and past moment, and whether they ordered within the horizon after it."""
        outcome = np.asarray(happened, dtype=float)
        weights = np.ones_like(outcome) if weight is None else np.asarray(weight, dtype=float)
        cells = self._cells(features)
        n_cells = 2 * (len(BANDS) + 1)
        overall = float(np.average(outcome, weights=weights)) if len(outcome) else 0.0
        counts = np.bincount(cells, weights, n_cells)
        sums = np.bincount(cells, weights * outcome, n_cells)
        self.rates_ = (sums + CUSTOMERS_ON_LOAN * overall) / (counts + CUSTOMERS_ON_LOAN)
        return self

    def predict(self, features: pd.DataFrame) -> Floats:
        """The chance of an order within the horizon."""
        return np.asarray(self.rates_[self._cells(features)], dtype=float)

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers, ready for JSON."""
        return {"days": self.days, "rates": self.rates_.tolist()}

    @classmethod
    def from_dict(cls, written: dict[str, Any]) -> "RateRule":
        """As to_dict wrote it."""
        rule = cls(written["days"])
        rule.rates_ = np.asarray(written["rates"])
        return rule

    def _cells(self, features: pd.DataFrame) -> NDArray[np.intp]:
        # Unknown days are taken for the longest.
        days = features[self.days].to_numpy(dtype=float, na_value=np.inf)
        several = features["n_order_days"].to_numpy(dtype=float, na_value=0) > 1
        return np.asarray(np.searchsorted(BANDS, days) + several * (len(BANDS) + 1), dtype=np.intp)


def history_rate(features: pd.DataFrame, days: int) -> Floats:
    """Money within so many days, if a customer goes on as so far."""
    known = features["net_revenue"].to_numpy(dtype=float, na_value=0)
    revenue = np.where(np.isfinite(known), np.maximum(known, 0), 0)
    age = np.maximum(features["age_days"].to_numpy(dtype=float, na_value=0), SHORTEST_AGE)
    return np.asarray(revenue / age * days)

"""The rules that a model must beat, and that score if it does not."""

from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator

Floats = NDArray[np.float64]
BANDS = (30, 60, 90, 180, 365)  # days, upper bounds included
CUSTOMERS_ON_LOAN = 20  # customers at the shop's own rate that each cell starts with
SHORTEST_AGE = 90  # days; a rate of money over less time is unreliable


class RateRule(BaseEstimator):  # type: ignore[misc]
    """The share of past customers in the same cell who ordered. A cell is a band of days, separately for
    customers with one order day at most and with several.

    Parameter: days, the column of the bands. Attributes: rates_, one per cell (six bands with one order day
    at most, then six with several).
    """

    def __init__(self, days: str = "days_since_last_order") -> None:
        self.days = days

    def fit(self, features: pd.DataFrame, happened: ArrayLike, weight: ArrayLike | None = None) -> Self:
        """Fit on one row per customer and past moment, and whether they ordered within the horizon after
        it."""
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
        """Return the chance of an order within the horizon, shape (rows,)."""
        return np.asarray(self.rates_[self._cells(features)], dtype=float)

    def to_dict(self) -> dict[str, Any]:
        """Return plain numbers for JSON."""
        return {"days": self.days, "rates": self.rates_.tolist()}

    @classmethod
    def from_dict(cls, written: dict[str, Any]) -> "RateRule":
        """Read what to_dict wrote."""
        rule = cls(written["days"])
        rule.rates_ = np.asarray(written["rates"])
        return rule

    def _cells(self, features: pd.DataFrame) -> NDArray[np.intp]:
        # Unknown days count as the longest.
        days = features[self.days].to_numpy(dtype=float, na_value=np.inf)
        several = features["n_order_days"].to_numpy(dtype=float, na_value=0) > 1
        return np.asarray(np.searchsorted(BANDS, days) + several * (len(BANDS) + 1), dtype=np.intp)


def history_rate(features: pd.DataFrame, days: int) -> Floats:
    """Return the money within `days` days, if a customer continues at their average rate."""
    known = features["net_revenue"].to_numpy(dtype=float, na_value=0)
    revenue = np.where(np.isfinite(known), np.maximum(known, 0), 0)
    age = np.maximum(features["age_days"].to_numpy(dtype=float, na_value=0), SHORTEST_AGE)
    return np.asarray(revenue / age * days)

"""The simple rules that a model has to beat, and that score in its place where it does not."""

from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator

Floats = NDArray[np.float64]
BANDS = (30, 60, 90, 180, 365)  # days since the last order, up to and with
CUSTOMERS_ON_LOAN = 20  # how many customers of the shop's own rate every cell begins with
SHORTEST_AGE = 90  # days; a rate of money over less time would be nonsense


class RecencyRule(BaseEstimator):  # type: ignore[misc]
    """Who ordered as long ago, and once or more often, orders again as such customers did.

    Attributes: rates_, one per cell (six bands of recency of those who ordered on one day, then of the
    others).
    """

    def fit(self, features: pd.DataFrame, returned: ArrayLike) -> Self:
        """One row per customer and past moment, and whether they ordered within the horizon after it."""
        happened = np.asarray(returned, dtype=float)
        cells = _cells(features)
        n_cells = 2 * (len(BANDS) + 1)
        overall = happened.mean() if len(happened) else 0.0
        counts = np.bincount(cells, minlength=n_cells)
        sums = np.bincount(cells, happened, n_cells)
        self.rates_ = (sums + CUSTOMERS_ON_LOAN * overall) / (counts + CUSTOMERS_ON_LOAN)
        return self

    def predict(self, features: pd.DataFrame) -> Floats:
        """The chance of an order within the horizon."""
        return np.asarray(self.rates_[_cells(features)], dtype=float)

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers, ready for JSON."""
        return {"rates": self.rates_.tolist()}

    @classmethod
    def from_dict(cls, written: dict[str, Any]) -> "RecencyRule":
        """As to_dict wrote it."""
        rule = cls()
        rule.rates_ = np.asarray(written["rates"])
        return rule


def history_rate(features: pd.DataFrame, days: int) -> Floats:
    """Money within so many days, if a customer goes on as so far."""
    revenue = np.maximum(features["net_revenue"].to_numpy(dtype=float, na_value=0), 0)
    age = np.maximum(features["age_days"].to_numpy(dtype=float, na_value=0), SHORTEST_AGE)
    return np.asarray(revenue / age * days)


def _cells(features: pd.DataFrame) -> NDArray[np.intp]:
    recency = features["days_since_last_order"].to_numpy(dtype=float)
    several = features["n_order_days"].to_numpy(dtype=float) > 1
    return np.asarray(np.searchsorted(BANDS, recency) + several * (len(BANDS) + 1), dtype=np.intp)

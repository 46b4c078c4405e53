"""The date of the next order for customers with a regular pace. Gaps between orders are gamma distributed,
with a mean and a spread per customer, shrunk towards the shop's.

The purchase models have no pace: to them an order is equally likely on any day. Gaps of this kind are in
Chatfield, Goodhardt (1973), A Consumer Purchasing Model with Erlang Inter-Purchase Times, JASA 68(344).
"""

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import gammaincc, gammainccinv
from sklearn.base import BaseEstimator

Floats = NDArray[np.float64]
GAPS_ON_LOAN = 3.0  # gaps of the shop's mean length that each customer starts with …
EVENNESS_ON_LOAN = 12.0  # … and gaps of its variation, which few gaps estimate poorly
GAPS_FROM = 2  # gaps; below this, a customer has no pace
SMALLEST_SHAPE, LARGEST_SHAPE = 0.5, 30.0
NEVER = 1e-12  # probability of a current gap this long; below it the pace has ended


class OrderRhythm(BaseEstimator):  # type: ignore[misc]
    """The gaps between orders. Attributes: gap_days_ (the shop's mean gap), variation_ (squared coefficient
    of variation of gaps within a customer). Both are None if no customer has a pace."""

    def fit(self, features: pd.DataFrame) -> Self:
        """Fit on one row per customer; columns n_order_days, mean_gap_days and gap_spread_days (days)."""
        n, mean, spread = _gaps(features)
        paced = (n >= GAPS_FROM) & (mean > 0)
        self.gap_days_: float | None = None
        self.variation_: float | None = None
        if paced.any():
            self.gap_days_ = float(np.average(mean[paced], weights=n[paced]))
            # The spread around a sample mean is too small by one degree of freedom.
            squares = (spread[paced] / mean[paced]) ** 2 * n[paced] / (n[paced] - 1)
            self.variation_ = float(np.clip(np.average(squares, weights=n[paced] - 1), 0.01, 4.0))
        return self

    def has_pace(self, features: pd.DataFrame) -> NDArray[np.bool_]:
        """Return which customers have enough gaps for a prediction."""
        n, mean, _ = _gaps(features)
        return np.asarray((n >= GAPS_FROM) & (mean > 0) & (self.gap_days_ is not None))

    def predict(self, features: pd.DataFrame, quantile: float, within: float) -> Floats:
        """Return a quantile of the days to the next order, given that it comes within `within` days. NaN for
        customers without a pace, and for those whose current gap is too long for their pace."""
        days = np.full(len(features), np.nan)
        chosen = self.has_pace(features)
        if not chosen.any() or self.gap_days_ is None or self.variation_ is None:
            return days
        n, mean, spread = (part[chosen] for part in _gaps(features))
        waited = features["days_since_last_order"].to_numpy(dtype=float)[chosen]
        own = mean * n + self.gap_days_ * GAPS_ON_LOAN
        middle = own / (n + GAPS_ON_LOAN)
        squares = (spread / mean) ** 2 * n + self.variation_ * EVENNESS_ON_LOAN
        # The mean is estimated from few gaps, which widens the distribution of the next one.
        variation = squares / (n - 1 + EVENNESS_ON_LOAN) * (1 + 1 / (n + GAPS_ON_LOAN))
        shape = np.clip(1 / variation, SMALLEST_SHAPE, LARGEST_SHAPE)
        scale = middle / shape
        still, then = gammaincc(shape, waited / scale), gammaincc(shape, (waited + within) / scale)
        at = gammainccinv(shape, still - quantile * (still - then)) * scale - waited
        days[chosen] = np.where(still > NEVER, np.clip(at, 0, within), np.nan)
        return days

    def to_dict(self) -> dict[str, Any]:
        """Return plain numbers for JSON."""
        return {"gap_days": self.gap_days_, "variation": self.variation_}

    @classmethod
    def from_dict(cls, written: Mapping[str, Any]) -> "OrderRhythm":
        """Read what to_dict wrote."""
        rhythm = cls()
        rhythm.gap_days_, rhythm.variation_ = written["gap_days"], written["variation"]
        return rhythm


def _gaps(features: pd.DataFrame) -> tuple[Floats, Floats, Floats]:
    """Return the number of gaps, their mean and their spread; 0 without gaps."""
    n = np.maximum(features["n_order_days"].to_numpy(dtype=float, na_value=0) - 1, 0)
    columns = (
        features[name].to_numpy(dtype=float, na_value=0) for name in ("mean_gap_days", "gap_spread_days")
    )
    mean, spread = (np.where(np.isfinite(part), np.maximum(part, 0), 0) for part in columns)
    # Two order days are at least one day apart.
    return n, np.where(mean > 0, np.maximum(mean, 1), 0), spread

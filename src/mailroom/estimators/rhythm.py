"""When the next order comes, for customers who order at an even pace: gaps between orders are gamma
distributed, each customer with a mean and a spread of their own, shrunk towards the shop's.

The models of purchases know no pace: to them an order is as likely on any day. Chatfield, Goodhardt (1973), A
Consumer Purchasing Model with Erlang Inter-Purchase Times, JASA 68(344), has gaps of this kind.
"""

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import gammaincc, gammainccinv
from sklearn.base import BaseEstimator

Floats = NDArray[np.float64]
GAPS_ON_LOAN = 3.0  # gaps of the shop's mean length that every customer begins with …
EVENNESS_ON_LOAN = 12.0  # … and as many of its evenness, which few gaps tell little of
GAPS_FROM = 2  # gaps from which somebody has a pace
SMALLEST_SHAPE, LARGEST_SHAPE = 0.5, 30.0
NEVER = 1e-12  # a gap that has lasted so improbably long says that the pace is over


class OrderRhythm(BaseEstimator):  # type: ignore[misc]
    """Attributes: gap_days_ (a mean gap of the shop), variation_ (squared coefficient of variation of gaps
    within a customer); both None where nobody has a pace."""

    def fit(self, features: pd.DataFrame) -> Self:
        """Columns n_order_days, mean_gap_days and gap_spread_days (days), one row per customer."""
        n, mean, spread = _gaps(features)
        paced = (n >= GAPS_FROM) & (mean > 0)
        self.gap_days_: float | None = None
        self.variation_: float | None = None
        if paced.any():
            self.gap_days_ = float(np.average(mean[paced], weights=n[paced]))
            # Of few gaps the spread around their own mean is too small by one of them.
            squares = (spread[paced] / mean[paced]) ** 2 * n[paced] / (n[paced] - 1)
            self.variation_ = float(np.clip(np.average(squares, weights=n[paced] - 1), 0.01, 4.0))
        return self

    def has_pace(self, features: pd.DataFrame) -> NDArray[np.bool_]:
        """Who has enough gaps to answer for."""
        n, mean, _ = _gaps(features)
        return np.asarray((n >= GAPS_FROM) & (mean > 0) & (self.gap_days_ is not None))

    def predict(self, features: pd.DataFrame, quantile: float, within: float) -> Floats:
        """Days from now to the next order at a quantile of them, given that it comes within so many days.
        NaN for those without a pace, and for those whose pace is over: they waited longer than it bears."""
        found = np.full(len(features), np.nan)
        chosen = self.has_pace(features)
        if not chosen.any() or self.gap_days_ is None or self.variation_ is None:
            return found
        n, mean, spread = (part[chosen] for part in _gaps(features))
        waited = features["days_since_last_order"].to_numpy(dtype=float)[chosen]
        own = mean * n + self.gap_days_ * GAPS_ON_LOAN
        middle = own / (n + GAPS_ON_LOAN)
        squares = (spread / mean) ** 2 * n + self.variation_ * EVENNESS_ON_LOAN
        # The mean is known from so many gaps only, which makes the next one as much less certain.
        variation = squares / (n - 1 + EVENNESS_ON_LOAN) * (1 + 1 / (n + GAPS_ON_LOAN))
        shape = np.clip(1 / variation, SMALLEST_SHAPE, LARGEST_SHAPE)
        scale = middle / shape
        still, then = gammaincc(shape, waited / scale), gammaincc(shape, (waited + within) / scale)
        at = gammainccinv(shape, still - quantile * (still - then)) * scale - waited
        found[chosen] = np.where(still > NEVER, np.clip(at, 0, within), np.nan)
        return found

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers, ready for JSON."""
        return {"gap_days": self.gap_days_, "variation": self.variation_}

    @classmethod
    def from_dict(cls, written: Mapping[str, Any]) -> "OrderRhythm":
        """As to_dict wrote it."""
        rhythm = cls()
        rhythm.gap_days_, rhythm.variation_ = written["gap_days"], written["variation"]
        return rhythm


def _gaps(features: pd.DataFrame) -> tuple[Floats, Floats, Floats]:
    """How many gaps there are, their mean and their spread; 0 where there is none."""
    n = np.maximum(features["n_order_days"].to_numpy(dtype=float, na_value=0) - 1, 0)
    columns = (
        features[name].to_numpy(dtype=float, na_value=0) for name in ("mean_gap_days", "gap_spread_days")
    )
    mean, spread = (np.where(np.isfinite(part), np.maximum(part, 0), 0) for part in columns)
    # Two order days lie a day apart or more.
    return n, np.where(mean > 0, np.maximum(mean, 1), 0), spread

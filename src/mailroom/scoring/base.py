"""The base model of churn, value and next order: the mean of BG/NBD and MBG/NBD, and Gamma-Gamma."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mailroom.estimators.purchases import BetaGeometricModel, ModifiedBetaGeometricModel
from mailroom.estimators.spend import GammaGammaModel

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]
HISTORY = ["frequency", "recency_days", "age_days"]
NEXT_ORDER_WITHIN = 365  # days; the next order is predicted given that it comes within them
MANY = 20_000  # rows; above this, similar rows are fitted as one
QUANTILES = {"low": 0.1, "median": 0.5, "high": 0.9}  # the bounds of the 80% interval, and the median
BOTH = (BetaGeometricModel, ModifiedBetaGeometricModel)


class Base:
    """Two purchase models, fitted on weighted histories, and an order value model.

    Attributes: purchases_ (BG/NBD, MBG/NBD), order_value_ (None until fit_order_value).
    """

    def __init__(self) -> None:
        self.purchases_ = [model() for model in BOTH]
        self.order_value_: GammaGammaModel | None = None

    def fit(self, histories: pd.DataFrame) -> "Base":
        """Fit both purchase models. Columns: HISTORY (days) and n_customers. Above MANY histories, those
        within the same weeks count as their mean, which moves a parameter by less than 1%."""
        rows = histories if len(histories) <= MANY else _by_week(histories)
        for model in self.purchases_:
            frequency, recency, age = _columns(rows)
            model.fit(frequency, recency, age, rows["n_customers"].to_numpy(dtype=float))
        return self

    def fit_order_value(self, features: pd.DataFrame) -> "Base":
        """Fit the order value model; skipped if no customer spent anything. One row per customer; columns
        n_order_days and mean_order_value. Above MANY customers, those whose values differ by less than 1%
        count as their mean."""
        value = features["mean_order_value"].to_numpy(dtype=float, na_value=np.nan)
        spent = np.isfinite(value) & (value > 0)
        if spent.any():
            n_orders, values = features.loc[spent, "n_order_days"].to_numpy(dtype=float), value[spent]
            weights = np.ones(len(values))
            if len(values) > MANY:
                n_orders, values, weights = _by_value(n_orders, values)
            self.order_value_ = GammaGammaModel().fit(n_orders, values, weights)
        return self

    def predict(self, histories: pd.DataFrame, horizons: list[int]) -> pd.DataFrame:
        """Return per row, as the mean of both models, the chance of an order and the number of order days
        within each horizon, and days to the next order if within a year (median and 80% interval)."""
        columns = _columns(histories)
        predictions: dict[str, Any] = {}
        for days in horizons:
            predictions[f"order_probability_{days}d"] = self._mean("probability_of_purchase", columns, days)
            predictions[f"expected_orders_{days}d"] = self._mean("expected_purchases", columns, days)
        predictions["alive_probability"] = np.mean(
            [model.probability_alive(*columns) for model in self.purchases_], axis=0
        )
        dates = self.next_order(histories, NEXT_ORDER_WITHIN).add_prefix("next_order_days_")
        return pd.DataFrame(predictions, index=histories.index).join(dates)

    def next_order(self, histories: pd.DataFrame, within: float) -> pd.DataFrame:
        """Return days to the next order if it comes within that many: columns low, median, high
        (QUANTILES)."""
        columns = _columns(histories)
        quantiles = {
            name: np.mean(
                [model.purchase_within_quantile(level, within, *columns) for model in self.purchases_], axis=0
            )
            for name, level in QUANTILES.items()
        }
        return pd.DataFrame(quantiles, index=histories.index)

    def expected_value(self, features: pd.DataFrame) -> Floats:
        """Return the mean value of a customer's future orders; 0 if no customer has spent anything."""
        if self.order_value_ is None:
            return np.zeros(len(features))
        return self.order_value_.expected_value(
            features["n_order_days"].to_numpy(dtype=float, na_value=0),
            features["mean_order_value"].to_numpy(dtype=float, na_value=np.nan),
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the parameters as plain numbers for JSON, by their names in the papers."""
        return {
            "bg_nbd": self.purchases_[0].parameters_,
            "mbg_nbd": self.purchases_[1].parameters_,
            "gamma_gamma": self.order_value_.parameters_ if self.order_value_ else None,
        }

    @classmethod
    def from_dict(cls, written: dict[str, Any]) -> "Base":
        """Read what to_dict wrote."""
        base = cls()
        for model, name in zip(base.purchases_, ("bg_nbd", "mbg_nbd"), strict=True):
            for parameter, value in written[name].items():
                setattr(model, f"{parameter}_", value)
        if written["gamma_gamma"]:
            base.order_value_ = GammaGammaModel()
            for parameter, value in written["gamma_gamma"].items():
                setattr(base.order_value_, f"{parameter}_", value)
        return base

    def _mean(self, method: str, columns: list[Floats], days: int) -> Floats:
        predictions = [getattr(model, method)(days, *columns) for model in self.purchases_]
        return np.asarray(np.mean(predictions, axis=0))


def grouped(features: pd.DataFrame) -> pd.DataFrame:
    """Return one row per distinct history, with its number of customers."""
    columns = [features[name].to_numpy(dtype=np.int64) for name in HISTORY]
    first, _, counts = _alike(*columns)
    return pd.DataFrame(
        {name: column[first] for name, column in zip(HISTORY, columns, strict=True)} | {"n_customers": counts}
    )


def _by_week(histories: pd.DataFrame) -> pd.DataFrame:
    """Return the mean history per frequency, week of recency and week of age."""
    frequency, recency, age = (histories[name].to_numpy(dtype=np.int64) for name in HISTORY)
    weight = histories["n_customers"].to_numpy(dtype=float)
    first, group, _ = _alike(frequency, recency // 7, age // 7)
    total = np.bincount(group, weight)
    return pd.DataFrame(
        {
            "frequency": frequency[first],
            "recency_days": np.bincount(group, weight * recency) / total,
            "age_days": np.bincount(group, weight * age) / total,
            "n_customers": total,
        }
    )


def _by_value(n_orders: Floats, values: Floats) -> tuple[Floats, Floats, Floats]:
    """Group customers by orders and by mean value within 1%. Return orders, mean value, customers per
    group."""
    logarithm = np.log(values)
    hundredths = np.floor(100 * logarithm).astype(np.int64)
    first, group, counts = _alike(n_orders.astype(np.int64), hundredths - hundredths.min())
    return n_orders[first], np.exp(np.bincount(group, logarithm) / counts), counts.astype(float)


def _alike(*columns: Whole) -> tuple[Whole, Whole, Whole]:
    """Group equal rows of whole numbers from 0 on. Return the first row of each group, the group of each row
    and the size of each group, ordered by the columns."""
    key = np.zeros(len(columns[0]), dtype=np.int64)
    for column in columns:
        key = key * (int(column.max(initial=0)) + 1) + column
    group, names = pd.factorize(key, sort=True)
    first = np.empty(len(names), dtype=np.int64)
    first[group[::-1]] = np.arange(len(key))[::-1]
    return first, group, np.bincount(group, minlength=len(names))


def _columns(histories: pd.DataFrame) -> list[Floats]:
    return [histories[name].to_numpy(dtype=float) for name in HISTORY]

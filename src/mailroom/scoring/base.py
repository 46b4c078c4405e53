"""The base of churn, value and next order: BG/NBD and MBG/NBD side by side, and Gamma-Gamma on top."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mailroom.estimators.purchases import BetaGeometricModel, ModifiedBetaGeometricModel
from mailroom.estimators.spend import GammaGammaModel

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]
HISTORY = ["frequency", "recency_days", "age_days"]
NEXT_ORDER_WITHIN = 365  # days; the next order is told given that it comes within them
MANY = 20_000  # rows from which alike ones are fitted as one
QUANTILES = {"low": 0.1, "median": 0.5, "high": 0.9}  # the bounds of 80%, and the middle
BOTH = (BetaGeometricModel, ModifiedBetaGeometricModel)


class Base:
    """Both models of purchases, fitted on weighted histories, and the model of order values.

    Attributes: purchases_ (the two), order_value_ (None until fit_order_value).
    """

    def __init__(self) -> None:
        self.purchases_ = [model() for model in BOTH]
        self.order_value_: GammaGammaModel | None = None

    def fit(self, histories: pd.DataFrame) -> "Base":
        """Columns HISTORY (days) and n_customers. Of more than MANY histories those within the same weeks
        count as their mean, which moves a parameter by less than a hundredth."""
        rows = histories if len(histories) <= MANY else _by_week(histories)
        for model in self.purchases_:
            frequency, recency, age = _columns(rows)
            model.fit(frequency, recency, age, rows["n_customers"].to_numpy(dtype=float))
        return self

    def fit_order_value(self, features: pd.DataFrame) -> "Base":
        """Columns n_order_days and mean_order_value; one row per customer. Passed over where nobody spent. Of
        more than MANY customers those whose values are within a hundredth count as their mean."""
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
        """Per row: the mean of both models' chance of an order and number of order days within each
        horizon, and when the next one comes (days, median and the bounds of 80%) if within a year."""
        columns = _columns(histories)
        found: dict[str, Any] = {}
        for days in horizons:
            found[f"order_probability_{days}d"] = self._mean("probability_of_purchase", columns, days)
            found[f"expected_orders_{days}d"] = self._mean("expected_purchases", columns, days)
        found["alive_probability"] = np.mean(
            [model.probability_alive(*columns) for model in self.purchases_], axis=0
        )
        dates = self.next_order(histories, NEXT_ORDER_WITHIN).add_prefix("next_order_days_")
        return pd.DataFrame(found, index=histories.index).join(dates)

    def next_order(self, histories: pd.DataFrame, within: float) -> pd.DataFrame:
        """Days to the next order if it comes within so many: columns low, median and high (QUANTILES)."""
        columns = _columns(histories)
        found = {
            name: np.mean(
                [model.purchase_within_quantile(part, within, *columns) for model in self.purchases_], axis=0
            )
            for name, part in QUANTILES.items()
        }
        return pd.DataFrame(found, index=histories.index)

    def expected_value(self, features: pd.DataFrame) -> Floats:
        """The mean value of a customer's orders to come; 0 where nobody ever spent anything."""
        if self.order_value_ is None:
            return np.zeros(len(features))
        return self.order_value_.expected_value(
            features["n_order_days"].to_numpy(dtype=float, na_value=0),
            features["mean_order_value"].to_numpy(dtype=float, na_value=np.nan),
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers, ready for JSON: the parameters by their names in the papers."""
        return {
            "bg_nbd": self.purchases_[0].parameters_,
            "mbg_nbd": self.purchases_[1].parameters_,
            "gamma_gamma": self.order_value_.parameters_ if self.order_value_ else None,
        }

    @classmethod
    def from_dict(cls, written: dict[str, Any]) -> "Base":
        """As to_dict wrote it."""
        base = cls()
        for model, name in zip(base.purchases_, ("bg_nbd", "mbg_nbd"), strict=True):
            for parameter, value in written[name].items():
                setattr(model, f"{parameter}_", value)
        if written["gamma_gamma"]:
            base.order_value_ = GammaGammaModel()
            for parameter, value in written["gamma_gamma"].items():
                setattr(base.order_value_, f"{parameter}_", value)
        return base

    def _mean(self, question: str, columns: list[Floats], days: int) -> Floats:
        answers = [getattr(model, question)(days, *columns) for model in self.purchases_]
        return np.asarray(np.mean(answers, axis=0))


def grouped(features: pd.DataFrame) -> pd.DataFrame:
    """Customers with equal histories as one row, with their number."""
    columns = [features[name].to_numpy(dtype=np.int64) for name in HISTORY]
    first, _, counts = _alike(*columns)
    return pd.DataFrame(
        {name: column[first] for name, column in zip(HISTORY, columns, strict=True)} | {"n_customers": counts}
    )


def _by_week(histories: pd.DataFrame) -> pd.DataFrame:
    """Histories of one frequency, and of the same weeks of recency and age, as their mean."""
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
    """Customers of as many orders whose mean values are within a hundredth: orders, mean value, customers."""
    logarithm = np.log(values)
    hundredths = np.floor(100 * logarithm).astype(np.int64)
    first, group, counts = _alike(n_orders.astype(np.int64), hundredths - hundredths.min())
    return n_orders[first], np.exp(np.bincount(group, logarithm) / counts), counts.astype(float)


def _alike(*columns: Whole) -> tuple[Whole, Whole, Whole]:
    """Rows that are equal in whole numbers from 0 on: the first of each group, the group of each row, and how
    many a group has; in the order of the columns."""
    key = np.zeros(len(columns[0]), dtype=np.int64)
    for column in columns:
        key = key * (int(column.max(initial=0)) + 1) + column
    group, names = pd.factorize(key, sort=True)
    first = np.empty(len(names), dtype=np.int64)
    first[group[::-1]] = np.arange(len(key))[::-1]
    return first, group, np.bincount(group, minlength=len(names))


def _columns(histories: pd.DataFrame) -> list[Floats]:
    return [histories[name].to_numpy(dtype=float) for name in HISTORY]

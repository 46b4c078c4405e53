"""Blends of the base model with models on customer features: a better ranking, on the base's level.

Models that learn from past moments rank well but have the wrong level, because those moments had other
base rates. So each keeps its ranking of customers and takes the level of the base.
"""

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq
from scipy.special import expit, logit
from sklearn.base import BaseEstimator
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.linear_model import LogisticRegression

from mailroom.estimators.inputs import INPUTS, Scale, inputs
from mailroom.estimators.trees import Trees

Floats = NDArray[np.float64]
SMALLEST = 1e-6  # no probability is nearer to 0 or 1
TREES_FROM = 2_500  # customers; below this, no trees
CAPPED = (1 / 20, 20.0)  # the trees' factor on a customer's money stays within


class ReturnBlend(BaseEstimator):  # type: ignore[misc]
    """The chance of an order within the horizon: the mean logit of base, logistic regression and trees, each
    shifted to the base's mean.

    With trees=False, for a shop with few customers, it uses base and regression only. Attributes: scale_,
    weights_ (one per input, then the base's logit), trees_ (None without), shifts_ (logits added to
    regression and trees).
    """

    def __init__(self, trees: bool = True, seed: int = 0) -> None:
        self.trees = trees
        self.seed = seed

    def fit(
        self,
        features: pd.DataFrame,
        base: ArrayLike,
        cutoff: ArrayLike,
        returned: ArrayLike,
        weight: ArrayLike | None = None,
    ) -> Self:
        """Fit on one row per customer and past moment: features, the base's probability, the moment (cutoff),
        whether the customer ordered within the horizon after it, and the row's weight in customers (default
        1). Raises ValueError if all returned or none."""
        table, base_logit = inputs(features), _logits(base)
        weights = None if weight is None else np.asarray(weight, dtype=float)
        outcome = np.asarray(returned, dtype=bool)
        if outcome.all() or not outcome.any():
            raise ValueError("all customers ordered again, or none did: there is nothing to learn")
        self.scale_ = Scale.of(table)
        moments = pd.get_dummies(pd.Series(np.asarray(cutoff))).to_numpy(dtype=float)
        design = np.column_stack([self.scale_.apply(table), base_logit, moments])
        regression = LogisticRegression(C=1.0, max_iter=2_000).fit(design, outcome, sample_weight=weights)
        self.weights_ = regression.coef_[0][: len(INPUTS) + 1]
        self.trees_: Trees | None = None
        if self.trees:
            estimator = HistGradientBoostingClassifier(
                max_iter=100, learning_rate=0.06, max_leaf_nodes=8, l2_regularization=5.0,
                min_samples_leaf=max(40, len(table) // 300), early_stopping=False, random_state=self.seed,
            )  # fmt: skip
            self.trees_ = Trees.grow(estimator, np.column_stack([table, base_logit]), outcome, weights)
        self.shifts_ = [0.0, 0.0]
        return self

    def level(self, features: pd.DataFrame, base: ArrayLike) -> Self:
        """Shift each part to the base's mean over the customers to score, or a sample of them."""
        parts, target = self._parts(features, base), float(np.mean(np.asarray(base, dtype=float)))
        shifts = [shift_to_mean(part, target) for part in parts]
        self.shifts_ = [before + by for before, by in zip(self.shifts_, shifts, strict=False)]
        return self

    def predict(self, features: pd.DataFrame, base: ArrayLike) -> Floats:
        """Return the chance of an order within the horizon, shape (rows,)."""
        parts = self._parts(features, base)
        return np.asarray(expit(np.mean([_logits(base), *parts], axis=0)))

    def contributions(self, features: pd.DataFrame, base: ArrayLike) -> Floats:
        """Return what each input, and last the base's logit, adds to the regression's logit compared with the
        average training customer. Shape (rows, len(INPUTS) + 1)."""
        scaled = self.scale_.apply(inputs(features))
        return np.asarray(np.column_stack([scaled, _logits(base)]) * self.weights_)

    def to_dict(self) -> dict[str, Any]:
        """Return plain numbers for JSON."""
        return {
            "mean": self.scale_.mean_.tolist(),
            "spread": self.scale_.spread_.tolist(),
            "weights": self.weights_.tolist(),
            "trees": self.trees_.to_dict() if self.trees_ else None,
            "shifts": self.shifts_,
        }

    @classmethod
    def from_dict(cls, written: Mapping[str, Any]) -> "ReturnBlend":
        """Read what to_dict wrote."""
        blend = cls(trees=written["trees"] is not None)
        blend.scale_ = Scale(written["mean"], written["spread"])
        blend.weights_ = np.asarray(written["weights"])
        blend.trees_ = Trees.from_dict(written["trees"]) if written["trees"] else None
        blend.shifts_ = list(written["shifts"])
        return blend

    def _parts(self, features: pd.DataFrame, base: ArrayLike) -> list[Floats]:
        table, base_logit = inputs(features), _logits(base)
        scaled = np.column_stack([self.scale_.apply(table), base_logit])
        parts = [scaled @ self.weights_ + self.shifts_[0]]
        if self.trees_:
            parts.append(self.trees_.predict_raw(np.column_stack([table, base_logit])) + self.shifts_[1])
        return parts


class SpendBlend(BaseEstimator):  # type: ignore[misc]
    """Expected money within the horizon: the mean of the base and of the base times a factor from trees,
    rescaled to the base's total.

    Trees learn the ratio of a customer's revenue to the base's expectation, after each past moment is scaled
    to its actual total. Attributes: trees_, factor_ (to the base's total).
    """

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed

    def fit(self, features: pd.DataFrame, base: ArrayLike, cutoff: ArrayLike, revenue: ArrayLike) -> Self:
        """Fit on one row per customer and past moment. base and revenue are money within the horizon. Raises
        ValueError if no customer spent anything."""
        expected = np.asarray(base, dtype=float)
        actual = np.maximum(np.asarray(revenue, dtype=float), 0)
        if not (expected > 0).any() or not (actual > 0).any():
            raise ValueError("no customer spent anything: there is nothing to learn")
        moments = pd.factorize(np.asarray(cutoff))[0]
        totals = np.bincount(moments, actual) / np.maximum(np.bincount(moments, expected), 1e-9)
        offset = expected * totals[moments]
        used = offset > 1e-9
        table = np.column_stack([inputs(features), np.log1p(expected)])
        estimator = HistGradientBoostingRegressor(
            loss="poisson", max_iter=60, learning_rate=0.05, max_leaf_nodes=6, l2_regularization=10.0,
            min_samples_leaf=max(60, len(table) // 200), early_stopping=False, random_state=self.seed,
        )  # fmt: skip
        weight = offset[used] / offset[used].mean()
        self.trees_ = Trees.grow(estimator, table[used], actual[used] / offset[used], weight)
        self.factor_ = 1.0
        return self

    def level(self, features: pd.DataFrame, base: ArrayLike) -> Self:
        """Rescale the trees' total to the base's, over the customers to score or a sample of them."""
        expected = np.asarray(base, dtype=float)
        total = float((expected * self._ratio(features, expected)).sum())
        self.factor_ = float(expected.sum()) / total if total > 0 else 1.0
        return self

    def predict(self, features: pd.DataFrame, base: ArrayLike) -> Floats:
        """Return expected money within the horizon, shape (rows,)."""
        expected = np.asarray(base, dtype=float)
        return 0.5 * expected * (1 + self.factor_ * self._ratio(features, expected))

    def to_dict(self) -> dict[str, Any]:
        """Return plain numbers for JSON."""
        return {"trees": self.trees_.to_dict(), "factor": self.factor_}

    @classmethod
    def from_dict(cls, written: Mapping[str, Any]) -> "SpendBlend":
        """Read what to_dict wrote."""
        blend = cls()
        blend.trees_, blend.factor_ = Trees.from_dict(written["trees"]), written["factor"]
        return blend

    def _ratio(self, features: pd.DataFrame, expected: Floats) -> Floats:
        table = np.column_stack([inputs(features), np.log1p(expected)])
        return np.clip(np.exp(self.trees_.predict_raw(table)), *CAPPED)


def shift_to_mean(logits: Floats, target: float) -> float:
    """Return the shift of logits, within ± 15, that makes the mean of their probabilities `target`."""
    aim = float(np.clip(target, SMALLEST, 1 - SMALLEST))

    def off(shift: float) -> float:
        return float(expit(logits + shift).mean() - aim)

    if off(-15) >= 0 or off(15) <= 0:
        return -15.0 if off(-15) >= 0 else 15.0
    return float(brentq(off, -15, 15, xtol=1e-10))


def _logits(probability: ArrayLike) -> Floats:
    return np.asarray(logit(np.clip(np.asarray(probability, dtype=float), SMALLEST, 1 - SMALLEST)))

"""Purchases of customers without a contract: BG/NBD and MBG/NBD.

In both models a customer buys at an own rate and may drop out for good after a purchase, with an own chance.
Rates follow a gamma distribution, chances a beta distribution. They differ in when a customer may drop out:
after a repeat purchase only (BG/NBD), or after the first as well (MBG/NBD).

- BG/NBD: Fader, Hardie, Lee (2005), "Counting Your Customers" the Easy Way, Marketing Science 24(2).
- MBG/NBD: Batislam, Denizel, Filiztekin (2007), Empirical validation and comparison of models for
  customer base analysis, International Journal of Research in Marketing 24(3).

With c for the number of chances to drop out (frequency in BG/NBD, frequency + 1 in MBG/NBD), both have the
same formulas, so they share one class here.
"""

from typing import ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import minimize
from scipy.special import digamma, expit, gammaln, hyp2f1
from sklearn.base import BaseEstimator
from sklearn.exceptions import NotFittedError

Floats = NDArray[np.float64]
LOG_BOUND = 12.0  # each log-parameter stays within ± this


class _DropOutModel(BaseEstimator):  # type: ignore[misc]
    """The shared model. Parameters r_, alpha_ (in the unit of age), a_, b_; log_likelihood_ without the
    ridge.

    Arrays have one entry per customer, or per group of equal customers with their number as weight:

    - frequency: repeat purchases; two on one day count as one.
    - recency: time from the first purchase to the last, 0 where frequency is 0.
    - age: time from the first purchase to now. All times have the same unit, which is free.
    """

    first_purchase_counts: ClassVar[bool]

    def __init__(self, ridge: float = 1e-3) -> None:
        self.ridge = ridge

    def fit(
        self,
        frequency: ArrayLike,
        recency: ArrayLike,
        age: ArrayLike,
        weight: ArrayLike | None = None,
    ) -> Self:
        """Fit by maximum likelihood over log-parameters, with L-BFGS and the analytic gradient.

        ridge penalises the squared log-parameters, which identifies them when customers are nearly alike.
        Raises ValueError naming the first impossible row.
        """
        x, t, age_ = _histories(frequency, recency, age)
        weights = np.ones_like(x) if weight is None else np.asarray(weight, dtype=float)
        counted = weights > 0
        if not counted.any():
            raise ValueError("no customer to learn from")
        x, t, age_, weights = x[counted], t[counted], age_[counted], weights[counted]
        unit = float(np.average(age_, weights=weights)) or 1.0
        history = _History(x, t / unit, age_ / unit, self._exits(x), weights)

        def loss(logs: Floats) -> tuple[float, Floats]:
            value, gradient = history.log_likelihood(np.exp(logs))
            total = weights.sum()
            return (
                (self.ridge * logs @ logs - value) / total,
                (2 * self.ridge * logs - gradient * np.exp(logs)) / total,
            )

        optimum = minimize(
            loss,
            np.zeros(4),
            jac=True,
            method="L-BFGS-B",
            bounds=[(-LOG_BOUND, LOG_BOUND)] * 4,
            options={"maxiter": 500, "ftol": 1e-12, "gtol": 1e-8},
        )
        r, alpha, a, b = np.exp(optimum.x)
        self.r_, self.alpha_, self.a_, self.b_ = float(r), float(alpha * unit), float(a), float(b)
        likelihood, _ = history.log_likelihood(np.array([r, alpha, a, b]))
        # A density over times: in the caller's unit, each repeat purchase is `unit` times as dense.
        self.log_likelihood_ = float(likelihood - np.log(unit) * (weights * x).sum())
        self.n_customers_ = float(weights.sum())
        return self

    @property
    def parameters_(self) -> dict[str, float]:
        """Return the fitted parameters by name."""
        if not hasattr(self, "r_"):
            raise NotFittedError(f"{type(self).__name__} is not fitted yet")
        return {"r": self.r_, "alpha": self.alpha_, "a": self.a_, "b": self.b_}

    def probability_alive(self, frequency: ArrayLike, recency: ArrayLike, age: ArrayLike) -> Floats:
        """Return the chance that a customer has not dropped out. It is not the opposite of churn: see
        probability_of_purchase."""
        x, t, age_ = _histories(frequency, recency, age)
        r, alpha, a, b = self.parameters_.values()
        exits = self._exits(x)
        odds = (
            np.log(a)
            - np.log(np.maximum(b + exits - 1, np.finfo(float).tiny))
            + (r + x) * (np.log(alpha + age_) - np.log(alpha + t))
        )
        return np.asarray(np.where(exits > 0, expit(-odds), 1.0))

    def probability_of_purchase(
        self, horizon: float, frequency: ArrayLike, recency: ArrayLike, age: ArrayLike
    ) -> Floats:
        """Return the chance of at least one purchase within `horizon` from now."""
        x, t, age_ = _histories(frequency, recency, age)
        rate, alpha = self.r_ + x, self.alpha_
        none = np.exp(rate * (np.log(alpha + age_) - np.log(alpha + age_ + horizon)))
        return np.asarray(self.probability_alive(x, t, age_) * (1 - none))

    def expected_purchases(
        self, horizon: float, frequency: ArrayLike, recency: ArrayLike, age: ArrayLike
    ) -> Floats:
        """Return the expected number of purchases within `horizon` from now."""
        x, t, age_ = _histories(frequency, recency, age)
        r, alpha, a, b = self.parameters_.values()
        # At a = 1 the formula is 0/0. Its limit is close to its value just above 1.
        a = a if abs(a - 1) > 1e-6 else 1 + 1e-6
        exits, rate = self._exits(x), r + x
        share = horizon / (alpha + age_ + horizon)
        top = a + b + exits - 1
        # Euler's transformation of 2F1(rate, b + exits; top; share), which avoids its overflow.
        shape = hyp2f1(top - rate, a - 1, top, share)
        with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
            staying = np.exp((a - 1) * np.log1p(-share)) * shape
            # If all customers drop out alike, a and b are large and the product is 0 * inf. There 2F1 is a
            # power.
            alike = np.exp(rate * (np.log1p(-share) - np.log1p(-share * (b + exits) / top)))
        expected = top / (a - 1) * (1 - np.where(np.isfinite(staying), staying, alike))
        alive = self.probability_alive(x, t, age_)
        # The bound is the purchases of a customer who never drops out.
        return np.asarray(
            alive * np.clip(np.nan_to_num(expected, nan=np.inf), 0, rate / (alpha + age_) * horizon)
        )

    def purchase_within_quantile(
        self, quantile: float, horizon: float, frequency: ArrayLike, recency: ArrayLike, age: ArrayLike
    ) -> Floats:
        """Return the quantile of the time to the next purchase, given that it comes within `horizon`."""
        x, _, age_ = _histories(frequency, recency, age)
        start, rate = self.alpha_ + age_, self.r_ + x
        within = -np.expm1(rate * (np.log(start) - np.log(start + horizon)))
        return np.asarray(start * np.expm1(-np.log1p(-quantile * within) / rate))

    def _exits(self, frequency: Floats) -> Floats:
        return frequency + 1.0 if self.first_purchase_counts else frequency


class BetaGeometricModel(_DropOutModel):
    """BG/NBD: a customer may drop out after a repeat purchase only."""

    first_purchase_counts = False


class ModifiedBetaGeometricModel(_DropOutModel):
    """MBG/NBD: a customer may drop out right after the first purchase."""

    first_purchase_counts = True


class _History:
    """Weighted customers and their likelihood. Numbers of purchases repeat, so gamma functions are computed
    once per number."""

    def __init__(self, x: Floats, t: Floats, age: Floats, exits: Floats, weight: Floats) -> None:
        self.t, self.age, self.weight = t, age, weight
        self.numbers, self.index = np.unique(x, return_inverse=True)
        self.x = x
        self.may_be_gone = exits > 0
        self.number_exits = self.numbers + (exits[0] - x[0])
        self.number_weight = np.bincount(self.index, weight)
        self.age_weight = weight * age

    def log_likelihood(self, parameters: Floats) -> tuple[float, Floats]:
        """Return the sum over customers, and its gradient by r, alpha, a and b."""
        r, alpha, a, b = parameters
        number, exits = self.numbers, self.number_exits
        log_age, log_last = np.log(alpha + self.age), np.log(alpha + self.t)
        rate = r + self.x
        by_number = (
            gammaln(r + number) - gammaln(r) + r * np.log(alpha)
            + gammaln(a + b) + gammaln(b + exits) - gammaln(b) - gammaln(a + b + exits)
        )  # fmt: skip
        # In BG/NBD a customer without a repeat purchase cannot have dropped out, so this value is unused.
        gone_by_number = np.log(a) - np.log(np.where(exits > 0, b + exits - 1, 1))
        odds = gone_by_number[self.index] + rate * (log_age - log_last)
        odds = np.where(self.may_be_gone, odds, -np.inf)
        total = self.number_weight @ by_number + self.weight @ (np.logaddexp(0, odds) - rate * log_age)

        gone = expit(odds) * self.weight
        gone_by = np.bincount(self.index, gone, len(number))
        inverse_age = 1 / (alpha + self.age)
        slope_r = (
            self.number_weight @ (digamma(r + number) - digamma(r) + np.log(alpha))
            - self.weight @ log_age
            + gone @ (log_age - log_last)
        )
        slope_alpha = (
            self.weight.sum() * r / alpha
            - (self.weight * rate) @ inverse_age
            + (gone * rate) @ (inverse_age - 1 / (alpha + self.t))
        )
        slope_a = self.number_weight @ (digamma(a + b) - digamma(a + b + exits)) + gone_by.sum() / a
        slope_b = self.number_weight @ (
            digamma(a + b) + digamma(b + exits) - digamma(b) - digamma(a + b + exits)
        ) - gone_by @ (1 / np.where(exits > 0, b + exits - 1, 1))
        return float(total), np.array([slope_r, slope_alpha, slope_a, slope_b])


def _histories(frequency: ArrayLike, recency: ArrayLike, age: ArrayLike) -> tuple[Floats, Floats, Floats]:
    """Return the three as floats. Raises ValueError naming the first impossible row."""
    x, t, age_ = np.broadcast_arrays(*(np.asarray(part, dtype=float) for part in (frequency, recency, age)))
    with np.errstate(invalid="ignore"):
        possible = (x >= 0) & (t >= 0) & (age_ >= t) & np.isfinite(age_) & ((x > 0) | (t == 0))
    if not possible.all():
        row = int(np.argmin(np.atleast_1d(possible)))
        values = ", ".join(
            f"{name} {float(np.atleast_1d(part)[row])}"
            for name, part in (("frequency", x), ("recency", t), ("age", age_))
        )
        raise ValueError(f"row {row} is not a possible purchase history: {values}")
    return x, t, age_

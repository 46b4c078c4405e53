"""The mean value of a customer's orders: Gamma-Gamma.

Fader, Hardie (2013), The Gamma-Gamma Model of Monetary Value, brucehardie.com/notes/025.
"""

from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import minimize
from scipy.special import digamma, gammaln
from sklearn.base import BaseEstimator
from sklearn.exceptions import NotFittedError

Floats = NDArray[np.float64]
LOG_BOUND = 12.0
SMALLEST_Q = 1.05  # the mean over all customers is finite for q > 1 only
CONSTANT = 1e-6  # relative spread of values below which they are one value


class GammaGammaModel(BaseEstimator):  # type: ignore[misc]
    """Order values vary around a customer's own mean, and the means vary between customers.

    Parameters p_, q_, gamma_ (in the unit of the values); log_likelihood_ without the ridge. If all customers
    spend the same, the parameters are None and every mean is that value.
    """

    def __init__(self, ridge: float = 1e-3) -> None:
        self.ridge = ridge

    def fit(self, n_orders: ArrayLike, mean_value: ArrayLike, weight: ArrayLike | None = None) -> Self:
        """Fit by maximum likelihood over log-parameters. One entry per customer with n_orders orders of
        mean_value each. Customers without an order or without money are ignored. Raises ValueError if no
        customer is left."""
        n, mean = np.asarray(n_orders, dtype=float), np.asarray(mean_value, dtype=float)
        weights = np.ones_like(n) if weight is None else np.asarray(weight, dtype=float)
        counted = (n > 0) & (mean > 0) & np.isfinite(mean) & (weights > 0)
        if not counted.any():
            raise ValueError("no customer with an order of some value to learn from")
        n, mean, weights = n[counted], mean[counted], weights[counted]
        self.mean_ = float(np.average(mean, weights=weights * n))
        self.n_customers_ = float(weights.sum())
        self.p_: float | None = None
        self.q_: float | None = None
        self.gamma_: float | None = None
        self.log_likelihood_ = 0.0
        if np.ptp(mean) <= CONSTANT * self.mean_:
            return self
        value = mean / self.mean_

        def loss(logs: Floats) -> tuple[float, Floats]:
            p, excess, gamma = np.exp(logs)
            total, slopes = _log_likelihood(n, value, weights, p, SMALLEST_Q + excess, gamma)
            size = weights.sum()
            return (
                (self.ridge * logs @ logs - total) / size,
                (2 * self.ridge * logs - slopes * np.array([p, excess, gamma])) / size,
            )

        optimum = minimize(
            loss,
            np.zeros(3),
            jac=True,
            method="L-BFGS-B",
            bounds=[(-LOG_BOUND, LOG_BOUND)] * 3,
            options={"maxiter": 500, "ftol": 1e-12, "gtol": 1e-8},
        )
        p, excess, gamma = (float(value) for value in np.exp(optimum.x))
        total, _ = _log_likelihood(n, value, weights, p, SMALLEST_Q + excess, gamma)
        self.p_, self.q_, self.gamma_ = p, SMALLEST_Q + excess, gamma * self.mean_
        self.log_likelihood_ = float(total - np.log(self.mean_) * weights.sum())
        return self

    @property
    def parameters_(self) -> dict[str, float | None]:
        """Return the fitted parameters by name."""
        if not hasattr(self, "mean_"):
            raise NotFittedError("GammaGammaModel is not fitted yet")
        return {"p": self.p_, "q": self.q_, "gamma": self.gamma_, "mean": self.mean_}

    def expected_value(self, n_orders: ArrayLike, mean_value: ArrayLike) -> Floats:
        """Return the mean value of a customer's future orders; that of an unknown customer if n_orders is 0
        or the mean is unknown. Negative mean values count as 0."""
        n, mean = np.asarray(n_orders, dtype=float), np.asarray(mean_value, dtype=float)
        parameters = self.parameters_
        p, q, gamma = parameters["p"], parameters["q"], parameters["gamma"]
        if p is None or q is None or gamma is None:
            return np.full(np.broadcast(n, mean).shape, self.mean_)
        known = (n > 0) & np.isfinite(mean)
        n, total = np.where(known, n, 0), np.where(known, n * np.maximum(np.nan_to_num(mean), 0), 0)
        expected: Floats = p * (gamma + total) / (p * n + q - 1)
        return expected


def _log_likelihood(
    n: Floats, value: Floats, weight: Floats, p: float, q: float, gamma: float
) -> tuple[float, Floats]:
    """Return the sum over customers, and its gradient by p, q and gamma."""
    total = gamma + n * value
    shape = p * n + q
    log_total = np.log(total)
    customers = (
        gammaln(shape) - gammaln(p * n) - gammaln(q) + q * np.log(gamma)
        + (p * n - 1) * np.log(value) + p * n * np.log(n) - shape * log_total
    )  # fmt: skip
    slopes = np.array(
        [
            weight @ (n * (digamma(shape) - digamma(p * n) + np.log(n * value) - log_total)),
            weight @ (digamma(shape) - digamma(q) + np.log(gamma) - log_total),
            weight @ (q / gamma - shape / total),
        ]
    )
    return float(weight @ customers), slopes

"""Differences between the arms of an experiment, from sums alone.

A measure y of n customers is n, Σy and Σy². With a covariate x from before the experiment (CUPED) or a
denominator x (a ratio), also Σx, Σx² and Σxy. The warehouse makes these sums in one pass, and everything
here is arithmetic on them. All functions take numbers or arrays of one shape.

Sources: Welch (1947); the delta method; Deng, Xu, Kohavi and Walker, "Improving the sensitivity of online
controlled experiments by utilizing pre-experiment data" (WSDM 2013); Waudby-Smith, Arbour, Sinha, Kennedy
and Ramdas, "Time-uniform central limit theory and asymptotic confidence sequences" (arXiv 2103.06476),
equations 9, 155 and 161.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats

ALPHA = 0.05
Numbers = Any  # a float, or an array of floats


@dataclass(frozen=True)
class Sums:
    """Sums over the customers of one arm. x: the covariate or denominator, 0 if there is none."""

    n: Numbers
    y: Numbers
    yy: Numbers
    x: Numbers = 0.0
    xx: Numbers = 0.0
    xy: Numbers = 0.0

    @property
    def mean(self) -> Numbers:
        return _divided(self.y, self.n)

    @property
    def mean_x(self) -> Numbers:
        return _divided(self.x, self.n)

    @property
    def variance(self) -> Numbers:
        """Variance of y, not below 0."""
        return self._covariance(self.y, self.y, self.yy)

    @property
    def variance_x(self) -> Numbers:
        return self._covariance(self.x, self.x, self.xx)

    @property
    def covariance(self) -> Numbers:
        return self._covariance(self.x, self.y, self.xy, floor=-np.inf)

    def _covariance(self, a: Numbers, b: Numbers, ab: Numbers, floor: float = 0.0) -> Numbers:
        n = np.asarray(self.n, dtype=float)
        return np.maximum(_divided(ab - _divided(np.multiply(a, b), n), n - 1), floor)


@dataclass(frozen=True)
class Estimate:
    """Mean and variance of that mean, of n customers."""

    mean: Numbers
    variance: Numbers
    n: Numbers


@dataclass(frozen=True)
class Difference:
    """Treated minus control. low and high: the interval for one look at the end, with coverage 1 - alpha."""

    difference: Numbers
    standard_error: Numbers
    low: Numbers
    high: Numbers
    p_value: Numbers
    lift: Numbers
    lift_error: Numbers
    lift_low: Numbers
    lift_high: Numbers
    n: Numbers


def of_mean(sums: Sums) -> Estimate:
    """Return the mean of y."""
    return Estimate(sums.mean, _divided(sums.variance, sums.n), sums.n)


def of_ratio(sums: Sums) -> Estimate:
    """Return Σy ÷ Σx, with its variance by the delta method."""
    ratio = _divided(sums.y, sums.x)
    spread = sums.variance - 2 * ratio * sums.covariance + ratio**2 * sums.variance_x
    return Estimate(ratio, _divided(np.maximum(spread, 0.0), sums.n * sums.mean_x**2), sums.n)


def of_adjusted_means(treated: Sums, control: Sums) -> tuple[Estimate, Estimate]:
    """Return the means of y - θ(x - x̄) in both arms (CUPED). θ is cov(x, y) ÷ var(x) of all customers.

    A covariate without variance changes nothing.
    """
    both = _together(treated, control)
    theta = _divided(both.covariance, both.variance_x, otherwise=0.0)

    def adjusted(arm: Sums) -> Estimate:
        mean = arm.mean - theta * (arm.mean_x - both.mean_x)
        variance = arm.variance - 2 * theta * arm.covariance + theta**2 * arm.variance_x
        return Estimate(mean, _divided(np.maximum(variance, 0.0), arm.n), arm.n)

    return adjusted(treated), adjusted(control)


def variance_saved(treated: Sums, control: Sums) -> Numbers:
    """Return the share of the variance of y that the covariate explains: ρ² over all customers, 0 to 1."""
    both = _together(treated, control)
    return _divided(both.covariance**2, both.variance_x * both.variance, otherwise=0.0)


def difference(treated: Estimate, control: Estimate, alpha: float = ALPHA) -> Difference:
    """Compare two arms: Welch's interval, p-value, and the relative lift by the delta method.

    With a standard error of 0 (no variance in either arm) there is no p-value, and the interval is a point.
    """
    delta = treated.mean - control.mean
    squared = treated.variance + control.variance
    error = np.sqrt(squared)
    parts = [_divided(arm.variance**2, np.asarray(arm.n, dtype=float) - 1) for arm in (treated, control)]
    freedom = _divided(squared**2, parts[0] + parts[1])
    half = np.where(error > 0, stats.t.ppf(1 - alpha / 2, freedom) * error, 0.0)
    p_value = np.where(error > 0, 2 * stats.t.sf(np.abs(_divided(delta, error)), freedom), np.nan)
    lift_variance = _divided(treated.variance, control.mean**2) + _divided(
        control.variance * treated.mean**2, control.mean**4
    )
    lift, lift_error = _divided(delta, control.mean), np.sqrt(lift_variance)
    lift_half = stats.norm.ppf(1 - alpha / 2) * lift_error
    return Difference(
        delta, error, delta - half, delta + half, p_value, lift, lift_error, lift - lift_half,
        lift + lift_half, np.asarray(treated.n) + np.asarray(control.n),
    )  # fmt: skip


def sequence_half_width(error: Numbers, n: Numbers, n_planned: Numbers, alpha: float = ALPHA) -> Numbers:
    """Return the half-width of an asymptotic confidence sequence: valid at every look at once.

    error: standard error of the difference. n: customers in both arms so far. n_planned: the total at which
    the sequence is narrowest, fixed before the start.
    """
    n = np.asarray(n, dtype=float)
    tuning = _tuning(n_planned, alpha)
    grown = n * tuning**2 + 1
    return error * np.sqrt(n) * np.sqrt(2 * grown / (n * tuning) ** 2 * np.log(np.sqrt(grown) / alpha))


def always_valid_p(
    delta: Numbers, error: Numbers, n: Numbers, n_planned: Numbers, alpha: float = ALPHA
) -> Numbers:
    """Return the p-value that belongs to the sequence: at most alpha where its interval excludes 0."""
    n = np.asarray(n, dtype=float)
    tuning = _tuning(n_planned, alpha)
    grown = n * tuning**2 + 1
    evidence = (n * tuning**2) * _divided(delta, error) ** 2 / (2 * grown)
    return np.minimum(1.0, np.sqrt(grown) * np.exp(-evidence))


def _tuning(n_planned: Numbers, alpha: float) -> Numbers:
    spread = -2 * np.log(alpha) + np.log(1 - 2 * np.log(alpha))
    return np.sqrt(spread / np.asarray(n_planned, dtype=float))


def sample_ratio_p(counts: Numbers, shares: Numbers) -> float:
    """Return the p-value that arms of these sizes came from these shares (χ²).

    Below 0.001 something assigns or loses customers unevenly, and the results mean nothing.
    """
    counts, shares = np.asarray(counts, dtype=float), np.asarray(shares, dtype=float)
    expected = shares / shares.sum() * counts.sum()
    return float(stats.chi2.sf(((counts - expected) ** 2 / expected).sum(), len(counts) - 1))


def needed_customers(
    variance: Numbers, effect: Numbers, control_share: Numbers, alpha: float = ALPHA, power: float = 0.8
) -> Numbers:
    """Return the customers that both arms need together to find an effect.

    variance: of y between customers. effect: difference of the means. control_share: of the customers.
    """
    quantiles = stats.norm.ppf(1 - alpha / 2) + stats.norm.ppf(power)
    spread = 1 / np.asarray(control_share, dtype=float) + 1 / (1 - np.asarray(control_share, dtype=float))
    return quantiles**2 * variance * spread / np.asarray(effect, dtype=float) ** 2


def _together(one: Sums, other: Sums) -> Sums:
    pairs = zip(vars(one).values(), vars(other).values(), strict=True)
    return Sums(*(np.asarray(a, dtype=float) + np.asarray(b, dtype=float) for a, b in pairs))


def _divided(a: Numbers, b: Numbers, otherwise: float = np.nan) -> Numbers:
    a, b = np.asarray(a, dtype=float), np.asarray(b, dtype=float)
    return np.divide(a, b, out=np.full(np.broadcast(a, b).shape, otherwise), where=b != 0)

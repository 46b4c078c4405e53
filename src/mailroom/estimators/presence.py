"""Presence of customers: their shares of activity by hour of the day or day of the week."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
# Weights in signals: of a group against a customer's own signals, and of the shop against a group's.
PRIORS = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, np.inf)
GROUP_PRIORS = (10.0, 100.0, 1_000.0, np.inf)


class CircularPresence:
    """Each customer's shares of presence by slot, shrunk towards their group's, and those towards the shop's.

    A wrapped normal kernel K spreads each signal of a customer over the neighbouring slots. They count
    against `prior` signals of the group:
        share_i(s) = (sum_j n_ij K(s - j) + prior group(s)) / (n_i + prior).
    The kernel's bandwidth and both priors maximise the leave-one-out likelihood: each signal is predicted
    from the customer's others. With an infinite prior, every customer has the group's shares.
    Attributes: bandwidth_ (slots), prior_, group_prior_ (signals), shop_ (n_slots,), groups_ (by name).
    """

    def __init__(self, bandwidths: tuple[float, ...] = (0.5, 1.0, 1.5, 2.0, 3.0)) -> None:
        self.bandwidths = bandwidths

    def fit(self, counts: ArrayLike, groups: ArrayLike) -> "CircularPresence":
        """Fit on counts (n, n_slots), the signals per customer and slot, and groups (n,), their names."""
        table = _counts(counts)
        names = pd.Categorical(np.asarray(groups, dtype=object))
        of = np.asarray(names.codes, dtype=np.intp)
        rows, slots = np.nonzero(table)
        weight, n_others = table[rows, slots], table.sum(axis=1)[rows] - 1
        best = -np.inf
        for bandwidth in self.bandwidths:
            kernel = _kernel(table.shape[1], bandwidth)
            spread = table @ kernel
            # One signal is added in total, so that an empty slot has a share above 0.
            shop = (spread.sum(axis=0) + 1 / len(kernel)) / (table.sum() + 1)
            by_group = np.zeros((len(names.categories), table.shape[1]))
            np.add.at(by_group, of, spread)
            others = np.maximum(spread[rows, slots] - kernel[0, 0], 0)
            for group_prior in GROUP_PRIORS:
                # Leave the customer out of the group, too.
                group = _shrunk(by_group[of] - spread, shop, group_prior)[rows, slots]
                for prior in PRIORS:
                    predicted = group if np.isinf(prior) else (others + prior * group) / (n_others + prior)
                    likelihood = float((weight * np.log(predicted)).sum())
                    if likelihood > best:
                        best = likelihood
                        self.bandwidth_, self.group_prior_, self.prior_ = bandwidth, group_prior, prior
                        self.shop_, shares = shop, _shrunk(by_group, shop, group_prior)
        self.groups_ = {str(name): shares[place] for place, name in enumerate(names.categories)}
        return self

    def predict(self, counts: ArrayLike, groups: ArrayLike) -> Floats:
        """Return shares of presence (n, n_slots) with rows that sum to 1. An unknown group has the shop's
        shares."""
        table = _counts(counts)
        group = self.group_shares(groups)
        if np.isinf(self.prior_):
            return group
        spread = table @ _kernel(table.shape[1], self.bandwidth_)
        return np.asarray(
            (spread + self.prior_ * group) / (table.sum(axis=1, keepdims=True) + self.prior_), dtype=float
        )

    def group_shares(self, groups: ArrayLike) -> Floats:
        """Return the shares of presence of each customer's group, (n, n_slots)."""
        names = pd.Categorical(np.asarray(groups, dtype=object))
        shares = [self.groups_.get(str(name), self.shop_) for name in names.categories]
        # The last row is for customers without a group: a code of -1.
        return np.vstack([*shares, self.shop_])[np.asarray(names.codes, dtype=np.intp)]

    def to_dict(self) -> dict[str, Any]:
        """Return plain numbers for JSON. A prior of None is infinite."""
        return {
            "bandwidth": self.bandwidth_,
            "prior": None if np.isinf(self.prior_) else self.prior_,
            "group_prior": None if np.isinf(self.group_prior_) else self.group_prior_,
            "shop": self.shop_.tolist(),
            "groups": {name: shares.tolist() for name, shares in self.groups_.items()},
        }

    @classmethod
    def from_dict(cls, written: dict[str, Any]) -> "CircularPresence":
        """Read what to_dict wrote."""
        model = cls()
        model.bandwidth_ = written["bandwidth"]
        model.prior_ = np.inf if written["prior"] is None else written["prior"]
        model.group_prior_ = np.inf if written["group_prior"] is None else written["group_prior"]
        model.shop_ = np.asarray(written["shop"], dtype=float)
        model.groups_ = {name: np.asarray(shares, dtype=float) for name, shares in written["groups"].items()}
        return model


def _counts(counts: ArrayLike) -> Floats:
    """Return counts as floats. Raises ValueError if one is negative or unknown."""
    table = np.asarray(counts, dtype=float)
    if not (np.isfinite(table) & (table >= 0)).all():
        row, slot = np.argwhere(~(np.isfinite(table) & (table >= 0)))[0]
        raise ValueError(f"row {row}, slot {slot} is not a count: {table[row, slot]}")
    return table


def _kernel(n_slots: int, bandwidth: float) -> Floats:
    """Return the weight of a signal in one slot (row) for each slot (column). Rows sum to 1."""
    apart = np.abs(np.arange(n_slots)[:, None] - np.arange(n_slots)[None, :])
    apart = np.minimum(apart, n_slots - apart)
    if bandwidth == 0:
        return np.eye(n_slots)
    weight = np.exp(-(apart**2) / (2 * bandwidth**2))
    return np.asarray(weight / weight.sum(axis=1, keepdims=True))


def _shrunk(counts: Floats, shop: Floats, prior: float) -> Floats:
    """Return shares of counts, shrunk towards the shop's by a prior of `prior` signals."""
    if np.isinf(prior):
        return np.broadcast_to(shop, counts.shape)
    counts = np.maximum(counts, 0)
    return np.asarray((counts + prior * shop) / (counts.sum(axis=1, keepdims=True) + prior))

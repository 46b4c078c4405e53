"""When people are there: shares of presence over the slots of a circle, hours of a day or days of a week."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
# Signals that a customer's group, and a group's shop, weigh against what is known of the customer, or group.
PRIORS = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, np.inf)
GROUP_PRIORS = (10.0, 100.0, 1_000.0, np.inf)


class CircularPresence:
    """Each customer's shares of presence by slot, drawn towards their group's, and those towards the shop's.

    What was seen of a customer, each signal spread over the neighbouring slots by a wrapped normal kernel K,
    weighs against `prior` signals of the group:
        share_i(s) = (sum_j n_ij K(s - j) + prior group(s)) / (n_i + prior).
    The kernel's bandwidth and both priors are those under which the signals are likeliest, each told from
    the customer's others (leave-one-out likelihood). An infinite prior leaves everybody the group's shares.
    Attributes: bandwidth_ (slots), prior_, group_prior_ (signals), shop_ (n_slots,), groups_ (by name).
    """

    def __init__(self, bandwidths: tuple[float, ...] = (0.5, 1.0, 1.5, 2.0, 3.0)) -> None:
        self.bandwidths = bandwidths

    def fit(self, counts: ArrayLike, groups: ArrayLike) -> "CircularPresence":
        """counts (n, n_slots): signals per customer and slot; groups (n,): names."""
        table = _counts(counts)
        names = pd.Categorical(np.asarray(groups, dtype=object))
        of = np.asarray(names.codes, dtype=np.intp)
        rows, slots = np.nonzero(table)
        weight, n_others = table[rows, slots], table.sum(axis=1)[rows] - 1
        best = -np.inf
        for bandwidth in self.bandwidths:
            kernel = _kernel(table.shape[1], bandwidth)
            spread = table @ kernel
            # One signal more in all, for a slot in which nobody was ever seen.
            shop = (spread.sum(axis=0) + 1 / len(kernel)) / (table.sum() + 1)
            by_group = np.zeros((len(names.categories), table.shape[1]))
            np.add.at(by_group, of, spread)
            others = np.maximum(spread[rows, slots] - kernel[0, 0], 0)
            for group_prior in GROUP_PRIORS:
                # The group without the customer, who is not to be told from themselves.
                group = _drawn(by_group[of] - spread, shop, group_prior)[rows, slots]
                for prior in PRIORS:
                    told = group if np.isinf(prior) else (others + prior * group) / (n_others + prior)
                    likelihood = float((weight * np.log(told)).sum())
                    if likelihood > best:
                        best = likelihood
                        self.bandwidth_, self.group_prior_, self.prior_ = bandwidth, group_prior, prior
                        self.shop_, shares = shop, _drawn(by_group, shop, group_prior)
        self.groups_ = {str(name): shares[place] for place, name in enumerate(names.categories)}
        return self

    def predict(self, counts: ArrayLike, groups: ArrayLike) -> Floats:
        """Shares of presence, (n, n_slots), each row 1 in all; a group never seen stands for the shop."""
        table = _counts(counts)
        group = self.group_shares(groups)
        if np.isinf(self.prior_):
            return group
        spread = table @ _kernel(table.shape[1], self.bandwidth_)
        return np.asarray(
            (spread + self.prior_ * group) / (table.sum(axis=1, keepdims=True) + self.prior_), dtype=float
        )

    def group_shares(self, groups: ArrayLike) -> Floats:
        """The shares of presence of each one's group, (n, n_slots)."""
        names = pd.Categorical(np.asarray(groups, dtype=object))
        shares = [self.groups_.get(str(name), self.shop_) for name in names.categories]
        # The last stands for whoever has no group: a code of -1.
        return np.vstack([*shares, self.shop_])[np.asarray(names.codes, dtype=np.intp)]

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers, ready for JSON; a prior of None is infinite."""
        return {
            "bandwidth": self.bandwidth_,
            "prior": None if np.isinf(self.prior_) else self.prior_,
            "group_prior": None if np.isinf(self.group_prior_) else self.group_prior_,
            "shop": self.shop_.tolist(),
            "groups": {name: shares.tolist() for name, shares in self.groups_.items()},
        }

    @classmethod
    def from_dict(cls, written: dict[str, Any]) -> "CircularPresence":
        """As to_dict wrote it."""
        model = cls()
        model.bandwidth_ = written["bandwidth"]
        model.prior_ = np.inf if written["prior"] is None else written["prior"]
        model.group_prior_ = np.inf if written["group_prior"] is None else written["group_prior"]
        model.shop_ = np.asarray(written["shop"], dtype=float)
        model.groups_ = {name: np.asarray(shares, dtype=float) for name, shares in written["groups"].items()}
        return model


def _counts(counts: ArrayLike) -> Floats:
    """As floats. Raises ValueError where one is negative or not known."""
    table = np.asarray(counts, dtype=float)
    if not (np.isfinite(table) & (table >= 0)).all():
        row, slot = np.argwhere(~(np.isfinite(table) & (table >= 0)))[0]
        raise ValueError(f"row {row}, slot {slot} is no count: {table[row, slot]}")
    return table


def _kernel(n_slots: int, bandwidth: float) -> Floats:
    """What a signal in one slot (row) says of each (column): rows of 1 in all."""
    apart = np.abs(np.arange(n_slots)[:, None] - np.arange(n_slots)[None, :])
    apart = np.minimum(apart, n_slots - apart)
    if bandwidth == 0:
        return np.eye(n_slots)
    weight = np.exp(-(apart**2) / (2 * bandwidth**2))
    return np.asarray(weight / weight.sum(axis=1, keepdims=True))


def _drawn(counts: Floats, shop: Floats, prior: float) -> Floats:
    """Shares of counts, drawn towards the shop's by a prior of so many signals."""
    if np.isinf(prior):
        return np.broadcast_to(shop, counts.shape)
    counts = np.maximum(counts, 0)
    return np.asarray((counts + prior * shop) / (counts.sum(axis=1, keepdims=True) + prior))

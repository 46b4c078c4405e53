"""A/A experiments: one group of people, split at random again and again. Whatever wins, wins by chance."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mailroom.measurement.intervals import Sums, always_valid_p, difference, of_mean
from mailroom.measurement.verdicts import has_enough_converters

Floats = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class FalseWins:
    """Shares of experiments that ever show a difference: by a new test at every look, by one test at the end,
    by the sequence, and by the sequence from enough converters on, as Mailroom does it."""

    naive: float
    at_the_end: float
    sequence: float
    ours: float


def false_wins(
    outcome: Floats, share: float, n_repeats: int, seed: int, looks: int = 500, alpha: float = 0.05
) -> FalseWins:
    """Split the people n_repeats times, share of them into the control arm, and look each `looks` people."""
    rng = np.random.default_rng(seed)
    ends = np.arange(looks, len(outcome) + 1, looks) - 1
    found = np.zeros((n_repeats, 4), dtype=bool)
    for repeat in range(n_repeats):
        people = rng.permutation(outcome)
        held = rng.random(len(people)) < share
        arms = []
        for mask in (~held, held):
            own = np.where(mask, people, 0.0)
            sums = [np.cumsum(column)[ends] for column in (mask.astype(float), own, own**2, mask & (own > 0))]
            arms.append((Sums(*sums[:3]), sums[3]))
        (treated, buyers), (control, held_buyers) = arms
        with np.errstate(all="ignore"):
            compared = difference(of_mean(treated), of_mean(control), alpha)
            p_values = always_valid_p(
                compared.difference, compared.standard_error, compared.n, len(people), alpha
            )
        is_certain = np.nan_to_num(p_values, nan=1.0) < alpha
        plain = np.nan_to_num(compared.p_value, nan=1.0) < alpha
        # A difference without any variance, as no buyer against some, counts as certain for the naive reader.
        naive = plain | ((compared.standard_error == 0) & (compared.difference != 0))
        enough = has_enough_converters(buyers, held_buyers)
        found[repeat] = naive.any(), plain[-1], is_certain.any(), (is_certain & enough).any()
    return FalseWins(*(float(column) for column in found.mean(axis=0)))

"""How far a population has moved: the population stability index of a column against its deciles."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
FEWEST = 200  # values; of fewer the index is mostly chance: about bins times (1 / then + 1 / now)


def shape_of(values: ArrayLike) -> dict[str, Any]:
    """How values, shape (n,), are spread: the edges of their deciles (fewer where values repeat), how many
    lie in each bin, and last, how many are not known. Plain numbers, ready for JSON."""
    column = np.asarray(values, dtype=float)
    known = column[np.isfinite(column)]
    # Values that are there, so that a bin of counts ends on a count.
    edges = np.unique(np.quantile(known, np.arange(1, 10) / 10, method="lower")) if len(known) else known
    return {"edges": edges.tolist(), "counts": _counts(edges, column).tolist()}


def stability_index(shape: dict[str, Any], values: ArrayLike) -> float | None:
    """Of values, shape (n,), against what shape_of said of others: the sum over bins of the difference of
    shares times the logarithm of their ratio. None where there are too few of either. By convention below
    0.1 is calm and above 0.25 another population: Siddiqi, Credit Risk Scorecards, Wiley 2006."""
    then = np.asarray(shape["counts"], dtype=float)
    now = _counts(np.asarray(shape["edges"], dtype=float), np.asarray(values, dtype=float))
    if min(then.sum(), now.sum()) < FEWEST:
        return None
    # Half a value more in each bin: an empty one would be infinitely far away.
    before, after = ((n + 0.5) / (n.sum() + 0.5 * len(n)) for n in (then, now))
    return float(((after - before) * np.log(after / before)).sum())


def _counts(edges: Floats, column: Floats) -> Floats:
    known = np.isfinite(column)
    bins = np.searchsorted(edges, column[known], side="left")
    counts = np.bincount(bins, minlength=len(edges) + 1).astype(float)
    return np.append(counts, float((~known).sum()))

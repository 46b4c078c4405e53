"""Drift of a population: the population stability index of a column over its deciles."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
FEWEST = 200  # values; with fewer the index is mostly chance: about bins * (1 / n_then + 1 / n_now)


def shape_of(values: ArrayLike) -> dict[str, Any]:
    """Return the distribution of values, shape (n,), as plain numbers for JSON: the edges of their deciles
    (fewer if values repeat), the count in each bin and, last, the count of unknown values."""
    column = np.asarray(values, dtype=float)
    known = column[np.isfinite(column)]
    # Edges are existing values, so that a bin of counts ends on a count.
    edges = np.unique(np.quantile(known, np.arange(1, 10) / 10, method="lower")) if len(known) else known
    return {"edges": edges.tolist(), "counts": _counts(edges, column).tolist()}


def stability_index(shape: dict[str, Any], values: ArrayLike) -> float | None:
    """Return the index of values, shape (n,), against an earlier shape_of: the sum over bins of the
    difference of shares times the logarithm of their ratio. None with fewer than FEWEST values on either
    side. By convention below 0.1 is stable and above 0.25 a shift: Siddiqi, Credit Risk Scorecards, Wiley
    2006."""
    then = np.asarray(shape["counts"], dtype=float)
    now = _counts(np.asarray(shape["edges"], dtype=float), np.asarray(values, dtype=float))
    if min(then.sum(), now.sum()) < FEWEST:
        return None
    # Add half a value to each bin, because an empty bin would make the index infinite.
    before, after = ((n + 0.5) / (n.sum() + 0.5 * len(n)) for n in (then, now))
    return float(((after - before) * np.log(after / before)).sum())


def _counts(edges: Floats, column: Floats) -> Floats:
    known = np.isfinite(column)
    bins = np.searchsorted(edges, column[known], side="left")
    counts = np.bincount(bins, minlength=len(edges) + 1).astype(float)
    return np.append(counts, float((~known).sum()))

"""Small boosted trees with plain numbers as parameters, which a table can hold and any program can read.

scikit-learn's histogram gradient boosting grows them. They are not pickled, because loading a pickle from a
warehouse can run code that was written into it.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from threadpoolctl import threadpool_limits

Floats = NDArray[np.float64]
SEVERAL_THREADS_FROM = 50_000  # rows
BINS = 128


class Trees:
    """A sum of trees over inputs, on the scale of the loss: a logit, or the logarithm of a mean.

    Attributes start_ (the sum's first term) and trees_ (per tree the lists feature, threshold, left, right,
    value and missing_left, one entry per node; a leaf has left 0).
    """

    def __init__(self, start: float, trees: Sequence[Mapping[str, list[float]]]) -> None:
        self.start_ = start
        self.trees_ = trees
        self._arrays = [_arrays(tree) for tree in trees]

    @classmethod
    def grow(cls, estimator: Any, table: Floats, outcome: ArrayLike, weight: Floats | None = None) -> "Trees":
        """Fit one of scikit-learn's HistGradientBoosting estimators, with one output, and keep its trees. A
        column without a known value is ignored.

        The estimator gets bin edges instead of values, because with weights it would find its own bins by
        sorting each column 255 times. A split above an edge splits the values there, too.
        """
        edges = [bin_edges(column) for column in table.T]
        # With a second thread each column waits 0.01 seconds for its bins (joblib polls).
        with threadpool_limits(None if len(table) >= SEVERAL_THREADS_FROM else 1, "openmp"):
            grown = estimator.fit(binned(table, edges), outcome, sample_weight=weight)
        trees = []
        for (predictor,) in grown._predictors:
            nodes = predictor.nodes
            behind = [
                edges[feature][max(int(np.searchsorted(edges[feature], threshold)) - 1, 0)]
                for feature, threshold in zip(nodes["feature_idx"], nodes["num_threshold"], strict=True)
            ]
            trees.append(
                {
                    "feature": nodes["feature_idx"].tolist(),
                    "threshold": [float(edge) for edge in behind],
                    "left": np.where(nodes["is_leaf"], 0, nodes["left"]).tolist(),
                    "right": np.where(nodes["is_leaf"], 0, nodes["right"]).tolist(),
                    "value": nodes["value"].tolist(),
                    "missing_left": nodes["missing_go_to_left"].tolist(),
                }
            )
        return cls(float(np.ravel(grown._baseline_prediction)[0]), trees)

    @classmethod
    def from_dict(cls, written: Mapping[str, Any]) -> "Trees":
        """Read what to_dict wrote."""
        return cls(written["start"], written["trees"])

    def to_dict(self) -> dict[str, Any]:
        """Return plain numbers for JSON."""
        return {"start": self.start_, "trees": self.trees_}

    def predict_raw(self, table: Floats) -> Floats:
        """Return the sum for each row of a table of shape (rows, inputs). NaN takes the branch learned in
        training."""
        total = np.full(len(table), self.start_)
        # Slices fit into the processor's cache.
        for begin in range(0, len(table), 32_768):
            rows = np.ascontiguousarray(table[begin : begin + 32_768].T)
            n = rows.shape[1]
            all_rows = np.arange(n)
            part = total[begin : begin + n]
            for feature, threshold, left, right, value, missing_left, depth in self._arrays:
                at = np.zeros(n, dtype=np.intp)
                for _ in range(depth):
                    known = rows[feature[at], all_rows]
                    goes_left = np.where(np.isnan(known), missing_left[at], known <= threshold[at])
                    at = np.where(left[at] == 0, at, np.where(goes_left, left[at], right[at]))
                part += value[at]
        return total


def bin_edges(column: Floats) -> Floats:
    """Return the upper edges of BINS bins with equal numbers of known values, fewer if values repeat; [0] if
    no value is known."""
    known = column[~np.isnan(column)]
    if not len(known):
        return np.zeros(1)
    return np.unique(np.quantile(known, np.linspace(0, 1, BINS + 1)[1:], method="higher"))


def binned(table: Floats, edges: Sequence[Floats]) -> Floats:
    """Return each value as the edge at or above it (the highest edge if above all), unknown values as they
    are and a column without a known value as 0."""
    as_edges = np.empty_like(table)
    for place, (column, of) in enumerate(zip(table.T, edges, strict=True)):
        at = of[np.minimum(np.searchsorted(of, column), len(of) - 1)]
        unknown = np.isnan(column)
        as_edges[:, place] = 0 if unknown.all() else np.where(unknown, np.nan, at)
    return as_edges


def _arrays(tree: Mapping[str, list[float]]) -> tuple[Any, ...]:
    left = np.asarray(tree["left"], dtype=np.intp)
    right = np.asarray(tree["right"], dtype=np.intp)
    deep = np.zeros(len(left), dtype=int)
    for node in range(len(left)):  # parents stand before their children
        if left[node]:
            deep[left[node]] = deep[right[node]] = deep[node] + 1
    return (
        np.asarray(tree["feature"], dtype=np.intp),
        np.asarray(tree["threshold"], dtype=float),
        left,
        right,
        np.asarray(tree["value"], dtype=float),
        np.asarray(tree["missing_left"], dtype=bool),
        int(deep.max()),
    )

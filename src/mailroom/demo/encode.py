"""From numpy arrays to Arrow columns: ids, words, times, money. A negative number always means empty."""

from collections.abc import Sequence
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

NONE = -1  # an absent id, code, amount or time
EPOCH_US = 1_000_000


def pick(rng: np.random.Generator, shares: Sequence[float] | Floats, n: int) -> Ints:
    """(n,) indices into `shares`, drawn in proportion to them."""
    edges = np.cumsum(np.asarray(shares, dtype=np.float64))
    return np.minimum(np.searchsorted(edges / edges[-1], rng.random(n), side="right"), len(edges) - 1)


def chance(rng: np.random.Generator, share: float | Floats, n: int) -> Bools:
    """(n,) coin flips that come up true with probability `share`."""
    return rng.random(n) < share


def ids(prefix: str, numbers: Ints) -> pa.Array:
    """Text ids such as o000123 from numbers; longer numbers simply get more digits."""
    text = pc.utf8_lpad(pa.array(numbers, mask=numbers < 0).cast(pa.string()), 6, "0")
    return pc.binary_join_element_wise(prefix, text, "")


def words(values: Sequence[str | None] | pa.Array, codes: npt.NDArray[Any]) -> pa.Array:
    """The text at each code; codes below zero and empty values give null."""
    if not isinstance(values, pa.Array):
        values = pa.array([value or None for value in values], pa.string())
    return values.take(pa.array(codes, mask=codes < 0))


def times(seconds: Ints) -> pa.Array:
    """Naive UTC timestamps[us] from seconds since 1970."""
    return pa.array(seconds * EPOCH_US, mask=seconds < 0).cast(pa.timestamp("us"))


def decimals(units: Ints, scale: int, empty: Bools | None = None) -> pa.Array:
    """decimal128(18, scale) from whole units of 10**-scale (cents for scale 2)."""
    halves = np.empty((len(units), 2), dtype="<i8")
    halves[:, 0] = units
    halves[:, 1] = units >> 63
    valid = None if empty is None else pa.array(~empty).buffers()[1]
    return pa.Array.from_buffers(pa.decimal128(18, scale), len(units), [valid, pa.py_buffer(halves)])


def cents(amounts: Ints) -> pa.Array:
    """decimal128(18, 2) from cents; negative means empty."""
    return decimals(amounts, 2, amounts < 0)


def quantities(numbers: Ints) -> pa.Array:
    """decimal128(18, 4) from whole numbers; negative means empty."""
    return decimals(numbers.astype(np.int64) * 10_000, 4, numbers < 0)


def wholes(numbers: Ints) -> pa.Array:
    """int32; negative means empty."""
    return pa.array(numbers, mask=numbers < 0).cast(pa.int32())


def flags(codes: npt.NDArray[Any]) -> pa.Array:
    """Booleans from 1, 0 and negative for empty."""
    return pa.array(codes > 0, mask=codes < 0)


def texts(values: Sequence[str | None]) -> pa.Array:
    """A text column; empty text becomes null."""
    return pa.array([value or None for value in values], pa.string())


def dates(values: Sequence[date | None]) -> pa.Array:
    """date32 from days."""
    return pa.array(values, pa.date32())


def grouped_rank(sorted_groups: Ints) -> Ints:
    """Position of each row within its run of equal values, from 0; the input must be sorted."""
    n = len(sorted_groups)
    place = np.arange(n)
    first = np.ones(n, dtype=np.bool_)
    first[1:] = sorted_groups[1:] != sorted_groups[:-1]
    return place - np.maximum.accumulate(np.where(first, place, 0))


def joined(first: pa.Array, second: pa.Array, separator: str) -> pa.Array:
    """Both texts with the separator between them, or the one that is there."""
    both = pc.binary_join_element_wise(first, second, separator)
    return pc.coalesce(both, first, second)

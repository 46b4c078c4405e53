"""Credit for orders out of the paths that lead to them and those that do not.

Markov: an order-1 chain over all paths, from a start to an order or to none. The removal effect of a source
is the share of the chance of an order that is lost without it. Linear equations solve it, not a simulation.
Anderl, Becker, von Wangenheim and Schumann, "Mapping the customer journey" (IJRM 2016).

Shapley: if the value of a set of sources is the orders of the paths inside it, the Shapley value is an equal
split of each order among the distinct sources of its path. So no sets are enumerated.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from mailroom.scoring.frames import frame, table

DELIMITER = " > "
START, ORDER, NONE = "(start)", "(order)", "(none)"


class Path(NamedTuple):
    """Sources in their order, how often they ended in an order or not, and the revenue of the orders."""

    sources: tuple[str, ...]
    orders: float
    without: float
    revenue: float = 0.0


def credit_paths(session: Any, paths: Any) -> Any:
    """Return one row per rule (markov, shapley) and source, with its orders and revenue.

    paths: model touch_paths. The rows of a rule add up to the orders and the revenue of all paths.
    """
    rows = [
        Path(tuple(row.path.split(DELIMITER)), row.n_orders, row.n_without_order, row.revenue)
        for row in frame(paths, ["path"]).itertuples()
    ]
    removal = removal_effects(rows)
    total = sum(removal.values())
    orders, revenue = sum(row.orders for row in rows), sum(row.revenue for row in rows)
    found = [
        ("markov", source, effect / total * orders, effect / total * revenue)
        for source, effect in removal.items() if total
    ]  # fmt: skip
    split = shapley(rows)
    found += [("shapley", source, *amounts) for source, amounts in split.items()]
    types = {"rule": "string", "source": "string", "n_orders": "double", "revenue": "double"}
    return table(session, pd.DataFrame(sorted(found), columns=list(types)), types)


def removal_effects(paths: Iterable[Path]) -> dict[str, float]:
    """Return for each source the share of the chance of an order that is lost without it."""
    counts: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    for path in paths:
        if path.orders + path.without == 0:
            continue
        for one, other in zip((START, *path.sources), path.sources, strict=False):
            counts[one][other] += path.orders + path.without
        counts[path.sources[-1]][ORDER] += path.orders
        counts[path.sources[-1]][NONE] += path.without
    sources = sorted(set(counts) - {START})
    if not sources:
        return {}
    chance = _chance(counts, sources)
    if not chance:
        return dict.fromkeys(sources, 0.0)
    return {
        source: 1 - _chance(counts, [other for other in sources if other != source]) / chance
        for source in sources
    }


def _chance(counts: Mapping[str, Mapping[str, float]], sources: list[str]) -> float:
    """Return the chance of an order from the start, where only these sources lead anywhere."""
    states = [START, *sources]
    place = {state: number for number, state in enumerate(states)}
    steps, to_order = np.zeros((len(states), len(states))), np.zeros(len(states))
    for state in states:
        total = sum(counts[state].values())
        for other, count in counts[state].items():
            if other in place:
                steps[place[state], place[other]] += count / total
            elif other == ORDER:
                to_order[place[state]] += count / total
    chances = np.linalg.solve(np.eye(len(states)) - steps, to_order)
    return float(chances[0])


def shapley(paths: Iterable[Path]) -> dict[str, tuple[float, float]]:
    """Return the orders and the revenue of each source, in equal parts for the distinct sources of a path."""
    found: dict[str, tuple[float, float]] = {}
    for path in paths:
        distinct = sorted(set(path.sources))
        for source in distinct:
            orders, revenue = found.get(source, (0.0, 0.0))
            found[source] = (
                orders + path.orders / len(distinct),
                revenue + path.revenue / len(distinct),
            )
    return found

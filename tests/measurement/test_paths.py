"""Credit for orders: worked examples with known answers, and what must hold for any paths."""

from itertools import combinations
from math import factorial

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailroom.measurement.paths import Path, credit_paths, removal_effects, shapley

# Paths, with how often they ended in an order and how often not.
EXAMPLE = [
    Path(("welcome", "browse", "cart"), 60, 140), Path(("welcome",), 20, 480),
    Path(("browse", "cart"), 45, 155), Path(("campaign", "cart"), 50, 150), Path(("campaign",), 25, 775),
    Path(("welcome", "campaign", "browse"), 30, 170),
]  # fmt: skip
PATHS = st.lists(
    st.builds(
        Path,
        st.lists(st.sampled_from("abcd"), min_size=1, max_size=4).map(tuple),
        st.integers(0, 9),
        st.integers(0, 9),
        st.integers(0, 99),
    ),
    min_size=1,
    max_size=8,
)


def test_removal_effects_of_the_worked_example() -> None:
    effects = removal_effects(EXAMPLE)
    assert effects == pytest.approx(
        {"welcome": 0.367955, "browse": 0.579710, "cart": 0.673913, "campaign": 0.526570}, abs=1e-6
    )
    total = sum(effects.values())
    assert {name: 230 * effect / total for name, effect in effects.items()} == pytest.approx(
        {"welcome": 39.3966, "browse": 62.0690, "cart": 72.1552, "campaign": 56.3793}, abs=1e-4
    )


def test_removal_effects_of_the_textbook_case() -> None:
    paths = [Path(("C1", "C2", "C3"), 1, 0), Path(("C1",), 0, 1), Path(("C2", "C3"), 0, 1)]
    assert removal_effects(paths) == pytest.approx({"C1": 0.5, "C2": 1, "C3": 1})


def test_shapley_of_the_worked_example() -> None:
    found = {name: orders for name, (orders, _) in shapley(EXAMPLE).items()}
    assert found == pytest.approx({"welcome": 50, "browse": 52.5, "cart": 67.5, "campaign": 60})


@given(PATHS)
def test_an_equal_split_is_the_shapley_value_over_all_sets(paths: list[Path]) -> None:
    """By the definition: the average of what a source adds, over all orders in which sources can join."""
    sources = sorted({source for path in paths for source in path.sources})

    def worth(inside: set[str]) -> float:
        return sum(path.orders for path in paths if set(path.sources) <= inside)

    for source in sources:
        others = [other for other in sources if other != source]
        value = sum(
            factorial(size) * factorial(len(sources) - size - 1) / factorial(len(sources))
            * (worth({*chosen, source}) - worth(set(chosen)))
            for size in range(len(sources)) for chosen in combinations(others, size)
        )  # fmt: skip
        assert shapley(paths)[source][0] == pytest.approx(value, abs=1e-9)


@given(PATHS)
def test_all_orders_and_revenue_are_credited_and_no_more(paths: list[Path]) -> None:
    rows = pd.DataFrame(
        [(" > ".join(path.sources), path.orders, path.without, float(path.revenue)) for path in paths],
        columns=["path", "n_orders", "n_without_order", "revenue"],
    )
    found = credit_paths(None, rows).to_pandas()
    for rule in ("markov", "shapley"):
        own = found[found["rule"] == rule]
        if rule == "markov" and own.empty:
            assert rows["n_orders"].sum() == 0
            continue
        assert own["n_orders"].sum() == pytest.approx(rows["n_orders"].sum())
        assert own["revenue"].sum() == pytest.approx(rows["revenue"].sum())
        assert (own["n_orders"] >= -1e-9).all()


@given(PATHS)
def test_a_removal_effect_is_a_share(paths: list[Path]) -> None:
    assert all(-1e-9 <= effect <= 1 + 1e-9 for effect in removal_effects(paths).values())


def test_without_a_path_there_is_no_credit() -> None:
    empty = pd.DataFrame(columns=["path", "n_orders", "n_without_order", "revenue"])
    assert len(credit_paths(None, empty).to_pandas()) == 0

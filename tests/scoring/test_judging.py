"""Choice of the method: the rule scores unless another method is better, and the reason says by how much."""

import numpy as np
import pytest

from mailroom.scoring.judging import choose, intervals, within


def judged(method: str, gini: tuple[float, float, float], error: float) -> list[dict[str, object]]:
    value, low, high = gini
    about = {"score": "value", "segment": "all", "method": method}
    return [
        about | {"metric": "gini", "value": value, "low": low, "high": high},
        about | {"metric": "decile_error", "value": error, "low": error, "high": error},
    ]


RULE = judged("rule", (0.60, 0.55, 0.65), 0.5)


@pytest.mark.parametrize(
    ("others", "method", "why"),
    [
        (
            judged("base", (0.70, 0.62, 0.75), 0.9),
            "base",
            "gini 0.700 for the base against 0.600 for the rule",
        ),
        (judged("base", (0.59, 0.52, 0.64), 0.3), "base", "decile_error 0.300 against 0.500"),
        (judged("base", (0.59, 0.52, 0.64), 0.6), "rule", "so the rule scores"),
        (judged("base", (0.50, 0.45, 0.55), 0.3), "rule", "so the rule scores"),
        (judged("base", (0.70, -0.1, 0.90), 0.3), "rule", "(0.0 by chance), so the rule scores"),
        ([], "rule", "only the rule can be back-tested"),
    ],
    ids=[
        "better",
        "as good, smaller error",
        "as good, larger error",
        "worse",
        "no better than chance",
        "alone",
    ],
)
def test_the_rule_scores_unless_another_method_is_better(
    others: list[dict[str, object]], method: str, why: str
) -> None:
    chosen, reason = choose("value", "gini", 0.0, "decile_error", [*RULE, *others], ["base", "blend"])
    assert chosen == method and why in reason


def test_the_better_of_two_methods_scores_if_it_is_able() -> None:
    both = [*RULE, *judged("base", (0.7, 0.6, 0.8), 0.3), *judged("blend", (0.8, 0.7, 0.9), 0.3)]
    assert choose("value", "gini", 0.0, "decile_error", both, ["base", "blend"])[0] == "blend"
    assert choose("value", "gini", 0.0, "decile_error", both, ["base"])[0] == "base"


def test_an_interval_holds_eighty_percent_of_similar_customers() -> None:
    random = np.random.default_rng(4)
    expected = random.gamma(2.0, 50.0, 40_000)
    actual = random.gamma(3.0, expected / 3.0)
    low, high = within(expected[20_000:], intervals(expected[:20_000], actual[:20_000]))
    covered = (low <= actual[20_000:]) & (actual[20_000:] <= high)
    assert covered.mean() == pytest.approx(0.8, abs=0.02)
    top = expected[20_000:] > np.quantile(expected, 0.9)
    assert covered[top].mean() == pytest.approx(0.8, abs=0.05)
    unknown = within(expected, {})
    assert np.isnan(unknown).all()

"""Who is worth a message: uplift orders on Hillstrom's test, by their area under the Qini curve.

A rule of one line ties with a model. docs/measurement.md says so.
"""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from conftest import PROJECT

pytestmark = pytest.mark.slow
HILLSTROM = PROJECT.parent / "shared/data/hillstrom/hillstrom.parquet"
Floats = NDArray[np.floating[Any]]


def qini_curve(visits: Floats, score: Floats, is_mailed: Floats) -> tuple[Floats, Floats]:
    """Customers from the highest score down, and the visits beyond those of as many customers without mail,
    at each distinct score (Radcliffe 2007)."""
    order = np.argsort(score, kind="mergesort")[::-1]
    score, visits, is_mailed = score[order], visits[order], is_mailed[order]
    ends = np.append(np.flatnonzero(np.diff(score)), len(score) - 1)
    n_mailed = np.cumsum(is_mailed)[ends]
    n_held = ends + 1 - n_mailed
    mailed, held = (np.cumsum(visits * mask)[ends] for mask in (is_mailed, 1 - is_mailed))
    gain = mailed - held * np.divide(n_mailed, n_held, out=np.zeros_like(mailed), where=n_held > 0)
    return np.append(0.0, ends + 1), np.append(0.0, gain)


def qini(visits: Floats, score: Floats, is_mailed: Floats) -> float:
    """The area above a random order, as a share of that of a perfect order."""
    n, gain = qini_curve(visits, score, is_mailed)
    best = qini_curve(visits, visits * is_mailed - visits * (1 - is_mailed), is_mailed)
    random = np.trapezoid([0.0, gain[-1]], [0.0, n[-1]])
    return float((np.trapezoid(gain, n) - random) / (np.trapezoid(best[1], best[0]) - random))


@pytest.fixture(scope="module")
def tested() -> dict[str, dict[str, Any]]:
    """Per mailing, the even customers' visits, treatment and scores of models trained on the odd ones."""
    if not HILLSTROM.exists():
        pytest.skip(f"{HILLSTROM.name} is not here")
    rows = pd.read_parquet(HILLSTROM)
    columns = ["recency", "history", "mens", "womens", "newbie", "history_segment", "zip_code", "channel"]
    traits = pd.get_dummies(rows[columns], dtype=float)
    found = {}
    for arm in ("Womens E-Mail", "Mens E-Mail"):
        both = rows["segment"].isin([arm, "No E-Mail"])
        is_mailed = (rows["segment"] == arm).astype(float)
        odd = np.arange(1, len(rows) + 1) % 2 == 1
        chances = []
        for mailed in (1.0, 0.0):
            chosen = both & odd & (is_mailed == mailed)
            model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
            model.fit(traits[chosen], rows.loc[chosen, "visit"])
            chances.append(model.predict_proba(traits[both & ~odd])[:, 1])
        test = rows[both & ~odd]
        found[arm] = {
            "visits": test["visit"].to_numpy(float),
            "is_mailed": is_mailed[both & ~odd].to_numpy(float),
            "model": chances[0] - chances[1],
            "rule": test["womens"].to_numpy(float),
            "response": chances[0],
        }
    return found


def found(tested: dict[str, dict[str, Any]], arm: str, score: str) -> float:
    of = tested[arm]
    return qini(of["visits"], of[score], of["is_mailed"])


def test_the_published_model_is_reproduced(tested: dict[str, dict[str, Any]]) -> None:
    """Two logistic regressions, with the areas that another library gives for them."""
    assert found(tested, "Womens E-Mail", "model") == pytest.approx(0.0683, abs=0.0005)
    assert found(tested, "Mens E-Mail", "model") == pytest.approx(0.0132, abs=0.0005)
    assert found(tested, "Womens E-Mail", "response") == pytest.approx(0.0299, abs=0.0005)


def test_a_rule_of_one_line_does_as_well(tested: dict[str, dict[str, Any]]) -> None:
    """Who bought women's goods gets the women's mailing."""
    assert found(tested, "Womens E-Mail", "rule") > found(tested, "Womens E-Mail", "model") - 0.01
    assert found(tested, "Womens E-Mail", "rule") > found(tested, "Womens E-Mail", "response")


def test_a_perfect_order_is_1_and_a_random_one_0() -> None:
    rng = np.random.default_rng(7)
    visits, is_mailed = (rng.random((2, 40_000)) < 0.5).astype(float)
    perfect = visits * is_mailed - visits * (1 - is_mailed)
    assert qini(visits, perfect, is_mailed) == pytest.approx(1)
    assert qini(visits, rng.random(40_000), is_mailed) == pytest.approx(0, abs=0.02)

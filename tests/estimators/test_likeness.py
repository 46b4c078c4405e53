"""Traits set the chosen apart; unknown traits do not."""

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailroom.estimators.likeness import COMMON, TraitPoints


def people(n: int, seed: int = 0) -> tuple[pd.DataFrame, pd.Series]:
    """n people, every second with a known interest. People who like boots are chosen four times as often as
    people who like socks, from any channel."""
    random = np.random.default_rng(seed)
    names = [f"c{number:05}" for number in range(n)]
    likes = random.choice(["Boots", "Socks", "Hats"], n, p=[0.3, 0.5, 0.2])
    chances = {"Boots": 0.4, "Socks": 0.1, "Hats": 0.2}
    chosen = pd.Series([random.random() < chances[of] for of in likes], index=names)
    rows = [(name, "interest", of) for name, of in zip(names[::2], likes[::2], strict=True)]
    rows += [
        (name, "interest", "Hats") for name, of in zip(names[::6], likes[::6], strict=True) if of != "Hats"
    ]
    rows += [(name, "channel", random.choice(["mail", "store"])) for name in names]
    return pd.DataFrame(rows, columns=["customer_id", "trait", "trait_value"]), chosen


def points(model: TraitPoints) -> pd.Series:
    return model.points_.set_index(["trait", "trait_value"])["points"]


def test_a_value_that_the_chosen_have_more_often_adds_points() -> None:
    traits, chosen = people(6_000)
    found = points(TraitPoints().fit(traits, chosen))
    assert found["interest", "Boots"] > 0.5 and found["interest", "Socks"] < -0.5
    assert found["channel"].abs().max() < 0.15
    # As odds: 0.4 / 0.6 against 0.1 / 0.9 is 6.
    assert found["interest", "Boots"] - found["interest", "Socks"] == pytest.approx(np.log(6), abs=0.4)


def test_unknown_traits_add_no_points() -> None:
    """The chosen have all traits known, the others hardly any. A person without a known trait still has the
    average chance."""
    traits, chosen = people(4_000)
    hidden = traits["customer_id"].isin(chosen.index[~chosen][::2])
    traits = traits[~(hidden & (traits["trait"] == "interest"))]
    model = TraitPoints().fit(traits, chosen)
    (unknown_person,) = model.predict(traits, pd.Index(["stranger"]))
    assert unknown_person == pytest.approx(chosen.mean(), abs=0.05)


def test_shares_are_of_people_with_a_known_trait() -> None:
    traits, chosen = people(3_000)
    shares = TraitPoints().fit(traits, chosen).points_.set_index(["trait", "trait_value"])
    known = chosen[traits.loc[traits["trait"] == "interest", "customer_id"].unique()]
    has = chosen.index.isin(traits.loc[traits["trait_value"] == "Boots", "customer_id"])
    of_chosen = (has & chosen).sum() / known.sum()
    assert shares.loc[("interest", "Boots"), "chosen_share"] == pytest.approx(of_chosen)
    assert shares.loc[("channel", "mail"), "chosen_share"] + shares.loc[
        ("channel", "store"), "chosen_share"
    ] == pytest.approx(1)


def test_a_rare_value_is_ignored() -> None:
    traits, chosen = people(2_000)
    rare = pd.DataFrame(
        [(name, "country", "LI") for name in chosen.index[: COMMON - 1]], columns=traits.columns
    )
    model = TraitPoints().fit(pd.concat([traits, rare]), chosen)
    assert "LI" not in set(model.points_["trait_value"])
    one = pd.DataFrame([(chosen.index[0], "country", "LI")], columns=traits.columns)
    (chance,) = model.predict(one, chosen.index[:1])
    assert chance == pytest.approx(1 / (1 + np.exp(-model.intercept_)))


def test_a_row_with_weight_counts_as_several() -> None:
    traits, chosen = people(1_500)
    weight = pd.Series(1.0, index=chosen.index).where(~chosen, 3.0)
    again = traits[traits["customer_id"].isin(chosen.index[chosen])]
    copies = [again.assign(customer_id=again["customer_id"] + f"_{number}") for number in range(2)]
    more = chosen[chosen]
    every = pd.concat([chosen, *(more.rename(lambda name, n=n: f"{name}_{n}") for n in range(2))])
    weighted = TraitPoints().fit(traits, chosen, weight)
    repeated = TraitPoints().fit(pd.concat([traits, *copies]), every)
    pd.testing.assert_series_equal(points(weighted), points(repeated), atol=1e-3)
    assert weighted.intercept_ == pytest.approx(repeated.intercept_, abs=1e-3)


def test_points_read_from_json_predict_the_same() -> None:
    traits, chosen = people(1_000)
    model = TraitPoints().fit(traits, chosen)
    again = TraitPoints.from_dict(json.loads(json.dumps(model.to_dict())))
    np.testing.assert_array_equal(model.predict(traits, chosen.index), again.predict(traits, chosen.index))


@given(st.lists(st.booleans(), min_size=2, max_size=60), st.integers(0, 3))
def test_the_chance_is_a_probability_for_any_labels(labels: list[bool], n_traits: int) -> None:
    names = pd.Index([f"c{number}" for number in range(len(labels))])
    chosen = pd.Series(labels, index=names)
    rows = [(name, f"t{of}", str(len(name) % 2)) for name in names for of in range(n_traits)]
    traits = pd.DataFrame(rows, columns=["customer_id", "trait", "trait_value"])
    if chosen.all() or not chosen.any():
        with pytest.raises(ValueError, match="nothing to learn"):
            TraitPoints().fit(traits, chosen)
        return
    chance = TraitPoints().fit(traits, chosen).predict(traits, names)
    assert ((chance >= 0) & (chance <= 1)).all()

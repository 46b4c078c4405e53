"""A wrong entry of var experiments stops the build with its name. The macros run as dbt would run them."""

from datetime import date
from typing import Any

import pytest

from project_macros import macros

HOLDOUT: dict[str, Any] = {
    "label": "Does marketing e-mail pay?", "owner": "Lifecycle marketing", "decides": "marketing",
    "population": "contactable", "arms": {"held_out": 0.05, "mailed": 0.95}, "control": "held_out",
    "holdout_arm": "held_out", "measure": "net_revenue", "minimum_lift": 0.05,
    "starts_on": date(2026, 1, 1), "ends_on": date(2026, 12, 31),
}  # fmt: skip


def flaws(**entries: dict[str, Any]) -> list[str]:
    values = {"experiments": entries, "segments": ["vips"]}
    measures = macros("experiments.sql", var=values.__getitem__)["experiment_measures"]
    context = macros("experiment_flaws.sql", var=values.__getitem__, experiment_measures=measures)
    found: list[str] = context["experiment_flaws"]()
    return found


def test_a_right_entry_has_no_flaw() -> None:
    growing = {**HOLDOUT, "stages": [{"from": "2026-06-01", "arms": {"held_out": 0.1, "mailed": 0.9}}]}
    assert flaws(holdout=HOLDOUT) == flaws(holdout=growing) == []


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("owner", None, "lacks owner"),
        ("control", None, "lacks control"),
        ("arms", {"held_out": 0.05, "mailed": 0.9}, "has shares that add up to 0.95, not 1"),
        ("arms", {"held_out": -0.05, "mailed": 1.05}, "has shares that add up to 1.0, not 1"),
        ("arms", {"held_out": 1}, "has no two arms with a share each"),
        ("arms", {"held_out": "5%", "mailed": 0.95}, "has no two arms with a share each"),
        ("control", "nothing", "has control nothing, which is none of its arms"),
        ("holdout_arm", "nothing", "has holdout_arm nothing, which is none of its arms"),
        ("holdout_arm", "mailed", "has a holdout_arm that is not its control"),
        ("measure", "joy", "has measure joy, which is none of net_revenue"),
        ("guardrails", ["joy"], "has measure joy"),
        ("minimum_lift", 0, "has no minimum_lift above 0"),
        ("population", "friends", "has population friends, which is not everyone, contactable or a segment"),
        ("ends_on", date(2025, 12, 31), "ends before it starts"),
        (
            "stages", [{"from": "2026-06-01", "arms": {"held_out": 0.1, "sent": 0.9}}],
            "has other arms from 2026-06-01",
        ),
        (
            "stages", [{"from": "2027-06-01", "arms": {"held_out": 0.1, "mailed": 0.9}}],
            "has a stage from 2027-06-01, outside of its time",
        ),
        (
            "stages", [{"from": "2026-06-01", "arms": {"held_out": 0.1, "mailed": 0.8}}],
            "has shares that add up to 0.9, not 1, from 2026-06-01",
        ),
    ],
)  # fmt: skip
def test_a_wrong_entry_is_named(key: str, value: Any, words: str) -> None:
    entry = {name: its for name, its in {**HOLDOUT, key: value}.items() if its is not None}
    found = flaws(holdout=entry)
    assert any(flaw.startswith("experiment holdout ") and words in flaw for flaw in found), found


def test_two_experiments_may_not_change_one_thing_at_one_time() -> None:
    later = {**HOLDOUT, "starts_on": date(2026, 12, 31), "ends_on": date(2027, 6, 1)}
    (flaw,) = flaws(first=HOLDOUT, second=later)
    assert flaw.startswith("experiments first and second both change marketing at one time")
    assert flaws(first=HOLDOUT, second={**later, "starts_on": date(2027, 1, 1)}) == []
    assert flaws(first=HOLDOUT, second={**later, "decides": "subject_line"}) == []


def test_the_arms_lie_side_by_side_and_the_last_one_takes_all_that_is_left() -> None:
    entry = {**HOLDOUT, "experiment": "e", "salt": "e", "is_of_flow": False}
    entry["arms"] = {"held_out": 0.05, "rules": 0.45, "model": 0.5}
    digits = macros("shares.sql")["share_digits"]
    context = macros(
        "experiments.sql", var={"experiments": {"e": entry}}.__getitem__, flow_entries=lambda: [],
        share_digits=digits,
    )  # fmt: skip
    rows = context["experiment_arms"]()
    assert [(row["arm"], row["low"], row["high"]) for row in rows] == [
        ("held_out", "00000000", "0ccccccc"), ("rules", "0ccccccc", "80000000"), ("model", "80000000", "g"),
    ]  # fmt: skip


@pytest.mark.parametrize("share", [0, 1 / 2**32, 0.05, 0.161741, 0.5, 0.999999, 1])
def test_the_digits_of_a_share_are_its_hexadecimal_ones(share: float) -> None:
    digits = macros("shares.sql")["share_digits"](share)
    assert digits == ("g" if share >= 1 else f"{int(share * 2**32):08x}")

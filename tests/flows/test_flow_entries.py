"""A wrong entry of a trigger or flow stops the build with its name. The macros run as dbt would run them."""

import copy
import re
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
import yaml

from conftest import PROJECT
from project_macros import macros

ENTRIES = yaml.safe_load((PROJECT / "models/flows/triggers/_triggers.yml").read_text())["models"]
CLASSES = ("transactional", "onboarding", "lifecycle", "promotional")


def flow_macros(**context: Any) -> dict[str, Callable[..., Any]]:
    return macros("flow_flaws.sql", message_classes=lambda: CLASSES, **context)


def node(columns: tuple[str, ...], access: str = "public") -> Any:
    return SimpleNamespace(config={"access": access}, columns=dict.fromkeys(columns))


GRAPH = SimpleNamespace(
    nodes={
        "model.mailroom.customers": node(
            (
                "cart_filled_at", "last_seen_at", "last_ordered_at", "first_seen_at", "last_human_clicked_at",
                "n_human_clicks_30d", "birthday",
            )
        ),
        "model.mailroom.orders": node(("ordered_at",)),
        "model.mailroom.order_lines": node(("ordered_at",)),
        "model.mailroom.consent_ledger": node(("occurred_at",), access="protected"),
    }
)  # fmt: skip


def flaws(entry: dict[str, Any]) -> list[str]:
    found: list[str] = flow_macros(graph=GRAPH)["flow_flaws"](SimpleNamespace(config={"meta": entry}))
    return found


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry["name"])
def test_the_entries_of_the_project_have_no_flaw(entry: dict[str, Any]) -> None:
    assert flaws(entry["config"]["meta"]) == []


def test_no_key_is_in_two_anchors_that_stand_together() -> None:
    """Readers of YAML differ on which of two merged anchors wins: the first by the rule, the last in ours."""
    text = (PROJECT / "models/flows/triggers/_triggers.yml").read_text()
    names = re.findall(r"^  - &(\w+) ", text, re.MULTILINE)
    anchors = dict(zip(names, yaml.safe_load(text)["anchors"], strict=True))
    together = set(re.findall(r"<<: \[(.*)\]", text))
    assert together
    for found in together:
        keys = [key for name in found.split(", ") for key in anchors[name.removeprefix("*")]]
        assert len(keys) == len(set(keys)), found


def cart() -> dict[str, Any]:
    (entry,) = [entry for entry in ENTRIES if entry["name"] == "cart_abandoned"]
    found: dict[str, Any] = copy.deepcopy(entry["config"]["meta"])
    return found


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("subject", "basket", "has subject basket, which is none of customer, order"),
        ("trigger_hours", 0, "has no trigger_hours above 0"),
        (
            "rests_on",
            ["customers.no_such"],
            "rests on customers.no_such, which is no column of a public table",
        ),
        ("rests_on", ["consent_ledger.occurred_at"], "rests on consent_ledger.occurred_at"),
        ("flows", {}, "starts no flow"),
        ("trigger_hours", 99, "with exit trigger_ended and 100 hours to its end, more than trigger_hours"),
    ],
)
def test_a_wrong_trigger_is_named(key: str, value: Any, words: str) -> None:
    entry = cart() | {key: value}
    assert any(words in flaw for flaw in flaws(entry)), flaws(entry)


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("label", None, "has flow cart_series, which lacks label"),
        ("steps", None, "which lacks steps"),
        ("exits", ["bought"], "with exit bought, which is none of ordered"),
        ("message_class", "urgent", "with the unknown message class urgent"),
        ("priority", 0, "with priority 0, which is not 1 to 99"),
        ("priority", "high", "with priority high"),
        ("priority", 5, "1 to 9 are for transactional mail"),
        ("reentry", "sometimes", "with reentry sometimes, which is not once"),
        ("reentry", 0, "with reentry 0"),
        ("send_at", "noon", "with send_at noon"),
        ("cap", {"messages": 0, "days": 7}, "which is not {messages: above 0, days: above 0}"),
        ("cap", 3, "with cap 3, which is not"),
        ("shelf_life_hours", 0, "with no shelf_life_hours above 0"),
        ("holdout_share", 1, "with holdout_share 1, which is not 0 to below 1"),
        ("receiving_because", "Because.", "without a sentence in receiving_because"),
    ],
)
def test_a_wrong_flow_is_named(key: str, value: Any, words: str) -> None:
    entry = cart()
    flow = entry["flows"]["cart_series"]
    if value is None:
        del flow[key]
    else:
        flow[key] = value
    assert any(words in flaw for flaw in flaws(entry)), flaws(entry)


@pytest.mark.parametrize(
    ("place", "key", "value", "words"),
    [
        (0, "after", "last_reminder", "after last_reminder, which is neither trigger nor an earlier step"),
        (0, "after", "reminder", "with step reminder after reminder, which is neither"),
        (1, "step", "reminder", "with step reminder, which has no name of its own"),
        (1, "hours", -1, "with step second_reminder, which has no hours"),
        (0, "offer", True, "with step reminder, which has an offer"),
        (1, "offer", "10%", "with step second_reminder with offer 10%, which is not true or false"),
        (2, "slot", "", "with step last_reminder, which has no slot of content"),
        (2, "only_if", {"n_kisses": {"is": 1}}, "only_if n_kisses, which is no column of customers"),
        (2, "only_if", {"n_human_clicks_30d": {"above": 1}}, "n_human_clicks_30d above, which is not is"),
    ],
)  # fmt: skip
def test_a_wrong_step_is_named(place: int, key: str, value: Any, words: str) -> None:
    entry = cart()
    entry["flows"]["cart_series"]["steps"][place][key] = value
    assert any(words in flaw for flaw in flaws(entry)), flaws(entry)


def limit_flaws(flows: list[dict[str, str]], **variables: Any) -> list[str]:
    values = {"weekly_caps": {"engaged": 3}, "stated_weekly_caps": {"monthly": 0.25}, **variables}
    context = flow_macros(var=values.__getitem__, flow_entries=lambda: flows)
    found: list[str] = context["flow_limit_flaws"]()
    return found


def offer_flaws(**variables: Any) -> list[str]:
    values = {
        "offer_shares": [0.05, 0.1], "offer_levels_by_band": {"low": 0, "high": 2},
        "offer_stated_margin_share": 0.4, "offer_min_margin_share": 0.2, "offer_holdout_share": 0.1,
        "offer_weekly_budget": 0, **variables,
    }  # fmt: skip
    found: list[str] = macros("offer_flaws.sql", var=values.__getitem__)["offer_flaws"]()
    return found


def test_a_limit_that_lets_nothing_through_is_named() -> None:
    assert limit_flaws([{"flow": "a"}, {"flow": "b"}]) == []
    assert limit_flaws([{"flow": "a"}, {"flow": "a"}]) == ["flow a is in the entries of two triggers"]
    assert "var weekly_caps has engaged: 0" in limit_flaws([], weekly_caps={"engaged": 0})[0]
    assert "var stated_weekly_caps has daily: None" in limit_flaws([], stated_weekly_caps={"daily": None})[0]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("offer_shares", []), ("offer_shares", [0.1, 0.05]), ("offer_shares", [0.1, 0.1]),
        ("offer_shares", [0, 0.1]), ("offer_shares", [0.1, 1]), ("offer_levels_by_band", {"high": 3}),
        ("offer_levels_by_band", {"high": 0.05}), ("offer_min_margin_share", 1),
        ("offer_holdout_share", -0.1), ("offer_stated_margin_share", None), ("offer_weekly_budget", None),
    ],
)  # fmt: skip
def test_an_offer_that_is_none_is_named(name: str, value: Any) -> None:
    assert offer_flaws() == []
    flaw, *_ = offer_flaws(**{name: value})
    assert flaw.startswith(f"var {name} ")


def test_transactional_mail_has_no_cap() -> None:
    (entry,) = [copy.deepcopy(entry) for entry in ENTRIES if entry["name"] == "order_placed"]
    entry["config"]["meta"]["flows"]["order_confirmation"]["cap"] = {"messages": 1, "days": 1}
    (flaw,) = flaws(entry["config"]["meta"])
    assert "with a cap, and nothing holds transactional mail back" in flaw

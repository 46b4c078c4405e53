"""Awkward customers: facts as raw data has them. Every rendering must survive each of them."""

from collections.abc import Mapping
from typing import Any

from mailroom.content.model import Block, Content

LONG = "Maximiliane von und zu Hohenstein-Schwarzenberg "
ORDINARY, NOTHING, LONGEST, MARKUP = "ordinary", "nothing but an address", "longest texts", "markup in texts"
# lint looks for this in the HTML part. It is whole, so that MJML alone would let it through.
INJECTED = '<i class="injected">'
TEXTS = {
    LONGEST: (LONG * 7)[:300],
    "right to left": "שלום עליכם أهلا",
    "emoji": "👩🏽‍🚀🎉",
    "apostrophes and quotes": 'Seán O\'Brien "Bob" „d\u2019Arc“ & Söhne',
    MARKUP: f"<b>{INJECTED}x</i></b> {{{{ x }}}}{{% raw %}} [[fact:x]] *|FNAME|*",
    "lines and control characters": "Ada\r\nBcc: x\x00\x1b[31m\tL",
    "blank texts": "",
    "spaces only": " \t\n\u00a0 ",
    "invisible letters only": "\u200b\u200d\ufeff",
}


def examples(content: Content) -> dict[str, Any]:
    """Return the examples of facts.yml: an ordinary customer with every fact known."""
    return {name: fact.example for name, fact in content.facts.items()}


def cases(content: Content) -> dict[str, dict[str, Any]]:
    """Return facts by the name of the case."""
    ordinary = examples(content)
    texts = [name for name, fact in content.facts.items() if fact.kind == "text" and name != "currency"]
    lists = [name for name, fact in content.facts.items() if fact.kind == "products"]
    prices = [name for name, fact in content.facts.items() if fact.kind == "money"]
    found: dict[str, dict[str, Any]] = {ORDINARY: ordinary, NOTHING: {}}
    for case, text in TEXTS.items():
        changed: dict[str, Any] = dict.fromkeys(texts, text)
        changed |= {name: [{**one, "name": text} for one in ordinary[name]] for name in lists}
        found[case] = {**ordinary, **changed}
    for n in (0, 1, 12):
        many = {name: [dict(one) for one in (list(ordinary[name]) * 12)[:n]] for name in lists}
        found[f"{n} product{'s' if n != 1 else ''}"] = {**ordinary, **many}
    found["a product without an image"] = _products(
        ordinary, lists, lambda one: {key: value for key, value in one.items() if key != "image_url"}
    )
    found["price 0"] = _products(ordinary, lists, lambda one: {**one, "price": 0}) | dict.fromkeys(prices, 0)
    found["nothing is known of any value"] = dict.fromkeys(ordinary, None)
    found["numbers that are none"] = dict.fromkeys(ordinary, float("nan"))
    found["most products, longest texts"] = {
        **found[LONGEST],
        **{name: [dict(one) for one in found[LONGEST][name] * 12][:12] for name in lists},
    }
    return found


def _products(facts: Mapping[str, Any], lists: list[str], change: Any) -> dict[str, Any]:
    return {**facts, **{name: [change(one) for one in facts[name]] for name in lists}}


def needs_only(content: Content, block: Block) -> dict[str, Any]:
    """Return the facts that a block says it needs, and no other."""
    facts = {name: content.facts[name].example for name in block.needs}
    return facts | ({"confidence": 1} if block.min_confidence is not None else {})

"""Any text as any fact: it renders, it is escaped, the way out stays, and twice it is the same."""

import re
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from shop import TODAY, UNSUBSCRIBE, write

from mailroom.content import Content, load
from mailroom.content.cases import examples
from mailroom.content.rendering import render

# Any text, with half surrogates, and pieces that mean something to HTML, Liquid and MJML.
PIECES = [
    "<b>",
    "</mj-text>",
    "{{",
    "}}",
    "{%",
    "%}",
    "[[",
    "*|",
    "|*",
    "&",
    '"',
    "'",
    "-->",
    "\r\n",
    "\x00",
    "\u202e",
]
TEXTS = st.one_of(
    st.text(st.characters()), st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=3))).map("".join)
)
VALUES = st.one_of(
    TEXTS, st.none(), st.integers(), st.floats(), st.booleans(), st.lists(st.integers(), max_size=2)
)
PRODUCTS = st.lists(
    st.fixed_dictionaries(
        {
            "name": TEXTS,
            "price": st.one_of(st.floats(), TEXTS),
            "url": st.one_of(TEXTS, st.just("https://pots.example/p")),
        },
        optional={"was_price": VALUES, "image_url": VALUES},
    ),
    max_size=3,
)


@cache
def content() -> Content:
    with TemporaryDirectory() as folder:
        return load(write(Path(folder)), TODAY)


def tags(html: str) -> list[str]:
    """The elements of a page with the names of their attributes: what a fact must not change."""
    found: list[str] = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            found.append(f"{tag} {' '.join(name for name, _ in attrs)}")

    reader = Reader()
    reader.feed(html)
    return found


@settings(max_examples=60, deadline=None)
@given(TEXTS, st.sampled_from(["en", "de"]), st.sampled_from(["cart_1", "order_confirmation"]))
def test_any_text_renders_and_is_escaped(text: str, language: str, message: str) -> None:
    facts = {**examples(content()), "first_name": text, "subject_name": text, "receiving_because": text}
    made = render(content(), message, language, facts)
    named = made.choices["opening"].block
    plain = {
        **facts,
        "first_name": "x" if named == "named" else "",
        "subject_name": "x",
        "receiving_because": "x",
    }
    assert tags(made.html) == tags(render(content(), message, language, plain).html)
    assert UNSUBSCRIBE in made.text and f'href="{UNSUBSCRIBE}"' in made.html
    assert "\n" not in made.subject + made.preheader and made.subject.strip()
    assert not re.search(r"\{\{|\{%|\[\[|\*\|", made.text + made.subject)
    made.html.encode()
    made.text.encode()


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.sampled_from(sorted(examples(content()))), VALUES), st.one_of(st.none(), PRODUCTS))
def test_any_value_of_any_fact_renders_twice_the_same(facts: dict[str, Any], products: Any) -> None:
    if products is not None:
        facts["products"] = products
    made = render(content(), "cart_1", "de", facts)
    assert made == render(content(), "cart_1", "de", dict(reversed(facts.items())))
    assert UNSUBSCRIBE in made.text and UNSUBSCRIBE in made.html
    assert render(content(), "order_confirmation", "en", facts).text.strip()

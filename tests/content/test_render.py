"""One message of files and facts: its parts, headers, links and why each block was chosen."""

import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from shop import BOTH, BRAND, TODAY, UNSUBSCRIBE, block, both, write

from mailroom.content import Content, ContentError, Rendered, load
from mailroom.content.cases import examples
from mailroom.content.links import tagger
from mailroom.content.rendering import render


@pytest.fixture(scope="module")
def content(tmp_path_factory: pytest.TempPathFactory) -> Content:
    return load(write(tmp_path_factory.mktemp("content")), TODAY)


def cart(
    content: Content, language: str = "en", blocks: dict[str, str] | None = None, **facts: Any
) -> Rendered:
    return render(content, "cart_1", language, {**examples(content), **facts}, blocks)


def test_a_message_has_all_that_is_sent(content: Content) -> None:
    made = cart(content)
    assert (
        made.subject == "Still thinking of a casserole?" and made.preheader == "Your cart is as you left it."
    )
    assert '<html lang="en"' in made.html and "<title>Still thinking of a casserole?</title>" in made.html
    assert made.size == len(made.html.encode()) > 4_000
    assert made.headers == {
        "List-Unsubscribe": f"<{UNSUBSCRIBE}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    }
    assert "a note to people" not in made.html and "fonts.googleapis.com" not in made.html


def test_a_transactional_message_has_no_unsubscribe_header(content: Content) -> None:
    assert render(content, "order_confirmation", "en", {}).headers == {}


def test_the_plain_text_reads_as_a_letter(content: Content) -> None:
    assert cart(content, products=[]).text == (
        "Hello Maximiliane,\n"
        "\n"
        "your pots are waiting.\n"
        "\n"
        "All our pots & pans:\n"
        "https://pots.example/?utm_source=mailroom&utm_medium=email&utm_campaign=cart_1\n"
        "\n"
        "To your cart:\n"
        "https://pots.example/cart?utm_source=mailroom&utm_medium=email&utm_campaign=cart_1\n"
        "\n"
        "You are receiving this because you left a casserole in your cart.\n"
        "Pots & Pans Ltd\n"
        "1 Kiln Lane, Stoke\n"
        "Choose what we send: https://pots.example/preferences\n"
        f"Unsubscribe: {UNSUBSCRIBE}\n"
    )


def test_the_plain_text_wraps_and_has_no_elements(content: Content) -> None:
    text = cart(content, first_name="Anna " * 60).text
    assert all(len(line) <= 78 or line.startswith("https://") for line in text.split("\n"))
    assert "<" not in text and "{" not in text and "Casserole: \n" not in text


def test_plain_text_knows_lists_images_and_line_breaks(tmp_path: Path) -> None:
    body = (
        "<mj-text><h1>A &amp; B</h1><p>one<br />two <b>three</b></p><ul><li>x</li><li>y</li></ul>"
        '<a href="https://pots.example/a">A</a> | <a href="https://other.example/b">B</a>.</mj-text>'
        '<mj-image src="https://img.pots.example/1.png" alt="A sale" href="https://pots.example/sale" />'
        '<mj-image src="https://img.pots.example/2.png" alt="" />'
    )
    content = load(write(tmp_path, both("blocks/opening/plain.{}.mjml", block(body, messages=BOTH))), TODAY)
    text = cart(content, blocks={"opening": "plain"}).text
    utm = "utm_source=mailroom&utm_medium=email&utm_campaign=cart_1"
    assert text.startswith(
        f"A & B\n\none\ntwo three\n\n- x\n- y\n\nA:\nhttps://pots.example/a?{utm}\nB: https://other.example/b\n\n"
        f"A sale:\nhttps://pots.example/sale?{utm}\n\n"
    )


def test_facts_are_escaped_in_html_and_not_in_text(content: Content) -> None:
    made = cart(content, first_name='<b>Ada</b> & "Bob"', subject_name="<i>a pot</i>")
    assert "&lt;b&gt;Ada&lt;/b&gt; &amp; &#34;Bob&#34;" in made.html and "<b>Ada" not in made.html
    assert '<b>Ada</b> & "Bob"' in made.text and made.subject == "Still thinking of <i>a pot</i>?"
    assert "<title>Still thinking of &lt;i&gt;a pot&lt;/i&gt;?</title>" in made.html


def test_a_fact_is_no_template_and_no_second_header(content: Content) -> None:
    made = cart(content, subject_name="{{ links.shop }}\r\nBcc: ada@example.org {% raw %}*|FNAME|* [[x]]")
    for text in (made.subject, made.html.split("</title>")[0], made.text):
        assert not any(mark in text for mark in ("{{", "}}", "{%", "[[", "*|"))
    assert "\n" not in made.subject and "Bcc: ada@example.org" in made.subject


@pytest.mark.parametrize(
    "name", ["", "  ", "\u200b", "\u00a0\u200d", None, float("nan"), True, [], "\ufeff\n"]
)
def test_a_blank_fact_counts_as_missing(content: Content, name: object) -> None:
    made = cart(content, first_name=name)
    assert made.choices["opening"].block == "plain"
    assert made.choices["opening"].why == "named: first_name is missing"


def test_money_and_days_are_written_as_the_language_does(content: Content) -> None:
    facts = {**examples(content), "order_total": 1234.5}
    english = render(content, "order_confirmation", "en", facts).text
    german = render(content, "order_confirmation", "de", facts).text
    assert "€1,234.50 on 30 November 2026." in english
    assert "1.234,50\u00a0€ am 30. November 2026." in german
    swiss = render(content, "order_confirmation", "de", {**facts, "currency": "CHF", "order_total": 0}).text
    assert "0,00\u00a0CHF am" in swiss


WHY: dict[str, tuple[dict[str, str], dict[str, Any], str, str, str]] = {
    "first": ({}, {}, "products", "products", ""),
    "nothing to show": ({}, {"products": []}, "shop", "products", "products: products is missing"),
    "a product without a link": (
        {},
        {"products": [{"name": "x", "price": 1}]},
        "shop",
        "products",
        "products is missing",
    ),
    "two facts": (
        {},
        {"products": None, "currency": " "},
        "shop",
        "products",
        "products: products, currency are missing",
    ),
    "a weak score": ({}, {"confidence": 0.4}, "shop", "products", "products: confidence is under 0.5"),
    "no score": ({}, {"confidence": None}, "shop", "products", "products: confidence is missing"),
    "asked for": ({"picks": "shop"}, {}, "shop", "shop", ""),
    "an experiment, asked for": ({"picks": "test"}, {}, "test", "test", ""),
    "asked for, and falls back": (
        {"picks": "products"},
        {"products": []},
        "shop",
        "products",
        "products is missing",
    ),
}


@pytest.mark.parametrize("name", WHY)
def test_each_choice_says_why(content: Content, name: str) -> None:
    blocks, facts, chosen, wanted, why = WHY[name]
    choice = cart(content, blocks=blocks, **facts).choices["picks"]
    assert (choice.block, choice.wanted) == (chosen, wanted) and why in choice.why
    assert bool(why) == bool(choice.why)


def test_an_expired_block_is_not_chosen(tmp_path: Path) -> None:
    changes = both(
        "blocks/picks/new.{}.mjml",
        block("<mj-text>New.</mj-text>", tier="adaptive", fallback="shop", more="expires_on: 2026-12-01"),
    )
    content = load(write(tmp_path, changes), TODAY)
    assert cart(content).choices["picks"].block == "new"
    later = render(content, "cart_1", "en", examples(content), today=date(2026, 12, 2)).choices["picks"]
    assert (later.block, later.why) == ("products", "new: expired after 2026-12-01")


def test_a_message_stands_without_its_adaptive_blocks(content: Content) -> None:
    made = render(content, "cart_1", "de", examples(content), only_core=True)
    assert {slot: choice.block for slot, choice in made.choices.items()} == {
        "subject": "plain",
        "opening": "named",
        "picks": "shop",
        "call": "cart",
    }
    assert made.subject and UNSUBSCRIBE in made.text


def test_a_missing_fact_of_a_block_names_file_and_line_and_no_value(tmp_path: Path) -> None:
    body = "<mj-text>\n{{ first_name }} {{ subject_name }}\n</mj-text>"
    changes = both("blocks/opening/plain.{}.mjml", block(body, messages=BOTH))
    content = load(write(tmp_path, changes), TODAY)
    with pytest.raises(ContentError) as raised:
        cart(content, blocks={"opening": "plain"}, first_name="Secret", subject_name="")
    assert str(raised.value).startswith("blocks/opening/plain.en.mjml:8: subject_name is shown")
    assert "Secret" not in str(raised.value)


def test_a_price_without_a_currency_is_not_guessed(tmp_path: Path) -> None:
    changes = both(
        "blocks/total/plain.{}.mjml",
        block("<mj-text>{{ 5 | money }}</mj-text>", messages="order_confirmation"),
    )
    content = load(write(tmp_path, changes), TODAY)
    with pytest.raises(ContentError, match="currency is shown, and this customer has none"):
        render(content, "order_confirmation", "en", {})


def test_an_if_may_ask_for_a_missing_fact(tmp_path: Path) -> None:
    body = "<mj-text><h1>Hello{% if first_name %} {{ first_name }}{% endif %},</h1></mj-text>"
    content = load(write(tmp_path, both("blocks/opening/plain.{}.mjml", block(body, messages=BOTH))), TODAY)
    assert cart(content, blocks={"opening": "plain"}, first_name="").text.startswith("Hello,\n")


def test_a_name_that_a_block_sets_stays_in_it(tmp_path: Path) -> None:
    changes = both("blocks/picks/shop.{}.mjml", block("{% assign language = 'xx' %}<mj-text>x</mj-text>"))
    content = load(write(tmp_path, changes), TODAY)
    made = cart(content, "de", {"picks": "shop"})
    assert '<html lang="de"' in made.html and made.html == cart(content, "de", {"picks": "shop"}).html


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "message": ({"message": "cart_l"}, "There is no message cart_l. Did you mean cart_1?"),
    "language": ({"language": "fr"}, "There is no language fr. Take en or de."),
    "slot": ({"blocks": {"pick": "shop"}}, "cart_1 has no slot pick. Did you mean picks?"),
    "block": ({"blocks": {"picks": "shp"}}, "cart_1 has no block of picks shp. Did you mean shop?"),
    "fact": (
        {"facts": {"frist_name": "Ada"}},
        "The fact frist_name is not in facts.yml. Did you mean first_name?",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_an_unknown_name_is_refused(content: Content, name: str) -> None:
    changes, sentence = REFUSED[name]
    asked: dict[str, Any] = {"message": "cart_1", "language": "en", "facts": {}, "blocks": {}, **changes}
    with pytest.raises(ContentError) as raised:
        render(content, **asked)
    assert str(raised.value) == sentence


UTM = "utm_source=mail+room".replace("+", "%20") + "&utm_medium=email&utm_campaign=cart_1"
LINKS = {
    "https://pots.example": f"https://pots.example?{UTM}",
    "https://POTS.example/p?x=1#top": f"https://POTS.example/p?x=1&{UTM}#top",
    "https://pots.example/p?utm_source=print": (
        "https://pots.example/p?utm_source=print&utm_medium=email&utm_campaign=cart_1"
    ),
    "https://pots.example/p?a=%20&a=ü&b": f"https://pots.example/p?a=%20&a=ü&b&{UTM}",
    f"https://pots.example/p?{UTM}": f"https://pots.example/p?{UTM}",
    "https://pots.example/preferences?c=1": "https://pots.example/preferences?c=1",
    "https://pots.example/?leave=1&c=2": "https://pots.example/?leave=1&c=2",
    "https://other.example/": "https://other.example/",
    "https://pots.example.evil.example/": "https://pots.example.evil.example/",
    "https://pots.example@evil.example/": "https://pots.example@evil.example/",
    "http://pots.example/": "http://pots.example/",
    "https://[": "https://[",
}


@pytest.mark.parametrize("link", LINKS)
def test_links_of_the_shop_get_utm_parameters(link: str) -> None:
    left_out = ("https://pots.example/?leave=1", "https://pots.example/preferences")
    tagged = tagger("https://pots.example/", left_out, "mail room", "cart_1")
    assert tagged(link) == LINKS[link] and tagged(tagged(link)) == LINKS[link]


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "http://pots.example/x", "//x.example", "https://a@b.example", ""]
)
def test_a_fact_that_is_no_https_link_is_missing(content: Content, url: str) -> None:
    made = cart(content, cart_url=url)
    assert made.choices["call"].block == "shop" and "javascript" not in made.html


def test_brand_values_are_escaped(tmp_path: Path) -> None:
    content = load(write(tmp_path, {"brand.yml": BRAND.replace("1 Kiln Lane", "1 <Kiln> Lane")}), TODAY)
    made = cart(content)
    assert "1 &lt;Kiln&gt; Lane" in made.html and "1 <Kiln> Lane" in made.text


def test_a_message_compiled_whole_is_the_same_block_by_block(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = load(write(tmp_path), TODAY)
    asked = [(message, language) for message in content.templates for language in ("en", "de")]
    whole = [render(content, message, language, examples(content)) for message, language in asked]
    assert any(content.whole.values())
    monkeypatch.setattr("mailroom.content.rendering._whole", lambda *_: None)
    apart = [render(content, message, language, examples(content)) for message, language in asked]
    for one, other in zip(whole, apart, strict=True):
        assert one.text == other.text and one.subject == other.subject
        assert re.sub(r"\s+", " ", one.html) == re.sub(r"\s+", " ", other.html)

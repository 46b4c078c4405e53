"""Each rule of lint, with files that break it and files that keep it."""

from pathlib import Path
from typing import Any

import pytest
from shop import (
    BRAND,
    FACTS,
    FOOTER,
    GOOD,
    HEAD,
    PRODUCT,
    SMALL,
    TODAY,
    VOICE,
    Files,
    block,
    both,
    subject,
    template,
    write,
)

from mailroom.content import Content, Finding, lint, load
from mailroom.content.cases import cases
from mailroom.content.page import colour, contrast, read


def found(folder: Path, changes: Files | None = None, files: dict[str, str] = SMALL) -> list[Finding]:
    return lint(load(write(folder, changes, files), TODAY), TODAY)


def opening(body: str, needs: str = "") -> Files:
    """Both languages open with this text."""
    text = block(f"<mj-text><h1>Pots</h1>{body}</mj-text>", needs, fallback="bare" if needs else "")
    bare = both("blocks/opening/bare.{}.mjml", block("<mj-text><h1>Pots</h1></mj-text>")) if needs else {}
    return both("blocks/opening/plain.{}.mjml", text) | bare


def cart_subject(text: str) -> Files:
    return both("subjects/cart_1/plain.{}.txt", subject(text))


def footer(old: str, new: str) -> Files:
    assert old in FOOTER
    return {"templates/parts/footer.mjml": FOOTER.replace(old, new)}


def head(old: str, new: str) -> Files:
    assert old in HEAD
    return {"templates/parts/head.mjml": HEAD.replace(old, new)}


def test_good_files_have_no_error(tmp_path: Path) -> None:
    assert [one for one in found(tmp_path) if one.severity == "error"] == []
    assert [one for one in found(tmp_path, files=GOOD) if one.severity == "error"] == []


def test_every_case_of_an_awkward_customer_is_there(tmp_path: Path) -> None:
    named = set(cases(load(write(tmp_path), TODAY)))
    assert named >= {
        "ordinary",
        "nothing but an address",
        "longest texts",
        "right to left",
        "emoji",
        "apostrophes and quotes",
        "markup in texts",
        "blank texts",
        "spaces only",
        "invisible letters only",
        "0 products",
        "1 product",
        "12 products",
        "a product without an image",
        "price 0",
    }


LINK = '<a href="{}">Pots</a>'
LONG = "word " * 30
# rule: (breaks it, keeps it)
RULES: dict[str, tuple[list[Files], list[Files]]] = {
    "renders": (
        [
            opening("{{ subject_name }}"),
            opening("{{ order_total | money }}"),
            opening("{{ products.first.name }}"),
        ],
        [
            opening("{{ subject_name | default: 'pots' }}"),
            opening("{% if subject_name %}{{ subject_name }}{% endif %}"),
        ],
    ),
    "blank greeting": (
        [
            opening("Hi {{ first_name | default: '' }}, x"),
            opening("x. Hallo {% if first_name %}x{% endif %}, x"),
        ],
        [
            opening("Hello, x"),
            opening("Hi{% if first_name %} {{ first_name }}{% endif %}, x"),
            opening("Guten Tag, x"),
        ],
    ),
    "space before punctuation": (
        [
            opening("for {{ subject_name | default: '' }}."),
            cart_subject("Your {{ first_name | default: '' }} !\nx"),
        ],
        [opening("for {{ subject_name | default: 'you' }}."), opening("It is 3 : 4 now")][:1],
    ),
    "leftover mark": ([opening("&#91;&#91;x")], [opening("[x] and {x}")]),
    "no value": (
        [opening("{{ first_name | default: 'None' | append: '' }} and {{ 'na' | append: 'n' }}")],
        [opening("None of them")],
    ),
    "not empty": ([cart_subject("{{ first_name | default: '' }}\nx")], [cart_subject("x\ny")]),
    "subject": ([cart_subject(f"{'a' * 61}\nx")], [cart_subject(f"{'a' * 60}\nx")]),
    "preheader": (
        [cart_subject(f"x\n{'a' * 111}"), cart_subject("The same\nThe same")],
        [cart_subject(f"x\n{'a' * 110}")],
    ),
    "spam-like subject": (
        [
            cart_subject("YOUR POTS ARE waiting\nx"),
            cart_subject("Pots!!\nx"),
            cart_subject("Pots! Now!\nx"),
            cart_subject("Re: pots\nx"),
            cart_subject("FWD: pots\nx"),
            cart_subject("AW: Töpfe\nx"),
        ],
        [cart_subject("Your POTS are waiting!\nx"), cart_subject("Return: how\nx"), cart_subject("IKEA\nx")],
    ),
    "padding": ([cart_subject("x\ny\u200c\u00a0\u200c\u00a0\u200c")], [cart_subject("x\ny\u00a0z")]),
    "escapes": (
        [
            both(
                "blocks/opening/named.{}.mjml",
                block("<mj-text><h1>x</h1>{{ first_name | safe }}</mj-text>", "first_name", fallback="plain"),
            )
        ],
        [opening("{{ first_name | default: 'x' | upcase }}")],
    ),
    "link": (
        [
            opening(LINK.format("/p/1")),
            opening(LINK.format("http://pots.example/")),
            opening(LINK.format("#")),
            opening(LINK.format("")),
            opening(LINK.format("https://bit.ly/x")),
            opening(LINK.format("https://www.t.co/x")),
            opening(LINK.format("{{ cart_url | default: '' }}")),
        ],
        [opening(LINK.format("https://pots.example/p/1")), opening(LINK.format("mailto:hello@pots.example"))],
    ),
    "link text": (
        [
            opening('<a href="https://pots.example/x">click here</a>'),
            opening('<a href="https://pots.example/x"></a>'),
            opening('<a href="https://pots.example/x">hier klicken</a>'),
        ],
        [opening('<a href="https://pots.example/x">See pots here</a>')],
    ),
    "alternative text": (
        [{"templates/parts/product.mjml": PRODUCT.replace(' alt="{{ product.name }}"', "")}],
        [
            {
                "templates/parts/product.mjml": PRODUCT.replace('alt="{{ product.name }}"', 'alt=""').replace(
                    'alt=""', 'alt="Photo"'
                )
            }
        ],
    ),
    "language": ([{"templates/cart_1.mjml": template().replace(' lang="{{ language }}"', "")}], [{}]),
    "title": (
        [head("<mj-title>{{ subject }}</mj-title>", ""), head("{{ subject }}", "Completely different")],
        [head("{{ subject }}", "{{ subject }} - {{ brand.name }}")],
    ),
    "one h1": ([opening("<h1>Pans</h1>")], [opening("<h2>Pans</h2>")]),
    "contrast": (
        [opening('<span style="color:#999999; background-color:#ffffff">x</span>')],
        [
            opening('<span style="color:#767676; background-color:#ffffff">x</span>'),
            opening('<span style="color:#8a8a8a; background-color:#ffffff; font-size:24px">x</span>'),
            opening('<span style="color:inherit; background:url(x)">x</span>'),
        ],
    ),
    "one call to action": (
        [
            {
                "templates/parts/product.mjml": PRODUCT
                + '<mj-button color="#ffffff" href="{{ product.url }}">x</mj-button>'
            }
        ],
        [
            {
                "templates/parts/product.mjml": PRODUCT
                + '<mj-text><a href="{{ product.url }}">See it</a></mj-text>'
            }
        ],
    ),
    "little text": ([{}], [opening(LONG * 4)]),
    "unsubscribe": (
        [footer('<a href="{{ links.unsubscribe }}">{{ words.unsubscribe }}</a>', "")],
        [footer("{{ words.preferences }}", "More")],
    ),
    "postal address": (
        [
            footer("{{ brand.postal_address | newline_to_br }}", ""),
            footer("{{ brand.postal_address | newline_to_br }}", "1 Kiln Lane"),
        ],
        [footer("{{ brand.postal_address | newline_to_br }}", "{{ brand.postal_address }}")],
    ),
    "banned word": (
        [
            opening("Please\n HURRY"),
            cart_subject("Hurry\nx"),
            opening("letzte\nChance"),
            opening('<b>x</b><img src="https://x.example/1.png" alt="hurry" />'),
        ],
        [opening("unhurrying"), opening("<!-- hurry -->")],
    ),
    "claim": (
        [opening("a guarantee"), opening("20% off"), opening("{{ offer_percent | default: 5 }}% off")],
        [opening("{{ offer_percent }}% off", "offer_percent"), opening("warranty")],
    ),
    "creepy line": (
        [
            opening("You looked at it 3 times."),
            opening("We <b>miss</b>\nyou"),
            cart_subject("Last night you viewed pots\nx"),
        ],
        [opening("You looked at it. Three pots.")],
    ),
}


FEW = {
    "ordinary",
    "nothing but an address",
    "markup in texts",
    "longest texts",
    "most products, longest texts",
}


@pytest.fixture
def few_cases(monkeypatch: pytest.MonkeyPatch) -> None:
    """A hundred folders are linted: one language, and the cases that break rules, are enough."""

    def few(content: Content) -> dict[str, Any]:
        return {name: facts for name, facts in cases(content).items() if name in FEW}

    monkeypatch.setattr("mailroom.content.linting.cases", few)
    monkeypatch.setattr("mailroom.content.linting.LANGUAGES", ("en",))


@pytest.mark.usefixtures("few_cases")
@pytest.mark.parametrize("rule", RULES)
def test_lint_finds_what_breaks_a_rule(rule: str, tmp_path: Path) -> None:
    for at, changes in enumerate(RULES[rule][0]):
        assert rule in {one.rule for one in found(tmp_path / str(at), changes)}, changes


@pytest.mark.usefixtures("few_cases")
@pytest.mark.parametrize("rule", RULES)
def test_lint_lets_what_keeps_a_rule(rule: str, tmp_path: Path) -> None:
    for at, changes in enumerate(RULES[rule][1]):
        broken = [one for one in found(tmp_path / str(at), changes) if one.rule == rule]
        assert not [one for one in broken if one.rule != "little text" or at], changes


@pytest.mark.usefixtures("few_cases")
@pytest.mark.parametrize(("size", "severity"), [(30_000, None), (82_000, "warning"), (99_000, "error")])
def test_the_longest_rendering_has_a_size(size: int, severity: str | None, tmp_path: Path) -> None:
    body = "x" * 99 + " "
    changes = both("blocks/picks/shop.{}.mjml", block(f"<mj-text>{body * (size // 100)}</mj-text>"))
    sizes = [one for one in found(tmp_path, changes) if one.rule == "size"]
    assert {one.severity for one in sizes} == ({severity} if severity else set())
    assert {one.message for one in sizes} <= {"cart_1"} and len(sizes) in (0, 1)


@pytest.mark.usefixtures("few_cases")
def test_a_tracked_link_counts_more(tmp_path: Path) -> None:
    links = "".join(f'<a href="https://other.example/{n}">a{n}</a> ' for n in range(500))
    changes = both("blocks/picks/shop.{}.mjml", block(f"<mj-text>{links}</mj-text>"))
    assert {one.severity for one in found(tmp_path, changes) if one.rule == "size"} == {"warning"}


def test_a_transactional_message_needs_no_way_out(tmp_path: Path) -> None:
    changes = footer('<a href="{{ links.unsubscribe }}">{{ words.unsubscribe }}</a>', "")
    messages = {one.message for one in found(tmp_path, changes, GOOD) if one.rule == "unsubscribe"}
    assert messages == {"cart_1"}


def test_a_finding_names_file_and_line_or_the_case(tmp_path: Path) -> None:
    one = next(
        one for one in found(tmp_path / "a", opening("\n\n{{ subject_name }}")) if one.rule == "renders"
    )
    assert one.place in ("blocks/opening/plain.de.mjml:9", "blocks/opening/plain.en.mjml:9")
    assert "subject_name is shown, and this customer has none" in one.sentence
    one = next(one for one in found(tmp_path / "b", opening("\n\nplease hurry")) if one.rule == "banned word")
    assert one.line == 9
    one = next(one for one in found(tmp_path / "c", opening("<h1>x</h1>")) if one.rule == "one h1")
    assert (one.message, one.file) == ("cart_1", "") and one.case


def test_words_of_the_brand_are_read_where_they_are_shown(tmp_path: Path) -> None:
    changes: Files = {"brand.yml": BRAND.replace("Choose what we send", "Hurry and choose")}
    assert [one.file for one in found(tmp_path, changes) if one.rule == "banned word"] == [
        "templates/parts/footer.mjml"
    ]


def test_no_finding_repeats_a_fact(tmp_path: Path) -> None:
    facts = FACTS.replace("example: Maximiliane", "example: Secretname")
    sentences = [
        one.sentence for one in found(tmp_path, {"facts.yml": facts, **opening("{{ subject_name }}")})
    ]
    assert sentences and not any("Secretname" in sentence for sentence in sentences)


def test_patterns_may_stand_in_lists(tmp_path: Path) -> None:
    voice = (
        'banned_words: {en: [pots], de: [Töpfe]}\ncreepy:\n  patterns: ["kiln", "waiting"]\n  why: a test\n'
    )
    rules = {one.rule for one in found(tmp_path, {"voice.yml": voice})}
    assert rules >= {"banned word", "creepy line"} and "claim" not in rules


def test_voice_needs_no_rules(tmp_path: Path) -> None:
    assert [one for one in found(tmp_path, {"voice.yml": "tone: Kind\n"}) if one.severity == "error"] == []
    assert VOICE


CONTRASTS = [
    ("#000000", "#ffffff", 21.0),
    ("#ffffff", "#ffffff", 1.0),
    ("#777777", "#ffffff", 4.48),
    ("#0000ff", "#ffffff", 8.59),
]


@pytest.mark.parametrize(("one", "other", "ratio"), CONTRASTS)
def test_contrast_is_that_of_wcag(one: str, other: str, ratio: float) -> None:
    assert round(contrast(one, other), 2) == round(contrast(other, one), 2) == ratio


def test_colours_are_read_as_css_writes_them() -> None:
    assert [colour(one) for one in ("#FFF", "rgb(0, 128,255)", "white", "inherit", "rgb(1,2,999)", None)] == [
        "#ffffff",
        "#0080ff",
        "#ffffff",
        None,
        None,
        None,
    ]


def test_a_page_is_read_as_people_see_it() -> None:
    page = read(
        '<html lang="en"><head><title>T</title></head><body>'
        '<div style="display:none">no</div><p>a <b>b</b>, c</p>'
    )
    assert (page.language, page.title, page.text) == ("en", "T", "a b, c")

"""Each fault of a file is named with file and line, and all faults at once."""

from pathlib import Path

import pytest
from shop import (
    BOTH,
    BRAND,
    FACTS,
    FOOTER,
    GOOD,
    TODAY,
    VOICE,
    Files,
    block,
    both,
    subject,
    template,
    write,
)

from mailroom.content import ContentError, load

PLAIN, NAMED = "blocks/opening/plain.en.mjml", "blocks/opening/named.en.mjml"


def faults(folder: Path, changes: Files) -> list[str]:
    with pytest.raises(ContentError) as raised:
        load(write(folder, changes), TODAY)
    return str(raised.value).split("\n")


def test_good_files_are_read(tmp_path: Path) -> None:
    content = load(write(tmp_path), TODAY)
    assert set(content.templates) == {"cart_1", "order_confirmation"}
    names = [one.name for one in content.offered("cart_1", "picks", "de")]
    assert names == ["products", "test", "shop"]


def opening(body: str, needs: str = "", fallback: str = "", more: str = "", messages: str = BOTH) -> Files:
    return {PLAIN: block(f"<mj-text>\n{body}\n</mj-text>", needs, "core", fallback, messages, more)}


ONE_FAULT: dict[str, tuple[Files, str]] = {
    "missing fallback": (
        {NAMED: block("<mj-text>{{ first_name }}</mj-text>", "first_name", messages=BOTH)},
        f"{NAMED}:3: The key fallback is missing. Name the block that is used instead.",
    ),
    "missing fallback of a score": (
        opening("x", more="min_confidence: 0.5"),
        f"{PLAIN}:2: The key fallback is missing.",
    ),
    "unknown fallback": (
        {NAMED: block("<mj-text>{{ first_name }}</mj-text>", "first_name", "core", "plan", BOTH)},
        f"{NAMED}:6: There is no fallback plan. Did you mean plain?",
    ),
    "fallback for other messages": (
        {PLAIN: block("<mj-text>x</mj-text>", messages="cart_1")},
        "The fallback plain is not for order_confirmation.",
    ),
    "fallback with a need at its end": (
        both("blocks/picks/shop.{}.mjml", block("<mj-text>x</mj-text>", tier="experimental", fallback="end"))
        | both("blocks/picks/end.{}.mjml", block("<mj-text>x</mj-text>", tier="adaptive", fallback="end2")),
        "There is no fallback end2.",
    ),
    "cycle of fallbacks": (
        opening("x", "first_name", "named"),
        f"{PLAIN}:6: The fallbacks run in a circle: plain > named > plain.",
    ),
    "expired fallback": (
        opening("x", more="expires_on: 2026-11-30"),
        f"{NAMED}:6: The fallback plain expired after 2026-11-30.",
    ),
    "unknown fact": (
        opening("\n{{ frist_name }}"),
        f"{PLAIN}:9: There is no fact frist_name. Did you mean first_name?",
    ),
    "unknown need": (
        opening("x", "frist_name", "named"),
        f"{PLAIN}:3: There is no fact frist_name. Did you mean first_name?",
    ),
    "unknown key of brand": (
        opening("{{ brand.colors }}"),
        f"{PLAIN}:8: There is no brand.colors. Did you mean colours?",
    ),
    "a slot in a block": (opening("{{ slots.picks }}"), f"{PLAIN}:8: There is no fact slots."),
    "unknown part": (
        opening("{% include 'parts/prodct' %}"),
        f"{PLAIN}:8: There is no part parts/prodct. Did you mean parts/product?",
    ),
    "part of a changing name": (
        opening("{% include first_name %}", "first_name", "named"),
        f"{PLAIN}:9: There is no part of a changing name.",
    ),
    "part that includes itself": (
        {"templates/parts/product.mjml": "x\n{% include 'parts/product' %}"},
        "templates/parts/product.mjml:2: This part includes itself.",
    ),
    "parts that include each other": (
        {
            "templates/parts/a.mjml": "\n{% render 'parts/b' %}",
            "templates/parts/b.mjml": "{% render 'parts/a' %}",
        },
        "templates/parts/a.mjml:2: This part includes itself.",
    ),
    "unclosed output": (opening("{{ first_name }"), f"{PLAIN}:8: {{{{ stands alone."),
    "unclosed if": (opening("{% if first_name %}"), f"{PLAIN}:8: This is not Liquid: expected tag endif"),
    "unknown filter": (
        opening("{{ links.shop | mony }}"),
        f"{PLAIN}:8: There is no filter mony. Did you mean money?",
    ),
    "tag of an ESP": (opening("*|FNAME|*"), f"{PLAIN}:8: *| stands alone."),
    "raw": (
        opening("{% raw %}{{ x }}{% endraw %}"),
        f"{PLAIN}:8: raw would leave merge tags in the message.",
    ),
    "unclosed tag": (
        opening("<b>x"),
        f"{PLAIN}:8: This is not MJML: unexpected end of stream. <b> is not closed",
    ),
    "attribute without quotes": (opening("<a href=x>x</a>"), f"{PLAIN}:7: This is not MJML"),
    "unclosed tag of a template": (
        {"templates/cart_1.mjml": template().replace("</mj-column>", "")},
        "templates/cart_1.mjml:11: This is not MJML: unexpected end of stream. <mj-column> is not closed",
    ),
    "unclosed tag of a part": (
        {"templates/parts/footer.mjml": FOOTER.replace("</mj-column>", "")},
        "templates/parts/footer.mjml:1: This is not MJML",
    ),
    "unknown element": (
        opening("<mj-txt>x</mj-txt>"),
        f"{PLAIN}:8: There is no element mj-txt. Did you mean mj-text?",
    ),
    "one language only": (
        {PLAIN: None},
        "blocks/opening/plain.de.mjml:1: There is no plain.en.mjml. Write it in each language.",
    ),
    "unknown key": (
        opening("x", more="neds: []"),
        f"{PLAIN}:6: The key neds is not known. Did you mean needs?",
    ),
    "key twice": (
        opening("x", more="tier: core"),
        f"{PLAIN}:6: The key tier stands here a second time. Keep one.",
    ),
    "missing key": (
        {PLAIN: "---\nneeds: []\nowner: A\nfor: [cart_1]\n---\nx"},
        f"{PLAIN}:2: The key tier is missing.",
    ),
    "empty key": (
        {PLAIN: "---\ntier:\nneeds: []\nowner: A\nfor: []\n---\nx"},
        f"{PLAIN}:2: The key tier is empty.",
    ),
    "unknown tier": (
        {PLAIN: block("x", tier="cor", messages=BOTH)},
        f"{PLAIN}:2: There is no tier cor. Did you mean core?",
    ),
    "needs that is no list": (
        {PLAIN: block("x", messages=BOTH).replace("[]", "first_name")},
        f"{PLAIN}:3: needs must be a list of names.",
    ),
    "a day that is none": (opening("x", more="expires_on: soon"), f"{PLAIN}:6: expires_on must be a day"),
    "a confidence that is none": (
        opening("x", more="min_confidence: 5", fallback="named"),
        "min_confidence must be from 0 to 1.",
    ),
    "a confidence without its fact": (
        {"facts.yml": FACTS.replace("confidence: {", "certainty: {")},
        "products.en.mjml:7: min_confidence needs the fact confidence.",
    ),
    "unknown message": (
        opening("x", messages="cart_1, order_confirmatio"),
        f"{PLAIN}:5: There is no message order_confirmatio.",
    ),
    "broken front matter": ({PLAIN: "---\ntier: core\nneeds: [\n---\n"}, f"{PLAIN}:3: This is not YAML"),
    "front matter of a list": ({PLAIN: "---\n- tier\n---\n"}, f"{PLAIN}:2: Here must be keys with values."),
    "open front matter": ({PLAIN: "---\ntier: core\n"}, f"{PLAIN}:1: The front matter has no end."),
    "no front matter": ({PLAIN: "<mj-text></mj-text>"}, f"{PLAIN}:1: The front matter is missing."),
    "odd name": (
        {"blocks/opening/Plain.fr.mjml": "x"},
        "blocks/opening/Plain.fr.mjml:1: The file must be named",
    ),
    "slot without a block": (
        {
            f"blocks/total/{name}.{language}.mjml": None
            for name in ("sum", "plain")
            for language in ("en", "de")
        },
        "templates/order_confirmation.mjml:1: The slot total has no block for order_confirmation in de",
    ),
    "slot that is not declared": (
        {
            "templates/cart_1.mjml": template().replace(
                "slots: [opening, picks, call]", "slots: [opening, call]"
            )
        },
        "templates/cart_1.mjml:13: The slot picks is placed here, and is not in slots.",
    ),
    "slot that is not placed": (
        {"templates/cart_1.mjml": template().replace("{{ slots.picks }}", "")},
        "templates/cart_1.mjml:4: The slot picks is placed nowhere.",
    ),
    "unknown class": (
        {"templates/cart_1.mjml": template("transaction")},
        "templates/cart_1.mjml:3: There is no message_class transaction.",
    ),
    "subject without preheader": (
        {"subjects/cart_1/plain.en.txt": subject("One line")},
        "subjects/cart_1/plain.en.txt:6: After the front matter come two lines: subject and preheader.",
    ),
    "no subject": (
        {name: None for name in GOOD if name.startswith("subjects/order_confirmation")},
        "templates/order_confirmation.mjml:1: There is no subject for order_confirmation in en",
    ),
    "open output of a subject": (
        {"subjects/cart_1/plain.en.txt": subject("One\nTwo {{ first_name")},
        "subjects/cart_1/plain.en.txt:7:",
    ),
    "a link that is not https": (
        {"brand.yml": BRAND.replace("https://pots.example/\n", "http://pots.example/\n")},
        "brand.yml:10: The link shop is no absolute https link.",
    ),
    "words in one language": (
        {"brand.yml": BRAND.replace("    unsubscribe: Abmelden\n", "")},
        "words.en has unsubscribe, and words.de has not.",
    ),
    "unknown type": (
        {"facts.yml": FACTS.replace("type: money", "type: mony")},
        "There is no type mony. Did you mean money?",
    ),
    "example of another type": (
        {"facts.yml": FACTS.replace("example: 10,", "example: ten,")},
        "The example of offer_percent is not a usable percent.",
    ),
    "a fact with a name of ours": (
        {"facts.yml": FACTS.replace("offer_percent:", "subject:")},
        "subject is a name of Mailroom's own.",
    ),
    "claim without its fact": (
        {"voice.yml": VOICE.replace("needs: never", "needs: neve")},
        "voice.yml:5: needs names no fact: neve. Did you mean never?",
    ),
    "broken pattern": (
        {"voice.yml": VOICE.replace('"guarantee"', '"(guarantee"')},
        "voice.yml:5: The pattern can't be read",
    ),
    "a missing file": ({"voice.yml": None}, "voice.yml:1: This file is missing."),
}


@pytest.mark.parametrize("name", ONE_FAULT)
def test_a_fault_is_named_with_file_and_line(name: str, tmp_path: Path) -> None:
    changes, sentence = ONE_FAULT[name]
    found = faults(tmp_path, changes)
    assert any(sentence in one for one in found), found


def test_all_faults_come_at_once(tmp_path: Path) -> None:
    found = faults(
        tmp_path, {**opening("{{ frist_name }}"), "templates/cart_1.mjml": "x", "voice.yml": "a: 1"}
    )
    assert {one.split(":")[0] for one in found} >= {PLAIN, "templates/cart_1.mjml", "voice.yml"}


def test_a_file_that_is_not_utf_8_is_named(tmp_path: Path) -> None:
    write(tmp_path)
    (tmp_path / PLAIN).write_bytes(b"---\xff")
    with pytest.raises(ContentError, match=r"plain\.en\.mjml:1: This file is not UTF-8\."):
        load(tmp_path, TODAY)


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ContentError, match="There is no folder"):
        load(tmp_path / "nowhere", TODAY)

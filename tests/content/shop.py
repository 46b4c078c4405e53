"""A small content folder of the tests' own: a shop of pots, three messages, two languages."""

# ruff: noqa: E501

from datetime import date
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip(
    "liquid", reason="python-liquid is not installed: pip install -r requirements-content.txt"
)
pytest.importorskip("mrml", reason="mrml is not installed: pip install -r requirements-content.txt")

TODAY = date(2026, 12, 1)
UNSUBSCRIBE = "https://mail.pots.example/unsubscribe?c=1"
# file: text. A test gives changes: a text, or None to leave the file out.
Files = dict[str, str | None]

BRAND = """\
name: Pots & Pans
sender_name: Pots & Pans
postal_address: |-
  Pots & Pans Ltd
  1 Kiln Lane, Stoke
logo_text: Pots & Pans
utm_source: mailroom
colours: {text: "#222222", page: "#ffffff", accent: "#7a3e00"}
links:
  shop: https://pots.example/
  preferences: https://pots.example/preferences
  unsubscribe: https://mail.pots.example/unsubscribe?c=1
words:
  en:
    unsubscribe: Unsubscribe
    preferences: Choose what we send
  de:
    unsubscribe: Abmelden
    preferences: Auswählen, was wir senden
"""
VOICE = """\
tone: Plain and kind.
banned_words: [hurry, letzte Chance]
claims:
  - {pattern: "\\\\b\\\\d+ ?%", why: only with the offer of the customer, needs: offer_percent}
  - {pattern: "guarantee", why: we can't promise it, needs: never}
creepy:
  - {pattern: "\\\\bwe miss you\\\\b", why: puts pressure on a person}
"""
FACTS = """\
first_name: {type: text, description: First name, example: Maximiliane, source: customers, purpose: marketing_email}
subject_name: {type: text, description: What it is about, example: a casserole, source: triggers, purpose: marketing_email}
receiving_because: {type: text, description: Why they get it, example: You are receiving this because you left a casserole in your cart., source: triggers, purpose: service}
products:
  type: products
  description: Products to show
  example:
    - {name: Casserole, price: 49.9, was_price: 59.9, image_url: "https://img.pots.example/1.png", url: "https://pots.example/p/1?size=2#top"}
    - {name: Lid, price: 12.5, image_url: "https://img.pots.example/2.png", url: "https://pots.example/p/2"}
  source: recommendations
  purpose: marketing_email
offer_percent: {type: percent, description: Discount, example: 10, source: offer_levels, purpose: marketing_email}
order_total: {type: money, description: Total, example: 62.4, source: orders, purpose: service}
ordered_on: {type: date, description: Day of the order, example: 2026-11-30, source: orders, purpose: service}
currency: {type: text, description: Currency, example: EUR, source: orders, purpose: service}
cart_url: {type: url, description: Link to the cart, example: "https://pots.example/cart", source: shop, purpose: marketing_email}
confidence: {type: number, description: Of the score, example: 0.8, source: scores, purpose: marketing_email}
"""
HEAD = """\
<mj-title>{{ subject }}</mj-title>
<mj-preview>{{ preheader }}</mj-preview>
<mj-attributes><mj-all font-family="Arial, sans-serif" color="{{ brand.colours.text }}" /></mj-attributes>
<mj-style>.none { color: #222222; }</mj-style>
"""
FOOTER = """\
<mj-section background-color="#ffffff"><mj-column><mj-text font-size="14px">
{{ receiving_because }}<br>{{ brand.postal_address | newline_to_br }}<br>
<a href="{{ links.preferences }}">{{ words.preferences }}</a>
<a href="{{ links.unsubscribe }}">{{ words.unsubscribe }}</a>
</mj-text></mj-column></mj-section>
"""
PRODUCT = """\
{% if product.image_url %}<mj-image src="{{ product.image_url }}" alt="{{ product.name }}" href="{{ product.url }}" />{% endif %}
<mj-text><a href="{{ product.url }}">{{ product.name }}</a>, {{ product.price | money }}</mj-text>
"""


def template(message_class: str = "lifecycle", slots: tuple[str, ...] = ("opening", "picks", "call")) -> str:
    placed = "\n".join(f"{{{{ slots.{slot} }}}}" for slot in slots)
    return f"""\
---
label: A message
message_class: {message_class}
slots: [{", ".join(slots)}]
owner: Lifecycle marketing
---
<mjml lang="{{{{ language }}}}">
<mj-head>{{% include 'parts/head' %}}</mj-head>
<mj-body background-color="#ffffff">
<!-- a note to people -->
<mj-section><mj-column>
{placed}
</mj-column></mj-section>
{{% render 'parts/footer' %}}
</mj-body>
</mjml>
"""


def block(
    body: str,
    needs: str = "",
    tier: str = "core",
    fallback: str = "",
    messages: str | None = "cart_1",
    more: str = "",
) -> str:
    lines = [f"tier: {tier}", f"needs: [{needs}]", "owner: Lifecycle marketing"]
    lines += [f"for: [{messages}]"] if messages else []
    lines += [f"fallback: {fallback}"] if fallback else []
    lines += [more] if more else []
    return "\n".join(["---", *lines, "---", body, ""])


def subject(body: str, **settings: Any) -> str:
    return block(body, messages=None, **settings)


BOTH = "cart_1, order_confirmation"
GOOD: dict[str, str] = {
    "brand.yml": BRAND,
    "voice.yml": VOICE,
    "facts.yml": FACTS,
    "templates/cart_1.mjml": template(),
    "templates/order_confirmation.mjml": template("transactional", ("opening", "total")),
    "templates/parts/head.mjml": HEAD,
    "templates/parts/footer.mjml": FOOTER,
    "templates/parts/product.mjml": PRODUCT,
    "blocks/opening/named.en.mjml": block(
        "<mj-text><h1>Hello {{ first_name }},</h1> your pots are waiting.</mj-text>", "first_name", fallback="plain", messages=BOTH
    ),
    "blocks/opening/named.de.mjml": block(
        "<mj-text><h1>Hallo {{ first_name }},</h1> Ihre Töpfe warten.</mj-text>", "first_name", fallback="plain", messages=BOTH
    ),
    "blocks/opening/plain.en.mjml": block("<mj-text><h1>Hello,</h1> your pots are waiting.</mj-text>", messages=BOTH),
    "blocks/opening/plain.de.mjml": block("<mj-text><h1>Guten Tag,</h1> Ihre Töpfe warten.</mj-text>", messages=BOTH),
    "blocks/picks/products.en.mjml": block(
        "{% for product in products limit: 4 %}{% include 'parts/product' %}{% endfor %}",
        "products, currency", "adaptive", "shop", more="min_confidence: 0.5",
    ),
    "blocks/picks/products.de.mjml": block(
        "{% for one in products limit: 4 %}{% render 'parts/product', product: one %}{% endfor %}",
        "products, currency", "adaptive", "shop", more="min_confidence: 0.5",
    ),
    "blocks/picks/shop.en.mjml": block('<mj-text><a href="{{ links.shop }}">All our pots &amp; pans</a>.</mj-text>'),
    "blocks/picks/shop.de.mjml": block('<mj-text><a href="{{ links.shop }}">Alle Töpfe &amp; Pfannen</a>.</mj-text>'),
    "blocks/picks/test.en.mjml": block("<mj-text>A test of words.</mj-text>", "", "experimental", "shop"),
    "blocks/picks/test.de.mjml": block("<mj-text>Ein Versuch mit Worten.</mj-text>", "", "experimental", "shop"),
    "blocks/call/cart.en.mjml": block(
        '<mj-button background-color="#7a3e00" color="#ffffff" href="{{ cart_url }}">To your cart</mj-button>', "cart_url", fallback="shop"
    ),
    "blocks/call/cart.de.mjml": block(
        '<mj-button background-color="#7a3e00" color="#ffffff" href="{{ cart_url }}">Zum Warenkorb</mj-button>', "cart_url", fallback="shop"
    ),
    "blocks/call/shop.en.mjml": block('<mj-button color="#ffffff" href="{{ links.shop }}">To the shop</mj-button>'),
    "blocks/call/shop.de.mjml": block('<mj-button color="#ffffff" href="{{ links.shop }}">Zum Shop</mj-button>'),
    "blocks/total/plain.en.mjml": block("<mj-text>Thank you for your order.</mj-text>", messages="order_confirmation"),
    "blocks/total/plain.de.mjml": block("<mj-text>Danke für Ihre Bestellung.</mj-text>", messages="order_confirmation"),
    "blocks/total/sum.en.mjml": block(
        "<mj-text>{{ order_total | money }} on {{ ordered_on | day }}.</mj-text>",
        "order_total, ordered_on, currency", "adaptive", "plain", "order_confirmation",
    ),
    "blocks/total/sum.de.mjml": block(
        "<mj-text>{{ order_total | money }} am {{ ordered_on | day }}.</mj-text>",
        "order_total, ordered_on, currency", "adaptive", "plain", "order_confirmation",
    ),
    "subjects/cart_1/plain.en.txt": subject("Your pots are waiting\nThey are still in your cart."),
    "subjects/cart_1/plain.de.txt": subject("Ihre Töpfe warten\nSie liegen noch im Warenkorb."),
    "subjects/cart_1/thing.en.txt": subject(
        "Still thinking of {{ subject_name }}?\nYour cart is as you left it.", needs="subject_name", tier="adaptive", fallback="plain"
    ),
    "subjects/cart_1/thing.de.txt": subject(
        "Noch Interesse an {{ subject_name }}?\nIhr Warenkorb ist noch da.", needs="subject_name", tier="adaptive", fallback="plain"
    ),
    "subjects/order_confirmation/plain.en.txt": subject("Thank you for your order\nWe pack it now."),
    "subjects/order_confirmation/plain.de.txt": subject("Danke für Ihre Bestellung\nWir packen sie jetzt."),
}  # fmt: skip


# One message and few blocks, for tests that lint many folders.
SMALL: dict[str, str] = {
    name: text.replace(f"[{BOTH}]", "[cart_1]")
    for name, text in GOOD.items()
    if not any(part in name for part in ("order_confirmation", "blocks/total", "thing", "blocks/picks/test", "call/shop"))
}  # fmt: skip
for _name in [name for name in SMALL if "call/cart" in name]:
    SMALL[_name] = SMALL[_name].replace("needs: [cart_url]", "needs: []").replace("fallback: shop\n", "")
    SMALL[_name] = SMALL[_name].replace("{{ cart_url }}", "{{ links.shop }}")


def write(folder: Path, changes: Files | None = None, files: dict[str, str] = GOOD) -> Path:
    """Write the good folder with changes."""
    for name, text in {**files, **(changes or {})}.items():
        if text is not None:
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    return folder


def both(name: str, text: str) -> Files:
    """The same text as a file of each language. name has {} for the language."""
    return {name.format(language): text for language in ("en", "de")}

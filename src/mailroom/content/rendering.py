"""Make one finished message of a template, blocks and facts. Nothing is stored, and nothing is sent."""

from collections.abc import Mapping
from datetime import date
from functools import lru_cache
from typing import Any

from liquid.exceptions import LiquidError, UndefinedError
from markupsafe import Markup

from mailroom.content import mjml, plain
from mailroom.content.choose import choose
from mailroom.content.facts import clean_text, usable
from mailroom.content.links import tag_html, tagger
from mailroom.content.mjml import line_of
from mailroom.content.model import (
    LANGUAGES,
    SUBJECT,
    TRANSACTIONAL,
    Block,
    Content,
    ContentError,
    Fault,
    Pair,
    Rendered,
)
from mailroom.content.source import did_you_mean
from mailroom.content.templating import LINKS, MissingFactError, composed, settled

# The sentence of the footer if neither facts nor words have one: true of each customer with an address.
BECAUSE = {
    "en": "You are receiving this because you gave us your address.",
    "de": "Sie erhalten diese E-Mail, weil Sie uns Ihre Adresse gegeben haben.",
}
MOST_WHOLE = 2_000  # compiled messages that are kept
tagger_of = lru_cache(maxsize=1_000)(tagger)


def render(
    content: Content,
    message: str,
    language: str,
    facts: Mapping[str, Any],
    blocks: Mapping[str, str] | None = None,
    today: date | None = None,
    only_core: bool = False,
) -> Rendered:
    """Return one finished message. blocks: slot to the block that is asked for. only_core: no other tiers.

    Raises:
        ContentError: a name is not known, or a block shows a fact that this customer lacks.
    """
    blocks, today = blocks or {}, today or content.today
    if message not in content.templates:
        raise ContentError(f"There is no message {message}.{did_you_mean(message, content.templates)}")
    if language not in LANGUAGES:
        raise ContentError(f"There is no language {language}. Take {' or '.join(LANGUAGES)}.")
    template = content.templates[message]
    for slot in blocks:
        if slot not in (*template.slots, SUBJECT):
            known = (*template.slots, SUBJECT)
            raise ContentError(f"{message} has no slot {slot}.{did_you_mean(slot, known)}")

    known_facts = usable(facts, content.facts)
    data = _data(content, language, known_facts)
    links = data["links"]
    tagged = tagger_of(
        links["shop"], (links["unsubscribe"], links["preferences"]), content.brand["utm_source"], message
    )

    chosen, choices = {}, {}
    for slot in (SUBJECT, *template.slots):
        chosen[slot], choices[slot] = choose(
            content, message, slot, language, known_facts, blocks.get(slot), today, only_core
        )
    heading = chosen.pop(SUBJECT)
    subject, preheader = (clean_text(_rendered(pair.text, data, heading.file)) for pair in heading.pairs)
    data |= {"subject": subject, "preheader": preheader}
    document, text = _parts(content, message, chosen, data)
    try:
        page = mjml.to_html(document)
    except mjml.MjmlError as error:
        raise ContentError(Fault(template.file, 1, f"This is not MJML: {error}.")) from None
    return Rendered(
        message,
        language,
        tag_html(page, tagged),
        plain.finish(text, tagged),
        subject,
        preheader,
        headers(template.message_class, links["unsubscribe"]),
        choices,
        document,
    )


def _parts(content: Content, message: str, chosen: dict[str, Block], data: dict[str, Any]) -> tuple[str, str]:
    """The MJML and the unfinished text of a message."""
    template = content.templates[message]
    whole = _whole(content, message, chosen, data)
    if whole is not None:
        try:
            return str(whole.html.render(data)), str(whole.text.render(data))
        except (LiquidError, MissingFactError, ValueError, TypeError, ArithmeticError):
            pass  # block by block, the error has a file and a line
    marked = {
        slot: Markup(_rendered(block.pairs[0].html, data, block.file)) for slot, block in chosen.items()
    }
    plain_slots = {slot: _rendered(block.pairs[0].text, data, block.file) for slot, block in chosen.items()}
    return (
        _rendered(template.pair.html, {**data, "slots": marked}, template.file),
        _rendered(template.pair.text, {**data, "slots": plain_slots}, template.file),
    )


def _whole(content: Content, message: str, chosen: dict[str, Block], data: Mapping[str, Any]) -> Pair | None:
    """The message compiled with these blocks in its slots, once for all customers who get them."""
    key = (message, str(data["language"]), *(block.file for block in chosen.values()))
    if key not in content.whole:
        template = content.templates[message]
        bodies = {slot: block.body for slot, block in chosen.items()}
        source = composed(template.body, bodies, content.parts)
        if len(content.whole) >= MOST_WHOLE:
            content.whole.clear()
        if source is not None:
            given = {name: data[name] for name in ("brand", "words", "links", "language")}
            content.whole[key] = content.liquid.pair(settled(source, given), template.file)
        else:
            content.whole[key] = None
    return content.whole[key]


def fragment(content: Content, block: Block, facts: Mapping[str, Any]) -> str:
    """Return the MJML of one block alone.

    Raises:
        ContentError: it shows a fact that is missing.
    """
    data = _data(content, block.language, usable(facts, content.facts))
    return _rendered(block.pairs[0].html, data, block.file)


def _data(content: Content, language: str, facts: Mapping[str, Any]) -> dict[str, Any]:
    """The variables of Liquid, without those of one message."""
    words = content.words[language]
    return {
        "receiving_because": words.get("receiving_because", BECAUSE[language]),
        **facts,
        "brand": content.brand,
        "words": words,
        "links": {name: content.brand["links"][name] for name in LINKS},
        "language": language,
    }


def headers(message_class: str, unsubscribe: str) -> dict[str, str]:
    """Return the headers of one-click unsubscribe (RFC 8058). A transactional message has none."""
    if message_class == TRANSACTIONAL:
        return {}
    return {
        "List-Unsubscribe": f"<{unsubscribe}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    }


def _rendered(template: Any, data: Mapping[str, Any], file: str) -> str:
    try:
        return str(template.render(data))
    except MissingFactError as error:
        raise ContentError(Fault(file, 1, _missing(error.name))) from None
    except UndefinedError as error:
        token = error.token
        is_part = bool(error.template_name and error.template_name != file)
        line = line_of(token.source, token.start_index) if token and not is_part else 1
        name = str(token.value) if token else "a fact"
        place = f" in {error.template_name}" if is_part else ""
        raise ContentError(Fault(file, line, f"{_missing(name)}{place and f' It is used{place}.'}")) from None
    except (LiquidError, ValueError, TypeError, ArithmeticError) as error:
        # The text of an error may hold a fact, so only its kind is shown.
        raise ContentError(Fault(file, 1, f"Liquid can't render this ({type(error).__name__}).")) from None


def _missing(name: str) -> str:
    return f"{name} is shown, and this customer has none. Add it to needs, or ask for it with if."

"""MJML: its elements, and where a file breaks them. mrml makes the HTML and names no place in the file."""

import re
from collections.abc import Iterator
from typing import Any

import mrml

LIQUID = r"\{\{.*?\}\}|\{%.*?%\}"
QUOTED = rf"\"(?:{LIQUID}|[^\"])*\"|'(?:{LIQUID}|[^'])*'"
TOKEN = re.compile(
    rf"(?P<liquid>{LIQUID})|(?P<comment><!--.*?-->)"
    rf"|<(?P<close>/?)(?P<name>[A-Za-z][\w:-]*)(?P<attributes>(?:{LIQUID}|{QUOTED}|[^'\">])*?)(?P<empty>/?)>",
    re.DOTALL,
)
ATTRIBUTE = re.compile(rf"(?P<name>[\w:-]+)\s*=\s*(?P<value>{QUOTED})", re.DOTALL)
VOID = frozenset({"br", "hr", "img", "input", "meta", "link", "wbr", "col", "area", "base"})
# Those that mrml 0.2.4 renders. It drops an unknown element without a word.
ELEMENTS = frozenset(
    f"mj-{name}"
    for name in [
        "accordion",
        "accordion-element",
        "accordion-text",
        "accordion-title",
        "all",
        "attributes",
        "body",
        "breakpoint",
        "button",
        "carousel",
        "carousel-image",
        "class",
        "column",
        "divider",
        "font",
        "group",
        "head",
        "hero",
        "image",
        "navbar",
        "navbar-link",
        "preview",
        "raw",
        "section",
        "social",
        "social-element",
        "spacer",
        "style",
        "table",
        "text",
        "title",
        "wrapper",
    ]
) | {"mjml"}
# No fonts from elsewhere: a font's server would learn who opens a message. No comments: they are the file's.
OPTIONS: Any = mrml.RenderOptions(disable_comments=True, fonts={})


class MjmlError(Exception):
    """MJML that mrml rejects."""


# mrml drops a space that stands alone between two elements of a text.
BETWEEN = re.compile(
    r"(</(?:a|b|strong|i|em|u|span|small|s|font)>)\s+(?=<(?:a|b|strong|i|em|u|span|small|s|font)[\s>])"
)


def to_html(source: str) -> str:
    """Return the HTML of an MJML document.

    Raises:
        MjmlError: mrml rejects it.
    """
    try:
        return str(mrml.to_html(BETWEEN.sub(r"\1&#32;", source.strip()), None, OPTIONS).content)
    except (OSError, ValueError) as error:
        raise MjmlError(str(error).partition(" in root template")[0]) from None


def attributes(text: str) -> dict[str, str]:
    """Return the attributes of a tag: name to value, without its quotes."""
    return {found["name"].lower(): found["value"][1:-1] for found in ATTRIBUTE.finditer(text)}


def line_of(source: str, at: int) -> int:
    """Return the line of a place in a text, from 1 on."""
    return source.count("\n", 0, max(at, 0)) + 1


def first_line(source: str) -> int:
    """Return the line in which a text begins."""
    return line_of(source, len(source) - len(source.lstrip()))


def unknown_elements(source: str) -> Iterator[tuple[int, str]]:
    """Yield line and name of each element mj-… that there is not."""
    for found in TOKEN.finditer(source):
        name = (found["name"] or "").lower()
        if name.startswith("mj") and name not in ELEMENTS and not found["close"]:
            yield line_of(source, found.start()), name


def broken_tag(source: str) -> tuple[int, str] | None:
    """Return line and sentence of the first tag that is not closed, or closes nothing. Liquid is ignored."""
    opened: list[tuple[str, int]] = []
    for found in TOKEN.finditer(source):
        name = found["name"]
        if not name or found["empty"] or name.lower() in VOID:
            continue
        if not found["close"]:
            opened.append((name, found.start()))
        elif not opened:
            return line_of(source, found.start()), f"</{name}> closes nothing."
        elif opened[-1][0] != name:
            return line_of(source, opened[-1][1]), f"<{opened[-1][0]}> is not closed before </{name}>."
        else:
            opened.pop()
    if opened:
        return line_of(source, opened[-1][1]), f"<{opened[-1][0]}> is not closed."
    return None

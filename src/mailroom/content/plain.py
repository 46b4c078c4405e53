"""The plain text part: made once from a file's MJML. For a customer, Liquid and wrapping are left."""

import html
import re
import textwrap
from collections.abc import Callable

from mailroom.content.mjml import LIQUID, TOKEN, attributes

WIDTH = 78  # characters of a line (RFC 5322, 2.1.1)
# Facts hold no control characters, so these mark what wrapping must know: ": " before a link, and its ends.
COLON, START, END = "\x01", "\x02", "\x03"
NOT_READ = frozenset(
    {"mj-head", "mj-style", "mj-title", "mj-preview", "mj-attributes", "style", "script", "title"}
)
INLINE = frozenset(
    {"a", "b", "strong", "i", "em", "u", "span", "small", "sup", "sub", "s", "font", "del", "mark"}
)
PARTS = re.compile(f"({LIQUID})", re.DOTALL)
LINK = re.compile(f"{START}([^{END}]*){END}[.,;:!?]*")
BETWEEN = re.compile(f"{END}[.,;:!?|·•\u00a0 ]+(?=[^{START}]*{START})")  # of two links in a line
SPACES = re.compile(r"[ \t\r\n\f]+")


def template(source: str) -> str:
    """Return the Liquid template of a file's plain text: its words and links, without its elements."""
    out: list[str] = []
    links: list[tuple[str, str, int]] = []
    hrefs = [
        attributes(found["attributes"] or "").get("href")
        for found in TOKEN.finditer(source)
        if found["name"] not in ("mj-image", None)
    ]
    skipped = ""
    at = 0
    for found in TOKEN.finditer(source):
        if not skipped:
            out.append(_unescaped(SPACES.sub(" ", source[at : found.start()])))
        at = found.end()
        if found["liquid"]:
            if not skipped:
                out.append(found[0])
            continue
        name = (found["name"] or "").lower()
        if not name:
            continue
        if skipped:
            skipped = "" if found["close"] and name == skipped else skipped
        elif name in NOT_READ:
            skipped = "" if found["empty"] or found["close"] else name
        elif found["close"]:
            if links and links[-1][0] == name:
                _, link, begin = links.pop()
                out.append(_link(link, "".join(out[begin:])))
            out.append("" if name in INLINE or name == "li" else _gap(name))
        else:
            given = attributes(found["attributes"])
            link = _unescaped(given.get("href", ""))
            if name == "br":
                out.append("\n")
            elif name == "li":
                out.append("\n- ")
            elif name in ("img", "mj-image"):
                alt = _unescaped(given.get("alt", ""))
                # An image beside a text with the same link says nothing new.
                if link and given.get("href") not in hrefs:
                    out += [_gap(name), alt, _link(link, alt), _gap(name)]
                else:
                    out.append(alt if links else _gap(name))
            else:
                out.append("" if name in INLINE else _gap(name))
                if link and not found["empty"]:
                    links.append((name, link, len(out)))
    if not skipped:
        out.append(_unescaped(SPACES.sub(" ", source[at:])))
    return "".join(out)


def _gap(name: str) -> str:
    if name == "tr":
        return "\n"
    return " " if name in ("td", "th") else "\n\n"


def _link(link: str, text: str) -> str:
    """A link after its text; alone if the text shows nothing, or is the link itself."""
    shown = text.strip()
    return (
        f"{COLON if shown and shown != link.strip() else ''}{START}{link.strip()}{END}"
        if link.strip()
        else ""
    )


def _unescaped(text: str) -> str:
    """The text with characters for HTML's entities, outside of Liquid."""
    return "".join(part if at % 2 else html.unescape(part) for at, part in enumerate(PARTS.split(text)))


def finish(text: str, tagged: Callable[[str], str]) -> str:
    """Return a customer's plain text: links as `tagged` makes them, spaces in order, lines of at most 78."""
    text = re.sub(rf"\s*{COLON}\s*", ": ", text)
    text = "\n".join(
        BETWEEN.sub(f"{END}\n", line) if line.count(START) > 1 else line for line in text.split("\n")
    )
    text = LINK.sub(lambda found: tagged(found[1].strip()), text)
    paragraphs: list[str] = []
    for paragraph in re.split(r"\n[ \t]*\n", text):
        lines = [line for line in (SPACES.sub(" ", one).strip() for one in paragraph.split("\n")) if line]
        if lines:
            paragraphs.append("\n".join(_wrapped(line) for line in lines))
    return "\n\n".join(paragraphs) + "\n"


def _wrapped(line: str) -> str:
    if len(line) <= WIDTH:
        return line
    indent = "  " if line.startswith("- ") else ""
    return "\n".join(
        textwrap.wrap(line, WIDTH, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)
    )

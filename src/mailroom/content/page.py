"""What the HTML part shows: its text, links, images, headings, and colours on their backgrounds."""

import re
from dataclasses import dataclass, field
from functools import lru_cache
from html.parser import HTMLParser

VOID = frozenset({"br", "hr", "img", "input", "meta", "link", "wbr", "col", "area", "base"})
HIDDEN = frozenset({"style", "script", "title", "head"})
INLINE = frozenset(
    {"a", "b", "strong", "i", "em", "u", "span", "small", "sup", "sub", "s", "font", "del", "mark"}
)
NAMED = {"white": "#ffffff", "black": "#000000", "red": "#ff0000", "grey": "#808080", "gray": "#808080"}
LARGE = 24.0  # px: from there on 3:1 is enough (WCAG 2.2, 1.4.3: large text is 18 pt)
AA, AA_LARGE = 4.5, 3.0


@dataclass
class Link:
    """A link with the text, and the alternative texts of images, that it shows."""

    href: str
    text: str = ""


@dataclass
class Page:
    """A reading of one HTML part. pale: (text, background, ratio) under the contrast that WCAG asks for."""

    language: str = ""
    title: str = ""
    text: str = ""
    links: list[Link] = field(default_factory=list)
    images_without_alt: int = 0
    n_images: int = 0
    n_h1: int = 0
    pale: set[tuple[str, str, float]] = field(default_factory=set)


@dataclass
class Element:
    name: str
    color: str | None
    background: str | None
    size: float | None
    is_hidden: bool


def luminance(colour: str) -> float:
    """Return the relative luminance of #rrggbb (WCAG 2.2)."""
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours #rrggbb, from 1 to 21 (WCAG 2.2)."""
    bright, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


@lru_cache(maxsize=1_000)
def colour(text: str | None) -> str | None:
    """Return a colour of CSS as #rrggbb, or None if it is not one that is computed here."""
    text = (text or "").strip().lower()
    text = NAMED.get(text, text)
    if re.fullmatch(r"#[0-9a-f]{3}", text):
        return "#" + "".join(one * 2 for one in text[1:])
    if re.fullmatch(r"#[0-9a-f]{6}", text):
        return text
    parts = re.fullmatch(r"rgb\(\s*(\d{1,3})\s*,\s*(\d{1,3})\s*,\s*(\d{1,3})\s*\)", text)
    if parts and all(int(part) < 256 for part in parts.groups()):
        return "#" + "".join(f"{int(part):02x}" for part in parts.groups())
    return None


class Reader(HTMLParser):
    """Fills `page`."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.page = Page()
        self.open: list[Element] = []
        self.out: list[str] = []
        self.link: Link | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag not in INLINE:
            self.out.append("\n")
        if tag == "html":
            self.page.language = given.get("lang", "")
        elif tag == "h1":
            self.page.n_h1 += 1
        elif tag == "img":
            self.page.n_images += 1
            self.page.images_without_alt += "alt" not in given
            if self.link:
                self.link.text += given.get("alt", "")
        elif tag == "a":
            self.link = Link(given.get("href", "").strip())
            self.page.links.append(self.link)
        if tag in VOID:
            return
        style = dict(
            (name.strip().lower(), value.strip())
            for name, _, value in (part.partition(":") for part in given.get("style", "").split(";"))
        )
        size = re.fullmatch(r"([\d.]+)px", style.get("font-size", ""))
        is_hidden = tag in HIDDEN or style.get("display") == "none"
        background = style.get("background-color") or style.get("background", "").split(" ")[0]
        self.open.append(
            Element(
                tag,
                colour(style.get("color") or given.get("color")),
                colour(background or given.get("bgcolor")),
                float(size[1]) if size else None,
                is_hidden,
            )
        )

    def handle_endtag(self, tag: str) -> None:
        if tag not in INLINE:
            self.out.append("\n")
        if tag == "a":
            self.link = None
        if any(element.name == tag for element in self.open):
            while self.open.pop().name != tag:
                pass

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1].name == "title":
            self.page.title += data
        if any(element.is_hidden for element in self.open):
            return
        self.out.append(re.sub(r"[ \t\r\n]+", " ", data))
        if self.link:
            self.link.text += data
        if data.strip():
            self.check_contrast()

    def check_contrast(self) -> None:
        def nearest(name: str) -> object:
            found = (getattr(element, name) for element in reversed(self.open))
            return next((value for value in found if value is not None), None)

        text, background, size = nearest("color"), nearest("background"), nearest("size")
        if isinstance(text, str) and isinstance(background, str):
            ratio = contrast(text, background)
            if ratio < (AA_LARGE if isinstance(size, float) and size >= LARGE else AA):
                self.page.pale.add((text, background, round(ratio, 2)))


def read(html: str) -> Page:
    """Return what an HTML part shows."""
    reader = Reader()
    reader.feed(html)
    reader.close()
    lines = ("".join(reader.out)).split("\n")
    reader.page.text = "\n".join(line.strip(" ") for line in lines if line.strip(" "))
    return reader.page

"""Liquid: two environments over the same parts, one that escapes for HTML and one for plain text."""

import html
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import Any

from liquid import CachingDictLoader, Environment
from liquid.exceptions import LiquidError
from liquid.filter import with_context
from liquid.undefined import FalsyStrictUndefined

from mailroom.content import plain
from mailroom.content.mjml import line_of
from mailroom.content.model import Fault, Pair

# Names that a file may use beside the facts.
GIVEN = frozenset(
    {"brand", "words", "slots", "subject", "preheader", "language", "links", "receiving_because"}
)
PLACED = frozenset({"slots", "subject", "preheader"})  # of templates and parts only
LINKS = ("shop", "preferences", "unsubscribe")
SYMBOLS = {"EUR": "€", "USD": "$", "GBP": "£"}
WHOLE = frozenset({"JPY", "KRW", "HUF"})  # currencies that are written without cents
MONTHS = {
    "en": [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ],
    "de": [
        "Januar",
        "Februar",
        "März",
        "April",
        "Mai",
        "Juni",
        "Juli",
        "August",
        "September",
        "Oktober",
        "November",
        "Dezember",
    ],
}
INCLUDE = re.compile(r"\{%-?\s*(?:include|render)\s+(?:'([^']*)'|\"([^\"]*)\"|([^\s'\"%]+))")
SLOT = re.compile(r"\{\{\s*slots\.(\w+)\s*\}\}")
PART = re.compile(r"\{%\s*(?:include|render)\s+(?:'([^']*)'|\"([^\"]*)\")\s*%\}")  # without arguments
PATH = re.compile(r"\{\{\s*((?:brand|words|links|language)[\w.]*)\s*\}\}")
SETS = re.compile(r"\{%-?\s*(?:assign|capture|increment|decrement|cycle|liquid)\b")


class MissingFactError(Exception):
    """A filter lacks a fact."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


@with_context  # type: ignore[untyped-decorator]
def money(value: Any, *, context: Any) -> str:
    """12.5 as €12.50, in German 12,50 €, with the currency of the fact."""
    currency = context.resolve("currency", default=None)
    if not isinstance(currency, str):
        raise MissingFactError("currency")
    amount = float(value)
    text = f"{abs(amount):,.{0 if currency in WHOLE else 2}f}"
    sign = "-" if amount < 0 and any(digit in "123456789" for digit in text) else ""
    symbol = SYMBOLS.get(currency, currency)
    if context.resolve("language", default="en") == "de":
        return f"{sign}{text.translate(str.maketrans(',.', '.,'))}\u00a0{symbol}"
    return f"{sign}{symbol}{'' if symbol != currency else chr(0xA0)}{text}"


@with_context  # type: ignore[untyped-decorator]
def day(value: Any, *, context: Any) -> str:
    """2026-07-01 as 1 July 2026, in German 1. Juli 2026."""
    found = date.fromisoformat(str(value)[:10])
    language = context.resolve("language", default="en")
    return f"{found.day}{'.' if language == 'de' else ''} {MONTHS[language][found.month - 1]} {found.year}"


class Liquid:
    """Compiles the texts of a content folder. parts: source by name, such as parts/footer."""

    def __init__(self, parts: Mapping[str, str]) -> None:
        self._html = self._environment(parts, escapes=True)
        self._text = self._environment(
            {name: plain.template(source) for name, source in parts.items()}, escapes=False
        )
        self._analysed: tuple[tuple[str, str], Any] = ("", ""), None

    @staticmethod
    def _environment(parts: dict[str, str] | Mapping[str, str], escapes: bool) -> Any:
        # A missing fact may be asked for in an if, and raises wherever it would be shown.
        loader = CachingDictLoader(dict(parts), auto_reload=False, capacity=1_000)
        environment = Environment(autoescape=escapes, undefined=FalsyStrictUndefined, loader=loader)
        environment.add_filter("money", money)
        environment.add_filter("day", day)
        if not escapes:  # plain text has no elements, so what makes some leaves the text as it is
            for name in ("newline_to_br", "escape", "escape_once"):
                environment.add_filter(name, str)
        return environment

    def pair(self, source: str, name: str) -> Pair:
        """Compile MJML for both parts.

        Raises:
            LiquidError: it is not Liquid.
        """
        return Pair(
            self._html.from_string(source, name=name),
            self._text.from_string(plain.template(source), name=name),
        )

    def line(self, source: str, name: str) -> Pair:
        """Compile one line of plain text, such as a subject. In HTML it is escaped as a value."""
        compiled = self._text.from_string(source, name=name)
        return Pair(compiled, compiled)

    def used(self, source: str, name: str) -> Iterator[tuple[str, int]]:
        """Yield the names that a source asks for, without those of its parts, with their lines."""
        for variables in self._analysis(source, name).globals.values():
            for variable in variables:
                path = [str(segment) for segment in variable.segments]
                yield ".".join(path[:2]), line_of(source, variable.span.index)

    def unknown_filters(self, source: str, name: str) -> Iterator[tuple[str, int]]:
        """Yield the names of filters that there are not, with their lines."""
        for filter_name, spans in self._analysis(source, name).filters.items():
            if filter_name not in self._html.filters:
                yield filter_name, line_of(source, spans[0].index)

    @property
    def filters(self) -> list[str]:
        return list(self._html.filters)

    def _analysis(self, source: str, name: str) -> Any:
        """What a source asks for. The last one is kept."""
        if (source, name) != self._analysed[0]:
            compiled = self._html.from_string(source, name=name)
            self._analysed = (source, name), compiled.analyze(include_partials=False)
        return self._analysed[1]


def composed(template: str, slots: Mapping[str, str], parts: Mapping[str, str]) -> str | None:
    """Return a template with the sources of its slots and parts in their places.

    None if that could change what they say: a name that one of them sets would be seen by the others.
    """

    def part(found: re.Match[str]) -> str:
        return parts[found[1] or found[2]].strip()

    for _ in range(len(parts) + 1):
        template = SLOT.sub(lambda found: slots[found[1]].strip(), template)
        if not (PART.search(template) or SLOT.search(template)):
            break
        template = PART.sub(part, template)
    return None if SETS.search(template) else template


def settled(source: str, values: Mapping[str, Any]) -> str:
    """Return a source with what is the same for all customers put in: plain paths, and texts of one line."""

    def put(found: re.Match[str]) -> str:
        value: Any = values
        for step in found[1].split("."):
            value = value.get(step) if isinstance(value, Mapping) else None
        is_plain = isinstance(value, str) and value.isprintable() and "{" not in value
        return html.escape(value) if is_plain else found[0]

    return PATH.sub(put, source)


def syntax_fault(source: str, file: str, error: LiquidError) -> Fault:
    """Return the fault of a source that is not Liquid."""
    at = getattr(error.token, "start_index", -1) if error.token else -1
    if at < 0:
        at = unclosed_block(source)
    sentence = str(error).splitlines()[0].removesuffix(".")
    return Fault(file, line_of(source, at), f"This is not Liquid: {sentence}.")


def unclosed_block(source: str) -> int:
    """The place of the first tag, such as if, that has no end. -1 if each has one."""
    opened: list[tuple[str, int]] = []
    for found in re.finditer(r"\{%-?\s*(\w+)", source):
        name = found[1]
        if name in ("if", "unless", "for", "case", "capture", "comment", "raw", "tablerow"):
            opened.append((name, found.start()))
        elif name.startswith("end") and opened and opened[-1][0] == name[3:]:
            opened.pop()
    return opened[0][1] if opened else -1


def included(source: str) -> Iterator[tuple[str, int]]:
    """Yield the names of the parts that a source includes, with their lines. Empty: it is in a variable."""
    for found in INCLUDE.finditer(source):
        yield found[1] or found[2] or "", line_of(source, found.start())


def given_names(sources: Iterable[str]) -> frozenset[str]:
    """Return the names that loops, assignments and arguments of any source give."""
    patterns = (
        r"\{%-?\s*(?:for|tablerow)\s+(\w+)\s+in\b",
        r"\{%-?\s*(?:assign|capture)\s+(\w+)",
        r"\{%-?\s*(?:include|render)\b[^%]*?\bas\s+(\w+)",
    )
    found: set[str] = set()
    for source in sources:
        for pattern in patterns:
            found.update(re.findall(pattern, source))
        for tag in re.findall(r"\{%-?\s*(?:include|render)\b(.*?)%\}", source, re.DOTALL):
            found.update(re.findall(r"(\w+)\s*:", tag))
    return frozenset(found)


def loose_marks(source: str) -> Iterator[tuple[int, str]]:
    """Yield line and sentence of each mark of a merge tag that would reach the ESP as it is."""
    if found := re.search(r"\{%-?\s*raw\b", source):
        yield line_of(source, found.start()), "raw would leave merge tags in the message. Write it without."
    outside = list(_outside_of_liquid(source))
    for at, text in outside:
        for mark in re.finditer(r"\{\{|\}\}|\{%|%\}|\[\[|\]\]|\*\||\|\*", text):
            yield line_of(source, at + mark.start()), f"{mark[0]} stands alone. Close it, or leave it out."


def _outside_of_liquid(source: str) -> Iterator[tuple[int, str]]:
    at = 0
    for found in re.finditer(r"\{\{.*?\}\}|\{%.*?%\}|<!--\[if.*?\]>|<!\[endif\]-->", source, re.DOTALL):
        yield at, source[at : found.start()]
        at = found.end()
    yield at, source[at:]

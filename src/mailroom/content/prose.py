"""The words of a file with the line of each, facts replaced by their examples, so that rules can read it."""

import html
import re
from collections.abc import Callable
from dataclasses import dataclass

from mailroom.content.mjml import TOKEN, attributes, line_of
from mailroom.content.plain import INLINE, NOT_READ

OUTPUT = re.compile(r"\{\{-?\s*([\w.]+)")


@dataclass(frozen=True)
class Prose:
    """The words of a file. Paragraphs end with a line break, all other white space is one space."""

    text: str
    lines: tuple[int, ...]

    def line(self, at: int) -> int:
        return self.lines[min(at, len(self.lines) - 1)] if self.lines else 1


def read(source: str, value: Callable[[str], str]) -> Prose:
    """Return the words of a source. value: what stands for a variable of Liquid."""
    out: list[str] = []
    lines: list[int] = []

    def add(text: str, line: int, breaks: bool = False) -> None:
        for one in text:
            line += one == "\n"
            if not breaks and one.isspace():
                one = " "
            if one in " \n" and out and out[-1] in " \n":
                out[-1] = "\n" if "\n" in (one, out[-1]) else " "
                continue
            out.append(one)
            lines.append(line)

    at, skipped = 0, ""
    for found in TOKEN.finditer(source):
        line = line_of(source, at)
        if not skipped:
            add(html.unescape(source[at : found.start()]), line)
        at, line = found.end(), line_of(source, found.start())
        name = (found["name"] or "").lower()
        if found["liquid"]:
            variable = OUTPUT.match(found[0])
            if variable and not skipped:
                add(value(variable[1]), line)
        elif skipped:
            skipped = "" if found["close"] and name == skipped else skipped
        elif name in NOT_READ and not found["close"] and not found["empty"] and name != "mj-head":
            skipped = name
        elif name and name not in INLINE:
            alt = attributes(found["attributes"] or "").get("alt", "")
            add("\n", line - 1, breaks=True)
            if alt:
                add(html.unescape(alt) if "{" not in alt else "", line)
                add("\n", line - 1, breaks=True)
    if not skipped:
        add(html.unescape(source[at:]), line_of(source, at))
    return Prose("".join(out), tuple(lines))

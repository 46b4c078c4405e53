"""`mailroom card`: one customer on a picture, from source records to audiences, with every reason."""

import textwrap
from pathlib import Path
from xml.sax.saxutils import escape

from mailroom.explain import Line, customer
from mailroom.files import replace

WIDTH, MARGIN, LINE = 960, 24, 17
LABEL, VALUE = 150, 118  # width of a row's first column, and letters of its second
STYLE = (
    "text{font:13px system-ui,-apple-system,'Segoe UI',Roboto,sans-serif;fill:#1f2933}"
    ".title{font-size:20px;font-weight:600}.head{font-size:12px;font-weight:600;fill:#52606d;letter-spacing:.04em}"
    ".soft{fill:#52606d}.yes{fill:#0b6e4f;font-weight:600}.no{fill:#a61b1b;font-weight:600}.key{font-weight:600}"
)


def card(path: Path, customer_id: str | None = None) -> str:
    """The SVG of one customer; without an id, of the one with the most records who has ordered.

    Raises:
        ValueError: there is no such warehouse or customer.
    """
    person = customer(path, customer_id, is_short=True)
    return _drawn(person.name, f"customer_id {person.customer_id}", person.sections)


def write(path: Path, to: Path, customer_id: str | None = None) -> None:
    """Write the SVG to a file. Raises ValueError as card() does."""
    picture = card(path, customer_id)
    replace(to, lambda unfinished: unfinished.write_text(picture, encoding="utf-8"))


def _drawn(name: str, subtitle: str, sections: dict[str, list[Line]]) -> str:
    parts, y = [], MARGIN + 18
    parts.append(_text(MARGIN, y, name, "title") + _text(WIDTH - MARGIN, y, subtitle, "soft", "end"))
    for title, lines in sections.items():
        y += 34
        parts.append(_text(MARGIN, y, title, "head"))
        parts.append(f'<path d="M{MARGIN} {y + 7}H{WIDTH - MARGIN}" stroke="#d9e2ec"/>')
        y += 9
        for line in lines or [Line("none", "")]:
            wrapped = textwrap.wrap(line.text, VALUE) or [""]
            parts.append(_text(MARGIN, y + LINE, line.label, line.mark))
            for part in wrapped:
                y += LINE
                parts.append(_text(MARGIN + LABEL, y, part))
    height = y + MARGIN
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" '
        f'viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{escape(name)}, {escape(subtitle)}">\n'
        f"<style>{STYLE}</style>\n"
        f'<rect x=".5" y=".5" width="{WIDTH - 1}" height="{height - 1}" rx="8" '
        'fill="#fff" stroke="#d9e2ec"/>\n' + "\n".join(parts) + "\n</svg>\n"
    )


def _text(x: int, y: int, text: str, mark: str = "", anchor: str = "start") -> str:
    kind = f' class="{mark}"' if mark else ""
    end = ' text-anchor="end"' if anchor == "end" else ""
    return f'<text x="{x}" y="{y}"{kind}{end}>{escape(text)}</text>'

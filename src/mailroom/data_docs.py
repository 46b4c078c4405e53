"""Data Docs that stand on their own.

Great Expectations' pages take their style, their scripts and a dated logo from the web, and their index is
drawn by such a script: without a network it is blank, and with one it tells others who reads it. Here the
pages keep their content, take a style of their own and get a plain index.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

STYLE = """
:root { color-scheme: light dark; --line: #8884; --soft: #8881; --good: #18794e; --bad: #c62a2f; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 1200px; margin: 0 auto; padding: 1.5rem; }
a { color: #3b82c4; text-decoration: none; } a:hover { text-decoration: underline; }
h1, h2, h4, h5 { margin: 0.5rem 0; }
table { border-collapse: collapse; width: 100%; margin-bottom: 1rem; }
th, td { text-align: left; vertical-align: top; padding: 0.3rem 0.6rem; }
tr { border-bottom: 1px solid var(--line); }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; }
.badge { background: var(--soft); border: 1px solid var(--line); border-radius: 4px; padding: 0 0.3rem; }
.alert { background: var(--soft); padding: 0.2rem 0.6rem; border-radius: 4px; }
.good, .text-success { color: var(--good); } .bad, .text-danger { color: var(--bad); }
.fa-check-circle::before { content: "✓"; } .fa-times::before { content: "✗"; }
.fa-exclamation-triangle::before { content: "!"; }
.breadcrumb { list-style: none; display: flex; gap: 1rem; padding: 0; }
.nav { list-style: none; padding: 0; columns: 5 11rem; }
.card-body, .navbar, .nav { height: auto !important; max-height: none !important; }
"""

# What a page must lose: everything fetched from the web, and what only works with what was fetched.
FETCHED = re.compile(
    r"<script\b.*?</script>|<link\b[^>]*https?://[^>]*>|<img\b[^>]*https?://[^>]*>|<footer\b.*?</footer>"
    r'|<div class="card mb-3">\s*<div class="card-header p-2">\s*<strong>Actions<.*?(?=<div class="card d-)',
    re.DOTALL,
)


@dataclass(frozen=True)
class Checked:
    """How one suite did: rows looked at of all rows, expectations, those not met as (field, expectation).

    not_asked: fields that need not be filled, each with what the shop would have to have for it.
    """

    name: str
    n_rows: int
    n_looked_at: int
    n_expectations: int
    failed: list[tuple[str, str]]
    results: list[dict[str, Any]]
    not_asked: dict[str, str]


def stand_alone(docs: Path, checked: Sequence[Checked], as_of: str) -> None:
    """Rewrite the pages of a Data Docs site so that they fetch nothing, and write its index."""
    (docs / "style.css").write_text(STYLE, encoding="utf-8")
    for page in docs.rglob("*.html"):
        style = "../" * (len(page.relative_to(docs).parts) - 1) + "style.css"
        text = FETCHED.sub("", page.read_text(encoding="utf-8"))
        page.write_text(
            text.replace("</head>", f'<link rel="stylesheet" href="{style}"></head>', 1), encoding="utf-8"
        )
    (docs / "index.html").write_text(_index(docs, checked, as_of), encoding="utf-8")


def _index(docs: Path, checked: Sequence[Checked], as_of: str) -> str:
    rows = []
    for suite in checked:
        (page,) = (docs / "validations" / suite.name).rglob("*.html")
        state = '<span class="bad">failed</span>' if suite.failed else '<span class="good">passed</span>'
        numbers = (suite.n_rows, suite.n_looked_at, suite.n_expectations, len(suite.failed))
        rows.append(
            f'<tr><td><a href="{page.relative_to(docs)}">{escape(suite.name)}</a></td><td>{state}</td>'
            + "".join(f'<td class="number">{number:,}</td>' for number in numbers)
            + f"<td>{escape(', '.join(sorted({field for field, _ in suite.failed})))}</td>"
            + f"<td>{escape(', '.join(suite.not_asked))}</td></tr>"
        )
    heads = "".join(
        f'<th class="number">{name}</th>' for name in ("rows", "looked at", "expectations", "failed")
    )
    title = "The public tables against the field dictionary"
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f'<link rel="stylesheet" href="style.css"></head><body><h1>{title}</h1>'
        f"<p>As of {escape(as_of)} UTC. No value of a row stands in these pages.</p>"
        f"<table><thead><tr><th>table</th><th></th>{heads}<th>fields that failed</th>"
        f"<th>fields that the shop has nothing to fill from</th></tr></thead>"
        f"<tbody>{''.join(rows)}</tbody></table></body></html>\n"
    )

"""Self-contained Data Docs.

Great Expectations' pages load style, scripts and a logo from the web, and a script draws their index. Offline
it is blank, and online it reveals its readers. Here the pages keep their content, with a local style and a
plain index.
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

# Removed from a page: all that is loaded from the web, and all that only works with it.
FETCHED = re.compile(
    r"<script\b.*?</script>|<link\b[^>]*https?://[^>]*>|<img\b[^>]*https?://[^>]*>|<footer\b.*?</footer>"
    r'|<div class="card mb-3">\s*<div class="card-header p-2">\s*<strong>Actions<.*?(?=<div class="card d-)',
    re.DOTALL,
)


@dataclass(frozen=True)
class Checked:
    """The result of one suite: checked rows of all rows, expectations, failed ones as (field, expectation).

    not_asked: fields that need not be filled, each with the source that the shop lacks.
    """

    name: str
    n_rows: int
    n_looked_at: int
    n_expectations: int
    failed: list[tuple[str, str]]
    results: list[dict[str, Any]]
    not_asked: dict[str, str]


def stand_alone(docs: Path, checked: Sequence[Checked], as_of: str) -> None:
    """Rewrite the pages of a Data Docs site so that they load nothing, and write its index."""
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
        f'<th class="number">{name}</th>' for name in ("rows", "checked", "expectations", "failed")
    )
    title = "The public tables against the field dictionary"
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f'<link rel="stylesheet" href="style.css"></head><body><h1>{title}</h1>'
        f"<p>As of {escape(as_of)} UTC. These pages contain no value of a row.</p>"
        f"<table><thead><tr><th>table</th><th></th>{heads}<th>failed fields</th>"
        f"<th>fields without a source in the shop</th></tr></thead>"
        f"<tbody>{''.join(rows)}</tbody></table></body></html>\n"
    )

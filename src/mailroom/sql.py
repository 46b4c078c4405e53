"""Names and texts in DuckDB's SQL, and the settings of each connection."""

from pathlib import Path
from typing import Any

# DuckDB 2.0.0 loses rows of outer joins with this rule (macros/engine/outer_joins.sql).
SETTINGS: dict[str, Any] = {"disabled_optimizers": "outer_join_simplification"}


def quoted(name: str) -> str:
    """Return a quoted name."""
    doubled = name.replace('"', '""')
    return f'"{doubled}"'


def literal(value: str | Path) -> str:
    """Return a text as a literal."""
    doubled = str(value).replace("'", "''")
    return f"'{doubled}'"

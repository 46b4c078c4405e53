"""Names and texts in DuckDB's SQL."""

from pathlib import Path


def quoted(name: str) -> str:
    """Return a quoted name."""
    doubled = name.replace('"', '""')
    return f'"{doubled}"'


def literal(value: str | Path) -> str:
    """Return a text as a literal."""
    doubled = str(value).replace("'", "''")
    return f"'{doubled}'"

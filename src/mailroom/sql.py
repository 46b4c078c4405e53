"""Names and texts as DuckDB's SQL writes them."""

from pathlib import Path


def quoted(name: str) -> str:
    """A name in quotes."""
    doubled = name.replace('"', '""')
    return f'"{doubled}"'


def literal(value: str | Path) -> str:
    """A text as a literal."""
    doubled = str(value).replace("'", "''")
    return f"'{doubled}'"

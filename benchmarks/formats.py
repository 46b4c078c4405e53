"""How the report puts numbers, tables and verdicts into Markdown."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Aim:
    """An aim, as text: the value reached, the bound, and whether it is met."""

    what: str
    value: str
    bound: str
    is_met: bool


def seconds(value: float) -> str:
    return f"{value:,.0f} s" if value >= 20 else f"{value:.1f} s"


def number(value: Any, digits: int = 3) -> str:
    return "-" if value is None or value != value else f"{value:,.{digits}f}"


def verdict(is_met: bool) -> str:
    return "met" if is_met else "missed"


def table(head: list[str], rows: list[list[str]]) -> list[str]:
    """A Markdown table; all columns but the first are set right."""
    rule = ["---", *["---:"] * (len(head) - 1)]
    return ["| " + " | ".join(row) + " |" for row in (head, rule, *rows)]

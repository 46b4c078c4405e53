"""What people read keeps to docs/style.md."""

import re
import subprocess
from pathlib import Path

import pytest

from conftest import PROJECT

WORDS = re.compile(
    r"\b(nobody|somebody|whoever|whomever|told|anew|but for|of whom|thereof|hitherto|lest|withal)\b"
    r"|(?<![a-z])nobody_|_nobody(?![a-z])"
    # A number, a space and a per cent sign, but no remainder of a division.
    r"|(?<![*/] )\b[0-9][0-9.,_]* %(?= (?!\d|n\b)[a-z]|[\s.,;:)\"'|]|$)",
    re.IGNORECASE,
)
SUFFIXES = (".md", ".sql", ".yml", ".py", ".toml", ".txt")
# What names the words, the released past, and data as it came.
LEFT_OUT = re.compile(
    r"docs/style\.md|tests/architecture/test_style\.py|CHANGELOG\.md|seeds/|benchmarks/report\.md"
)
# Semicolons per 1,000 words of prose, at most: the upper end of well-kept public projects is 7.
MOST_SEMICOLONS = 7


def tracked() -> list[Path]:
    listed = subprocess.run(["git", "ls-files"], cwd=PROJECT, capture_output=True, text=True, check=True)
    return [
        PROJECT / name
        for name in listed.stdout.splitlines()
        if name.endswith(SUFFIXES) and not LEFT_OUT.match(name) and (PROJECT / name).exists()
    ]


def prose(text: str) -> str:
    """A page without its code."""
    return re.sub(r"```.*?```|`[^`]*`", "", text, flags=re.DOTALL)


def test_words_that_we_do_not_use_stand_nowhere() -> None:
    found = [
        f"{path.relative_to(PROJECT)}:{number}: {match[0]}"
        for path in tracked()
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        for match in WORDS.finditer(line)
    ]
    found += [f"{path.relative_to(PROJECT)}: its name" for path in tracked() if WORDS.search(path.stem)]
    assert found == []


PAGES = [PROJECT / "README.md", PROJECT / "CONTRIBUTING.md", *sorted(PROJECT.glob("docs/*.md"))]


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_a_page_prefers_two_sentences_to_a_semicolon(path: Path) -> None:
    text = prose(path.read_text(encoding="utf-8"))
    allowed = max(1, MOST_SEMICOLONS * len(text.split()) // 1000)
    assert text.count(";") <= allowed, f"{path.name} has {text.count(';')} semicolons, {allowed} allowed"

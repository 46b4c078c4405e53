"""Content of messages: files that people write, made into finished messages and checked. Nothing is sent."""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict
from datetime import date
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from mailroom.content.model import ERROR, Content, ContentError, Finding, Rendered
from mailroom.files import replace

__all__ = [
    "Content",
    "ContentError",
    "Finding",
    "Rendered",
    "exit_code",
    "findings_json",
    "findings_text",
    "lint",
    "load",
    "read_facts",
    "render",
    "rendered_json",
    "rendered_text",
    "write",
]

MISSING = (
    "python-liquid and mrml are not installed: pip install -r requirements-content.txt, or pip install "
    '"mailroom[content]" where Mailroom is a package'
)


def require_library() -> None:
    """Check that the optional libraries are there.

    Raises:
        ValueError: they are not. The message says how to install them.
    """
    if find_spec("liquid") is None or find_spec("mrml") is None:
        raise ValueError(MISSING)


def load(folder: Path, today: date | None = None) -> Content:
    """Read and check all files of a content folder. today: by which blocks are expired (default: today).

    Raises:
        ContentError: files are wrong. It names file and line of each fault, all at once.
    """
    require_library()
    from mailroom.content.loading import load

    return load(folder, today)


def render(
    content: Content,
    message: str,
    language: str,
    facts: Mapping[str, Any],
    blocks: Mapping[str, str] | None = None,
) -> Rendered:
    """Return one finished message. blocks: slot to the block that is asked for.

    Raises:
        ContentError: a name is not known, or a block shows a fact that this customer lacks.
    """
    from mailroom.content.rendering import render

    return render(content, message, language, facts, blocks)


def lint(content: Content, today: date | None = None) -> list[Finding]:
    """Return what is wrong with the content, errors first."""
    from mailroom.content.linting import lint

    return lint(content, today)


def read_facts(path: Path) -> dict[str, Any]:
    """Read the facts of one customer from a JSON file.

    Raises:
        ContentError: it can't be read, or is no JSON object.
    """
    from mailroom.content.facts import parse

    try:
        return parse(path.read_text(encoding="utf-8"))
    except UnicodeDecodeError:
        raise ContentError(f"{path} is not UTF-8.") from None
    except OSError as error:
        raise ContentError(f"{path} can't be read: {error.strerror}.") from None


def write(made: Rendered, folder: Path) -> list[Path]:
    """Write both parts into a folder, each file whole. Returns the files."""
    folder.mkdir(parents=True, exist_ok=True)
    files = {folder / "message.html": made.html, folder / "message.txt": made.text}
    for path, text in files.items():
        replace(path, lambda unfinished, text=text: unfinished.write_bytes(text.encode()))  # type: ignore[misc]
    return list(files)


def rendered_text(made: Rendered) -> str:
    """Return subject, preheader, size, headers, and why each block was chosen."""
    lines = [
        f"subject    {made.subject}",
        f"preheader  {made.preheader}",
        f"size       {made.size:,} bytes of HTML",
    ]
    lines += [f"{name}: {value}" for name, value in made.headers.items()]
    lines.append("")
    width = max(len(slot) for slot in made.choices)
    for choice in made.choices.values():
        why = f"instead of {choice.wanted} ({choice.why})" if choice.why else "first choice"
        lines.append(f"{choice.slot:<{width}}  {choice.block}, {why}")
    return "\n".join(lines)


def rendered_json(made: Rendered) -> str:
    """Return the message as JSON, with the fields of Rendered except mjml."""
    fields = {name: value for name, value in asdict(made).items() if name != "mjml"}
    return json.dumps({**fields, "size": made.size}, indent=2, ensure_ascii=False)


def findings_text(found: list[Finding]) -> str:
    """Return a count, then a line for each finding."""
    counts = Counter(one.severity for one in found)
    lines = [f"{counts['error']} errors, {counts['warning']} warnings."]
    lines += [f"{one.severity:<8} {one.place}: {one.sentence} [{one.rule}]" for one in found]
    return "\n".join(lines)


def findings_json(found: list[Finding]) -> str:
    """Return the findings as JSON, with the fields of Finding, and the exit code."""
    return json.dumps({"exit_code": exit_code(found), "findings": [asdict(one) for one in found]}, indent=2)


def exit_code(found: list[Finding]) -> int:
    """1: there is an error."""
    return int(any(one.severity == ERROR for one in found))

"""Read YAML and front matter with the line of each key, so that a fault can name it."""

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import yaml

from mailroom.content.model import Fault

# Both are safe loaders. That of libyaml is ten times as fast, and not everywhere.
LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True)
class Settings:
    """A mapping of a file. values: as read. lines: by key, and by the keys of mappings in it, dotted."""

    values: dict[str, Any]
    lines: dict[str, int]
    first_line: int = 1

    def line(self, key: str) -> int:
        return self.lines.get(key, self.first_line)


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return a question that names the nearest known name, or nothing."""
    near = difflib.get_close_matches(name, list(known), n=1)
    return f" Did you mean {near[0]}?" if near else ""


def settings(text: str, file: str, faults: list[Fault], first_line: int = 1) -> Settings | None:
    """Read a YAML mapping that begins in a line of a file. None, and a fault, if it is none."""
    try:
        reader = LOADER(text)
        root = reader.get_single_node()
        values = reader.construct_document(root) if root is not None else None
    except yaml.MarkedYAMLError as error:
        line = first_line + min(error.problem_mark.line if error.problem_mark else 0, text.count("\n"))
        faults.append(Fault(file, line, f"This is not YAML: {error.problem}."))
        return None
    except (yaml.YAMLError, ValueError) as error:
        faults.append(Fault(file, first_line, f"This is not YAML: {str(error).splitlines()[0]}."))
        return None
    if root is None:
        return Settings({}, {}, first_line)
    if not isinstance(root, yaml.MappingNode) or not isinstance(values, dict):
        faults.append(Fault(file, first_line, "Here must be keys with values."))
        return None
    lines: dict[str, int] = {}
    _lines(root, "", first_line, lines, file, faults)
    return Settings({str(key): value for key, value in values.items()}, lines, first_line)


def _lines(
    node: yaml.MappingNode, above: str, first_line: int, lines: dict[str, int], file: str, faults: list[Fault]
) -> None:
    for key, value in node.value:
        name, line = f"{above}{key.value}", first_line + key.start_mark.line
        if name in lines:
            faults.append(Fault(file, line, f"The key {name} stands here a second time. Keep one."))
        lines[name] = line
        if isinstance(value, yaml.MappingNode):
            _lines(value, f"{name}.", first_line, lines, file, faults)
        if isinstance(value, yaml.SequenceNode):
            lines.update(
                {f"{name}.{at}": first_line + one.start_mark.line for at, one in enumerate(value.value)}
            )


def front_matter(text: str, file: str, faults: list[Fault]) -> tuple[Settings, str] | None:
    """Split a file into its front matter and its body. The body keeps the file's own line numbers."""
    lines = text.split("\n")
    if lines[0].strip() != "---":
        faults.append(Fault(file, 1, "The front matter is missing. Begin the file with a line of ---."))
        return None
    end = next((at for at, line in enumerate(lines) if at and line.strip() == "---"), None)
    if end is None:
        faults.append(Fault(file, 1, "The front matter has no end. Close it with a line of ---."))
        return None
    found = settings("\n".join(lines[1:end]), file, faults, 2)
    return (found, "\n" * (end + 1) + "\n".join(lines[end + 1 :])) if found else None


def check_keys(
    found: Settings, required: Iterable[str], optional: Iterable[str], file: str, faults: list[Fault]
) -> bool:
    """Check the keys of a mapping, and that no required one is empty. Returns whether all is well."""
    required, known = list(required), [*required, *optional]
    before = len(faults)
    for key in found.values:
        if key not in known:
            sentence = f"The key {key} is not known.{did_you_mean(key, known)}"
            faults.append(Fault(file, found.line(key), sentence))
    for key in required:
        if key not in found.values:
            faults.append(Fault(file, found.first_line, f"The key {key} is missing."))
        elif found.values[key] is None or found.values[key] == "":
            faults.append(Fault(file, found.line(key), f"The key {key} is empty."))
    return len(faults) == before

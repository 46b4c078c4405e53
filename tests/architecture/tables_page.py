"""docs/tables.md, out of the YAML of the public models.

Run it to write the page again.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

PROJECT = Path(__file__).resolve().parents[2]
PAGE = PROJECT / "docs/tables.md"
FLOORS = (
    "customers",
    "identity",
    "trust",
    "scores",
    "segments",
    "measurement",
    "flows",
    "activation",
    "quality",
)
TITLES = {
    "identity": "Who is one person",
    "customers": "What they did",
    "quality": "Which data to trust",
    "trust": "May we write to them",
    "scores": "What to expect",
    "segments": "Who is in which segment",
    "measurement": "Does it pay",
    "flows": "Which message is next",
    "activation": "What leaves for the ESP",
}
DOC = re.compile(r"\{\{ *doc\('(\w+)'\) *\}\}")
VAR = re.compile(r"\{\{ *var\('(\w+)'\) *\}\}")


def doc_blocks() -> dict[str, str]:
    """The texts that several columns share."""
    pattern = re.compile(r"\{% docs (\w+) %\}(.*?)\{% enddocs %\}", re.DOTALL)
    return {
        name: " ".join(text.split())
        for path in PROJECT.glob("models/**/*.md")
        for name, text in pattern.findall(path.read_text(encoding="utf-8"))
    }


def public_models() -> dict[str, list[dict[str, Any]]]:
    """The YAML entries of the public models by floor, in the order in which they stand."""
    found: dict[str, list[dict[str, Any]]] = {}
    for floor in FLOORS:
        for path in sorted((PROJECT / "models" / floor).glob("*.yml")):
            entries = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
            for model in entries.get("models") or []:
                access = model.get("access") or model.get("config", {}).get("access")
                if access == "public":
                    found.setdefault(floor, []).append(model)
    return found


def text(value: str, blocks: dict[str, str], values: dict[str, Any]) -> str:
    """A description as a cell: doc blocks and vars filled in."""
    value = DOC.sub(lambda match: blocks[match[1]], value)
    value = VAR.sub(lambda match: str(values[match[1]]), value)
    return " ".join(value.split()).replace("|", "\\|")


def page() -> str:
    """The page as it must be."""
    return "\n".join(lines()) + "\n"


def lines() -> Iterator[str]:
    project = yaml.load((PROJECT / "dbt_project.yml").read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    blocks, values, models = doc_blocks(), project["vars"], public_models()
    yield "<!-- Written by `make pages` out of the models' YAML. Do not edit. -->"
    yield "# Tables"
    yield ""
    yield "The public tables, by what they answer: under contract, in the schema of the target (`main`)."
    yield "`make docs` has the same with lineage, `field_dictionary` as a table."
    for floor in FLOORS:
        yield f"\n## {TITLES[floor]}\n"
        yield "| table | what it is |"
        yield "| --- | --- |"
        for model in models[floor]:
            yield f"| [`{model['name']}`](#{model['name']}) | {text(model['description'], blocks, values)} |"
    for floor in FLOORS:
        for model in models[floor]:
            yield f"\n### {model['name']}\n"
            yield f"{text(model['description'], blocks, values)}\n"
            yield "| column | type | what it is |"
            yield "| --- | --- | --- |"
            for column in model["columns"]:
                name = VAR.sub(lambda match: str(values[match[1]]), column["name"])
                about = text(column.get("description", ""), blocks, values)
                yield f"| `{name}` | {column['data_type']} | {about} |"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")

"""The tables of docs/data-contract.md, out of the contract's YAML and the seed of words.

Run it to write them again.
"""

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

PROJECT = Path(__file__).resolve().parents[2]
PAGE = PROJECT / "docs/data-contract.md"
MARK = "do not edit below. -->\n"
Words = dict[tuple[str, str, str], str]


def fallbacks() -> Words:
    """What the seed has for a word that it does not know, by source, table and column."""
    with (PROJECT / "seeds/policy/source_words.csv").open(encoding="utf-8", newline="") as file:
        return {
            (row["source_name"], row["table_name"], row["column_name"]): row["value"]
            for row in csv.DictReader(file)
            if row["word"] == "*"
        }


def accepted(column: dict[str, Any], meta: dict[str, Any]) -> str:
    """What a column takes."""
    values = meta.get("accepted") or meta.get("known")
    if values:
        listed = ", ".join("var `currency`" if "{{" in value else f"`{value}`" for value in values)
        return listed + (", or a word for one" if meta.get("words") else "")
    if meta.get("format") == "email":
        return "e-mail address"
    kind = column["data_type"].split("(")[0]
    return "id" if kind == "text" and column["name"].endswith("_id") else str(kind)


def otherwise(key: tuple[str, str, str], column: dict[str, Any], meta: dict[str, Any], words: Words) -> str:
    """What becomes of any other value."""
    if key in words:
        other = f"`{words[key]}`"
    elif meta.get("open"):
        other = "row set aside where it has no rate"
    elif meta.get("known"):
        other = "a no"
    elif meta.get("required") or meta.get("set_aside"):
        other = "row set aside"
    elif column["data_type"] == "text" and not (meta.get("accepted") or meta.get("format")):
        other = ""
    else:
        other = "no value"
    if meta.get("event_time"):
        other += "; later than the moment of the build: row set aside"
    return other


def tables() -> Iterator[str]:
    words = fallbacks()
    for path in sorted((PROJECT / "models/staging").glob("*/_*__sources.yml")):
        for source in yaml.safe_load(path.read_text(encoding="utf-8"))["sources"]:
            for table in source["tables"]:
                yield f"\n### {source['name']}.{table['name']}\n\n{table['description']}\n"
                named = table.get("config", {}).get("meta", {}).get("identified_by")
                if named:
                    yield f"\nOne of {', '.join(named)} must be filled, or the row is set aside.\n"
                yield "\n| column | what it is | filled | accepted | else |\n|---|---|---|---|---|\n"
                for column in table["columns"]:
                    meta = column.get("config", {}).get("meta", {})
                    if meta.get("copy_of"):
                        continue
                    filled = "always" if meta.get("required") else ""
                    key = source["name"], table["name"], column["name"]
                    cells = [
                        f"`{column['name']}`", column["description"].replace("|", "\\|"), filled,
                        accepted(column, meta), otherwise(key, column, meta, words),
                    ]  # fmt: skip
                    yield "| " + " | ".join(cells) + " |\n"


def page() -> str:
    """The page as it must be: what people wrote, and the tables."""
    written, _, _ = PAGE.read_text(encoding="utf-8").partition(MARK)
    return written + MARK + "".join(tables())


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")

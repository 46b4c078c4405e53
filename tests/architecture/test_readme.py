"""The README and the pages name what is there, and every table that people read."""

import re
from pathlib import Path

import pytest
import tables_page

from conftest import PROJECT, Warehouse

README = (PROJECT / "README.md").read_text()


def section(title: str) -> str:
    """The text of one second-level section."""
    found = re.search(rf"^## {re.escape(title)}$(.*?)(?=^## |\Z)", README, re.MULTILINE | re.DOTALL)
    assert found, f"README.md has no section {title}"
    return found.group(1)


def test_the_page_of_tables_is_that_of_the_models(parsed: Warehouse) -> None:
    written = tables_page.PAGE.read_text(encoding="utf-8")
    assert written == tables_page.page(), "run `make pages`"
    named = set(re.findall(r"^### (\w+)$", written, re.MULTILINE))
    assert named == {
        node["name"]
        for node in parsed.manifest()["nodes"].values()
        if node["resource_type"] == "model" and node["config"].get("access") == "public"
    }


def test_ten_questions_name_ten_public_tables(parsed: Warehouse) -> None:
    named = re.findall(r"\| `([a-z_]+)` \|$", section("Ten questions, ten tables"), re.MULTILINE)
    access = {
        node["name"]: node["config"].get("access")
        for node in parsed.manifest()["nodes"].values()
        if node["resource_type"] == "model"
    }
    assert len(set(named)) == 10 and {access[name] for name in named} == {"public"}


def test_readme_fits_a_front_door() -> None:
    assert 100 <= len(README.splitlines()) <= 130


def test_the_page_that_make_docs_opens_on_is_ours_and_links_to_each_public_table(parsed: Warehouse) -> None:
    manifest = parsed.manifest()
    overview = manifest["docs"]["doc.mailroom.__overview__"]["block_contents"]
    linked = set(re.findall(r"\[([a-z_]+)\]\(#!/model/model\.mailroom\.\1\)", overview))
    public = {
        node["name"]
        for node in manifest["nodes"].values()
        if node["resource_type"] == "model" and node["config"].get("access") == "public"
    }
    assert linked == public
    assert overview.count("](") == len(re.findall(r"\]\(#!/model/", overview))


def test_a_page_lists_the_tables_of_the_source_contract(parsed: Warehouse) -> None:
    page = (PROJECT / "docs" / "getting-started.md").read_text(encoding="utf-8")
    rows = re.findall(r"^ *\| `([a-z]+)` \| ([a-z_, ]+) \|$", page, re.MULTILINE)
    named = {(source, table) for source, tables in rows for table in tables.split(", ")}
    contract = {(node["source_name"], node["name"]) for node in parsed.manifest()["sources"].values()}
    assert named == contract


PAGES = [PROJECT / "README.md", PROJECT / "CONTRIBUTING.md", *sorted(PROJECT.glob("docs/*.md"))]


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_links_and_folders_of_a_page_exist(path: Path) -> None:
    text = path.read_text()
    links = [link for link in re.findall(r"\]\(([^)#]+)\)", text) if "://" not in link]
    folders = re.findall(r"`((?!gx/|data/)[a-z_]+/(?:[a-z_]+/)*)`", text)
    for link in links:
        assert (path.parent / link).exists(), f"{path.name} links to {link}"
    for folder in folders:
        inside = [PROJECT / folder, PROJECT / "seeds" / folder, PROJECT / "macros" / folder]
        assert any(place.exists() for place in inside), f"{path.name} names {folder}"

"""The content of this project has a template for each message that a flow can send, and no fault."""

from datetime import date
from pathlib import Path

import pytest
import yaml

from conftest import PROJECT
from mailroom import content

CONTENT = PROJECT / "content"


def test_every_slot_of_the_flows_has_a_template() -> None:
    templates = {path.stem for path in (CONTENT / "templates").glob("*.mjml")}
    slots = {
        step["slot"]
        for path in (PROJECT / "models" / "flows" / "triggers").glob("*.yml")
        for model in (yaml.safe_load(path.read_text(encoding="utf-8")) or {}).get("models", [])
        for flow in model.get("config", {}).get("meta", {}).get("flows", {}).values()
        for step in flow["steps"]
    }
    assert slots == templates


@pytest.mark.slow
def test_the_content_has_no_fault() -> None:
    pytest.importorskip("liquid")
    loaded = content.load(CONTENT, date(2026, 12, 1))
    assert [one for one in content.lint(loaded, date(2026, 12, 1)) if one.severity == "error"] == []


@pytest.mark.parametrize("facts", ["full.json", "nothing.json"])
def test_the_examples_render(facts: str) -> None:
    pytest.importorskip("liquid")
    loaded = content.load(CONTENT, date(2026, 12, 1))
    given = content.read_facts(Path(CONTENT / "examples" / facts))
    for message in loaded.templates:
        made = content.render(loaded, message, "de", given)
        assert made.html and made.text and made.subject and made.preheader

"""The content of this project has a template for each message that a flow can send."""

import pytest
import yaml

from conftest import PROJECT


def test_every_slot_of_the_flows_has_a_template() -> None:
    templates = {path.stem for path in (PROJECT / "content" / "templates").glob("*.mjml")}
    if not (PROJECT / "content").exists():
        pytest.skip("content/ is not there yet")
    slots = {
        step["slot"]
        for path in (PROJECT / "models" / "flows" / "triggers").glob("*.yml")
        for model in (yaml.safe_load(path.read_text(encoding="utf-8")) or {}).get("models", [])
        for flow in model.get("config", {}).get("meta", {}).get("flows", {}).values()
        for step in flow["steps"]
    }
    assert slots and slots <= templates, sorted(slots - templates)

"""Var suppression_rules lists every rule. Each has a label, an owner and no thresholds of its own."""

import re

import pytest

from conftest import PROJECT, Warehouse

FOLDER = PROJECT / "models" / "trust" / "suppression_rules"
RULES = sorted(path.stem for path in FOLDER.glob("*.sql"))


def test_every_rule_is_on_the_list(parsed: Warehouse) -> None:
    """A rule that is not listed would silently have no effect."""
    suppressions = parsed.manifest()["nodes"]["model.mailroom.suppressions"]
    listed = sorted(key.split(".")[-1] for key in suppressions["depends_on"]["nodes"])
    assert listed == RULES


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_has_a_label_an_owner_and_no_number_of_its_own(parsed: Warehouse, rule: str) -> None:
    """Thresholds are vars: the only numbers in a rule are 0, 1, the percent and the year before all years."""
    node = parsed.manifest()["nodes"][f"model.mailroom.{rule}"]
    assert node["config"]["meta"]["label"] and node["config"]["meta"]["owner"]
    code = re.sub(r"--.*|'[^']*'|[a-z_0-9]*_\d+d\b", "", (FOLDER / f"{rule}.sql").read_text())
    assert set(re.findall(r"\b\d+\b", code)) <= {"0", "1", "2", "100"}


@pytest.mark.slow
def test_a_listed_rule_without_a_model_is_an_error_that_names_it(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    warehouse = Warehouse(tmp_path_factory.mktemp("rules"))
    run = warehouse.dbt("parse", "--no-partial-parse", suppression_rules=["complaint", "no_such_rule"])
    assert not run.ok
    assert "no_such_rule" in run.output

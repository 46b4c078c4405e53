"""DuckDB 2.0.0 loses rows of outer joins with one of its optimizer rules, so no connection has that rule."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import DBT, PROJECT


def test_each_connection_of_the_library_has_the_settings() -> None:
    calls = {
        f"{path.name}: {call}"
        for path in (PROJECT / "src").rglob("*.py")
        for call in re.findall(r"duckdb\.connect\([^#]*?\)(?= as |\n)", path.read_text())
    }
    assert len(calls) >= 5
    assert {call for call in calls if "SETTINGS" not in call} == set()


@pytest.mark.slow
@pytest.mark.deep
def test_a_profile_with_the_rule_stops_the_build(tmp_path: Path) -> None:
    profile = (PROJECT / "profiles.yml").read_text()
    (tmp_path / "profiles.yml").write_text(
        profile.replace("in_clause,outer_join_simplification", "in_clause")
    )
    done = subprocess.run(
        [
            sys.executable, "-c", DBT, "run", "--select", "purpose_register", "--profiles-dir", str(tmp_path),
            "--target-path", str(tmp_path / "target"), "--log-path", str(tmp_path / "logs"),
        ],
        cwd=PROJECT, env={**os.environ, "MAILROOM_DUCKDB_PATH": str(tmp_path / "warehouse.duckdb")},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode != 0
    assert "In profiles.yml add outer_join_simplification to disabled_optimizers" in done.stdout

"""The project compiles for Snowflake and BigQuery, and the SQL parses. Neither is available to run it."""

import os
import subprocess
from pathlib import Path

import pytest

from conftest import PROJECT

PYTHON = PROJECT / ".venv-dialects" / "bin" / "python"


@pytest.mark.slow
@pytest.mark.deep
@pytest.mark.skipif(not PYTHON.exists(), reason="requirements-dialects.txt is not installed: make dialects")
@pytest.mark.parametrize("target", ["snowflake", "bigquery"])
def test_every_model_test_and_analysis_is_valid_sql_of_the_warehouse(target: str, tmp_path: Path) -> None:
    """Each as on a first run, and incremental ones also as on a later run."""
    script = Path(__file__).with_name("compile_for_warehouse.py")
    done = subprocess.run(
        [PYTHON, script, target, tmp_path],
        env={**os.environ, "DBT_SEND_ANONYMOUS_USAGE_STATS": "false"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert not done.stdout, f"{target} would not take:\n{done.stdout}"

"""Rows replaced on Spark are also replaced in Delta and Iceberg. Sail has both, the local Spark neither."""

import subprocess
from pathlib import Path

import pytest
from test_dialects import PYTHON


@pytest.mark.skipif(not PYTHON.exists(), reason="requirements-dialects.txt is not installed: make dialects")
def test_rows_are_replaced_in_delta_and_iceberg(tmp_path: Path) -> None:
    """Some by day, some by key, some by customer, including null values."""
    script = Path(__file__).with_name("replace_on_lakehouse.py")
    done = subprocess.run(
        [PYTHON, script], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert not done.stdout, f"Other rows than these were to be there:\n{done.stdout}"

"""What is replaced on Spark is replaced in Delta and Iceberg too: Sail has both, Spark neither here."""

import subprocess
from pathlib import Path

import pytest
from test_dialects import PYTHON


@pytest.mark.skipif(not PYTHON.exists(), reason="requirements-dialects.txt is not installed: make dialects")
def test_rows_are_replaced_in_delta_and_iceberg(tmp_path: Path) -> None:
    """Some by their day, some by their key, some by their customer; what is null goes with them."""
    script = Path(__file__).with_name("replace_on_lakehouse.py")
    done = subprocess.run(
        [PYTHON, script], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert not done.stdout, f"Other rows than these were to be there:\n{done.stdout}"

"""make says what it does, and does no harm."""

import shlex
import subprocess
from fnmatch import fnmatch

from conftest import PROJECT

OF_ONES_OWN = [
    "data/own", "data/own/customers.csv", "warehouse/own.duckdb", "warehouse/own-activation", "warehouse",
]  # fmt: skip


def test_make_clean_leaves_a_warehouse_and_data_of_ones_own() -> None:
    """The README says to keep them there; the ledgers of consent are in them."""
    recipe = subprocess.run(
        ["make", "-n", "clean"], cwd=PROJECT, capture_output=True, text=True, check=True
    ).stdout
    removed = [word for word in shlex.split(recipe) if "/" in word or word in ("data", "warehouse")]
    assert "warehouse/mailroom.duckdb" in removed
    for path in OF_ONES_OWN:
        assert not [
            pattern for pattern in removed if fnmatch(path, pattern) or path.startswith(f"{pattern}/")
        ]

"""dbt 2.0 (Fusion) parses the project without a warning and builds all that rests on no Python model."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from conftest import ONLY_WARNS, PROJECT

FUSION = PROJECT / ".venv-fusion"
pytestmark = [
    pytest.mark.slow,
    pytest.mark.deep,
    pytest.mark.skipif(
        not (FUSION / "done").exists(),
        reason="dbt 2.0 and DuckDB's library are not installed: make test-fusion",
    ),
]
# Fusion's driver manager looks for it in the home folder.
DRIVER = """[Driver]
entrypoint = "duckdb_adbc_init"
[Driver.shared]
linux_amd64 = "{library}"
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a home for Fusion, and the project parsed."""
    folder = tmp_path_factory.mktemp("fusion")
    drivers = folder / "home" / ".config" / "adbc" / "drivers"
    drivers.mkdir(parents=True)
    (drivers / "duckdb.toml").write_text(DRIVER.format(library=FUSION / "package" / "libduckdb.so"))
    printed = dbt(folder, "parse")
    assert "warning" not in printed.lower() and "error" not in printed.lower(), printed
    return folder


def dbt(folder: Path, *command: str) -> str:
    """Run dbt 2.0 on folder/warehouse.duckdb. It must succeed. Returns what it printed."""
    done = subprocess.run(
        [
            FUSION / "bin" / "dbt", *command, "--profiles-dir", ".",
            "--target-path", folder / "target", "--log-path", folder / "logs",
        ],
        cwd=PROJECT,
        env={
            **os.environ, "HOME": str(folder / "home"), "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
            "MAILROOM_DUCKDB_PATH": str(folder / "warehouse.duckdb"),
        },
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    printed = done.stdout + done.stderr
    assert done.returncode == 0, printed
    return printed


def read(folder: Path, file: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((folder / "target" / file).read_text())
    return content


def test_every_node_without_a_python_model_above_it_builds(folder: Path) -> None:
    """The unit tests come last: for those of incremental models Fusion asks the warehouse for columns."""
    manifest = read(folder, "manifest.json")
    nodes = {
        key: node
        for key, node in {**manifest["nodes"], **manifest["unit_tests"]}.items()
        if node["resource_type"] in ("model", "seed", "test", "unit_test")
        and node.get("config", {}).get("enabled") is not False
    }
    python = [node["name"] for node in nodes.values() if node.get("language") == "python"]
    below = {key for key, node in nodes.items() if node["name"] in python}
    n_known = 0
    while n_known < len(below):
        n_known = len(below)
        below |= {key for key, node in nodes.items() if below.intersection(node["depends_on"]["nodes"])}
    wanted = {
        key
        for key, node in nodes.items()
        if key not in below and node.get("config", {}).get("materialized") != "ephemeral"
    }

    # Its parser of SQL warns of a column named sequence, which DuckDB accepts, so it does not parse.
    without = ["--static-analysis", "off", "--exclude", *(f"{name}+" for name in python)]
    # Its unit tests see only the vars of the command line and their own.
    project = yaml.safe_load((PROJECT / "dbt_project.yml").read_text())
    unit_tests = ["--resource-type", "unit_test", "--vars", json.dumps(project["vars"])]
    statuses: dict[str, str] = {}
    for options in (["--exclude-resource-type", "unit_test"], unit_tests):
        dbt(folder, "build", *without, *options)
        results = read(folder, "run_results.json")["results"]
        statuses |= {result["unique_id"]: result["status"] for result in results}
    assert wanted <= statuses.keys() and not below & statuses.keys()
    assert {nodes[key]["name"] for key in wanted if statuses[key] not in ("success", "pass")} == ONLY_WARNS

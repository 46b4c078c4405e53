"""examples/jobs/run.sh: the steps of a run in their order, even if one of them fails."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from conftest import PROJECT

# Records its arguments, and exits with the code in variable FAIL_<first argument>.
STUB = """#!/bin/sh
echo "$(basename "$0") $*" >> calls
eval "exit \\${FAIL_$1:-0}"
"""
PULL, VALIDATE, PUSH, PUBLISH = (f"mailroom {command}" for command in ("pull", "validate", "push", "publish"))
DAILY, HOURLY = (f"dbt build --profiles-dir . --selector {selector}" for selector in ("daily", "hourly"))


def run(folder: Path, selector: str, **exit_codes: int) -> tuple[int, list[str], str]:
    """Exit code of a run in which these steps fail, the steps that ran, and stderr."""
    (folder / "examples" / "jobs").mkdir(parents=True)
    (folder / ".venv" / "bin").mkdir(parents=True)
    shutil.copy(PROJECT / "examples" / "jobs" / "run.sh", folder / "examples" / "jobs")
    for name in ("dbt", "mailroom"):
        (folder / ".venv" / "bin" / name).write_text(STUB)
        (folder / ".venv" / "bin" / name).chmod(0o755)
    failing = {f"FAIL_{step}": str(code) for step, code in exit_codes.items()}
    done = subprocess.run(
        [folder / "examples" / "jobs" / "run.sh", selector],
        env={**os.environ, **failing},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, (folder / "calls").read_text().splitlines(), done.stderr


def test_a_daily_run_takes_every_step_in_order(tmp_path: Path) -> None:
    assert run(tmp_path, "daily") == (0, [PULL, DAILY, VALIDATE, PUSH, PUBLISH], "")


def test_an_hourly_run_does_not_validate(tmp_path: Path) -> None:
    assert run(tmp_path, "hourly") == (0, [PULL, HOURLY, PUSH, PUBLISH], "")


def test_after_a_failed_build_there_is_a_push_and_no_publish(tmp_path: Path) -> None:
    code, steps, stderr = run(tmp_path, "daily", build=1, push=4)
    assert (code, steps) == (4, [PULL, DAILY, PUSH])
    assert stderr.splitlines() == [f"{DAILY}: exit code 1", f"{PUSH}: exit code 4"]


@pytest.mark.parametrize("step", ["pull", "validate", "push", "publish"])
def test_a_failure_of_another_step_stops_no_step_and_sets_the_exit_code(tmp_path: Path, step: str) -> None:
    code, steps, stderr = run(tmp_path, "daily", **{step: 3})
    assert (code, steps) == (3, [PULL, DAILY, VALIDATE, PUSH, PUBLISH])
    assert stderr == f"mailroom {step}: exit code 3\n"

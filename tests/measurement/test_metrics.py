"""`mf query` gives the numbers of programme_kpis, so every tool that reads dbt's metrics does."""

import csv
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import PROJECT, Warehouse

pytestmark = [pytest.mark.slow, pytest.mark.deep]
MF = Path(sys.executable).with_name("mf")
SHARES = {
    "delivered_share": "n_delivered / n_sent",
    "click_share": "n_clicked / n_delivered",
    "unsubscribe_share": "n_unsubscribed / n_delivered",
    "complaint_share": "n_complained / n_delivered",
    "bounce_share": "n_bounced / n_sent",
    "revenue_per_recipient": "revenue / n_delivered",
}
COUNTS = (
    "n_sent", "n_delivered", "n_opened", "n_clicked", "n_unsubscribed", "n_complained", "n_bounced",
    "n_sessions", "n_cart_sessions", "n_orders", "n_joined", "n_left", "revenue",
)  # fmt: skip


@pytest.fixture(scope="module")
def project(demo: Warehouse, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project under another path, because mf reads target/ in it, with its metrics parsed."""
    folder = tmp_path_factory.mktemp("metrics")
    shutil.copy(demo.folder / "warehouse.duckdb", folder / "warehouse.duckdb")
    project = folder / "project"
    project.mkdir()
    for path in PROJECT.iterdir():
        if path.name not in ("target", "logs", ".git"):
            (project / path.name).symlink_to(path)
    run(project, Path(sys.executable).with_name("dbt"), "run", "--select", "metric_days")
    return project


def run(project: Path, *command: str | Path) -> str:
    """Run a command on the project. It must succeed. Returns what it printed."""
    done = subprocess.run(
        command,
        cwd=project,
        env={
            **os.environ, "DBT_PROFILES_DIR": str(project), "DBT_PROJECT_DIR": str(project),
            "MAILROOM_METRICS": "metrics", "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
            "MAILROOM_DUCKDB_PATH": str(project.parent / "warehouse.duckdb"),
        },
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_every_metric_is_what_the_table_says(project: Path, demo: Warehouse) -> None:
    names = [*COUNTS, *SHARES, "list_growth"]
    by = ["metric_time__month", "programme_day__mailbox_provider"]
    run(
        project, MF, "query", "--metrics", ",".join(names), "--group-by", ",".join(by),
        "--csv", project.parent / "found.csv",
    )  # fmt: skip
    with (project.parent / "found.csv").open(encoding="utf-8") as file:
        found = {(row[by[0]][:10], row[by[1]]): row for row in csv.DictReader(file)}
    sums = ", ".join(f"sum({name}) as {name}" for name in COUNTS)
    shares = ", ".join(
        f"cast({parts.replace(' / ', ' as double) / nullif(')}, 0)" for parts in SHARES.values()
    )
    expected = demo.rows(f"""
        select cast(month_on as varchar), mailbox_provider, {", ".join(COUNTS)}, {shares}, n_joined - n_left
        from (
            select cast(date_trunc('month', kpi_on) as date) as month_on, mailbox_provider, {sums}
            from programme_kpis group by all
        )
    """)
    assert len(found) == len(expected) > 20
    for month, provider, *values in expected:
        row = found[month, provider]
        for name, value in zip(names, values, strict=True):
            if value is None:
                assert row[name] == ""
            else:
                assert float(row[name]) == pytest.approx(float(value), rel=1e-9)

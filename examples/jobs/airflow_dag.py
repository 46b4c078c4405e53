"""Mailroom as a DAG of Airflow 3. Copy it into the DAGs folder and set MAILROOM_FOLDER to the checkout.

It runs every hour. The run after 4:00 UTC is the daily one, on Sundays the weekly one. Tasks run one at a
time, because DuckDB allows one writer. Alert on failed tasks, not on failed runs: a failed pull does not
fail the run.
"""

import os
from datetime import UTC, datetime, timedelta

from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG

FOLDER = os.environ.get("MAILROOM_FOLDER", "/srv/mailroom")
SELECTOR = """{{
    'hourly' if dag_run.run_after.hour != 4 else 'weekly' if dag_run.run_after.isoweekday() == 7 else 'daily'
}}"""


def step(name: str, command: str, weight: int = 1, **options: object) -> BashOperator:
    """A task that runs a command in the checkout. Of several ready tasks, the highest weight runs first."""
    return BashOperator(
        task_id=name,
        bash_command=f"PATH={FOLDER}/.venv/bin:$PATH\n{command}",
        cwd=FOLDER,
        priority_weight=weight,
        weight_rule="absolute",
        **options,
    )


with DAG(
    "mailroom",
    schedule="7 * * * *",
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    max_active_tasks=1,
):
    pull = step("pull", "mailroom pull", retries=2, retry_delay=timedelta(minutes=5))
    build = step(
        "build",
        f"dbt build --profiles-dir . --selector {SELECTOR} $([ {SELECTOR} = weekly ] && echo --full-refresh)",
        trigger_rule="all_done",
    )
    # 99: skipped. The hourly run does not build field_checks, which validate needs.
    validate = step("validate", f"[ {SELECTOR} != hourly ] || exit 99\nmailroom validate", weight=3)
    # Removals and deletions go out even if the build failed. 3: another push is running.
    push = step("push", "mailroom push", weight=2, trigger_rule="all_done", skip_on_exit_code=3)
    publish = step("publish", "mailroom publish", retries=1)

    pull >> build >> [validate, push, publish]

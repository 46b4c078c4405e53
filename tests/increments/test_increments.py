"""Daily builds end with the same tables as one full build, even with late, repeated and corrected rows.

Also if a build is killed halfway, and if a month is built again.
"""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import deliveries
import duckdb
import pytest

from conftest import DBT, PROJECT, dbt_in_fork

pytestmark = [pytest.mark.slow, pytest.mark.deep]

SOURCES = ("crm", "shop", "web", "support", "esp", "privacy")
# CI has time for one history.
SEEDS = range(int(os.environ.get("MAILROOM_INCREMENT_SEEDS", "1")))

Builds = dict[datetime, list[str]]  # options of dbt build by moment, in order


class Days:
    """A warehouse that is built day by day."""

    def __init__(self, folder: Path, shop: deliveries.Shop) -> None:
        self.folder, self.shop, self.file = folder, shop, folder / "warehouse.duckdb"

    def variables(self, moment: datetime) -> dict[str, Any]:
        """Vars of a build: its moment, and the files as they were then."""
        files = self.shop.at(moment)
        found: dict[str, Any] = {
            source: {"files": f"{files}/{source}/{{table}}/*.parquet", "time_zone": "UTC"}
            for source in SOURCES
        }
        # The harder case: a day that does not begin at midnight UTC.
        return {**found, "as_of": f"{moment:%Y-%m-%d %H:%M:%S}", "time_zone": "America/New_York"}

    def command(self, options: list[str], variables: dict[str, Any]) -> list[str]:
        seeds = [] if "--selector" in options else ["--exclude", "path:seeds/demo"]
        return [
            "--no-use-colors", "build", "--resource-type", "model", "--resource-type", "seed",
            *seeds, *options,
            "--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT), "--vars", json.dumps(variables),
            "--target-path", str(self.folder / "target"), "--log-path", str(self.folder / "logs"),
        ]  # fmt: skip

    def build(self, builds: Builds) -> None:
        for moment, options in builds.items():
            variables = self.variables(moment)
            code, output = dbt_in_fork(self.command(options, variables), self.folder, variables)
            assert code == 0, output[-5_000:]

    def count(self, table: str, what: str) -> int:
        with duckdb.connect(str(self.file), read_only=True) as connection:
            ((found,),) = connection.execute(f"select {what} from {table}").fetchall()
        return int(found)

    def kill(self, moment: datetime, after: float) -> None:
        """Start a build and kill it `after` seconds after the start of its first model."""
        log = self.folder / "killed.log"
        with log.open("w") as out:
            build = subprocess.Popen(
                [sys.executable, "-c", DBT, *self.command([], self.variables(moment))],
                cwd=PROJECT,
                env={**os.environ, "MAILROOM_DUCKDB_PATH": str(self.file)},
                stdout=out,
                stderr=out,
            )
            while build.poll() is None and " START " not in log.read_text():
                time.sleep(0.1)
            time.sleep(after)
            build.send_signal(signal.SIGKILL)
            build.wait()


@pytest.mark.parametrize("seed", SEEDS)
def test_daily_builds_end_where_one_full_build_does(seed: int, tmp_path: Path) -> None:
    chance = random.Random(seed)
    shop = deliveries.shop(tmp_path / "shop", seed)
    daily, whole = Days(tmp_path / "daily", shop), Days(tmp_path / "whole", shop)
    for days in (daily, whole):
        days.folder.mkdir()
    daily.build(before_the_last(chance))
    daily.kill(deliveries.ENDS, after=chance.uniform(0, 12))
    daily.build({deliveries.ENDS: []})
    # The ledgers hold what was known at which time. A full refresh does not change them.
    shutil.copy(daily.file, whole.file)
    whole.build({deliveries.ENDS: ["--full-refresh"]})
    found = differences(daily, whole)
    assert not found, f"seed {seed}\n" + "\n".join(found)
    # Rows later than lateness_days appear once their month is built again.
    seen = daily.count("main_staging.stg_web__sessions", "sum(n_events)")
    daily.build({deliveries.AFTERWARDS: back_fill(*deliveries.VERY_LATE)})
    assert daily.count("main_staging.stg_web__sessions", "sum(n_events)") > seen
    shutil.copy(daily.file, whole.file)
    whole.build({deliveries.AFTERWARDS: ["--full-refresh"]})
    found = differences(daily, whole)
    assert not found, f"seed {seed}, a month built again\n" + "\n".join(found)


def before_the_last(chance: random.Random) -> Builds:
    """Builds before the last: daily ones some hours or days apart, one of them a back-fill of a past month,
    and hourly builds after some of them."""
    moments = [deliveries.ENDS - timedelta(hours=chance.randint(24 * 20, 24 * 50))]
    while moments[-1] < deliveries.ENDS - timedelta(days=12) and len(moments) < 3:
        moments.append(moments[-1] + timedelta(hours=chance.choice([1, 24, 26, 30, 48, 100, 240])))
    builds: Builds = {moment: [] for moment in moments}
    if len(moments) > 2:
        builds[chance.choice(moments[1:])] = back_fill(datetime(2026, 4, 1), datetime(2026, 5, 1))
    for moment in moments:
        if chance.random() < 0.4:
            builds[moment + timedelta(minutes=30)] = ["--selector", "hourly"]
    return dict(sorted(builds.items()))


def back_fill(since: datetime, until: datetime) -> list[str]:
    return ["--event-time-start", f"{since:%Y-%m-%d}", "--event-time-end", f"{until:%Y-%m-%d}"]


def differences(daily: Days, whole: Days) -> list[str]:
    """A line for each public table with different rows."""
    nodes = json.loads((whole.folder / "target" / "manifest.json").read_text())["nodes"].values()
    lines = []
    with duckdb.connect() as connection:
        connection.execute(
            f"attach '{daily.file}' as daily (read_only); attach '{whole.file}' as whole (read_only)"
        )
        for node in nodes:
            if node["resource_type"] != "model" or node["config"]["access"] != "public":
                continue
            table = f"{node['schema']}.{node['alias']}"
            only = [
                connection.sql(f"from {one}.{table} except all from {other}.{table}").limit(3).fetchall()
                for one, other in (("daily", "whole"), ("whole", "daily"))
            ]
            if any(only):
                lines.append(
                    f"{node['name']}: only in the daily builds {only[0]}, only in the whole one {only[1]}"
                )
    return lines

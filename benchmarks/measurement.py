"""Measurement: twenty experiments on a million customers, and experiments in which nothing differs.

The million: members, orders and e-mail events are made in DuckDB, and dbt runs the models from the
experiments to their verdicts on them, with 3 GB for DuckDB. Each experiment begins three days after the one
before. The floor is the least that any such tool must do: join orders to members and sum revenue by
experiment and arm, in one query of DuckDB, for one measure without intervals.

Nothing differs: people like the customers of Hillstrom's test who got no mail (21,306: 10.6% visit,
0.57% buy, for 114 on average), split at random 2,000 times.
"""

import json
import shutil
import sys
import time
from datetime import date, timedelta
from pathlib import Path

import duckdb
import numpy as np

from benchmarks.formats import Aim, number, seconds, table
from benchmarks.measure import DBT, MEMORY_LIMIT, PROJECT, Json, measured_commit, run_measured, say

MEASURED = ("models/measurement", "python_models/measurement", "src/mailroom/measurement", "macros")
N_EXPERIMENTS, N_CUSTOMERS = 20, 1_000_000
AIM_SECONDS, AIM_BYTES = 60.0, 4 * 1024**3
N_REPEATS = 2_000
SHARES = (0.5, 0.2, 0.05)
CHAIN = (
    "experiments", "experiment_outcomes", "experiment_sizes", "experiment_sums", "experiment_statistics",
    "experiment_results", "experiment_verdicts",
)  # fmt: skip
INPUTS = """
create or replace macro id(n) as printf('c_%016x', hash(n));

create or replace table main.customers as
select id(n) as customer_id from range({n}) as numbers(n);

create or replace table main_internal.experiment_members as
select
    'experiment_' || e as experiment, id(n) as customer_id,
    if(hash(e, n) % 100 < 20, 'held_out', 'mailed') as arm,
    'mine_' || e as decides, false as is_conflict, true as is_running, false as is_held_out,
    ['active', 'at_risk', 'lapsed'][1 + (hash(n, 3) % 3)::int] as lifecycle_stage,
    ['low', 'middle', 'high'][1 + (hash(n, 4) % 3)::int] as value_band,
    timestamp '2026-03-01' + interval 3 day * e::int as since_at
from range({n}) as numbers(n), range({k}) as experiments(e);

create or replace table main.orders as
select
    'o' || n as order_id, id((hash(n) % {n})::bigint) as customer_id,
    timestamp '2025-11-01' + interval 1 minute * (hash(n, 1) % 345600)::int as ordered_at,
    (10 + hash(n, 2) % 90)::decimal(18, 2) as net_revenue, null::decimal(18, 2) as cost_amount,
    true as is_sale, false as is_renewal
from range({n}) as numbers(n);

drop view if exists main.email_events;
create or replace table main.email_events as
select
    id((hash(n, 7) % {n})::bigint) as customer_id,
    timestamp '2026-03-01' + interval 1 minute * (hash(n, 8) % 172800)::int as occurred_at,
    'promotional' as message_class, n % 10 < 8 as is_sending,
    if(n % 10 < 8, 'sent', 'clicked') as event_type, false as is_machine
from range(8 * {n}) as numbers(n);
"""
FLOOR = """
select experiment, arm, count(*), sum(revenue), sum(revenue * revenue)
from (
    select members.experiment, members.arm, members.customer_id, coalesce(sum(net_revenue), 0) as revenue
    from main_internal.experiment_members as members
    left join main.orders on members.customer_id = orders.customer_id and ordered_at > since_at
    group by all
)
group by all
"""


def entries() -> Json:
    """The var experiments: twenty, at 20% to 80%."""
    return {
        f"experiment_{number}": {
            "label": "Made", "owner": "Benchmarks", "decides": f"mine_{number}", "population": "everyone",
            "arms": {"held_out": 0.2, "mailed": 0.8}, "control": "held_out", "measure": "net_revenue",
            "minimum_lift": 0.05, "planned_customers": N_CUSTOMERS,
            "starts_on": str(date(2026, 3, 1) + timedelta(days=3 * number)), "ends_on": "2026-12-31",
        }
        for number in range(N_EXPERIMENTS)
    }  # fmt: skip


def dbt(folder: Path, name: str, *command: str) -> Json:
    """Run a command of dbt on the folder's warehouse. Return wall and cpu in seconds, peak in bytes."""
    used = run_measured(
        [
            sys.executable, "-c", DBT, "--no-use-colors", *command,
            "--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT),
            "--target-path", str(folder / "target"), "--log-path", str(folder / "logs"),
            "--vars", json.dumps({"experiments": entries()}),
        ],
        folder / f"{name}.log",
        MAILROOM_DUCKDB_PATH=str(folder / "mailroom.duckdb"),
        DBT_SEND_ANONYMOUS_USAGE_STATS="false",
        **{MEMORY_LIMIT: "3GB"},
    )  # fmt: skip
    if used.code:
        raise RuntimeError(f"dbt {' '.join(command)} failed: see {folder / f'{name}.log'}")
    return {"wall": used.wall, "cpu": used.cpu, "peak": used.peak}


def million(folder: Path) -> Json:
    """Run the chain on a million customers, beside the floor."""
    shutil.rmtree(folder, ignore_errors=True)
    dbt(folder, "demo", "build", "--exclude-resource-type", "unit_test", "--exclude-resource-type", "test")
    say(f"{N_EXPERIMENTS} experiments on {N_CUSTOMERS:,} customers …")
    with duckdb.connect(str(folder / "mailroom.duckdb")) as connection:
        connection.execute(INPUTS.format(n=N_CUSTOMERS, k=N_EXPERIMENTS))
        begun = time.monotonic()
        connection.execute(FLOOR).fetchall()
        floor = time.monotonic() - begun
    dbt(folder, "parsed", "parse")
    found = dbt(folder, "chain", "run", "--select", *CHAIN)
    nodes = json.loads((folder / "target" / "run_results.json").read_text())["results"]
    return {
        **found,
        "floor": floor,
        "nodes": {node["unique_id"].split(".")[2]: node["execution_time"] for node in nodes},
    }


def people(rng: np.random.Generator) -> dict[str, np.ndarray]:
    """What 21,306 people do: 10.6% visit, 0.57% buy."""
    n = 21_306
    visits, buys = np.zeros(n), np.zeros(n)
    visits[:2_262], buys[:122] = 1, 1
    return {"visit": visits, "conversion": buys, "spend": buys * rng.gamma(1.3, 114 / 1.3, n)}


def nothing_differs() -> Json:
    """Return the shares of experiments that ever win, per outcome and share held out."""
    sys.path.insert(0, str(PROJECT / "tests" / "measurement"))
    from aa import false_wins

    found: Json = {}
    for outcome, values in people(np.random.default_rng(7)).items():
        for share in SHARES:
            say(f"A/A of {outcome} with {share:.0%} held out …")
            wins = false_wins(values, share, N_REPEATS, seed=7)
            found[f"{outcome}, {share:.0%}"] = vars(wins)
    return found


def measure(folder: Path, fresh: bool) -> Json:
    """Measure the chain on a million customers, and false wins."""
    commit, results = measured_commit(folder, MEASURED, fresh)
    return {
        "commit": commit,
        "million": results.of("measurement_million", lambda: million(folder / "measurement")),
        "nothing": results.of("measurement_nothing", nothing_differs),
    }


def chapter(found: Json) -> list[str]:
    """What measure() found, as a chapter of the report."""
    million, nothing = found["million"], found["nothing"]
    nodes = [[f"`{name}`", seconds(million["nodes"][name])] for name in CHAIN]
    wins = [
        [cell, *(number(of[column]) for column in ("naive", "at_the_end", "sequence", "ours"))]
        for cell, of in nothing.items()
    ]
    return [
        "## Measurement",
        "",
        f"{N_EXPERIMENTS} experiments on {N_CUSTOMERS:,} customers: {seconds(million['wall'])}"
        f" with dbt's start, {seconds(million['cpu'])} of processors, {million['peak'] / 1024**3:.1f} GiB"
        f" at most, {million['wall'] / million['floor']:.1f} times the floor of {seconds(million['floor'])}.",
        "",
        *table(["Model", "Wall"], nodes),
        "",
        f"Nothing differs: share of {N_REPEATS:,} experiments that ever show a difference at 5%, at 42"
        " looks. Naive: a new test at each look. Mailroom reads none before 25 customers of the smaller arm"
        " did it.",
        "",
        *table(["Outcome, held out", "Naive", "One look at the end", "Sequence", "Mailroom"], wins),
        "",
    ]


def aims(found: Json) -> list[Aim]:
    """The aims that the results are held against."""
    million, worst = found["million"], max(of["ours"] for of in found["nothing"].values())
    return [
        Aim(
            f"{N_EXPERIMENTS} experiments on {N_CUSTOMERS:,} customers",
            seconds(million["wall"]),
            f"below {AIM_SECONDS:.0f} s",
            million["wall"] < AIM_SECONDS,
        ),
        Aim(
            "Memory of that",
            f"{million['peak'] / 1024**3:.1f} GiB",
            f"below {AIM_BYTES / 1024**3:.0f} GiB",
            million["peak"] < AIM_BYTES,
        ),
        Aim("False wins, the worst cell", number(worst), "at most 0.050", worst <= 0.05),
    ]

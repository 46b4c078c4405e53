"""The outbox of a million members, and a push beside its peer.

The demo is built once; each member of one of its audiences then stands for a thousand, under addresses of
their own, so that the project's own models run on as many rows as wanted. The peer for the outbox is a
plain full outer join of the two states, in the same file and settings; the peer for the push is drt-core,
with the same rows and the same sandbox.
"""

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from functools import partial
from pathlib import Path
from urllib.request import urlopen

import duckdb
import httpx

from benchmarks.formats import Aim, seconds, table
from benchmarks.measure import (
    DBT,
    PROJECT,
    Json,
    Used,
    measured_commit,
    model_seconds,
    python,
    run_measured,
)
from mailroom.activation import ledger

MEASURED = (
    "models/activation",
    "macros",
    "src/mailroom/activation",
    "src/mailroom/sandbox",
    "benchmarks/activation.py",
)
AUDIENCE, DESTINATION = "active_buyers", "klaviyo"
DESTINATIONS = {DESTINATION: "example_esp"}
STATES = (
    "sync_receipts", "esp_profile_state", "refused_addresses", "profile_differences", "sync_outbox"
)  # fmt: skip
CASES = {
    "first": "nothing is held yet",
    "unchanged": "all is held as it should be",
    "changed": "1 % have changed",
}
MEMBERS = (100_000, 1_000_000)
BESIDE_PEER = 20_000  # members whom both push
MEMORY_AIM, CALLS_AIM, ROWS_AIM = 500e6, 20, 10


# What `mailroom push --json` does, but for the pace that the vendor wants.
PUSH = f"""
import sys
from pathlib import Path
from mailroom.activation.api import Connection
from mailroom.activation.ledger import activation_folder
from mailroom.activation.push import Asked, as_json, push
file, url = Path(sys.argv[1]), sys.argv[2]
asked = Asked(audiences=[{AUDIENCE!r}])
print(as_json(push(file, activation_folder(file), asked, Connection(url, is_paced=False))))
"""


def dbt(file: Path, *command: str) -> tuple[Used, dict[str, float]]:
    """One dbt command on a warehouse; what it used, and the seconds of each model."""
    target = file.parent / "target"
    used = run_measured(
        [
            sys.executable, "-c", DBT, "--quiet", *command, "--project-dir", str(PROJECT),
            "--profiles-dir", str(PROJECT), "--target-path", str(target),
            "--log-path", str(file.parent / "logs"),
            "--vars", json.dumps({"destinations": DESTINATIONS}),
        ],
        file.parent / "dbt.log",
        MAILROOM_DUCKDB_PATH=str(file),
    )  # fmt: skip
    if used.code:
        raise RuntimeError(f"dbt {' '.join(command)} failed; see {file.parent / 'dbt.log'}")
    return used, model_seconds(target)


def members(folder: Path, size: int) -> Path:
    """A warehouse whose audience_payloads has so many members of one audience, made of the demo's."""
    file = folder / "activation" / f"{size}.duckdb"
    for old in (file, file.with_suffix(".duckdb.wal")):
        old.unlink(missing_ok=True)
    shutil.rmtree(ledger.activation_folder(file), ignore_errors=True)
    file.parent.mkdir(parents=True, exist_ok=True)
    dbt(file, "build", "--exclude-resource-type", "unit_test")
    with duckdb.connect(str(file)) as connection:
        connection.execute("set preserve_insertion_order = false")
        connection.execute(f"""
            create table drawn as
            select audience_payloads.* replace (
                email.replace('@', format('+{{}}@', number)) as email,
                format('{{}}-{{}}', customer_id, number) as customer_id,
                regexp_replace(
                    held, 'customer_id=[0-9a-f]{{16}}',
                    'customer_id=' || substr(md5(format('{{}}-{{}}', customer_id, number)), 1, 16)
                ) as held
            )
            from audience_payloads cross join range(1 + {size} // 100) as numbers (number)
            where audience = '{AUDIENCE}'
            limit {size}
        """)
        connection.execute("create or replace table audience_payloads as from drawn; drop table drawn")
    return file


def hold(file: Path, share_changed: float) -> None:
    """Receipts by which the destination holds every member; this share with another number of orders."""
    folder = ledger.activation_folder(file) / "receipts"
    folder.mkdir(parents=True, exist_ok=True)
    names = ", ".join(ledger.SCHEMAS["receipts"].names)
    with duckdb.connect(str(file), read_only=True) as connection:
        connection.execute(f"""
            copy (
                select {names}
                from (
                    select
                        md5(email) as receipt_id, 'p' as push_id, 'b' as batch_id, 1::bigint as attempt,
                        md5(email || 'row') as outbox_id, '{DESTINATION}' as destination, audience,
                        'add' as operation, customer_id, email,
                        if(
                            hash(email) % 10000 < {share_changed * 10000},
                            regexp_replace(held, 'n_orders=[0-9a-f]{{16}}', 'n_orders=0000000000000000'), held
                        ) as held,
                        'accepted' as status, null::varchar as code, null::varchar as message,
                        null::varchar as reference, timestamp '2026-06-30 10:00:00' as answered_at,
                        timestamp '2026-06-30 00:00:00' as decided_at, row_number() over () as sequence
                    from audience_payloads
                )
            ) to '{folder}/held.parquet' (format parquet)
        """)


def plain_join(file: Path) -> float:
    """Seconds of a full outer join of what is wanted and what is held, where they differ, into a table."""
    with duckdb.connect(str(file), config={"threads": 2}) as connection:
        connection.execute("set preserve_insertion_order = false")
        begun = time.monotonic()
        connection.execute(f"""
            create or replace table plain_differences as
            select
                coalesce(wanted.email, state.email) as email,
                coalesce(wanted.customer_id, state.customer_id) as customer_id,
                wanted.held, state.held as held_before, wanted.reason, state.since
            from (from audience_payloads where audience = '{AUDIENCE}') as wanted
            full join (from esp_profile_state where audience = '{AUDIENCE}') as state
                on wanted.email = state.email
            where wanted.held is distinct from state.held
        """)
        took = time.monotonic() - begun
        connection.execute("drop table plain_differences")
    return took


def outbox(folder: Path, size: int) -> Json:
    """The outbox where nothing, everything, all but 1 % is held as it should be."""
    file = members(folder, size)
    held = ledger.activation_folder(file) / "receipts" / "held.parquet"
    found: Json = {}
    for name in CASES:
        held.unlink(missing_ok=True)
        if name != "first":
            hold(file, 0.01 if name == "changed" else 0)
        used, models = dbt(file, "run", "--select", *STATES)
        with duckdb.connect(str(file), read_only=True) as connection:
            counted = connection.execute(
                "select operation, count(*) from sync_outbox group by all"
            ).fetchall()
        found[name] = {
            "models": models, "plain": min(plain_join(file) for _ in range(3)), "used": asdict(used),
            "rows": dict(counted),
        }  # fmt: skip
    return found


@contextmanager
def sandbox(folder: Path, port: int) -> Iterator[str]:
    """A sandbox without limits of requests a second, as a process of its own."""
    state = folder / "activation" / "sandbox.state"
    state.unlink(missing_ok=True)
    command = [
        sys.executable,
        "-m",
        "mailroom.cli",
        "sandbox",
        "--no-limits",
        "--port",
        str(port),
        "--keep",
        str(state),
    ]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}"
    try:
        for _ in range(100):
            try:
                urlopen(f"{url}/counts").read()
                break
            except OSError:
                time.sleep(0.1)
        yield url
    finally:
        process.kill()
        process.wait()


def counts(url: str) -> Json:
    found: Json = json.loads(urlopen(f"{url}/counts").read())
    return found


def push(folder: Path, size: int, port: int = 8026) -> Json:
    """`mailroom push` of the first outbox of so many members."""
    file = folder / "activation" / f"{size}.duckdb"
    for old in ledger.activation_folder(file).glob("*/*.parquet"):
        old.unlink()
    if not file.exists():
        members(folder, size)
    dbt(file, "run", "--select", *STATES)
    with sandbox(folder, port) as url:
        used = run_measured(
            [sys.executable, "-c", PUSH, str(file), url],
            file.parent / "push.log",
        )
        told = json.loads((file.parent / "push.log").read_text().splitlines()[-1])
        return {
            "used": asdict(used),
            "accepted": sum(sent["accepted"] for sent in told["sent"]),
            **counts(url),
        }


def peer(folder: Path, size: int, port: int = 8027) -> Json:
    """drt-core with the rows of the same outbox."""
    file = folder / "activation" / f"{size}.duckdb"
    rows = file.parent / "rows.parquet"
    with duckdb.connect(str(file), read_only=True) as connection:
        chosen = f"select email, payload from sync_outbox where audience = '{AUDIENCE}' and operation = 'add'"
        connection.execute(f"copy ({chosen}) to '{rows}' (format parquet)")
    with sandbox(folder, port) as url:
        found = httpx.post(
            f"{url}/klaviyo/api/lists",
            json={"data": {"type": "list", "attributes": {"name": "Peer"}}},
            headers={"Authorization": "Klaviyo-API-Key sandbox", "revision": "2026-07-15"},
        )
        told = python(
            "drt_peer", url, str(rows), found.json()["data"]["id"], log=file.parent / "drt_peer.log"
        )
        return told | counts(url)


def chapter(found: Json) -> list[str]:
    """What measure() found, as a chapter of the report."""
    return ["## Activation", "", *_outbox(found["outbox"]), "", *_push(found["push"])]


def aims(found: Json) -> list[Aim]:
    """The aims of the push, and what was reached."""
    reached = []
    for size, told in found["push"].items():
        ours = told["mailroom"]
        if peer := told.get("drt"):
            result = peer["result"]
            calls = (peer["requests"] / result["accepted"]) / (ours["requests"] / ours["accepted"])
            rows = (ours["accepted"] / ours["used"]["wall"]) / (result["accepted"] / result["seconds"])
            of = f"push of {int(size):,} members"
            reached += [
                Aim(
                    f"{of}: fewer calls than drt-core",
                    f"{calls:,.0f} times",
                    f"≥ {CALLS_AIM}",
                    calls >= CALLS_AIM,
                ),
                Aim(f"{of}: rows a second ÷ drt-core's", f"{rows:.1f}", f"≥ {ROWS_AIM}", rows >= ROWS_AIM),
            ]
        peak = ours["used"]["peak"]
        reached.append(
            Aim(
                f"push of {int(size):,} members: peak memory",
                f"{peak / 1e6:,.0f} MB", f"≤ {MEMORY_AIM / 1e6:,.0f} MB", peak <= MEMORY_AIM,
            )
        )  # fmt: skip
    return reached


def _outbox(found: Json) -> list[str]:
    rows = []
    for size, cases in found.items():
        for name in CASES:
            told = cases[name]
            ours = told["models"]["profile_differences"] + told["models"]["sync_outbox"]
            rows.append(
                [
                    f"{int(size):,}, {CASES[name]}",
                    f"{sum(told['rows'].values()):,}",
                    *(seconds(told["models"][model]) for model in STATES),
                    seconds(told["plain"]),
                    f"{ours / told['plain']:.1f}",
                    f"{told['used']['peak'] / 1e9:.1f} GB",
                ]
            )
    return [
        "### The outbox",
        "",
        "Seconds of each model, of a plain full outer join of the two states (best of three), and how many "
        "times the latter `profile_differences` and `sync_outbox` take together: they hash every field, say "
        "which differ and what goes out of them, and look up what was answered before.",
        "",
        *table(["members", "rows", *STATES, "plain join", "ratio", "peak of dbt"], rows),
    ]


def _push(found: Json) -> list[str]:
    rows = []
    for size, told in found.items():
        ours = told["mailroom"]
        rows.append(
            [f"Mailroom, {int(size):,} members", *_pushed(ours, ours["used"]["wall"], ours["used"]["peak"])]
        )
        if peer := told.get("drt"):
            taken = peer["result"]["seconds"]
            rows.append(
                [
                    f"drt-core, {int(size):,} members",
                    *_pushed(peer | peer["result"], taken, peer["used"]["peak"]),
                ]
            )
    return [
        "### The push",
        "",
        "To the sandbox on the same machine, which takes any number of requests a second here, as Klaviyo. "
        "Mailroom's seconds are of the whole command: reading the outbox, every request, waiting for the "
        "jobs, receipts. drt-core's are of its `load()` alone: rows in memory, no receipts.",
        "",
        *table(["", "rows", "seconds", "rows a second", "calls", "bytes sent", "peak memory"], rows),
    ]


def _pushed(told: Json, took: float, peak: float) -> list[str]:
    return [
        f"{told['accepted']:,}", seconds(took), f"{told['accepted'] / took:,.0f}", f"{told['requests']:,}",
        f"{told['bytes'] / 1e6:,.1f} MB", f"{peak / 1e6:,.0f} MB",
    ]  # fmt: skip


def pushes(folder: Path, size: int, with_peer: bool) -> Json:
    found: Json = {"mailroom": push(folder, size)}
    if with_peer:
        found["drt"] = peer(folder, size)
    return found


def measure(folder: Path, fresh: bool) -> Json:
    """Both parts, at every size. Measured anew where the models or the code behind them have changed."""
    commit, results = measured_commit(folder, MEASURED, fresh)
    pushed = (BESIDE_PEER, max(MEMBERS))
    return {
        "commit": commit,
        "outbox": {
            str(size): results.of(f"activation-outbox-{size}", partial(outbox, folder, size))
            for size in MEMBERS
        },
        "push": {
            str(size): results.of(
                f"activation-push-{size}", partial(pushes, folder, size, size == BESIDE_PEER)
            )
            for size in pushed
        },
    }

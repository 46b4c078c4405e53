"""The outbox of a million members, and a push beside its peer.

The demo is built once; each member of one of its audiences then stands for a thousand, under addresses of
their own, so that the project's own models run on as many rows as wanted. The peer for the outbox is a
plain full outer join of the two states, in the same file and settings; the peer for the push is drt-core,
with the same rows and the same sandbox. Last, a thousand people say no at once, and every ESP has to hear of
it at the pace that its vendor takes.
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
from mailroom.warehouse import find_in_all_schemas

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
    "first": "the ESP holds nothing",
    "unchanged": "nothing has changed",
    "changed": "1% have changed",
}
MEMBERS = (100_000, 1_000_000)
BESIDE_PEER = 20_000  # members that both push
N_NOES = 1_000  # people who opt out at once
ESPS = ("activecampaign", "brevo", "hubspot", "klaviyo", "mailchimp")
MEMORY_AIM, CALLS_AIM, ROWS_AIM, NOES_AIM = 500e6, 20, 10, 120


# The same as `mailroom push --json`, with or without the vendors' rate limits.
PUSH = f"""
import sys
from pathlib import Path
from mailroom.activation.api import Connection
from mailroom.activation.ledger import activation_folder
from mailroom.activation.push import PushOptions, as_json, push
file, url, pace = Path(sys.argv[1]), *sys.argv[2:]
options = PushOptions(audiences=[{AUDIENCE!r}])
print(as_json(push(file, activation_folder(file), options, Connection(url, is_paced=pace == "paced"))))
"""


def dbt(file: Path, *command: str) -> tuple[Used, dict[str, float]]:
    """Run one dbt command on a warehouse. Return its resources and the seconds of each model."""
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
        raise RuntimeError(f"dbt {' '.join(command)} failed: see {file.parent / 'dbt.log'}")
    return used, model_seconds(target)


def members(folder: Path, size: int) -> Path:
    """Build a warehouse with `size` members of one audience in audience_payloads, copies of the demo's."""
    file = folder / "activation" / f"{size}.duckdb"
    for old in (file, file.with_suffix(".duckdb.wal")):
        old.unlink(missing_ok=True)
    shutil.rmtree(ledger.activation_folder(file), ignore_errors=True)
    file.parent.mkdir(parents=True, exist_ok=True)
    dbt(file, "build", "--exclude-resource-type", "unit_test")
    with duckdb.connect(str(file)) as connection:
        find_in_all_schemas(connection)
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
    """Write receipts that every member was added, a share of them with another number of orders."""
    folder = ledger.activation_folder(file) / "receipts"
    folder.mkdir(parents=True, exist_ok=True)
    names = ", ".join(ledger.SCHEMAS["receipts"].names)
    with duckdb.connect(str(file), read_only=True) as connection:
        find_in_all_schemas(connection)
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
    """Return the seconds of a full outer join of wanted and held rows, written to a table where they
    differ."""
    with duckdb.connect(str(file), config={"threads": 2}) as connection:
        find_in_all_schemas(connection)
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
    """Measure the outbox in each of CASES."""
    file = members(folder, size)
    held = ledger.activation_folder(file) / "receipts" / "held.parquet"
    by_case: Json = {}
    for name in CASES:
        held.unlink(missing_ok=True)
        if name != "first":
            hold(file, 0.01 if name == "changed" else 0)
        used, models = dbt(file, "run", "--select", *STATES)
        with duckdb.connect(str(file), read_only=True) as connection:
            find_in_all_schemas(connection)
            operations = connection.execute(
                "select operation, count(*) from sync_outbox group by all"
            ).fetchall()
        by_case[name] = {
            "models": models, "plain": min(plain_join(file) for _ in range(3)), "used": asdict(used),
            "rows": dict(operations),
        }  # fmt: skip
    return by_case


def _seconds_to_the_last(file: Path) -> Json:
    """Return the seconds from the start of the push to each ESP's last accepted suppression."""
    folder = ledger.activation_folder(file)
    with duckdb.connect() as connection:
        by_esp = connection.execute(f"""
            with pushes as (
                select push_id, min(started_at) as began
                from read_parquet('{folder}/pushes/*.parquet')
                group by push_id
            )
            select destination, epoch(max(answered_at) - max(began)), count(*)
            from read_parquet('{folder}/receipts/*.parquet') inner join pushes using (push_id)
            where operation = 'suppress' and status = 'accepted' and code is null
            group by destination
        """).fetchall()
    assert [n_people for _, _, n_people in by_esp] == [N_NOES] * len(ESPS), by_esp
    return {name: took for name, took, _ in by_esp}


@contextmanager
def sandbox(folder: Path, port: int, *options: str, keeps: bool = False) -> Iterator[str]:
    """Run a sandbox as a separate process. keeps: it continues with the state of the last one."""
    state = folder / "activation" / "sandbox.state"
    if not keeps:
        state.unlink(missing_ok=True)
    command = [
        sys.executable, "-m", "mailroom.cli", "sandbox", *options, "--port", str(port), "--keep", str(state)
    ]  # fmt: skip
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
        process.terminate()  # it saves the ESPs' state
        process.wait()


def counts(url: str) -> Json:
    found: Json = json.loads(urlopen(f"{url}/counts").read())
    return found


def push(folder: Path, size: int, port: int = 8026) -> Json:
    """Measure `mailroom push` of the first outbox of `size` members."""
    file = folder / "activation" / f"{size}.duckdb"
    for old in ledger.activation_folder(file).glob("*/*.parquet"):
        old.unlink()
    if not file.exists():
        members(folder, size)
    dbt(file, "run", "--select", *STATES)
    with sandbox(folder, port, "--no-limits") as url:
        used, sent = one_push(file, url)
        return {"used": asdict(used), "accepted": sum(of["accepted"] for of in sent), **counts(url)}


def one_push(file: Path, url: str, pace: str = "unpaced") -> tuple[Used, list[Json]]:
    """Push a warehouse's outbox. Return its resources and the counts."""
    log = file.parent / "push.log"
    used = run_measured([sys.executable, "-c", PUSH, str(file), url, pace], log)
    sent: list[Json] = json.loads(log.read_text().splitlines()[-1])["sent"]
    return used, sent


def noes(folder: Path, port: int = 8028) -> Json:
    """Measure `mailroom push` of a thousand suppressions at every ESP, each with a thousand members."""
    file = folder / "activation" / "noes.duckdb"
    file.unlink(missing_ok=True)
    shutil.rmtree(ledger.activation_folder(file), ignore_errors=True)
    shutil.copy(folder / "activation" / f"{BESIDE_PEER}.duckdb", file)
    with duckdb.connect(str(file)) as connection:
        find_in_all_schemas(connection)
        connection.execute(f"""
            create or replace table sync_outbox as
            select rows.* replace (esps.name as destination, esps.name || outbox_id as outbox_id)
            from (from sync_outbox where operation = 'add' order by outbox_id limit {N_NOES}) as rows
            cross join unnest({list(ESPS)}) as esps (name)
        """)
    with sandbox(folder, port, "--no-limits") as url:
        one_push(file, url)
    with duckdb.connect(str(file)) as connection:
        find_in_all_schemas(connection)
        connection.execute("""
            create or replace table sync_outbox as
            select * replace (
                'suppress' as operation, true as is_no, null as payload, null as held,
                'no' || outbox_id as outbox_id
            )
            from sync_outbox
        """)
    with sandbox(folder, port, keeps=True) as url:
        used, _ = one_push(file, url, "paced")
        return {"used": asdict(used), "seconds": _seconds_to_the_last(file), **counts(url)}


def peer(folder: Path, size: int, port: int = 8027) -> Json:
    """Measure drt-core with the rows of the same outbox."""
    file = folder / "activation" / f"{size}.duckdb"
    rows = file.parent / "rows.parquet"
    with duckdb.connect(str(file), read_only=True) as connection:
        find_in_all_schemas(connection)
        chosen = f"select email, payload from sync_outbox where audience = '{AUDIENCE}' and operation = 'add'"
        connection.execute(f"copy ({chosen}) to '{rows}' (format parquet)")
    with sandbox(folder, port, "--no-limits") as url:
        made = httpx.post(
            f"{url}/klaviyo/api/lists",
            json={"data": {"type": "list", "attributes": {"name": "Peer"}}},
            headers={"Authorization": "Klaviyo-API-Key sandbox", "revision": "2026-07-15"},
        )
        measured = python(
            "drt_peer", url, str(rows), made.json()["data"]["id"], log=file.parent / "drt_peer.log"
        )
        return measured | counts(url)


def chapter(found: Json) -> list[str]:
    """What measure() found, as a chapter of the report."""
    parts = [_outbox(found["outbox"]), _push(found["push"]), _noes(found["noes"])]
    return ["## Activation", "", *(line for part in parts for line in [*part, ""])]


def aims(found: Json) -> list[Aim]:
    """Return the aims of the push and the values reached."""
    reached = []
    for size, measured in found["push"].items():
        ours = measured["mailroom"]
        if peer := measured.get("drt"):
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
    took = found["noes"]["seconds"]
    in_time = [name for name in ESPS if took[name] <= NOES_AIM]
    reached.append(
        Aim(
            f"{N_NOES:,} people suppressed within {NOES_AIM} s",
            f"{len(in_time)} of {len(ESPS)} ESPs", f"{len(ESPS)}", len(in_time) == len(ESPS),
        )
    )  # fmt: skip
    return reached


def _outbox(found: Json) -> list[str]:
    rows = []
    for size, cases in found.items():
        for name in CASES:
            case = cases[name]
            ours = case["models"]["profile_differences"] + case["models"]["sync_outbox"]
            rows.append(
                [
                    f"{int(size):,}, {CASES[name]}",
                    f"{sum(case['rows'].values()):,}",
                    *(seconds(case["models"][model]) for model in STATES),
                    seconds(case["plain"]),
                    f"{ours / case['plain']:.1f}",
                    f"{case['used']['peak'] / 1e9:.1f} GB",
                ]
            )
    return [
        "### The outbox",
        "",
        "Seconds of each model, of a plain full outer join of the two states (best of three), and how many "
        "times the latter `profile_differences` and `sync_outbox` take together: they hash every field, find "
        "the differences and their new values, and look up earlier answers.",
        "",
        *table(["members", "rows", *STATES, "plain join", "ratio", "peak of dbt"], rows),
    ]


def _push(found: Json) -> list[str]:
    rows = []
    for size, measured in found.items():
        ours = measured["mailroom"]
        rows.append(
            [f"Mailroom, {int(size):,} members", *_pushed(ours, ours["used"]["wall"], ours["used"]["peak"])]
        )
        if peer := measured.get("drt"):
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
        "To Klaviyo in the sandbox on the same machine, without rate limits. "
        "Mailroom's seconds are of the whole command: reading the outbox, every request, waiting for the "
        "jobs, receipts. drt-core's are of its `load()` alone: rows in memory, no receipts.",
        "",
        *table(["", "rows", "seconds", "rows a second", "calls", "bytes sent", "peak memory"], rows),
    ]


def _noes(found: Json) -> list[str]:
    return [
        "### A thousand suppressions",
        "",
        f"Seconds from the start of one push to each ESP's last accepted suppression of {N_NOES:,}, of "
        "people whom all ESPs hold, in parallel and at each vendor's documented rate. Brevo takes one "
        "suppression per request at 10 requests a second, ActiveCampaign three requests each (find the "
        "contact, tag it, unsubscribe it from the account's list) at 5 a second.",
        "",
        *table(["ESP", "seconds"], [[name, seconds(found["seconds"][name])] for name in ESPS]),
    ]


def _pushed(counted: Json, took: float, peak: float) -> list[str]:
    return [
        f"{counted['accepted']:,}", seconds(took), f"{counted['accepted'] / took:,.0f}",
        f"{counted['requests']:,}",
        f"{counted['bytes'] / 1e6:,.1f} MB", f"{peak / 1e6:,.0f} MB",
    ]  # fmt: skip


def pushes(folder: Path, size: int, with_peer: bool) -> Json:
    found: Json = {"mailroom": push(folder, size)}
    if with_peer:
        found["drt"] = peer(folder, size)
    return found


def measure(folder: Path, fresh: bool) -> Json:
    """Measure every part at every size, again if the models or their code have changed."""
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
        "noes": results.of("activation-noes", partial(noes, folder)),
    }

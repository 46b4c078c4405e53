"""dbt commands, each a fork of one process that has dbt imported, warm and the project parsed.

`python forks.py` reads commands from stdin, a line of JSON each, and answers each with its exit code and
the CPU seconds that it took. A new process would take each command 7 seconds of a core before it does
anything, and 23 where it has to parse.
"""

import gc
import json
import os
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TextIO

from dbt.cli.main import cli, dbtRunner, dbtRunnerResult
from dbt.contracts.graph.manifest import Manifest
from dbt_common.clients.jinja import template_cache

import mailroom.scoring.predictions
import mailroom.scoring.training  # noqa: F401  (what Python models import takes seconds, too)
import shapes

PROJECT = shapes.PROJECT
sys.path[0] = str(PROJECT)  # as `python -c` has it there, and not the tests' folder
# Commands that need the parsed project. Others are about parsing, and get dbt's file of it.
FROM_MEMORY = {"build", "run", "test", "compile"}

# dbt's static parser starts threads that Python does not count, and a fork that parses would wait for them.
NO_THREADS = "--no-static-parser"

_projects: dict[Path, Manifest] = {}


def main() -> None:
    """Answer commands until stdin ends. A fork returns from here, too, and ends as any process does."""
    replies = os.fdopen(os.dup(1), "w")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    os.environ["MAILROOM_DUCKDB_PATH"] = "warehouse.duckdb"  # the parsed project has its name as the database
    shapes.use_shapes()
    parse_in_fork({})
    json.dump = _dump  # type: ignore[assignment]
    warm(parse({}, NO_THREADS))
    assert threading.active_count() == 1, "only a process without threads may fork"
    freeze()
    for line in sys.stdin:
        job: dict[str, Any] = json.loads(line)
        project = None
        if job["is_parsed"]:
            parse_in_fork(job["vars"])
            if FROM_MEMORY & set(job["arguments"]):
                project = read(job["vars"])
            else:
                shapes.lend(job["vars"], Path(job["target"]))
        child = os.fork()
        if not child:
            return run(job, project)
        _, status, usage = os.wait4(child, 0)
        seconds = usage.ru_utime + usage.ru_stime
        print(json.dumps([os.waitstatus_to_exitcode(status), seconds]), file=replies, flush=True)


def warm(project: dbtRunnerResult) -> None:
    """Compile every macro. dbt caches them in the process, by the macro's text."""
    assert isinstance(project.result, Manifest), project.exception
    for macro in project.result.macros.values():
        template_cache.get_node_template(macro)


def freeze() -> None:
    """Exclude all current objects from the garbage collection of forks."""
    gc.collect()
    gc.freeze()


def read(variables: Mapping[str, Any]) -> Manifest | None:
    """The project parsed with vars of this shape, read once; None if it does not parse."""
    path = shapes.kept(variables)
    if not path.exists():
        return None
    if path not in _projects:
        found = parse(variables, NO_THREADS).result
        assert isinstance(found, Manifest)
        _projects[path] = found
        assert threading.active_count() == 1, "only a process without threads may fork"
        freeze()
    return _projects[path]


def _dump(value: Any, file: TextIO, **options: Any) -> None:
    """Write what json.dump() writes, with the C encoder, because each command writes a manifest of 4 MB."""
    file.write(json.dumps(value, **options))


def parse(variables: Mapping[str, Any], *options: str) -> dbtRunnerResult:
    """Parse the project with these vars, or read an earlier parse. Keep it for later commands."""
    with shapes.lock(variables), tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "target"
        shapes.lend(variables, target)
        done = dbtRunner().invoke(
            [
                "--quiet", "parse", "--vars", json.dumps(variables), "--target-path", str(target),
                "--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT), "--log-path", folder, *options,
            ]
        )  # fmt: skip
        if done.success and not shapes.kept(variables).exists():
            shapes.keep(variables, target)
    return done


def parse_in_fork(variables: Mapping[str, Any]) -> None:
    """Parse with these vars if not done yet. The command itself reports parse errors."""
    if shapes.kept(variables).exists():
        return
    child = os.fork()
    if not child:
        gc.disable()  # a fifth of the time, and the process ends soon
        os.dup2(1, 2)  # the command will report the error
        parse(variables)
        sys.exit()
    os.waitpid(child, 0)


def run(job: Mapping[str, Any], project: Manifest | None) -> None:
    """Become the command: its environment, its output in a file, its exit code."""
    gc.disable()  # the process ends before garbage matters
    os.environ.clear()
    os.environ.update(job["environment"])
    time.tzset()
    output = os.open(job["output"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(output, 1)
    os.dup2(output, 2)
    sys.exit(cli(job["arguments"], obj={"manifest": project} if project else {}))


if __name__ == "__main__":
    try:
        main()
    finally:
        gc.unfreeze()  # otherwise DuckDB complains about leaks at the end of the process

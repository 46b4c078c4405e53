"""A parsed project for every command of its shape, whatever `as_of` and the folders are.

dbt parses the project (20 seconds of a core) unless the vars and the warehouse's path are those of the last
command to the letter. Some differences change nothing that a parse finds: `as_of`, the folder that a source's
files lie in and the folder of the warehouse are read when SQL is compiled. Every other var is part of the
shape. test_shapes.py holds what this takes for granted.
"""

import functools
import hashlib
import json
import os
import pprint
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dbt.artifacts.resources.base import FileHash
from dbt.constants import PARTIAL_PARSE_FILE_NAME
from dbt.contracts.graph.manifest import ManifestStateCheck
from dbt.parser.manifest import ManifestLoader
from dbt.version import __version__
from filelock import FileLock

PROJECT = Path(__file__).resolve().parents[1]
PARSED = (
    "dbt_project.yml",
    "profiles.yml",
    "selectors.yml",
    "models",
    "python_models",
    "macros",
    "analyses",
    "tests",
)

SUFFIXES = (".sql", ".yml", ".py", ".md")

_state_check = ManifestLoader.build_manifest_state_check


def shape(variables: Mapping[str, Any]) -> dict[str, Any]:
    """The vars that a parse depends on. Of files, only whether they contain {table}."""
    found = {name: value for name, value in variables.items() if name != "as_of"}
    for name, value in found.items():
        if isinstance(value, dict) and isinstance(value.get("files"), str):
            found[name] = {**value, "files": "{table}" if "{table}" in value["files"] else ""}
    return found


def use_shapes() -> None:
    """Let dbt in this process use a parse with other vars of the same shape."""
    ManifestLoader.build_manifest_state_check = _state_check_of_shape  # type: ignore[method-assign]


def _state_check_of_shape(loader: ManifestLoader) -> ManifestStateCheck:
    config = loader.root_project
    given = config.cli_vars
    config.cli_vars = shape(given)
    check: ManifestStateCheck = _state_check(loader)  # type: ignore[no-untyped-call]
    config.cli_vars = given
    connection = {**dict(config.credentials.connection_info()), "path": ""}
    check.profile_hash = FileHash.from_contents(pprint.pformat(connection))
    return check


@functools.cache
def folder() -> Path:
    """The folder of parsed projects of the current files. Those of other versions are deleted."""
    digest = hashlib.sha256(__version__.encode())
    for name in PARSED:
        for path in sorted([PROJECT / name, *(PROJECT / name).rglob("*")]):
            if path.suffix in SUFFIXES and not (name == "tests" and path.suffix == ".py"):
                digest.update(
                    f"{path.relative_to(PROJECT)} {path.stat().st_size} ".encode() + path.read_bytes()
                )
    found = PROJECT / "target" / "parsed" / digest.hexdigest()[:16]
    (PROJECT / "target").mkdir(exist_ok=True)
    with FileLock(PROJECT / "target" / "parsed.lock"):  # other processes may start now
        if not found.exists():
            shutil.rmtree(found.parent, ignore_errors=True)
        found.mkdir(parents=True, exist_ok=True)
    return found


def kept(variables: Mapping[str, Any]) -> Path:
    """The path of the project parsed with vars of this shape."""
    text = json.dumps(shape(variables), sort_keys=True)
    return folder() / f"{hashlib.sha256(text.encode()).hexdigest()[:16]}.msgpack"


def lock(variables: Mapping[str, Any]) -> FileLock:
    """The lock of the process that parses."""
    return FileLock(kept(variables).with_suffix(".lock"))


def keep(variables: Mapping[str, Any], target: Path) -> None:
    """Keep the parse of these vars from a target folder."""
    path = kept(variables)
    copy = path.with_suffix(f".{os.getpid()}")
    shutil.copy(target / PARTIAL_PARSE_FILE_NAME, copy)
    copy.rename(path)


def lend(variables: Mapping[str, Any], target: Path) -> None:
    """Copy the parse with vars of this shape into a target folder, if there is one."""
    if kept(variables).exists():
        target.mkdir(parents=True, exist_ok=True)
        shutil.copy(kept(variables), target / PARTIAL_PARSE_FILE_NAME)

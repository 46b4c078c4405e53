"""Destinations by name: a module each, with a class Destination that is given the folder it may write to and
how to reach what it speaks to."""

import importlib
import pkgutil
from pathlib import Path

from mailroom.activation.api import Connection
from mailroom.activation.rows import Destination


def known() -> list[str]:
    """The names that `open_destination` takes."""
    return sorted(module.name for module in pkgutil.iter_modules(__path__))


def open_destination(name: str, folder: Path, connection: Connection | None = None) -> Destination:
    """A destination to send to. Raises ValueError (nobody knows the name), api.StoppedError (a setting of
    it is missing)."""
    if name not in known():
        raise ValueError(f"destination {name} is none of {', '.join(known())}")
    module = importlib.import_module(f"{__name__}.{name}")
    opened: Destination = module.Destination(folder / name, connection or Connection())
    return opened

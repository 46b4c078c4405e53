"""Destinations by name: a module each, with a class Destination that is given the folder it may write to and
how to reach what it speaks to."""

import importlib
import pkgutil
from collections.abc import Iterable
from pathlib import Path

from mailroom.activation.api import Connection
from mailroom.activation.rows import Destination


def known() -> list[str]:
    """The names that `open_destination` takes."""
    return sorted(module.name for module in pkgutil.iter_modules(__path__))


def check_known(names: Iterable[str]) -> None:
    """Raises ValueError where there is no destination of a name."""
    for name in names:
        if name not in known():
            raise ValueError(f"destination {name} is none of {', '.join(known())}")


def open_destination(name: str, folder: Path, connection: Connection | None = None) -> Destination:
    """A destination to send to. Raises ValueError (there is none of the name), api.StoppedError (a setting of
    it is missing)."""
    check_known([name])
    module = importlib.import_module(f"{__name__}.{name}")
    opened: Destination = module.Destination(folder / name, connection or Connection())
    return opened

"""Destinations by name: a module each, with a class Destination that is given the folder it may write to."""

import importlib
import pkgutil
from pathlib import Path

from mailroom.activation.rows import Destination


def known() -> list[str]:
    """The names that `open_destination` takes."""
    return sorted(module.name for module in pkgutil.iter_modules(__path__))


def open_destination(name: str, folder: Path) -> Destination:
    """A destination to send to. ValueError: nobody knows the name."""
    if name not in known():
        raise ValueError(f"destination {name} is none of {', '.join(known())}")
    opened: Destination = importlib.import_module(f"{__name__}.{name}").Destination(folder / name)
    return opened

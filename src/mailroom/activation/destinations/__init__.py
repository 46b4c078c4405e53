"""Destinations by their name in var `destinations`, each with a module and a class `<Vendor>Destination`.

Modules are imported on first use, because each takes time to load.
"""

import importlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from mailroom.activation.api import Connection
from mailroom.activation.rows import Destination

CLASSES = {
    "activecampaign": "ActiveCampaignDestination",
    "brevo": "BrevoDestination",
    "file": "FileDestination",
    "hubspot": "HubSpotDestination",
    "klaviyo": "KlaviyoDestination",
    "mailchimp": "MailchimpDestination",
}


def known() -> list[str]:
    """Return the names that `open_destination` takes."""
    return sorted(CLASSES)


def check_known(names: Iterable[str]) -> None:
    """Raise ValueError if a name is not a destination."""
    for name in names:
        if name not in CLASSES:
            raise ValueError(f"destination {name} is not one of {', '.join(known())}")


def repeats_sends(name: str) -> bool:
    """Return whether a destination knows a repeated message."""
    return bool(_class(name).repeats_sends)


def open_destination(name: str, folder: Path, connection: Connection | None = None) -> Destination:
    """Return a destination, with its own folder below `folder`.

    Raises ValueError for an unknown name, and api.StoppedError if one of its settings is missing.
    """
    check_known([name])
    opened: Destination = _class(name)(folder / name, connection or Connection())
    return opened


def _class(name: str) -> Any:
    return getattr(importlib.import_module(f"{__name__}.{name}"), CLASSES[name])

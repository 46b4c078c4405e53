"""Destinations by name, as var `destinations` names them: a module and a class `<Vendor>Destination` each.

Modules are imported when they are first used: each vendor's client takes time to load.
"""

import importlib
from collections.abc import Iterable
from pathlib import Path

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
    """The names that `open_destination` takes."""
    return sorted(CLASSES)


def check_known(names: Iterable[str]) -> None:
    """Raises ValueError where there is no destination of a name."""
    for name in names:
        if name not in CLASSES:
            raise ValueError(f"destination {name} is not one of {', '.join(known())}")


def open_destination(name: str, folder: Path, connection: Connection | None = None) -> Destination:
    """A destination to send to, with a folder of its own below `folder`.

    Raises ValueError (no destination has this name), api.StoppedError (a setting of it is missing).
    """
    check_known([name])
    module = importlib.import_module(f"{__name__}.{name}")
    opened: Destination = getattr(module, CLASSES[name])(folder / name, connection or Connection())
    return opened

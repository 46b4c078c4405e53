"""What an experiment says, and how many customers it still needs."""

from typing import Any

import numpy as np

# With fewer converters in the smaller arm its variance is estimated far too low, and A/A experiments win.
MIN_CONVERTERS = 25


def has_enough_converters(one: Any, other: Any) -> Any:
    """Return whether both arms have enough customers with the outcome for a verdict."""
    return np.minimum(one, other) >= MIN_CONVERTERS

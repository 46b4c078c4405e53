"""`mailroom sandbox`: the ESPs' APIs on this machine, well enough to try the whole loop without an account.

It keeps state, enforces the vendors' limits, and can be told to fail. A vendor is a module here with a
function `routes(account)` that returns a Flask blueprint.
"""

from mailroom.sandbox.account import Account, Profile
from mailroom.sandbox.faults import Dropped, Faults
from mailroom.sandbox.server import Sandbox, run, serve

__all__ = ["Account", "Dropped", "Faults", "Profile", "Sandbox", "run", "serve"]

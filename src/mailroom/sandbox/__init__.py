"""`mailroom sandbox` imitates the ESPs' APIs on this machine, to try the whole loop without an account.

It keeps state, enforces the vendors' limits, and can inject faults. A vendor is a module here with a function
`routes(account)` that returns a Flask blueprint.
"""

from mailroom.sandbox.account import Account, Profile
from mailroom.sandbox.faults import Dropped, Faults
from mailroom.sandbox.server import Sandbox, run, serve

__all__ = ["Account", "Dropped", "Faults", "Profile", "Sandbox", "run", "serve"]

"""altair, also for a user without a home: it asks for one while it is imported (altair 6.3.0), for
data sets that no chart of ours reads."""

import os
from pathlib import Path
from unittest.mock import patch

__all__ = ["alt"]

NOWHERE = "/nonexistent"
"""The home of users without one."""


def _has_home() -> bool:
    try:
        Path.home()
    except RuntimeError:
        return False
    return True


with patch.dict(os.environ, {} if _has_home() else {"HOME": NOWHERE}):
    import altair as alt

"""How the commands of training/ end."""

from __future__ import annotations

import sys
from collections.abc import Callable

from claimx.errors import ClaimxError


def finish(run: Callable[[], int | None]) -> int:
    """Run a command and return its exit code: 2, with one sentence, where it cannot be done."""
    try:
        return run() or 0
    except (ClaimxError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2

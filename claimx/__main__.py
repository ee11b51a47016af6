"""Run the command line, as ``claimx`` or as ``python -m claimx``."""

import sys


def run() -> int:
    """Run the command line and return its exit code; Ctrl-C is quiet while it is still loaded."""
    try:
        from claimx.cli import main

        return main()
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(run())

"""The command `python -m policies`."""

import sys


def main() -> int:
    """Run the command; return its exit status."""
    print("usage: python -m policies check|docs", file=sys.stderr)
    return 2

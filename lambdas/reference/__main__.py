"""Writes docs/protocol.md and docs/protocol.schema.json."""

import sys
from pathlib import Path
from typing import Final

from lambdas.reference import documents

DOCS: Final = Path(__file__).resolve().parents[2] / "docs"


def main() -> None:
    """Write both files and say so."""
    for name, text in documents().items():
        (DOCS / name).write_text(text, encoding="utf-8")
        sys.stdout.write(f"docs/{name}\n")


main()

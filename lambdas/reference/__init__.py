"""Makes docs/protocol.md and docs/protocol.schema.json from the message types.

    python -m lambdas.reference

It is no part of what runs on a message. A test fails when the files are not what this would write.
"""

import json

from lambdas.reference.page import page
from lambdas.reference.schema import schema

__all__ = ["documents", "schema"]


def documents() -> dict[str, str]:
    """Both files, by name."""
    return {
        "protocol.md": page(),
        "protocol.schema.json": json.dumps(schema(), indent=2) + "\n",
    }

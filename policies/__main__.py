"""Two ways in: an engine runs this folder as a policy pack, people run `python -m policies`."""

import sys
from pathlib import Path

if __package__:
    from policies.command import main

    sys.exit(main())

# The launcher puts this folder on the path; the pack is the package above it, wherever that stands.
_FOLDER = str(Path(__file__).resolve().parent)
sys.path[:] = [
    str(Path(_FOLDER).parent),
    *(entry for entry in sys.path if str(Path(entry).resolve()) != _FOLDER),
]

from policies.server import serve  # noqa: E402 - the path comes first

serve()

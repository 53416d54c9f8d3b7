"""The child process: MiniStack, which ends with its parent where it is asked to.

`python -m sandbox.cloud.server [--tied]`; everything else is said by the environment, see
`settings.server_environment`.
"""

import os
import signal
import sys
import threading


def _end_with_parent() -> None:
    """Wait until the pipe from the parent closes, which a killed parent cannot forget to do."""
    while sys.stdin.buffer.read(1024):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


def main() -> None:
    """Serve until a signal comes."""
    from ministack.app import main as serve

    if "--tied" in sys.argv:
        threading.Thread(target=_end_with_parent, daemon=True).start()
    sys.argv = ["ministack"]
    serve()


if __name__ == "__main__":
    main()

"""The child process: MiniStack, with an end that is quick and sure.

Run by its path, `python -P server.py RECORD LISTENER [--tied]`, in the folder that holds its data;
everything else is said by the environment, see `settings.server_environment`. RECORD is the open
`cloud.json`, whose lock says that we live, and LISTENER the socket to serve on. SIGTERM saves the
state and ends the process, SIGUSR1 saves it and goes on. MiniStack's own end waits for connections
that may never close and for threads that still run a Lambda; here it does not, because nobody is
left who would want their answer.
"""

import asyncio
import logging
import os
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any

import ministack.app as ministack
from hypercorn.asyncio import serve
from hypercorn.config import Config
from ministack.core import iam_evaluator, lambda_runtime, sigv4
from ministack.core.persistence import save_all
from ministack.services import iam, lambda_svc, sts

_FORGOTTEN_AFTER = 5.0


def _save() -> None:
    save_all(ministack._build_persistence_save_dict())


def _end() -> None:
    _save()
    logging.shutdown()
    os._exit(0)


def _end_with_parent() -> None:
    """Wait until the pipe from the parent closes, which a killed parent cannot forget to do."""
    while os.read(0, 1024):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


def _end_when_forgotten(record: int) -> None:
    """End once the file whose lock we hold is gone with its folder: nobody could stop us."""
    while True:
        time.sleep(_FORGOTTEN_AFTER)
        try:
            known = os.path.samestat(os.fstat(record), Path("cloud.json").stat())
        except OSError:
            known = False
        if not known:
            os._exit(1)  # without saving: the data is not ours any more


def _let_people_in() -> None:
    """Check the sessions of roles and the keys of IAM users, and take everybody else for root.

    What a Lambda may do is worth knowing here; who types a command on this machine is not, and
    tools send whatever key they were given.
    """
    resolve = iam_evaluator.resolve_credential
    verify = sigv4.header_signature_failure

    def known(access_key_id: str) -> bool:
        keys = (key for (_, key) in iam._access_keys.to_dict())
        return access_key_id in sts._sessions or access_key_id in keys

    def resolve_known(access_key_id: str, account_id: str | None = None, *token: Any) -> Any:
        if known(access_key_id):
            return resolve(access_key_id, account_id, *token)
        return resolve("test", account_id)

    def verify_known(signature: sigv4.HeaderSignature, *given: Any, **options: Any) -> Any:
        if known(signature.access_key_id):
            return verify(signature, *given, **options)
        return None

    iam_evaluator.is_root_access_key = lambda access_key_id: not known(access_key_id)
    iam_evaluator.resolve_credential = resolve_known
    sigv4.header_signature_failure = verify_known


class _Logged:
    """A Lambda's worker whose output is kept: MiniStack drops it where a WebSocket called."""

    def __init__(self, worker: Any) -> None:
        self._worker = worker

    def invoke(self, event: object, request_id: str) -> dict[str, Any]:
        """Run the Lambda, and write its output to its log group."""
        began = time.monotonic()
        result = self._worker.invoke(event, request_id)
        lambda_svc._emit_lambda_logs(
            self._worker.config,
            request_id,
            result.get("log") or "",
            result.get("status") == "error",
            int((time.monotonic() - began) * 1000),
        )
        return result


def _keep_logs() -> None:
    get = lambda_runtime.get_or_create_worker
    lambda_runtime.get_or_create_worker = lambda *given, **options: _Logged(get(*given, **options))


def _begin_streams_anew() -> None:
    """Read every table's stream from its beginning: its records, unlike its readers, are not kept.

    A reader that went on where it was would pass over as many new records as it had read before.
    """
    restore, readers = lambda_svc._restore_esm_positions, lambda_svc._dynamodb_stream_positions

    def restore_and_rewind(store: Any, positions: Any) -> None:
        restore(store, positions)
        if store is readers:
            store._data.update(dict.fromkeys(store._data, 0))

    lambda_svc._restore_esm_positions = restore_and_rewind


async def main() -> None:
    """Serve until a signal comes."""
    _begin_streams_anew()
    record, listener = int(sys.argv[1]), int(sys.argv[2])
    os.set_inheritable(record, False)  # the lock is ours, and no Lambda's
    threading.Thread(target=_end_when_forgotten, args=(record,), daemon=True).start()
    _keep_logs()
    if ministack.AUTH:
        _let_people_in()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, _end)
    loop.add_signal_handler(signal.SIGUSR1, _save)
    if "--tied" in sys.argv:
        threading.Thread(target=_end_with_parent, daemon=True).start()
    config = Config()
    config.bind = [f"fd://{listener}"]
    config.keep_alive_timeout = 75
    config.accesslog = None
    await serve(ministack.app, config, shutdown_trigger=asyncio.Event().wait)


if __name__ == "__main__":
    asyncio.run(main())

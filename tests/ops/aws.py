"""A stand-in for AWS that answers as it is told: whose credentials these are, and one fault."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass(kw_only=True)
class Aws:
    """What every service answers, and how often each was asked."""

    account: str = "222222222222"
    """Whose the credentials are."""
    fault: tuple[int, str] = (400, "NothingIsHereException")
    """Status and code of every answer, but for the question whose the credentials are."""
    identity_fault: tuple[int, str] | None = None
    garbage: str = ""
    """Answered to everything, by something that is not AWS."""
    asked: list[str] = field(default_factory=list)
    """The service of each request."""
    url: str = ""


@contextmanager
def serving() -> Iterator[Aws]:
    """Serve on a free port of this machine."""
    aws = Aws()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            scope = re.search(r"Credential=[^/]+/\d+/[^/]+/([^/]+)/", self.headers["Authorization"])
            service = scope.group(1) if scope else ""
            aws.asked.append(service)
            if aws.garbage:
                self._answer(200, aws.garbage, "text/html", "")
            elif service == "sts" and aws.identity_fault is None:
                self._answer(200, _identity(aws.account), "text/xml", "")
            else:
                status, code = (aws.identity_fault or aws.fault) if service == "sts" else aws.fault
                query = self.headers.get("Content-Type", "").startswith("application/x-www-form")
                text = _xml(code) if query else json.dumps({"__type": code, "message": "says AWS"})
                self._answer(status, text, "text/xml" if query else "application/json", code)

        do_GET = do_POST  # noqa: N815 - http.server finds it by this name

        def _answer(self, status: int, text: str, kind: str, code: str) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(text)))
            if code:
                self.send_header("x-amzn-ErrorType", code)
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_: object) -> None:
            """Nothing: the test's output is the commands'."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    aws.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield aws
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _identity(account: str) -> str:
    return (
        "<GetCallerIdentityResponse><GetCallerIdentityResult>"
        f"<Arn>arn:aws:iam::{account}:user/me</Arn><UserId>me</UserId><Account>{account}</Account>"
        "</GetCallerIdentityResult></GetCallerIdentityResponse>"
    )


def _xml(code: str) -> str:
    return (
        f"<ErrorResponse><Error><Code>{code}</Code><Message>says AWS</Message></Error>"
        "</ErrorResponse>"
    )

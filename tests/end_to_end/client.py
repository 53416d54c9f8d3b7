"""A client of the deployed stack, as an app has one."""

import asyncio
import json
from contextlib import asynccontextmanager

import websockets


class Client:
    """One connection; what arrives is kept until somebody asks for it."""

    def __init__(self, socket):
        self._socket = socket
        self._kept = []

    async def ask(self, **message):
        """Send a message and return the answer to it."""
        request_id = f"{message.get('action') or message.get('type')}-{len(self._kept)}"
        await self._socket.send(json.dumps({**message, "requestId": request_id}))
        return await self.await_message(lambda answer: answer.get("requestId") == request_id)

    async def await_message(self, wanted, patience=30):
        """Return the first message that is wanted, waiting for it."""
        async with asyncio.timeout(patience):
            while True:
                for message in self._kept:
                    if wanted(message):
                        self._kept.remove(message)
                        return message
                self._kept.append(json.loads(await self._socket.recv()))


@asynccontextmanager
async def connected(url):
    """Give a client on a connection of its own."""
    async with websockets.connect(url, proxy=None) as socket:
        yield Client(socket)

"""Calls of the Lambdas behind a gateway's routes, and what a client sees of a failure."""

import asyncio
import json
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from tests.gateway import events, limits
from tests.gateway.faults import Faults, LambdaDiedError
from tests.gateway.routes import Answer, Route, read_answer


@dataclass(frozen=True, kw_only=True)
class Invocation:
    """One call of a Lambda and how it ended."""

    route_key: str
    event: events.Event
    result: object = None
    error: BaseException | None = None


@dataclass(frozen=True, kw_only=True)
class Invoker:
    """Calls handlers; each gets its own copy of the event, as JSON brings it."""

    routes: Mapping[str, Route]
    faults: Faults
    log: list[Invocation]
    pool: ThreadPoolExecutor

    async def invoke(self, route_key: str, event: events.Event) -> Answer | None:
        """Call the route's Lambda; nothing when it raised or answered what AWS cannot read."""
        route = self.routes[route_key]
        context = events.LambdaContext(function_name=route.function_name)

        def call() -> object:
            time.sleep(self.faults.invoke_latency(route_key))
            return route.handler(json.loads(json.dumps(event)), context)

        try:
            result = await asyncio.wait_for(
                asyncio.get_running_loop().run_in_executor(self.pool, call),
                limits.INTEGRATION_SECONDS,
            )
            answer = read_answer(result)
        except (Exception, LambdaDiedError) as error:  # noqa: BLE001 - a Lambda may raise anything
            self.log.append(Invocation(route_key=route_key, event=event, error=error))
            return None
        self.log.append(Invocation(route_key=route_key, event=event, result=result))
        return answer


def generic_error(message: str, event: events.Event) -> str:
    """AWS's own words to a client when there is no Lambda answer to pass on."""
    context = event["requestContext"]
    return json.dumps(
        {
            "message": message,
            "connectionId": context["connectionId"],
            "requestId": context["requestId"],
        }
    )

"""That customers are told of every opening and closing, whatever ends a Lambda in between.

A toggle writes `untoldSince` beside the new state, in the same transaction, and queues the event
next. Whoever has delivered the event to the last customer removes the mark; where it stays, the
event may not have been queued, and the next who reads the row (a toggle, a subscription to the
business's status) or the janitor queues it again under the same event id.
"""

from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from botocore.exceptions import BotoCoreError, ClientError
from msgspec import Raw

from lambdas import jobs, tables
from lambdas.configuration import Table
from lambdas.jobs import ANYONE, Anyone, Broadcast, Event, Note
from lambdas.messages import encode
from lambdas.observability import failure, log
from lambdas.rows import Row, iso, status_topic
from lambdas.tables import ConditionFailedError, Update

OVERDUE_SECONDS: Final = 60
"""Twice the time that the websocket handler may take: whoever toggled then will queue no more, and
an audience of ordinary size has been served."""


@dataclass(frozen=True, kw_only=True)
class Change:
    """A business opened or closed."""

    business_id: str
    is_active: bool
    version: int
    occurred_at: float
    """Seconds since the epoch."""


def broadcast(change: Change, correlation_id: str) -> Broadcast:
    """The job that tells everyone who subscribed; the same change is always the same event."""
    # The types of events take longer to build than to use, and most messages tell nobody.
    from lambdas.events import MerchantStatus, MerchantStatusChange

    event_id = f"{change.business_id}-v{change.version}"
    message = MerchantStatusChange(
        event_id=event_id,
        version=change.version,
        data=MerchantStatus(
            merchant_id=change.business_id,
            status="online" if change.is_active else "offline",
            is_accepting_orders=change.is_active,
            timestamp=iso(change.occurred_at),
        ),
    )
    return Broadcast(
        topic=status_topic(change.business_id),
        event=Event(
            id=event_id,
            type="MERCHANT_STATUS_CHANGE",
            occurred_at=int(change.occurred_at * 1000),
            bodies={ANYONE: Raw(encode(message))},
        ),
        audience=Anyone(),
        correlation_id=correlation_id,
        told=Note(business_id=change.business_id, version=change.version),
    )


def overdue(status_row: Row | None, now: float) -> Change | None:
    """The change in a `merchant_status_<businessId>` row that nobody may have been told of."""
    row = status_row or {}
    since, changed_at = row.get("untoldSince"), row.get("changedAt")
    version, business_id = row.get("changedVersion"), row.get("businessId")
    if (
        not isinstance(since, int)
        or not isinstance(changed_at, int)
        or not isinstance(version, int)
        or not isinstance(business_id, str)
        or now - since < OVERDUE_SECONDS
    ):
        return None
    return Change(
        business_id=business_id,
        is_active=row.get("isActive") is True,
        version=version,
        occurred_at=changed_at,
    )


def catch_up(subscriptions: Table, status_row: Row | None, now: float, correlation_id: str) -> None:
    """Queue the change in a row that was just read, if nobody may have been told of it.

    Costs no call unless one is overdue. Of many who read the row at once, one queues it. What fails
    here is left to the next who comes by: whoever asked wanted something else.
    """
    change = overdue(status_row, now)
    if change is None or status_row is None:
        return
    taking = Update(
        table=subscriptions,
        key=status_topic(change.business_id),
        expression="SET #untoldSince = :now",
        condition="#changedVersion = :version AND #untoldSince = :seen",
        values={
            "version": change.version,
            "seen": status_row["untoldSince"],
            "now": int(now),
        },
    )
    try:
        tables.update(taking)
        jobs.enqueue(broadcast(change, correlation_id))
    except ConditionFailedError:
        return
    except (ClientError, BotoCoreError) as error:
        log("overdue event not queued", level="WARNING", **failure(error))


def not_queued(subscriptions: Table, change: Change) -> None:
    """Note that the event of a change is certainly not queued: it is overdue from now on."""
    with suppress(ConditionFailedError):
        tables.update(
            Update(
                table=subscriptions,
                key=status_topic(change.business_id),
                expression="SET #untoldSince = :long_ago",
                condition="#changedVersion = :version AND attribute_exists(#untoldSince)",
                values={"version": change.version, "long_ago": 0},
            )
        )


def told(subscriptions: Table, business_id: str, version: int) -> None:
    """Note that everyone has been told of the change with this version; again is no error."""
    with suppress(ConditionFailedError):
        tables.update(
            Update(
                table=subscriptions,
                key=status_topic(business_id),
                expression="REMOVE #untoldSince",
                condition="#changedVersion <= :version AND attribute_exists(#untoldSince)",
                values={"version": version},
            )
        )

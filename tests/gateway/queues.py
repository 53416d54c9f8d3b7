"""The fan-out queue of one test, and the pump that hands its messages to the worker."""

import hashlib
import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Self

from lambdas.catalogue import FANOUT_BATCH_SIZE, FANOUT_MAX_RECEIVES
from sandbox.cloud import Cloud
from tests.gateway.events import LambdaContext
from tests.gateway.faults import LambdaDiedError


@dataclass(kw_only=True)
class Queue:
    """An SQS queue with its dead-letter queue."""

    client: Any
    url: str
    dead_letter_url: str
    arn: str = ""
    errors: list[BaseException] = field(default_factory=list)
    """What the worker raised."""

    @classmethod
    def create(cls, cloud: Cloud) -> Self:
        client = cloud.client("sqs")
        tail = uuid.uuid4().hex[:10]
        dead = client.create_queue(QueueName=f"fanout-dead-{tail}")["QueueUrl"]
        arn = client.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])
        redrive = {
            "deadLetterTargetArn": arn["Attributes"]["QueueArn"],
            "maxReceiveCount": FANOUT_MAX_RECEIVES,
        }
        url = client.create_queue(
            QueueName=f"fanout-{tail}",
            Attributes={"RedrivePolicy": json.dumps(redrive), "VisibilityTimeout": "360"},
        )["QueueUrl"]
        arn = client.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
        return cls(client=client, url=url, dead_letter_url=dead, arn=arn["Attributes"]["QueueArn"])

    def drop(self) -> None:
        self.client.delete_queue(QueueUrl=self.url)
        self.client.delete_queue(QueueUrl=self.dead_letter_url)

    def drain(
        self, worker: Callable[[dict[str, Any], Any], Any], *, batch: int = FANOUT_BATCH_SIZE
    ) -> int:
        """Run the worker until the queue is empty, failures again at once; gives the batches."""
        batches = 0
        while messages := self._receive(batch):
            batches += 1
            failed = self._run(worker, messages)
            for message in messages:
                if message["MessageId"] in failed:
                    self.client.change_message_visibility(
                        QueueUrl=self.url,
                        ReceiptHandle=message["ReceiptHandle"],
                        VisibilityTimeout=0,
                    )
                else:
                    self.client.delete_message(
                        QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"]
                    )
        return batches

    def deliver_again(self, worker: Callable[[dict[str, Any], Any], Any], *bodies: str) -> Any:
        """Hand over bodies that were handed over before: SQS delivers at least once."""
        return worker({"Records": [_record(_message(body)) for body in bodies]}, _context())

    def peek(self) -> list[str]:
        """Bodies of what waits; they go on waiting."""
        messages = []
        while page := self._receive(10):
            messages += page
        for message in messages:
            self.client.send_message(QueueUrl=self.url, MessageBody=message["Body"])
            self.client.delete_message(QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"])
        return [message["Body"] for message in messages]

    def clear(self) -> None:
        while messages := self._receive(10):
            for message in messages:
                self.client.delete_message(
                    QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"]
                )

    def dead_letters(self) -> list[str]:
        answer = self.client.receive_message(
            QueueUrl=self.dead_letter_url, MaxNumberOfMessages=10, VisibilityTimeout=0
        )
        return [message["Body"] for message in answer.get("Messages", [])]

    def _receive(self, batch: int) -> list[dict[str, Any]]:
        answer = self.client.receive_message(
            QueueUrl=self.url, MaxNumberOfMessages=batch, AttributeNames=["All"]
        )
        return answer.get("Messages", [])

    def _run(
        self, worker: Callable[[dict[str, Any], Any], Any], messages: list[dict[str, Any]]
    ) -> set[str]:
        ids = {message["MessageId"] for message in messages}
        try:
            result = worker({"Records": [_record(message) for message in messages]}, _context())
        except (Exception, LambdaDiedError) as error:  # noqa: BLE001 - a Lambda may raise anything
            self.errors.append(error)
            return ids
        failures = (result or {}).get("batchItemFailures") or []
        named = {failure.get("itemIdentifier") for failure in failures}
        # An identifier that AWS does not know makes the whole batch a failure.
        return named if named.issubset(ids) else ids


def _context() -> LambdaContext:
    return LambdaContext(function_name="fanout", memory_limit_in_mb=1769, remaining_ms=60_000)


def _message(body: str) -> dict[str, Any]:
    return {
        "MessageId": str(uuid.uuid4()),
        "ReceiptHandle": "again",
        "Body": body,
        "Attributes": {"ApproximateReceiveCount": "2"},
    }


def _record(message: dict[str, Any]) -> dict[str, Any]:
    return {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": {
            "SentTimestamp": "0",
            "SenderId": "AIDATEST",
            "ApproximateFirstReceiveTimestamp": "0",
            **message.get("Attributes", {}),
        },
        "messageAttributes": {},
        "md5OfBody": hashlib.md5(message["Body"].encode()).hexdigest(),
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:us-east-1:000000000000:fanout",
        "awsRegion": "us-east-1",
    }

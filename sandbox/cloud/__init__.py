"""The sandbox's cloud: MiniStack as a child process on loopback, its data under the home.

cloud = start(home)
cloud.client("sqs").list_queues()
cloud.stop()
"""

from sandbox.cloud.client import Cloud
from sandbox.cloud.lifecycle import CloudNotRunningError, CloudNotStartedError, connect, start, stop

__all__ = ["Cloud", "CloudNotRunningError", "CloudNotStartedError", "connect", "start", "stop"]

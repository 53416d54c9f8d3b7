"""How MiniStack is started: what its process sees, and what programs see that talk to it."""

import os
from pathlib import Path
from typing import Final

HOST: Final = "127.0.0.1"
REGION: Final = "us-east-1"
# Not a secret: MiniStack accepts this key, and no account has it.
ACCESS_KEY: Final = "test"

_KEPT: Final = ("PATH", "LANG", "LC_ALL", "TZ", "SYSTEMROOT", "VIRTUAL_ENV", "LD_LIBRARY_PATH")


def server_environment(folder: Path, *, port: int, auth: bool) -> dict[str, str]:
    """Return the whole environment of the server; the Lambdas that it runs inherit it.

    Nothing of the surroundings comes along but what a process needs to run, so that neither
    credentials nor proxies nor a setting for another emulator reach it. The listeners beside the
    HTTP one bind to every interface, so they are off (IoT) or moved to loopback (SFTP).
    """
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    return kept | {
        "HOME": str(folder),
        "TMPDIR": str(folder / "tmp"),
        "PYTHONUNBUFFERED": "1",
        "BIND_HOST": HOST,
        "GATEWAY_PORT": str(port),
        "MINISTACK_HOST": HOST,
        "MINISTACK_REGION": REGION,
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "SFTP_HOST": HOST,
        # No container is wanted, and looking for the daemon costs time at every start.
        "DOCKER_HOST": f"unix://{folder / 'no-docker.sock'}",
        "PERSIST_STATE": "1",
        "STATE_DIR": str(folder / "services"),
        "S3_PERSIST": "1",
        "S3_DATA_DIR": str(folder / "s3"),
        "AUTH": "true" if auth else "false",
        "LOG_LEVEL": "INFO",
        "AWS_ACCESS_KEY_ID": ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": ACCESS_KEY,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    }


def client_environment(endpoint: str) -> dict[str, str]:
    """Return what a program must see so that it talks to this cloud and to nothing else."""
    return {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": ACCESS_KEY,
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
    }

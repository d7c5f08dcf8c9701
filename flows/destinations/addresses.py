"""From an address in a recipe or on the command line to the replica that it means."""

import re

from flows.destinations.replica import Replica, ReplicaError
from flows.errors import InputError

ADDRESS = r"^(s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[A-Za-z0-9!_.*'()-]+)*/?|hf://datasets/[\w.-]+/[\w.-]+/?)$"
"""`s3://bucket/prefix` or `hf://datasets/owner/name`: names that need no quoting, by the services' own rules."""


def replica_at(url: str) -> Replica:
    """The replica at an address.

    Raises:
        InputError: the address is of no known kind.
        ReplicaError: what it needs is not installed.
    """
    if not re.fullmatch(ADDRESS, url):
        raise InputError(f"{url!r} is no place to publish to.", "Give s3://BUCKET/PREFIX or hf://datasets/OWNER/NAME.")
    kind, _, rest = url.rstrip("/").partition("://")
    if kind == "hf":
        from flows.destinations.hub import HubReplica  # takes a second, and only pushes to the Hub need it

        return HubReplica(rest.removeprefix("datasets/"))
    try:
        from flows.destinations.s3 import S3Replica
    except ImportError as error:
        raise ReplicaError(
            f"{url}: {error}.",
            "Install the S3 client: `uv sync --extra s3` in a clone, else `pip install 'likewise[s3]'`.",
        ) from error
    bucket, _, prefix = rest.partition("/")
    return S3Replica(bucket, prefix)

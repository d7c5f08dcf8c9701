"""Takedowns: what was asked to be removed is kept beside the recipe, taken out of what is published, and stays out."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from cleaning.urls import canonical, host_of, identity
from flows.config import Dataset
from flows.errors import InputError
from flows.runs import write_text

TAKEDOWNS_NAME = "takedowns.jsonl"
_HOST = re.compile(r"(?:[a-z0-9_-]+\.)*[a-z0-9_-]+")
_ID = re.compile(r"[0-9a-f]{32}")

Kind = Literal["url", "host", "id"]


@dataclass(frozen=True, slots=True)
class Takedown:
    """One request: what it names, its value, why, and when it was made (ISO 8601, UTC)."""

    kind: Kind
    value: str
    reason: str
    at: str


@dataclass(frozen=True, slots=True)
class Takedowns:
    """All requests of a dataset, as sets to look rows up in."""

    ids: frozenset[str] = frozenset()
    urls: frozenset[str] = frozenset()
    hosts: frozenset[str] = frozenset()

    @classmethod
    def of(cls, requests: Iterable[Takedown]) -> "Takedowns":
        """The sets of some requests; a URL stands for all its variants, a host for all below it."""
        found = list(requests)
        return cls(
            ids=frozenset(one.value for one in found if one.kind == "id"),
            urls=frozenset(_key(one.value) for one in found if one.kind == "url"),
            hosts=frozenset(one.value.lower().removeprefix("www.") for one in found if one.kind == "host"),
        )

    def cover(self, row: Mapping[str, Any]) -> bool:
        """Whether a row with `url`, and perhaps `canonical_url`, `id` and `representative_id`, was asked to go."""
        if self.ids and not self.ids.isdisjoint((row.get("id"), row.get("representative_id"))):
            return True
        addresses = [address for address in (row.get("url"), row.get("canonical_url")) if address]
        return any(self._covers_address(address) for address in addresses)

    def _covers_address(self, address: str) -> bool:
        if self.urls and _key(address) in self.urls:
            return True
        labels = host_of(address).split(".")
        return bool(self.hosts) and any(".".join(labels[i:]) in self.hosts for i in range(len(labels)))


NONE = Takedowns()
"""No request at all."""


def read_takedowns(dataset: Dataset) -> list[Takedown]:
    """The requests beside the recipe, in the order in which they were made.

    Raises:
        InputError: the file is broken; a takedown that cannot be read must not be forgotten.
    """
    path = dataset.folder / TAKEDOWNS_NAME
    if not path.exists():
        return []
    try:
        return [Takedown(**json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    except (OSError, ValueError, TypeError) as error:
        raise InputError(f"{path}: a line cannot be read: {error}.", "Mend it; nothing is published before.") from error


def record_takedown(dataset: Dataset, request: Takedown) -> list[Takedown]:
    """Adds a request to those beside the recipe, once, and gives all of them.

    Raises:
        InputError: its value is not of its kind.
    """
    check_takedown(request)
    known = read_takedowns(dataset)
    if any((one.kind, one.value) == (request.kind, request.value) for one in known):
        return known
    lines = [json.dumps(asdict(one), ensure_ascii=False) for one in (*known, request)]
    write_text(dataset.folder / TAKEDOWNS_NAME, "\n".join(lines) + "\n")
    return [*known, request]


def check_takedown(request: Takedown) -> None:
    """Makes sure that a request's value is of its kind.

    Raises:
        InputError: it is not.
    """
    if request.kind == "url" and canonical(request.value) is None:
        raise InputError(f"{request.value!r} is no http or https URL.", "Give the address of the article.")
    if request.kind == "host" and not _HOST.fullmatch(request.value.lower()):
        raise InputError(f"{request.value!r} is no host name.", "Give a bare name such as news.example.")
    if request.kind == "id" and not _ID.fullmatch(request.value):
        raise InputError(f"{request.value!r} is no id.", "Give the 32 hexadecimal digits of the column `id`.")


def _key(url: str) -> str:
    return identity(canonical(url) or url)

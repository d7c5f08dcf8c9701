"""What a published version consists of: the files, their digests and rows, and the run that made it."""

import hashlib
import json
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import version as package_version
from pathlib import Path
from typing import Any, Self

from flows.errors import PublishError

MANIFEST_NAME = "manifest.json"
FORMAT = 2
KNOWN_FORMATS = (1, 2)
"""Format 1 did not say which policy the texts follow."""


@dataclass(frozen=True, slots=True)
class Shard:
    """One Parquet file of a version: its config, its path below the dataset, its rows, bytes, SHA-256 and split."""

    config: str
    path: str
    rows: int
    bytes: int
    sha256: str
    split: str = "train"

    @classmethod
    def of(cls, config: str, root: Path, path: str, rows: int, split: str = "train") -> Self:
        """The shard that lies at `root / path`."""
        with (root / path).open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        return cls(config, path, rows, (root / path).stat().st_size, digest, split)


@dataclass(frozen=True, slots=True)
class Policy:
    """What readers get of every row of a version: the recipe's `publish.text`, `politeness.rights`, `publish.splits`.

    Empty strings where a version of format 1 did not say.
    """

    text: str = ""
    rights: str = ""
    splits: str = "none"


@dataclass(frozen=True, slots=True)
class Manifest:
    """A published version.

    `run` made it, at the time `created` (ISO 8601, UTC). `through` is the last run, in the order of the copies index,
    whose rows are in it. `policy` is what the texts of all rows follow.
    """

    name: str
    version: int
    run: str
    through: str
    shards: tuple[Shard, ...] = ()
    parent: int | None = None
    created: str = ""
    code: str = package_version("likewise")
    format: int = FORMAT
    policy: Policy = Policy()

    def rows(self, config: str) -> int:
        """How many rows a config has."""
        return sum(shard.rows for shard in self.of(config))

    def of(self, config: str) -> list[Shard]:
        """The shards of a config, in the order in which the card lists them."""
        return [shard for shard in self.shards if shard.config == config]

    def next(self, run: str, through: str, shards: tuple[Shard, ...], policy: Policy | None = None) -> Self:
        """The version after this one; its policy is the same where none is given."""
        return replace(
            self,
            version=self.version + 1,
            parent=self.version,
            run=run,
            through=through,
            shards=shards,
            created=datetime.now(UTC).isoformat(timespec="seconds"),
            code=package_version("likewise"),
            format=FORMAT,
            policy=policy or self.policy,
        )

    def to_json(self) -> str:
        """The text of manifest.json."""
        return json.dumps(asdict(self), indent=1) + "\n"

    @classmethod
    def read(cls, path: Path) -> Self:
        """The manifest in a file.

        Raises:
            PublishError: it is broken, or a version of likewise that this one does not know wrote it.
        """
        try:
            raw: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
            found = raw["format"]
            if found in KNOWN_FORMATS:
                shards = tuple(Shard(**shard) for shard in raw["shards"])
                return cls(**(raw | {"shards": shards, "policy": Policy(**raw.get("policy", {}))}))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise PublishError(
                f"{path}: not a manifest that can be read: {error!r}.",
                "Restore the file, or publish to an empty folder.",
            ) from error
        raise PublishError(
            f"{path}: the published dataset has format {found!r}; this version of likewise knows {FORMAT}.",
            "Use the version of likewise that wrote it, or publish to an empty folder. Nothing was changed.",
        )

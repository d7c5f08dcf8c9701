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
FORMAT = 1


@dataclass(frozen=True, slots=True)
class Shard:
    """One Parquet file of a version: its config, its path below the dataset, its rows, bytes and SHA-256."""

    config: str
    path: str
    rows: int
    bytes: int
    sha256: str

    @classmethod
    def of(cls, config: str, root: Path, path: str, rows: int) -> Self:
        """The shard that lies at `root / path`."""
        with (root / path).open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        return cls(config, path, rows, (root / path).stat().st_size, digest)


@dataclass(frozen=True, slots=True)
class Manifest:
    """A published version.

    `run` made it, at the time `created` (ISO 8601, UTC). `through` is the last run, in the order of the copies index,
    whose rows are in it.
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

    def rows(self, config: str) -> int:
        """How many rows a config has."""
        return sum(shard.rows for shard in self.of(config))

    def of(self, config: str) -> list[Shard]:
        """The shards of a config, in the order in which the card lists them."""
        return [shard for shard in self.shards if shard.config == config]

    def next(self, run: str, through: str, shards: tuple[Shard, ...]) -> Self:
        """The version after this one."""
        return replace(
            self,
            version=self.version + 1,
            parent=self.version,
            run=run,
            through=through,
            shards=shards,
            created=datetime.now(UTC).isoformat(timespec="seconds"),
            code=package_version("likewise"),
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
            if found == FORMAT:
                return cls(**(raw | {"shards": tuple(Shard(**shard) for shard in raw["shards"])}))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise PublishError(
                f"{path}: not a manifest that can be read: {error!r}.",
                "Restore the file, or publish to an empty folder.",
            ) from error
        raise PublishError(
            f"{path}: the published dataset has format {found!r}; this version of likewise knows {FORMAT}.",
            "Use the version of likewise that wrote it, or publish to an empty folder. Nothing was changed.",
        )

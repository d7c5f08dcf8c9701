"""Where versions are published: a local folder whose readers see the old version or the new one, never a mixture.

<folder>/.versions/000002/{README.md, manifest.json, ..., data/}            immutable, unchanged shards hard-linked
<folder>/current -> .versions/000002                                        the commit: one atomic rename
<folder>/README.md, manifest.json, report.html, croissant.json, data -> current/...
"""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from flows.errors import PublishError
from flows.manifest import MANIFEST_NAME, Manifest, Shard
from flows.tables import sync_folder

CARD_NAME = "README.md"
REPORT_NAME = "report.html"
CROISSANT_NAME = "croissant.json"
COUNTS_NAME = "counts.json"
DATA = "data"
VERSIONS = ".versions"
PUBLISHED = (CARD_NAME, MANIFEST_NAME, REPORT_NAME, CROISSANT_NAME, DATA)
"""What readers find in the folder itself; `counts.json`, from which the next version counts, stays in its own."""


@dataclass(frozen=True, slots=True)
class LocalFolder:
    """A dataset's folder as a destination."""

    root: Path

    @property
    def current(self) -> Path:
        """The published version's folder, through the link that is the commit."""
        return self.root / "current"

    def manifest(self) -> Manifest | None:
        """The published version; None before the first.

        Raises:
            PublishError: the folder holds a dataset that is broken, of an unknown format, or not made by likewise.
        """
        if self.current.is_symlink():
            return Manifest.read(self.current / MANIFEST_NAME)
        self._check_link()
        foreign = [name for name in PUBLISHED if (self.root / name).exists() or (self.root / name).is_symlink()]
        if foreign == [name for name in PUBLISHED if (self.root / name).is_symlink()]:
            return None  # nothing, or the links of a first commit that was killed before its last step
        raise PublishError(
            f"{self.root}: {', '.join(foreign)} were not published by likewise.",
            "Move them away, or put the recipe into another folder.",
        )

    def _check_link(self) -> None:
        """Versions without the link that leads to one: a first commit that was killed, or a damaged copy."""
        lost = sorted(path.parent.name for path in (self.root / VERSIONS).glob(f"[0-9]*/{MANIFEST_NAME}"))
        if not lost or (lost == ["000001"] and not self.current.exists()):
            return
        raise PublishError(
            f"{self.root}: the link `current` to one of the versions {', '.join(lost)} is lost.",
            f"Make it again: ln -s {VERSIONS}/{lost[-1]} {self.current}. Copy the folder with its links next time.",
        )

    def numbers(self) -> list[int]:
        """The numbers of the versions that are there, up to the published one, in their order."""
        manifest = self.manifest()
        if manifest is None:
            return []
        folders = (path.name for path in (self.root / VERSIONS).iterdir())
        return sorted(int(name) for name in folders if name.isdigit() and int(name) <= manifest.version)

    def folder_of(self, number: int) -> Path:
        """Where a version lies."""
        return self._final(number)

    def manifest_of(self, number: int) -> Manifest:
        """The manifest of a version that is there."""
        return Manifest.read(self._final(number) / MANIFEST_NAME)

    def begin(self, version: int) -> Path:
        """An empty draft folder for a version, without what a killed commit left: no reader was ever sent there."""
        draft, final = self._draft(version), self._final(version)
        for leftover in (draft, final):
            shutil.rmtree(leftover, ignore_errors=True)
        (draft / DATA).mkdir(parents=True)
        return draft

    def carry_over(self, shard: Shard, draft: Path) -> None:
        """Puts an unchanged shard of the published version into the draft, by a hard link."""
        os.link(self.current.resolve() / shard.path, draft / shard.path)

    def abandon(self, draft: Path) -> None:
        """Clears a draft away that is not to be published."""
        shutil.rmtree(draft, ignore_errors=True)

    def commit(self, draft: Path, manifest: Manifest) -> None:
        """Makes a complete draft, all but its manifest, the published version."""
        (draft / MANIFEST_NAME).write_text(manifest.to_json(), encoding="utf-8")
        _sync(draft)  # its shards were synced when they were written
        final = self._final(manifest.version)
        draft.rename(final)
        sync_folder(final.parent)
        self._swap(Path(VERSIONS) / final.name)

    def _draft(self, version: int) -> Path:
        return self.root / VERSIONS / f".draft-{version:06d}"

    def _final(self, version: int) -> Path:
        return self.root / VERSIONS / f"{version:06d}"

    def _swap(self, target: Path) -> None:
        for name in PUBLISHED:
            _point(self.root / name, Path("current") / name)
        _point(self.current, target)
        sync_folder(self.root)


def _point(link: Path, target: Path) -> None:
    """Makes `link` lead to `target` in one step; nothing happens where it already does."""
    if link.is_symlink() and link.readlink() == target:
        return
    draft = link.with_name(f".{link.name}.draft")
    draft.unlink(missing_ok=True)
    draft.symlink_to(target)
    draft.replace(link)


def _sync(folder: Path) -> None:
    for path in sorted(folder.iterdir()):
        if path.is_file():
            with path.open("rb") as file:
                os.fsync(file.fileno())
    sync_folder(folder / DATA)
    sync_folder(folder)

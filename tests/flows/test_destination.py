import json
from pathlib import Path

import pytest

from flows.destination import LocalFolder
from flows.errors import PublishError
from flows.manifest import Manifest, Shard


def publish_version(destination: LocalFolder, files: dict[str, bytes], run: str) -> Manifest:
    """Publishes a version with new files beside those of the version before it."""
    parent = destination.manifest() or Manifest("d", 0, "", "")
    draft = destination.begin(parent.version + 1)
    for shard in parent.shards:
        destination.carry_over(shard, draft)
    for name, content in files.items():
        (draft / "data" / name).write_bytes(content)
    (draft / "README.md").write_text(f"version {parent.version + 1}")
    (draft / "report.html").write_text("report")
    shards = (*parent.shards, *(Shard.of("articles", draft, f"data/{name}", 1) for name in files))
    manifest = parent.next(run, run, shards)
    destination.commit(draft, manifest)
    return manifest


def test_a_new_folder_has_no_version(tmp_path: Path) -> None:
    """Before the first commit there is no manifest."""
    assert LocalFolder(tmp_path).manifest() is None


def test_versions_follow_one_another(tmp_path: Path) -> None:
    """Each commit makes the next version, with the shards of the one before it and its own."""
    destination = LocalFolder(tmp_path)
    publish_version(destination, {"a.parquet": b"a"}, "r1")
    second = publish_version(destination, {"b.parquet": b"b"}, "r2")
    assert destination.manifest() == second
    assert (second.version, second.parent) == (2, 1)
    assert (tmp_path / "README.md").read_text() == "version 2"
    assert sorted(path.name for path in (tmp_path / "data").iterdir()) == ["a.parquet", "b.parquet"]


def test_unchanged_shards_are_not_copied(tmp_path: Path) -> None:
    """A carried-over shard is the same file on the disk."""
    destination = LocalFolder(tmp_path)
    publish_version(destination, {"a.parquet": b"a"}, "r1")
    publish_version(destination, {"b.parquet": b"b"}, "r2")
    versions = tmp_path / ".versions"
    assert (versions / "000001/data/a.parquet").samefile(versions / "000002/data/a.parquet")


@pytest.mark.parametrize("leftover", [".versions/.draft-000002", ".versions/000002"])
def test_a_commit_that_was_killed_leaves_the_old_version(tmp_path: Path, leftover: str) -> None:
    """What a killed commit left is invisible to readers, and gone after the next commit."""
    destination = LocalFolder(tmp_path)
    publish_version(destination, {"a.parquet": b"a"}, "r1")
    (tmp_path / leftover / "data").mkdir(parents=True)
    (tmp_path / leftover / "data" / "torn.parquet").write_bytes(b"half")
    assert destination.manifest().version == 1
    publish_version(destination, {"b.parquet": b"b"}, "r2")
    assert sorted(path.name for path in (tmp_path / "data").iterdir()) == ["a.parquet", "b.parquet"]


def test_an_unknown_format_is_refused_and_left_alone(tmp_path: Path) -> None:
    """A dataset that a later version of likewise wrote is not touched."""
    destination = LocalFolder(tmp_path)
    publish_version(destination, {"a.parquet": b"a"}, "r1")
    path = tmp_path / "current" / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"format": 99}))
    with pytest.raises(PublishError, match="format 99"):
        destination.manifest()


@pytest.mark.parametrize("name", ["README.md", "data", "manifest.json"])
def test_what_somebody_else_put_there_is_not_overwritten(tmp_path: Path, name: str) -> None:
    """A folder with a dataset of another origin is refused."""
    (tmp_path / name).write_text("mine")
    with pytest.raises(PublishError, match=name):
        LocalFolder(tmp_path).manifest()
    assert (tmp_path / name).read_text() == "mine"


def test_a_broken_manifest_is_an_error(tmp_path: Path) -> None:
    """A manifest that is cut off is refused with a remedy."""
    destination = LocalFolder(tmp_path)
    publish_version(destination, {"a.parquet": b"a"}, "r1")
    (tmp_path / "current" / "manifest.json").write_text('{"format": 1, "name"')
    with pytest.raises(PublishError, match="not a manifest"):
        destination.manifest()

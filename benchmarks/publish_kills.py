"""Kills the publishing of versions at random moments, at each destination, while a reader polls: is one ever torn?

Run from the repository: `python -m benchmarks.publish_kills [POINTS] [SEED]`.
"""

import multiprocessing
import os
import random
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from hashlib import file_digest
from pathlib import Path
from typing import Any

import yaml

from flows.config import Dataset
from flows.destination import LocalFolder
from flows.destinations.addresses import replica_at
from flows.destinations.hub import HubReplica
from flows.destinations.push import push
from flows.destinations.replica import Replica
from flows.destinations.s3 import S3Replica
from flows.manifest import Manifest
from tests.flows.hub_double import running_hub
from tests.flows.releases import new_dataset, release, row
from tests.flows.storage import BUCKET, running_storage

POINTS, SEED = 10, 6
ROWS = 400
SECONDS_BETWEEN_LOOKS = 0.005  # leaves the processors to the one that is hunted
_MODULES = ["flows.destinations.push", "flows.destinations.s3", "flows.destinations.hub", "tests.flows.releases"]


@dataclass
class Reader:
    """Looks again and again through the card, as a reader does, and notes each version that was not whole."""

    look: Callable[[], tuple[Manifest, str, dict[str, str]] | None]
    versions: list[int] = field(default_factory=list)
    torn: list[str] = field(default_factory=list)
    looks: int = 0

    def check(self) -> None:
        """One look: the card lists the manifest's files, and each is there with its digest."""
        seen = self.look()
        self.looks += 1
        if seen is None:
            return
        manifest, card, digests = seen
        front = yaml.safe_load(card.split("---\n")[1])
        listed = [path for config in front["configs"] for split in config["data_files"] for path in split["path"]]
        wanted = {shard.path: shard.sha256 for shard in manifest.shards}
        if listed != list(wanted) or any(digests.get(path) != digest for path, digest in wanted.items()):
            self.torn.append(f"version {manifest.version}")
        if not self.versions or self.versions[-1] != manifest.version:
            self.versions.append(manifest.version)

    @contextmanager
    def polling(self) -> Iterator[None]:
        """Looks all the time, in a thread of its own."""
        done = threading.Event()
        failures: list[BaseException] = []

        def poll() -> None:
            try:
                while not done.wait(SECONDS_BETWEEN_LOOKS):
                    self.check()
            except BaseException as failure:  # noqa: BLE001 - raised again below, in the thread that waits
                failures.append(failure)

        thread = threading.Thread(target=poll)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()
        if failures:
            raise failures[0]


def look_local(dataset: Dataset) -> tuple[Manifest, str, dict[str, str]] | None:
    """What a reader of the local folder sees through its one link."""
    local = LocalFolder(dataset.folder)
    if not local.current.exists():
        return None
    folder = local.current.resolve()
    manifest = Manifest.read(folder / "manifest.json")
    digests = {path.relative_to(folder).as_posix(): _digest(path) for path in (folder / "data").iterdir()}
    return manifest, (folder / "README.md").read_text(encoding="utf-8"), digests


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()


def look_remote(replica: Replica) -> tuple[Manifest, str, dict[str, str]] | None:
    """What a reader of a replica sees: the card, what it names, and every byte of the shards."""
    head = replica.head()
    if head.manifest is None:
        return None
    with tempfile.TemporaryDirectory() as scratch:
        replica.fetch(head.at, "README.md", Path(scratch) / "card")
        digests = {}
        for shard in head.manifest.shards:
            replica.fetch(head.at, shard.path, Path(scratch) / "shard")
            digests[shard.path] = _digest(Path(scratch) / "shard")
        return head.manifest, (Path(scratch) / "card").read_text(encoding="utf-8"), digests


def publish_next(dataset: Dataset, number: int) -> None:
    """Publishes a version with new articles, and without the second shard of the version before."""
    manifest = LocalFolder(dataset.folder).manifest()
    if manifest is None or manifest.version < number:
        without = [row((number - 2) * ROWS)["id"]] if number % 3 == 0 else []
        release(dataset, [row(number * ROWS + i) for i in range(ROWS)], without)


def push_now(dataset: Dataset, url: str) -> None:
    """Pushes the published version."""
    push(dataset, replica_at(url))


@dataclass(frozen=True)
class Place:
    """A destination: how the next version gets there, and how a reader looks at it."""

    name: str
    dataset: Dataset
    prepare: Callable[[int], None]
    commit: Callable[[int], None]
    reader: Reader


def _nothing(_number: int) -> None:
    """Nothing is to be prepared."""


def _push_number(dataset: Dataset, url: str, _number: int) -> None:
    push_now(dataset, url)


def places(folder: Path, stack: ExitStack) -> Iterator[Place]:
    """The local folder, a real S3 server, the double of the Hub."""
    local = new_dataset(folder / "local")
    yield Place("local folder", local, _nothing, partial(publish_next, local), Reader(partial(look_local, local)))
    for name, replica in replicas(folder, stack).items():
        dataset = new_dataset(folder / name)
        reader = Reader(partial(look_remote, replica))
        yield Place(name, dataset, partial(publish_next, dataset), partial(_push_number, dataset, replica.url), reader)


def replicas(folder: Path, stack: ExitStack) -> dict[str, Replica]:
    """Replicas on servers that run as long as the stack; the environment leads other processes to them."""
    (folder / "storage").mkdir()
    os.environ.update(stack.enter_context(running_storage(folder / "storage")).environment)
    hub = stack.enter_context(running_hub())
    os.environ.update(hub.environment | {"HF_HUB_DISABLE_PROGRESS_BARS": "1"})
    return {"S3": S3Replica(BUCKET, "kills"), "Hub": HubReplica("tester/small", hub.endpoint)}


def hunt(place: Place, points: int, chance: random.Random) -> tuple[int, int]:
    """Kills at that many moments; gives how many versions were cut short, and how many publications there were."""
    context = multiprocessing.get_context("forkserver")
    took, cut = _undisturbed(place, context), 0
    for number in range(2, points + 2):
        place.prepare(number)
        with place.reader.polling():
            process = context.Process(target=place.commit, args=(number,))
            begun = time.monotonic()
            process.start()
            time.sleep(chance.uniform(0.0, took))
            cut += process.is_alive()
            process.kill()
            process.join()
            while time.monotonic() < begun + took:
                time.sleep(0.01)  # the reader looks at what the killed process left
            _run(context, place.commit, number)
        place.reader.check()
        assert place.reader.versions[-1] == number, "the repeated command did not publish the version"
    return cut, points


def _undisturbed(place: Place, context: Any) -> float:
    """Seconds that the first version takes from the start of its process to the end."""
    place.prepare(1)
    _run(context, _nothing, 0)  # starts the server that forks the others
    begun = time.monotonic()
    _run(context, place.commit, 1)
    return time.monotonic() - begun


def _run(context: Any, commit: Callable[[int], None], number: int) -> None:
    process = context.Process(target=commit, args=(number,))
    process.start()
    process.join()
    assert process.exitcode == 0, f"the undisturbed command failed with {process.exitcode}"


def main() -> None:
    """Prints the figures."""
    points, seed = (int(word) for word in (*sys.argv[1:], *map(str, (POINTS, SEED)[len(sys.argv) - 1 :])))
    chance = random.Random(seed)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        found = list(places(folder, stack))
        multiprocessing.get_context("forkserver").set_forkserver_preload(_MODULES)
        for place in found:
            cut, kills = hunt(place, points, chance)
            reader = place.reader
            print(
                f"{place.name}: {kills} kills, {cut} before the end; {reader.looks} looks of the reader, "
                f"versions seen {reader.versions[0]}..{reader.versions[-1]}, torn: {len(reader.torn)} {reader.torn}",
                flush=True,
            )
            assert not reader.torn
            assert reader.versions == sorted(reader.versions)


if __name__ == "__main__":
    main()

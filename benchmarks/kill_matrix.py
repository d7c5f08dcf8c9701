"""Kills whole runs at random moments of every stage, with all three destinations, and compares the outcome.

Run from the repository: `python -m benchmarks.kill_matrix [POINTS] [SEED] [STAGES...]`. Runs crawl a newsroom here.
After each kill the same command is given again; ids, texts, clusters and verdicts must be those of an undisturbed
run, but for pages that a run never asked for because their like was hardly ever relevant. Readers that poll all the
time, at each destination, must never see a version that is not whole.
"""

import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

from benchmarks.publish_kills import Reader, look_local, look_remote
from flows.config import Dataset, load_dataset_config
from flows.demo.newsroom import Newsroom
from flows.demo.server import NewsServer, serve
from flows.destinations.hub import HubReplica
from flows.destinations.replica import Replica
from flows.destinations.s3 import S3Replica
from flows.runs import list_runs
from tests.flows.conftest import write_newsroom_recipe
from tests.flows.hub_double import Hub, running_hub
from tests.flows.storage import BUCKET, running_storage
from tests.flows.test_kill import begin, comparable, essence

POINTS, SEED = 30, 6
STAGES = ("crawl", "clean", "filter", "copies", "publish", "push")
_BY_ITSELF = ("crawl", "clean")
"""The stages before which a run has nothing yet; points in later ones begin with a copy of what these left."""

_PREPARE = """
import sys
from flows.config import load_dataset_config
from flows.crawling import crawl
from flows.runs import locked_state, open_run
from flows.stages import clean
dataset = load_dataset_config(sys.argv[1], {})
with locked_state(dataset):
    run = open_run(dataset)
    crawl(run)
    clean(run)
"""
_ENDS = {stage: f"{stage}.json" for stage in STAGES} | {"push": "done.json"}


@dataclass(frozen=True)
class World:
    """The newsroom, where it is served, and the storage and Hub that versions go to."""

    folder: Path
    newsroom: Newsroom
    server: NewsServer
    hub: Hub

    def dataset(self, label: str, prepared: bool = False) -> tuple[Dataset, list[Reader]]:
        """A dataset with replicas of its own, new or with the first stages done; and readers of its destinations."""
        if prepared:
            shutil.copytree(self.folder / "prepared", self.folder / label)
            made = load_dataset_config(str(self.folder / label / "datasets" / "newsroom"), {})
        else:
            made = write_newsroom_recipe(self.folder / label, self.newsroom, self.server, exploration=1.0)
            made.recipe_path.with_suffix(".plain").write_bytes(made.recipe_path.read_bytes())
        replicas: list[Replica] = [
            S3Replica(BUCKET, label),
            HubReplica(f"tester/{label}", self.hub.endpoint),
        ]
        urls = ", ".join(f'"{replica.url}"' for replica in replicas)
        text = made.recipe_path.with_suffix(".plain").read_text(encoding="utf-8")
        made.recipe_path.write_text(_with_places(text, f"to = [{urls}]"), encoding="utf-8")
        dataset = load_dataset_config(str(made.folder), {})
        looks = [partial(look_local, dataset), *(partial(look_remote, replica) for replica in replicas)]
        return dataset, [Reader(look) for look in looks]


def _with_places(recipe: str, line: str) -> str:
    if "[publish]\n" in recipe:
        return recipe.replace("[publish]\n", f"[publish]\n{line}\n")
    return f"{recipe}\n[publish]\n{line}\n"


def _reached(dataset: Dataset, stage: str) -> bool:
    """Whether a stage has begun: the one before has left its summary."""
    before = STAGES.index(stage) - 1
    return before < 0 or any(dataset.state.glob(f"runs/*/{_ENDS[STAGES[before]]}"))


def calm(world: World) -> tuple[dict[str, Any], dict[str, float]]:
    """The rows of an undisturbed run, and the seconds of each of its stages."""
    dataset, readers = world.dataset("calm")
    ends = [time.time()]
    subprocess.run([sys.executable, "-c", _PREPARE, str(dataset.folder)], check=True)
    shutil.copytree(world.folder / "calm", world.folder / "prepared")
    begun = time.time()
    assert begin(dataset).wait() == 0
    run = list_runs(dataset)[0]
    ends += [(run.folder / _ENDS[stage]).stat().st_mtime for stage in STAGES]
    for reader in readers:
        reader.check()
        assert reader.versions == [1], "the undisturbed run did not reach each destination"
    took = dict(zip(STAGES, (b - a for a, b in pairwise(ends)), strict=True))
    return essence(dataset), took | {"filter": ends[3] - begun}


def hunt(world: World, point: int, stage: str, delay: float) -> tuple[Dataset, list[Reader], bool]:
    """A run that is killed some seconds after a stage began, and then repeated; whether it was killed in the middle."""
    dataset, readers = world.dataset(f"point{point}", prepared=stage not in _BY_ITSELF)
    with ExitStack() as stack:
        for reader in readers:
            stack.enter_context(reader.polling())
        process = begin(dataset)
        while not _reached(dataset, stage) and process.poll() is None:
            time.sleep(0.002)
        time.sleep(delay)
        was_running = process.poll() is None
        process.kill()
        process.wait()
        assert begin(dataset).wait() == 0, f"point {point}: the repeated command failed"
    for reader in readers:
        reader.check()
    return dataset, readers, was_running


def differences(found: dict[str, Any], wanted: dict[str, Any]) -> list[str]:
    """What a run has other than the undisturbed one, row by row."""
    keys = {config: sorted(found[config].keys() | wanted[config].keys()) for config in wanted}
    pairs = ((config, key, found[config].get(key), wanted[config].get(key)) for config in keys for key in keys[config])
    return [f"  {config} {key}: {str(a)[:150]}, not {str(b)[:150]}" for config, key, a, b in pairs if a != b]


def unfinished(readers: Sequence[Reader]) -> list[str]:
    """Destinations whose readers saw anything but the first version."""
    return [f"  a reader saw the versions {reader.versions}" for reader in readers if reader.versions != [1]]


def main() -> None:
    """Prints the figures."""
    points, seed = (int(word) for word in (*sys.argv[1:3], *map(str, (POINTS, SEED)[len(sys.argv) - 1 :])))
    chance = random.Random(seed)
    newsroom = Newsroom(7)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        (folder / "storage").mkdir()
        os.environ.update(stack.enter_context(running_storage(folder / "storage")).environment)
        hub = stack.enter_context(running_hub())
        os.environ.update(hub.environment | {"HF_HUB_DISABLE_PROGRESS_BARS": "1"})
        world = World(folder, newsroom, stack.enter_context(serve(newsroom, port=0)), hub)
        _hunt_all(world, points, chance, sys.argv[3:] or STAGES)


def _hunt_all(world: World, points: int, chance: random.Random, stages: Sequence[str]) -> None:
    wanted, seconds = calm(world)
    print("seconds of the stages:", {stage: round(took, 2) for stage, took in seconds.items()}, flush=True)
    cut, wrong, torn, looks = Counter[str](), list[int](), list[str](), 0
    for point in range(points):
        stage = stages[point % len(stages)]
        dataset, readers, was_running = hunt(world, point, stage, chance.uniform(0.0, seconds[stage]))
        cut[stage] += was_running
        faults = [*differences(*comparable(essence(dataset), wanted)), *unfinished(readers)]
        print(*faults, sep="\n", end="\n" if faults else "")
        wrong += [point] if faults else []
        torn += [found for reader in readers for found in reader.torn]
        looks += sum(reader.looks for reader in readers)
        print(f"point {point}: {stage}, {'cut short' if was_running else 'had ended'}", flush=True)
    print(f"{points} kills, cut short by stage: {dict(cut)}; {looks} looks of the readers, torn: {len(torn)} {torn}")
    print(f"points with other rows than the undisturbed run, or an unfinished destination: {wrong}")
    assert not torn
    assert not wrong


if __name__ == "__main__":
    main()

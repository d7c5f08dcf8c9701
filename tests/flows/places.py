"""Where tests push to: what a test knows of a replica, and how a reader in another process loads from it."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from flows.config import Dataset
from flows.destination import LocalFolder
from flows.destinations.replica import Replica
from tests.flows.hub_double import Hub

READER = """
import json, sys
import fsspec, yaml
from datasets import load_dataset
url, at, streaming = sys.argv[1], sys.argv[2], sys.argv[3] == "streaming"
if url.startswith("s3://"):
    card = f"{url}/{at or 'README.md'}"
    front = yaml.safe_load(fsspec.open(card, "rt").open().read().split("---\\n")[1])
    config = next(one for one in front["configs"] if one["config_name"] == "articles")
    files = {one["split"]: [f"{url}/{path}" for path in one["path"]] for one in config["data_files"]}
    rows = load_dataset("parquet", data_files=files, split="train", streaming=streaming)
else:
    name = url.removeprefix("hf://datasets/")
    rows = load_dataset(name, revision=at or None, split="train", streaming=streaming)
print(json.dumps(sorted([row["id"], row["title"]] for row in rows)))
"""


@dataclass(frozen=True)
class Place:
    """Where a test pushes to, and what a process that reads from there needs."""

    replica: Replica
    environment: dict[str, str]
    hub: Hub | None = None

    @property
    def url(self) -> str:
        return self.replica.url

    def pin(self, version: int) -> str:
        """What a reader asks for to get one version."""
        if self.hub:
            return f"v{version:06d}"
        found = [*self.replica.old_versions(head := self.replica.head())]
        places = {old.manifest.version: old.at for old in found} | {head.manifest.version: head.at}
        return f"{places[version]}/README.md"

    def read(self, cache: Path, at: str = "", streaming: bool = False) -> list[list[str]]:
        """Ids and titles that load_dataset gives in a fresh process; the cache is the same for all of a test."""
        environment = (
            os.environ | self.environment | {"HF_HOME": str(cache / "hf"), "HF_HUB_DISABLE_PROGRESS_BARS": "1"}
        )
        command = [sys.executable, "-c", READER, self.url, at, "streaming" if streaming else ""]
        done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=cache, check=False)
        assert done.returncode == 0, done.stderr
        found: list[list[str]] = json.loads(done.stdout.splitlines()[-1])
        return found


def published(dataset: Dataset, place: Place) -> bool:
    """Whether the replica's readers see the local version."""
    return place.replica.head().manifest == LocalFolder(dataset.folder).manifest()

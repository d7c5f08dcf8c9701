"""Full and read-only disks, Ctrl-C, and sources that do not answer: a clear end, and nothing lost."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from flows.config import Dataset
from flows.demo.newsroom import Newsroom
from flows.demo.server import NewsServer
from tests.flows.conftest import published_rows, write_newsroom_recipe, write_pages

ROOT = Path(__file__).parents[2]
INTERRUPTED, NO_SOURCE, STATE = 130, 3, 4


def likewise(dataset: Dataset, command: str, home: Path | None = None, *more: str) -> subprocess.Popen[str]:
    """Starts a command on a dataset."""
    environment = os.environ | {"PYTHONPATH": str(ROOT)} | ({"LIKEWISE_HOME": str(home)} if home else {})
    arguments = [sys.executable, "-m", "flows.cli", command, str(dataset.folder), *more]
    return subprocess.Popen(arguments, env=environment, text=True, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system with hardly any room, where this machine lets us make one."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = shutil.which("mount")
    if not mount or subprocess.run([mount, "-t", "tmpfs", "-o", "size=64k", "tmpfs", disk], check=False).returncode:
        pytest.skip("this user cannot mount a file system of a given size")
    yield disk
    subprocess.run(["umount", "-l", disk], check=True)


def test_a_full_disk_loses_nothing(
    tmp_path: Path, newsroom: Newsroom, news_server: NewsServer, small_disk: Path
) -> None:
    """On a full disk a backfill ends with exit code 4 and a remedy; with room, the same command finishes the run."""
    dataset = write_newsroom_recipe(tmp_path, newsroom, news_server)
    pages = write_pages(tmp_path / "pages", newsroom, news_server, slice(12))
    full = likewise(dataset, "backfill", small_disk, "--html", str(pages))
    said = full.communicate()[1]
    assert full.returncode == STATE, said
    assert "What to do:" in said
    subprocess.run(["mount", "-o", "remount,size=64m", small_disk], check=True)
    roomy = likewise(dataset, "backfill", small_disk, "--html", str(pages))
    said = roomy.communicate()[1]
    assert roomy.returncode == 0, said
    assert published_rows(dataset)
    assert len(list((small_disk / "newsroom" / "runs").iterdir())) == 1


def test_a_read_only_disk_is_named(
    tmp_path: Path, newsroom: Newsroom, news_server: NewsServer, small_disk: Path
) -> None:
    """A state folder that cannot be written ends with exit code 4 and says where."""
    dataset = write_newsroom_recipe(tmp_path, newsroom, news_server)
    pages = write_pages(tmp_path / "pages", newsroom, news_server, slice(12))
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    process = likewise(dataset, "backfill", small_disk, "--html", str(pages))
    said = process.communicate()[1]
    assert process.returncode == STATE, said
    assert str(small_disk) in said.replace("\n", "")


def test_ctrl_c_in_the_crawl_ends_in_good_order(tmp_path: Path, newsroom: Newsroom, news_server: NewsServer) -> None:
    """Ctrl-C ends with exit code 130, leaves no process behind, and the same command goes on."""
    dataset = write_newsroom_recipe(tmp_path, newsroom, news_server)
    process = likewise(dataset, "crawl")
    while not any(dataset.state.glob("warc/*")) and process.poll() is None:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    said = process.communicate(timeout=60)[1]
    assert process.returncode == INTERRUPTED, said
    assert "Nothing is lost" in said
    again = likewise(dataset, "crawl")
    assert again.communicate()[1] is not None
    assert again.returncode == 0


def test_sources_that_do_not_answer_are_an_error_of_their_own(
    tmp_path: Path, newsroom: Newsroom, news_server: NewsServer
) -> None:
    """When none of the sources answers, the exit code is 3 and nothing is published."""
    dataset = write_newsroom_recipe(tmp_path, newsroom, news_server)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, and never listening: connections are refused
        port = taken.getsockname()[1]
        recipe = dataset.recipe_path.read_text(encoding="utf-8").replace(str(news_server.port), str(port))
        dataset.recipe_path.write_text(recipe, encoding="utf-8")
        process = likewise(dataset, "crawl")
        said = process.communicate()[1]
    assert process.returncode == NO_SOURCE, said
    assert "What to do:" in said
    assert published_rows(dataset) == []

"""Copies recognised among all articles in Parquet files at once, by each of the engines."""

import json
import os
import random
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from flows.copies.arrivals import DOCUMENTS
from flows.copies.batch import CLUSTERS, BatchOptions, _working, clusters, recognise
from flows.copies.index import CopyIndex
from flows.errors import ClusterError, InputError
from tests.cleaning.copies.test_duplicates import article, edited, part, weather
from tests.flows.copies.test_index import row, table, text
from tests.flows.places import Place

KINDS = ("new", "cut", "edited", "longer", "same", "form", "new")


def stream(count: int, seed: int = 1) -> pa.Table:
    """New articles, forms that are filled in again, and copies of all kinds, on random days and in random order."""
    pick = random.Random(seed)
    rows: list[dict[str, Any]] = []
    for number in range(count):
        old = pick.choice(rows)["text"] if rows else text(0)
        kind = KINDS[number % len(KINDS)]
        bodies = {
            "new": lambda number=number: article(pick.randint(60, 500), number),
            "cut": lambda old=old: part(old, pick.uniform(0.3, 0.9)),
            "edited": lambda old=old, number=number: edited(old, 0.1, number),
            "longer": lambda old=old, number=number: f"{old} {article(80, number)}",
            "same": lambda old=old: old,
            "form": lambda number=number: weather(number),
        }
        name = f"a{pick.randint(0, 9) and number}"  # One article is there several times.
        rows.append(row(name, bodies[kind](), pick.randint(0, 40), agency=pick.choice([None, "AP"])))
    return table(*pick.sample(rows, len(rows)))


def write(folder: Path, documents: pa.Table, files: int = 3, rows: int = 400) -> Path:
    """The documents in files of small row groups."""
    size = -(-documents.num_rows // files)
    for number in range(files):
        pq.write_table(documents.slice(number * size, size), folder / f"{number}.parquet", row_group_size=rows)
    return folder


def dedup(*words: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    """The command in a process of its own: an engine belongs to its process."""
    command = [sys.executable, "-m", "flows.cli", "dedup", *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=200, env=os.environ | environment)


def test_the_answer_is_what_one_run_into_an_empty_index_gives(tmp_path: Path):
    """Every row of the files has its answer, in their order."""
    documents = stream(300)
    found = clusters([str(write(tmp_path, documents))])
    with CopyIndex(tmp_path / "copies.duckdb") as index:
        decided = index.add("all", documents)
    assert found.schema == CLUSTERS
    assert found["url"].to_pylist() == documents["url"].to_pylist()
    for name in ("id", "relation", "representative_id", "cluster_id", "containment"):
        assert found[name].equals(decided[name])


def test_files_need_no_more_than_url_and_text(tmp_path: Path):
    """Without dates, sites and agencies, copies are found all the same."""
    documents = table(row("a", text(1)), row("b", part(text(1), 0.6), 1)).select(["url", "text"])
    pq.write_table(documents, tmp_path / "x.parquet")
    assert clusters([f"{tmp_path}/*.parquet"])["relation"].to_pylist() == ["new", "truncated"]


def test_what_is_no_article_is_passed_over(tmp_path: Path):
    """Of pages that a run extracted, those count that were kept as articles."""
    pages = table(row("a", text(1)), row("b", text(2)), row("c", text(3)))
    pages = pages.append_column("verdict", pa.array(["kept", "too_short", None]))
    pq.write_table(pages, tmp_path / "00000.parquet")
    assert clusters([str(tmp_path / "00000.parquet")])["url"].to_pylist() == ["http://a.example/a"]


def test_nothing_but_what_is_no_article_gives_no_rows(tmp_path: Path):
    """An empty answer is a table too."""
    pq.write_table(DOCUMENTS.empty_table(), tmp_path / "x.parquet")
    assert recognise([str(tmp_path)], str(tmp_path / "to" / "y.parquet")).articles == 0


def test_files_and_the_answer_may_lie_on_object_storage(tmp_path: Path, s3: Place):
    """Addresses are fsspec URLs."""
    write(tmp_path, documents := stream(60))
    for path in tmp_path.glob("*.parquet"):
        with fsspec.open(f"{s3.url}/in/{path.name}", "wb") as file:
            file.write(path.read_bytes())
    recognise([f"{s3.url}/in"], f"{s3.url}/out/clusters.parquet")
    with fsspec.open(f"{s3.url}/out/clusters.parquet") as file:
        assert pq.read_table(file)["url"].to_pylist() == documents["url"].to_pylist()


@pytest.mark.parametrize(
    ("write_to", "asked", "said"),
    [
        ("x.parquet", "nothing/*.parquet", "there is no Parquet file"),
        ("x.parquet", "x.parquet", "has no column text"),
        ("x.txt", "x.txt", "cannot be read"),
    ],
)
def test_files_that_cannot_be_used_are_named(tmp_path: Path, write_to: str, asked: str, said: str):
    """The error names the file and the reason."""
    if write_to.endswith("txt"):
        (tmp_path / write_to).write_text("no Parquet")
    else:
        pq.write_table(table(row("a", text(1))).select(["url"]), tmp_path / write_to)
    with pytest.raises(InputError, match=said) as caught:
        clusters([str(tmp_path / asked)])
    assert str(tmp_path / asked) in str(caught.value)


def test_an_engine_that_is_not_installed_is_named(tmp_path: Path):
    """Without the extra, --engine daft says what to install."""
    pq.write_table(stream(5), tmp_path / "x.parquet")
    (tmp_path / "sitecustomize.py").write_text("import sys; sys.modules['daft'] = None")
    done = dedup(str(tmp_path), "--to", str(tmp_path / "y"), "--engine", "daft", PYTHONPATH=str(tmp_path))
    assert done.returncode == 2
    assert "Install likewise[daft]" in done.stderr
    assert not (tmp_path / "y").exists()


@pytest.mark.skipif(find_spec("daft") is None or find_spec("ray") is None, reason="the extra daft is not installed")
def test_a_cluster_that_does_not_answer_is_named_at_once(tmp_path: Path):
    """Ray would wait for half a minute."""
    pq.write_table(stream(5), tmp_path / "x.parquet")
    with pytest.raises(ClusterError, match=r"^ray://127\.0\.0\.1:1: no cluster answers there .* leave --ray out"):
        clusters([str(tmp_path)], BatchOptions("daft", "ray://127.0.0.1:1"))


def test_the_command_counts_for_people_and_for_scripts(tmp_path: Path):
    """`likewise dedup` says how many articles and clusters there are, and of which relations."""
    pq.write_table(table(row("a", text(1)), row("b", part(text(1), 0.6), 1)), tmp_path / "x.parquet")
    to = str(tmp_path / "y.parquet")
    assert "2 articles in 1 clusters: new 1, truncated 1." in dedup(str(tmp_path / "x.parquet"), "--to", to).stdout
    said = json.loads(dedup(str(tmp_path / "x.parquet"), "--to", to, "--json").stdout)
    assert said == {"path": to, "articles": 2, "clusters": 1, "relations": {"new": 1, "truncated": 1}}


@pytest.mark.skipif(find_spec("daft") is None, reason="the extra daft is not installed")
def test_daft_gives_the_same_answers(tmp_path: Path):
    """The work of many workers and that of one process lead to the same clusters, to the bit."""
    folder = write(tmp_path, stream(3_000))
    expected = clusters([str(folder)])
    done = dedup(str(folder), "--to", str(tmp_path / "to" / "y.parquet"), "--engine", "daft")
    assert not done.returncode, done.stderr
    assert pq.read_table(tmp_path / "to" / "y.parquet").equals(expected)
    assert {"new", "same", "truncated", "extended", "edited"} <= set(expected["relation"].to_pylist())


@pytest.mark.skipif(find_spec("daft") is None or find_spec("ray") is None, reason="the extra daft is not installed")
def test_a_ray_cluster_without_a_shared_disk_gives_the_same_answers(tmp_path: Path, s3: Place):
    """Two nodes that meet on object storage alone lead to the same clusters."""
    write(tmp_path, stream(1_000))
    for path in tmp_path.glob("*.parquet"):
        with fsspec.open(f"{s3.url}/in/{path.name}", "wb") as file:
            file.write(path.read_bytes())
    expected = clusters([f"{s3.url}/in"])
    program = (
        "import subprocess, sys\n"
        "from ray.cluster_utils import Cluster\n"
        "node = {'num_cpus': 1, 'object_store_memory': 200_000_000}\n"
        "cluster = Cluster(initialize_head=True, head_node_args=node | {'include_dashboard': False})\n"
        "cluster.add_node(**node)\n"
        "cluster.wait_for_nodes()\n"
        "try:\n"
        "    sys.exit(subprocess.call([*sys.argv[1:], '--ray', cluster.address]))\n"
        "finally:\n"
        "    cluster.shutdown()\n"
    )
    words = [sys.executable, "-m", "flows.cli", "dedup", f"{s3.url}/in", "--to", f"{s3.url}/out.parquet"]
    done = subprocess.run(
        [sys.executable, "-c", program, *words],
        capture_output=True,
        text=True,
        timeout=200,
        env=os.environ | {"RAY_USAGE_STATS_ENABLED": "0"},
    )
    assert not done.returncode, done.stderr
    with fsspec.open(f"{s3.url}/out.parquet") as file:
        assert pq.read_table(file).equals(expected)


@pytest.mark.parametrize(("ray", "error"), [("auto", ClusterError), ("", RuntimeError)])
def test_an_error_in_the_middle_is_the_clusters_where_there_is_one(ray: str, error: type[Exception]):
    """On a cluster it is named with the last line of what was said; on this machine it stays what it is."""
    with pytest.raises(error, match="one more line"), _working(ray):
        raise RuntimeError("many lines\none more line.")

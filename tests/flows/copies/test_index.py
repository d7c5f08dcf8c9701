"""The index of known articles."""

import multiprocessing
import os
import random
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from cleaning.copies.clusters import MOST_WITNESSES, Policy
from cleaning.schema import COPIES, arrow_schema
from flows.copies.index import (
    CHANGES,
    DECISIONS,
    DOCUMENTS,
    CopyIndex,
    CopyIndexDamagedError,
    CopyIndexError,
    CopyIndexLockedError,
    CopyIndexVersionError,
    IndexOptions,
    article_id,
)

PUBLISHED = pa.schema(
    [*DOCUMENTS, ("id", pa.string()), ("cluster_id", pa.string()), ("version", pa.int32()), ("word_count", pa.int32())]
)
START = datetime(2025, 6, 1, tzinfo=UTC)
HEADS, TAILS = ["bra", "cle", "dro", "fli", "gra", "ste", "plo", "tri", "sma"], ["nd", "mp", "lk", "rt", "st"]
VOCABULARY = [f"{head}{tail}" for head in HEADS for tail in TAILS]


def text(seed: int, words: int = 300) -> str:
    """A text of made-up words, another for each seed."""
    pick = random.Random(seed)
    return " ".join(pick.choice(VOCABULARY) for _ in range(words))


def part(whole: str, share: float) -> str:
    """The beginning of a text."""
    words = whole.split()
    return " ".join(words[: int(len(words) * share)])


def row(name: str, body: str, day: int = 0, **more: Any) -> dict[str, Any]:
    """A document of the host that is named."""
    when = START + timedelta(days=day)
    url = f"http://{name}.example/{name}"
    return {"url": url, "canonical_url": url, "domain": f"{name}.example", "agency": None, "published_at": when,
            "fetched_at": when, "text": body} | more  # fmt: skip


def table(*rows: dict[str, Any]) -> pa.Table:
    """The documents of a run."""
    return pa.Table.from_pylist(list(rows), schema=DOCUMENTS)


def id_of(name: str) -> str:
    """The id of the article of the host that is named."""
    return article_id(f"http://{name}.example/{name}")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where an index may be made."""
    return tmp_path / "state" / "copies.duckdb"


def test_a_new_article_stands_for_itself(path: Path):
    """An article that resembles nothing is new, and its cluster has its id."""
    with CopyIndex(path) as index:
        decisions = index.add("r1", table(row("a", text(1))))
    assert decisions.schema.equals(DECISIONS)
    assert decisions.to_pylist() == [
        {"id": id_of("a"), "relation": "new", "representative_id": id_of("a"), "cluster_id": id_of("a"),
         "containment": 1.0, "version": 1, "is_fresh": True}
    ]  # fmt: skip


@pytest.mark.parametrize("runs", [1, 2])
def test_copies_join_the_cluster_of_the_first(path: Path, runs: int):
    """A cut, an equal and an extended copy are told from each other, in one run or in a later one."""
    rows = [
        row("a", text(1)),
        row("b", text(1), 1),
        row("c", part(text(1), 0.4), 2),
        row("d", f"{text(1)} {text(2, 60)}", 3),
    ]
    with CopyIndex(path) as index:
        batches = [table(*rows)] if runs == 1 else [table(rows[0]), table(*rows[1:])]
        answers = [
            answer for number, batch in enumerate(batches) for answer in index.add(f"r{number}", batch).to_pylist()
        ]
    assert [answer["relation"] for answer in answers] == ["new", "same", "truncated", "edited"]
    assert {answer["cluster_id"] for answer in answers} == {id_of("a")}
    assert {answer["representative_id"] for answer in answers} == {id_of("a")}


def test_rows_keep_their_order_whatever_the_dates(path: Path):
    """The earliest article of a batch stands for its cluster, and answers come in the order of the documents."""
    with CopyIndex(path) as index:
        decisions = index.add("r1", table(row("late", text(1), 5), row("early", text(1), 1)))
    assert decisions["id"].to_pylist() == [id_of("late"), id_of("early")]
    assert decisions["relation"].to_pylist() == ["same", "new"]


def test_a_run_that_is_repeated_gets_its_first_answers(path: Path):
    """The same run id answers from what was committed, in another process too, and enters nothing twice."""
    documents = table(row("a", text(1)), row("b", part(text(1), 0.5)))
    with CopyIndex(path) as index:
        first = index.add("r1", documents)
    with CopyIndex(path) as index:
        assert index.add("r1", documents).equals(first)
        assert index.decisions("r1").equals(first)
        assert index.runs() == ["r1"]
        assert index.decisions("unknown").num_rows == 0


def test_an_unchanged_article_is_not_published_again(path: Path):
    """A known URL with the same words is the same article: its id, its version, and nothing fresh."""
    with CopyIndex(path) as index:
        index.add("r1", table(row("a", text(1))))
        again = index.add("r2", table(row("a", text(1).upper(), 3))).to_pylist()[0]
    assert (again["id"], again["relation"], again["version"], again["is_fresh"]) == (id_of("a"), "same", 1, False)


def test_a_changed_article_is_a_version(path: Path):
    """A known URL with other words is a later edition, found by copies of its new text from then on."""
    with CopyIndex(path) as index:
        index.add("r1", table(row("a", text(1))))
        edition = index.add("r2", table(row("a", text(2), 1))).to_pylist()[0]
        copies = index.add("r3", table(row("b", text(2), 2), row("c", text(1), 2))).to_pylist()
    assert (edition["relation"], edition["version"], edition["cluster_id"]) == ("version", 2, id_of("a"))
    assert edition["containment"] is None
    assert [(copy["relation"], copy["representative_id"]) for copy in copies] == [
        ("same", id_of("a")),
        ("new", id_of("c")),
    ]


def test_a_changed_copy_stays_a_copy(path: Path):
    """A later edition of a copy keeps its cluster and its representative."""
    with CopyIndex(path) as index:
        index.add("r1", table(row("a", text(1)), row("b", text(1), 1)))
        edition = index.add("r2", table(row("b", part(text(1), 0.6), 2))).to_pylist()[0]
    assert (edition["relation"], edition["representative_id"], edition["version"]) == ("version", id_of("a"), 2)


def test_an_article_twice_in_a_run_is_fresh_once(path: Path):
    """Of several pages that name one canonical URL, the one that stands there is the article."""
    print_page = row("a", part(text(1), 0.9), 0, url="http://a.example/a/print")
    with CopyIndex(path) as index:
        decisions = index.add("r1", table(print_page, row("a", text(1), 1))).to_pylist()
        known = index.add("r2", table(row("a", text(1), 2))).to_pylist()[0]
    assert [(d["id"], d["is_fresh"]) for d in decisions] == [(id_of("a"), False), (id_of("a"), True)]
    assert known["relation"] == "same"


def test_the_whole_article_takes_the_place_of_its_excerpt(path: Path):
    """A much more complete copy becomes the representative; the change tells what the old one is to it."""
    with CopyIndex(path) as index:
        index.add("r1", table(row("brief", part(text(1), 0.3)), row("other", part(text(1), 0.28), 1)))
        whole = index.add("r2", table(row("whole", text(1), 2))).to_pylist()[0]
        changes = index.changes("r2")
        later = index.add("r3", table(row("late", text(1), 3), row("brief", part(text(1), 0.3), 3))).to_pylist()
    assert (whole["relation"], whole["representative_id"], whole["cluster_id"]) == (
        "new",
        id_of("whole"),
        id_of("brief"),
    )
    assert changes.schema.equals(CHANGES)
    assert changes.to_pylist() == [
        {"old_representative_id": id_of("brief"), "new_representative_id": id_of("whole"), "cluster_id": id_of("brief"),
         "relation": "truncated", "containment": 1.0}
    ]  # fmt: skip
    assert {answer["representative_id"] for answer in later} == {id_of("whole")}


def test_a_succession_within_a_run_changes_nothing_published(path: Path):
    """When excerpt and article come in one run, the excerpt is a copy at once, and no change is to be published."""
    with CopyIndex(path) as index:
        brief, whole = index.add("r1", table(row("brief", part(text(1), 0.3)), row("whole", text(1), 2))).to_pylist()
        assert index.changes("r1").num_rows == 0
    assert (brief["relation"], brief["representative_id"]) == ("truncated", id_of("whole"))
    assert (whole["relation"], whole["representative_id"]) == ("new", id_of("whole"))
    assert whole["cluster_id"] == brief["cluster_id"] == id_of("brief")


def test_the_credited_agency_takes_the_place_of_its_client(path: Path):
    """The agency's own page becomes the representative of what others took from it, unless the policy says no."""
    client = row("paper", text(1), 0, agency="The Associated Press")
    agency = row("agency", text(1), 1, domain="apnews.com")
    for policy, expected in ((Policy(), "agency"), (Policy(credited=False), "paper")):
        with CopyIndex(path.with_name(f"{expected}.duckdb"), IndexOptions(policy)) as index:
            index.add("r1", table(client))
            answer = index.add("r2", table(agency)).to_pylist()[0]
        assert answer["representative_id"] == id_of(expected)


def test_a_policy_may_prefer_the_earliest(path: Path):
    """With `earlier` set, a copy that is dated before the representative takes its place."""
    options = IndexOptions(Policy(earlier=timedelta(days=1)))
    with CopyIndex(path, options) as index:
        index.add("r1", table(row("late", text(1), 9)))
        assert index.add("r2", table(row("early", text(1), 1))).to_pylist()[0]["representative_id"] == id_of("early")


def test_empty_texts_and_empty_runs(path: Path):
    """Articles without words are never copies of each other, and a run may bring nothing."""
    with CopyIndex(path) as index:
        assert index.add("r0", table()).num_rows == 0
        relations = index.add("r1", table(row("a", ""), row("b", ""), row("c", "?!"), row("d", "", text=None)))[
            "relation"
        ]
        assert index.runs() == ["r0", "r1"]
    assert set(relations.to_pylist()) == {"new"}


def test_forgotten_articles_are_unknown(path: Path):
    """After a takedown the index knows neither id nor text, and nothing of it is to be published."""
    with CopyIndex(path) as index:
        index.add("r1", table(row("a", text(1)), row("b", text(2))))
        assert index.forget([id_of("a"), "unknown"]) == 1
        assert index.known([id_of("a"), id_of("b")]) == {id_of("b")}
        said = dict(zip(*(index.decisions("r1")[name].to_pylist() for name in ("id", "is_fresh")), strict=True))
        assert said == {id_of("a"): False, id_of("b"): True}
        assert index.add("r2", table(row("c", text(1)))).to_pylist()[0]["relation"] == "new"


def test_batches_make_the_clusters_of_one_run(path: Path):
    """Thirty articles with three copies each end in the same clusters in one run and in twelve."""
    rows = [row(f"n{seed}-{copy}", part(text(seed), 1 - 0.15 * copy), copy) for copy in range(4) for seed in range(30)]
    labels = []
    for size in (120, 10):
        with CopyIndex(path.with_name(f"{size}.duckdb")) as index:
            batches = [table(*rows[start : start + size]) for start in range(0, len(rows), size)]
            labels.append([a["cluster_id"] for n, b in enumerate(batches) for a in index.add(f"r{n}", b).to_pylist()])
    assert labels[0] == labels[1]
    assert len(set(labels[0])) == 30


def test_an_index_is_rebuilt_from_published_articles(path: Path):
    """Published articles keep their ids, clusters and versions, and find their copies again."""
    published = pa.Table.from_pylist(
        [
            row("a", text(1)) | {"id": id_of("a"), "cluster_id": "first", "version": 3, "word_count": 300},
            row("b", part(text(2), 0.1)) | {"id": id_of("b"), "cluster_id": "b", "version": 1, "word_count": 300},
        ],
        schema=PUBLISHED,
    )
    path.parent.mkdir()
    path.write_bytes(b"damaged")
    with CopyIndex.rebuild(path, [published]) as index:
        copy = index.add("r1", table(row("c", text(1), 1))).to_pylist()[0]
        edition, excerpt = index.add("r2", table(row("a", text(9), 2), row("b", text(2), 2))).to_pylist()
        later = index.add("r3", table(row("d", text(2), 3))).to_pylist()[0]
    assert (copy["cluster_id"], copy["representative_id"]) == ("first", id_of("a"))
    assert (edition["relation"], edition["version"], edition["cluster_id"]) == ("version", 4, "first")
    assert (excerpt["relation"], excerpt["is_fresh"]) == ("same", False)
    assert later["representative_id"] == id_of("b")


def test_published_copies_stay_known(path: Path):
    """After a rebuild a copy that is fetched again is not published twice, whether its article has a text or not."""
    copies = arrow_schema(COPIES)
    articles = pa.Table.from_pylist(
        [
            row("a", text(1)) | {"id": id_of("a"), "cluster_id": id_of("a"), "version": 1, "word_count": 300},
            row("b", "") | {"id": id_of("b"), "cluster_id": id_of("b"), "version": 1, "word_count": 300},
        ],
        schema=PUBLISHED,
    )
    rows = [
        {"id": id_of(copy), "cluster_id": id_of(of), "relation": "same"}
        for copy, of in (("ca", "a"), ("cb", "b"), ("a", "a"))
    ]
    rows.append(rows[0] | {"relation": "version"})
    published = pa.table({name: [copy.get(name) for copy in rows] for name in copies.names}, schema=copies)
    with CopyIndex.rebuild(path, [articles], [published]) as index:
        again = index.add("r1", table(row("ca", text(1), 1), row("cb", text(2), 1), row("a", text(1), 1))).to_pylist()
        later = index.add("r2", table(row("b", text(2), 2), row("ca", text(7), 2), row("d", text(2), 3))).to_pylist()
    assert [(d["relation"], d["is_fresh"]) for d in again] == [("same", False)] * 3
    assert [d["representative_id"] for d in again] == [id_of("a"), id_of("b"), id_of("a")]
    assert [(d["relation"], d["representative_id"]) for d in later] == [
        ("same", id_of("b")),
        ("version", id_of("a")),
        ("same", id_of("b")),
    ]


def test_a_copy_with_another_lead_is_a_witness(path: Path):
    """The beginning of an article is recognised though its representative has another one, in a later run too."""
    body = text(1)
    rewritten = f"{text(2, 60)} {' '.join(body.split()[80:])}"
    with CopyIndex(path) as index:
        index.add("r1", table(row("a", rewritten)))
        index.add("r2", table(row("b", body, 1)))
        beginning = index.add("r3", table(row("c", part(body, 0.25), 2))).to_pylist()[0]
        edition = index.add("r4", table(row("a", f"{rewritten} {text(3, 90)}", 3))).to_pylist()[0]
        later = index.add("r5", table(row("d", part(body, 0.24), 4))).to_pylist()[0]
        index.forget([id_of("a")])
        orphan = index.add("r6", table(row("e", part(body, 0.25), 5))).to_pylist()[0]
    assert (beginning["cluster_id"], beginning["representative_id"]) == (id_of("a"), id_of("a"))
    assert edition["version"] == 2
    assert later["representative_id"] == id_of("a")
    assert orphan["relation"] == "new"


def test_a_story_that_all_print_has_few_witnesses(path: Path):
    """However many copies begin otherwise, the index keeps a few of them to find others by."""
    body = text(1)
    rows = [row(f"n{seed}", f"{text(seed, 80)} {body}", seed) for seed in range(10, 30)]
    with CopyIndex(path) as index:
        clusters = [index.add(f"r{place}", table(one))["cluster_id"][0].as_py() for place, one in enumerate(rows)]
    assert set(clusters) == {id_of("n10")}
    with duckdb.connect(str(path)) as connection:
        assert connection.execute("SELECT count(*) FROM texts").fetchall() == [(1 + MOST_WITNESSES,)]


def test_a_second_process_is_refused(path: Path):
    """While a process holds the index, another gets an error that names the file and the remedy."""
    with CopyIndex(path):
        code = (
            "import sys; from flows.copies.index import *\n"
            "try: CopyIndex(sys.argv[1])\nexcept CopyIndexError as e: print(e)"
        )
        command = [sys.executable, "-c", code, str(path)]
        said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert str(path) in said
    assert "another process" in said
    CopyIndex(path).close()
    assert issubclass(CopyIndexLockedError, CopyIndexError)


@pytest.mark.parametrize("content", [b"no database at all" * 100, None])
def test_a_damaged_file_is_refused_with_a_remedy(path: Path, content: bytes | None):
    """A file that is no index, or one with a broken block, gives a typed error that says what to do."""
    with CopyIndex(path) as index:
        index.add("r1", table(row("a", text(1))))
    whole = bytearray(path.read_bytes())
    whole[4096 : 4096 + 200] = bytes(200)
    whole[8192 : 8192 + 200] = bytes(200)
    path.write_bytes(content or bytes(whole))
    with pytest.raises(CopyIndexDamagedError, match="Delete it"):
        CopyIndex(path)


def test_a_file_of_a_killed_start_is_made_again(path: Path):
    """An empty file, which a kill in the first moment leaves, is an index without articles."""
    path.parent.mkdir()
    path.touch()
    with CopyIndex(path) as index:
        assert index.runs() == []


@pytest.mark.parametrize("statement", ["UPDATE versions SET sketches = 0", "DELETE FROM versions"])
def test_another_version_is_refused(path: Path, statement: str):
    """Sketches of another version are never compared with today's."""
    CopyIndex(path).close()
    with duckdb.connect(str(path)) as connection:
        connection.execute(statement)
    with pytest.raises(CopyIndexVersionError, match="version"):
        CopyIndex(path)


def _enter_for_ever(path: Path) -> None:
    with CopyIndex(path) as index:
        for number in range(10_000):
            rows = [row(f"n{number}x{place}", text(number * 100 + place, 80), number) for place in range(50)]
            index.add(f"r{number}", table(*rows))


def test_a_killed_writer_leaves_whole_runs(path: Path):
    """After SIGKILL each committed run is whole, the next number is unused, and the killed run can be repeated."""
    writer = multiprocessing.get_context("spawn").Process(target=_enter_for_ever, args=(path,))
    writer.start()
    log = path.with_name(path.name + ".wal")
    while not (log.exists() and log.stat().st_size > 200_000) and writer.is_alive():
        time.sleep(0.02)
    os.kill(writer.pid or 0, signal.SIGKILL)
    writer.join()
    with CopyIndex(path) as index:
        runs = index.runs()
        assert runs
        assert {index.decisions(run).num_rows for run in runs} == {50}
        repeated = [row(f"n{len(runs)}x{place}", text(len(runs) * 100 + place, 80)) for place in range(50)]
        assert set(index.add(f"r{len(runs)}", table(*repeated))["relation"].to_pylist()) == {"new"}

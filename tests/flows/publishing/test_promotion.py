"""What follows when articles are withdrawn."""

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cleaning.schema import EXTRACTED, arrow_schema
from flows.config import Dataset, load_dataset_config
from flows.copies.index import DOCUMENTS, CopyIndex, article_id
from flows.copies.rebuilding import open_index
from flows.crawling import OUTCOMES, THERE_NAME
from flows.filtering import FILTERED
from flows.publishing.plan import RefusedVersionError
from flows.publishing.promotion import promotions
from flows.runs import Run, start_run
from flows.stages import find_copies, publish
from flows.tables import write_table
from flows.takedown import Takedown, record_takedown
from tests.cleaning.copies.test_sketched import text
from tests.flows.conftest import published_rows

SAID = "robots-tag: noarchive"
NOON = datetime(2025, 3, 3, 12, tzinfo=UTC)


def url(name: str) -> str:
    return f"https://{name}.example/story"


def id_of(name: str) -> str:
    return article_id(url(name))


def page(name: str, body: str, day: int = 0, **fields: Any) -> dict[str, Any]:
    """A page as extracted and judged, kept."""
    plain: dict[str, Any] = {field.name: "" for field in arrow_schema(EXTRACTED) if field.type == pa.string()}
    when = NOON + timedelta(days=day)
    words = len(body.split())
    numbers = {"language_score": 1.0, "word_count": words, "warc_offset": 0, "confidence": 0.9, "is_paywalled": None}
    times = {"published_at": when, "modified_at": None, "fetched_at": when}
    named = {"url": url(name), "canonical_url": url(name), "domain": f"{name}.example", "title": name, "text": body}
    judged = {"verdict": "kept", "rights": "{}", "similarity": 0.5, "nearest_seed": "seed", "authors": [], "tags": []}
    return plain | numbers | times | named | judged | fields


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    folder = tmp_path / "datasets" / "d"
    folder.mkdir(parents=True)
    (folder / "recipe.toml").write_text('[topic]\nseeds = ["*.txt"]\n[expect]\ndrop = 1.0\n', encoding="utf-8")
    return load_dataset_config(str(folder), {})


def brought(
    dataset: Dataset,
    run_id: str,
    *pages: dict[str, Any],
    gone: dict[str, str] = {},  # noqa: B006
    unchanged: Sequence[str] = (),
    withheld: Sequence[str] = (),
    verdict: str = "gone",
) -> Run:
    """A run with these pages, and with answers that others are gone, or unchanged and perhaps withheld, published."""
    run = start_run(dataset, run_id)
    rows = list(pages)
    write_table(run.clean_folder / "00000.parquet", pa.Table.from_pylist(rows, arrow_schema(EXTRACTED)))
    write_table(run.filter_folder / "00000.parquet", pa.Table.from_pylist(rows, FILTERED))
    missing = [
        {"url": where, "domain": "x", "verdict": verdict, "reason": reason, "source_kind": "feed"}
        for where, reason in gone.items()
    ]
    write_table(run.folder / "outcomes.parquet", pa.Table.from_pylist(missing, OUTCOMES))
    there = {"url": [*unchanged, *withheld], "withheld": [None for _ in unchanged] + [SAID for _ in withheld]}
    write_table(run.folder / THERE_NAME, pa.table({name: pa.array(said, pa.string()) for name, said in there.items()}))
    run.finish("filter", {})
    find_copies(run)
    publish(run)
    return run


def titles(dataset: Dataset, config: str = "articles") -> list[str]:
    return sorted(row["title"] for row in published_rows(dataset, config))


def test_the_best_copy_takes_the_place_of_a_withdrawn_article(dataset: Dataset):
    """A whole copy is promoted, with its text; the others name it from then on, and later copies find it."""
    whole = text(1)
    cut = " ".join(whole.split()[:200])
    brought(dataset, "r1", page("a", whole), page("cut", cut, 1), page("late", whole, 3), page("early", whole, 2))
    brought(dataset, "r2", page("other", text(2)), gone={url("a"): "HTTP 410"})
    assert (titles(dataset), titles(dataset, "copies")) == (["early", "other"], ["cut", "late"])
    promoted = next(row for row in published_rows(dataset) if row["title"] == "early")
    assert (promoted["id"], promoted["cluster_id"], promoted["text"]) == (id_of("early"), id_of("a"), whole)
    assert {row["representative_id"] for row in published_rows(dataset, "copies")} == {id_of("early")}
    brought(dataset, "r3", page("late2", whole, 4))
    brought(dataset, "r4", page("early", text(5), 5))
    assert {row["title"]: row["representative_id"] for row in published_rows(dataset, "copies")}["late2"] == (
        id_of("early")
    )
    assert [row["version"] for row in published_rows(dataset) if row["title"] == "early"] == [2]


def test_a_copy_that_was_taken_down_takes_no_place(dataset: Dataset):
    """The next best copy is promoted where a takedown names the best one, be it by the address that it was made at."""
    brought(dataset, "r1", page("a", text(1)), page("early", text(1), 1), page("late", text(1), 2))
    record_takedown(dataset, Takedown("host", "early.example", "asked for", "2025-03-05T00:00:00Z"))
    brought(dataset, "r2", page("other", text(2)), gone={url("a"): "HTTP 410"})
    assert titles(dataset) == ["late", "other"]


def test_copies_without_their_pages_go_with_the_article(dataset: Dataset):
    """Where the state has lost the pages, the copies go too, and one that is fetched again is an article."""
    whole = text(1)
    run = brought(dataset, "r1", page("a", whole), page("b", whole, 1), page("c", text(3)))
    (run.folder / "copies.parquet").unlink()
    brought(dataset, "r2", page("d", text(2)), gone={url("a"): "HTTP 410"})
    assert (titles(dataset), titles(dataset, "copies")) == (["c", "d"], [])
    brought(dataset, "r3", page("b", whole, 2))
    assert titles(dataset) == ["b", "c", "d"]


def test_a_missing_page_is_confirmed_by_a_later_run(dataset: Dataset):
    """One answer of 404 withdraws nothing; a second run's does, unless the article was there in between."""
    lost = {url("a"): "HTTP 404"}
    brought(dataset, "r1", page("a", text(1)), page("b", text(2)))
    run = brought(dataset, "r2", page("c", text(3)), gone=lost)
    assert titles(dataset) == ["a", "b", "c"]
    run.marker("copies").unlink()
    find_copies(run)
    assert pq.read_table(run.folder / "withdrawn.parquet").num_rows == 0
    brought(dataset, "r3", page("a", text(1), 2))
    brought(dataset, "r4", page("d", text(4)), gone=lost)
    assert titles(dataset) == ["a", "b", "c", "d"]
    brought(dataset, "r5", page("e", text(5)), gone=lost)
    assert titles(dataset) == ["b", "c", "d", "e"]


def test_a_page_that_did_not_change_is_there(dataset: Dataset):
    """An answer of 304 between two of 404 makes the second the first."""
    lost = {url("a"): "HTTP 404"}
    brought(dataset, "r1", page("a", text(1)), page("b", text(2)))
    brought(dataset, "r2", gone=lost)
    brought(dataset, "r3", unchanged=[url("a")])
    brought(dataset, "r4", page("c", text(3)), gone=lost)
    assert titles(dataset) == ["a", "b", "c"]
    brought(dataset, "r5", page("d", text(4)), gone=lost)
    assert titles(dataset) == ["b", "c", "d"]


@pytest.mark.parametrize("reason", ["HTTP 404", "HTTP 410", "its publisher let it end (unavailable_after)"])
def test_a_page_that_is_there_outweighs_its_missing_address(dataset: Dataset, reason: str):
    """An article that one run finds at one address and misses at another is not missed, however surely it is gone."""
    elsewhere = "https://amp.example/x?y=1"
    brought(dataset, "r1", page("a", text(1), url=elsewhere), page("b", text(2)))
    for run_id in ("r2", "r3"):
        brought(dataset, run_id, gone={elsewhere: reason}, unchanged=[url("a")])
    assert titles(dataset) == ["a", "b"]


def test_what_a_refused_run_withdrew_may_come_back(dataset: Dataset):
    """Its withdrawals are settled all the same: copies find the promoted one, and what comes back is published."""
    recipe = dataset.recipe_path.read_text(encoding="utf-8").replace("drop = 1.0", "drop = 0.3")
    dataset.recipe_path.write_text(recipe, encoding="utf-8")
    dataset = load_dataset_config(str(dataset.folder), {})
    brought(dataset, "r1", page("a", text(1)), page("copy", text(1), 1), page("b", text(2)), page("c", text(3)))
    with pytest.raises(RefusedVersionError):
        brought(dataset, "r2", gone={url(name): "HTTP 410" for name in "abc"})
    assert titles(dataset) == ["a", "b", "c"]
    brought(dataset, "r3", page("d", text(4)), page("e", text(5)), page("copy2", text(1), 2))
    assert (titles(dataset), titles(dataset, "copies")) == (["copy", "d", "e"], ["copy2"])
    brought(dataset, "r4", page("b", text(2), 3))
    assert titles(dataset) == ["b", "copy", "d", "e"]


def test_a_refused_run_that_is_killed_and_then_allowed_leaves_nothing_known(
    dataset: Dataset, monkeypatch: pytest.MonkeyPatch
):
    """Refused, killed before it is over, and repeated under a recipe that allows it: copies that went may come back."""
    strict = dataset.with_expectations(drop=0.3)
    run = brought(dataset, "r1", page("a", text(1)), page("b", text(1), 1), page("c", text(3)))
    (run.folder / "copies.parquet").unlink()
    with monkeypatch.context() as patch:
        patch.setattr(Run, "finish", _killed_at("publish"))
        with pytest.raises(KilledError):
            brought(strict, "r2", gone={url("a"): "HTTP 410"})
    assert (titles(dataset), titles(dataset, "copies")) == (["a", "c"], ["b"])
    assert publish(start_run(dataset, "r2"))["is_new"]
    assert (titles(dataset), titles(dataset, "copies")) == (["c"], [])
    brought(dataset, "r3", page("b", text(1), 2))
    assert titles(dataset) == ["b", "c"]


class KilledError(Exception):
    """Stands for the end of the process."""


def _killed_at(stage: str) -> Callable[..., dict[str, Any]]:
    finish = Run.finish

    def finish_or_end(self: Run, name: str, summary: dict[str, Any]) -> dict[str, Any]:
        if name == stage:
            raise KilledError
        return finish(self, name, summary)

    return finish_or_end


def test_a_page_is_gone_wherever_it_was_fetched(dataset: Dataset):
    """An article is found by the URL it was fetched from, though its id comes from the one that it names as its own."""
    elsewhere = "https://amp.example/x?y=1"
    brought(dataset, "r1", page("a", text(1), url=elsewhere), page("b", text(2)))
    brought(dataset, "r2", page("c", text(3)), gone={elsewhere: "HTTP 410"})
    assert titles(dataset) == ["b", "c"]


def test_a_repeated_settlement_changes_nothing(tmp_path: Path):
    """The index replaces an article once, however often the run that asks for it is repeated."""
    columns = {name: page("a", text(1))[name] for name in DOCUMENTS.names}
    new = page("b", text(1)) | {"id": id_of("b"), "cluster_id": id_of("a"), "old_representative_id": id_of("a")}
    with CopyIndex(tmp_path / "i.duckdb") as index:
        index.add("r1", pa.Table.from_pylist([columns], schema=DOCUMENTS))
        for _ in range(2):
            index.replace("r2", [id_of("a")], [new])
        copy = {name: page("c", text(1))[name] for name in DOCUMENTS.names}
        answer = index.add("r3", pa.Table.from_pylist([copy], schema=DOCUMENTS)).to_pylist()[0]
        assert index.known([id_of("a")]) == set()
    assert (answer["representative_id"], answer["cluster_id"]) == (id_of("b"), id_of("a"))


def test_a_witness_is_promoted_once(dataset: Dataset):
    """A copy by which further copies are found stands for them afterwards, and is found once."""
    body = text(1)
    rewritten = f"{text(2, 60)} {' '.join(body.split()[80:])}"
    brought(dataset, "r1", page("a", rewritten), page("x", text(8)))
    brought(dataset, "r2", page("b", body, 1))
    brought(dataset, "r3", page("y", text(9)), gone={url("a"): "HTTP 410"})
    assert titles(dataset) == ["b", "x", "y"]
    brought(dataset, "r4", page("c", " ".join(body.split()[:120]), 2))
    assert [row["representative_id"] for row in published_rows(dataset, "copies")] == [id_of("b")]
    with open_index(dataset) as index:
        assert index.known([id_of("a"), id_of("b")]) == {id_of("b")}


def test_an_article_that_is_reserved_by_now_is_withdrawn(dataset: Dataset):
    """An opt-out takes a published article out, be it that its page changed or that only the answer says so."""
    brought(dataset, "r1", page("a", text(1)), page("b", text(2)), page("c", text(3)))
    brought(dataset, "r2", page("a", text(4), verdict="opted_out"))
    assert titles(dataset) == ["b", "c"]
    brought(dataset, "r3", gone={url("b"): "X-Robots-Tag: noai"}, verdict="opted_out")
    assert titles(dataset) == ["c"]


NOARCHIVE = {"signal": "robots-meta", "value": "noarchive", "where": "x", "reserves": False, "withholds": "text"}
WITHHELD = json.dumps({"verdict": "allowed", "signals": [NOARCHIVE], "withhold": "text"})


def shown(dataset: Dataset) -> dict[str, bool]:
    """Of which articles readers see the text."""
    return {row["title"]: row["text"] is not None for row in published_rows(dataset)}


@pytest.mark.parametrize("way", ["an answer", "a page"])
def test_a_copy_whose_text_is_withheld_is_promoted_without_it(dataset: Dataset, way: str):
    """What its page said in any run since it was brought counts when the copy becomes an article, with the evidence."""
    whole = text(1)
    brought(dataset, "r1", page("a", whole), page("copy", whole, 1), page("b", text(2)))
    if way == "an answer":
        brought(dataset, "r2", page("c", text(3)), withheld=[url("copy")])
        brought(dataset, "r3", unchanged=[url("copy")])
    else:
        brought(dataset, "r2", page("copy", whole, 1, rights=WITHHELD), page("c", text(3)))
    brought(dataset, "r4", gone={url("a"): "HTTP 410"})
    assert shown(dataset) == {"copy": False, "b": True, "c": True}
    rights = next(json.loads(row["rights"]) for row in published_rows(dataset) if row["title"] == "copy")
    assert (rights["withhold"], [one["value"] for one in rights["signals"]]) == ("text", ["noarchive"])
    assert [row["id"] for row in published_rows(dataset, "sketches")] == [id_of("copy")]
    brought(dataset, "r5", page("late", whole, 3))
    assert [row["representative_id"] for row in published_rows(dataset, "copies")] == [id_of("copy")]


def test_a_copy_whose_text_is_withheld_no_longer_is_promoted_with_it(dataset: Dataset):
    """The page's last word counts, and a page elsewhere says nothing of it."""
    whole = text(1)
    brought(dataset, "r1", page("a", whole), page("copy", whole, 1), page("b", text(2)))
    brought(dataset, "r2", page("copy", whole, 1, rights=WITHHELD))
    brought(dataset, "r3", page("c", text(3)), page("copy", whole, 1))
    brought(dataset, "r4", page("copy", whole, 1, rights=WITHHELD, url="https://elsewhere.example/copy"))
    brought(dataset, "r5", gone={url("a"): "HTTP 410"})
    assert shown(dataset) == {"copy": True, "b": True, "c": True}


def test_the_places_of_copies_are_looked_up_once_a_run(dataset: Dataset, monkeypatch: pytest.MonkeyPatch):
    """However many copies may step in, what a run decided is read as often as for one."""
    whole = text(1)
    run = brought(dataset, "r1", page("a", whole), *(page(f"c{number}", whole, 1) for number in range(6)))
    read, decided = pq.read_table, []

    def counted(path: Path, *arguments: Any, **options: Any) -> pa.Table:
        decided.append(path) if path == run.folder / "copies.parquet" else None
        return read(path, *arguments, **options)

    monkeypatch.setattr(pq, "read_table", counted)
    withdrawing = start_run(dataset, "r2")
    decisions = read(run.folder / "copies.parquet", partitioning=None).slice(0, 0)
    with open_index(dataset) as index:
        found = promotions(withdrawing, index, [id_of("a")], decisions)
    assert found.num_rows == 1
    assert len(decided) == 1

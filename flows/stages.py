"""The stages as plain functions: each reads what the one before it left in the run's folder, and leaves its own.

A stage that is finished is not done again; one that was killed starts from its last whole part.
"""

import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from functools import partial
from heapq import nlargest
from itertools import accumulate, chain, islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from cleaning.extract import ExtractOptions, extract
from cleaning.schema import Extraction, Page
from cleaning.topic.profile import TopicError, TopicProfile
from cleaning.urls import canonical
from cleaning.verdict import Verdict
from flows import inputs
from flows.config import Dataset
from flows.copies.index import DOCUMENTS, CopyIndex, article_id
from flows.copies.rebuilding import open_index
from flows.crawling import crawl
from flows.curation.labels import read_labels
from flows.destinations.push import push_all
from flows.errors import InputError, RecipeError
from flows.filtering import Criteria
from flows.publishing.checks import RefusedVersionError
from flows.publishing.promotion import PROMOTED_NAME, WITHDRAWN_NAME, gone_articles, promotions, settle
from flows.publishing.publish import ORPHANS_NAME, publish_pending
from flows.publishing.report import as_json, render_report
from flows.repeated import remove_repeated
from flows.runs import Run, write_text
from flows.spreading.spread import Spread, cleaned_parts, judged_parts, prints_of
from flows.tables import extraction_table, write_table
from flows.takedown import read_takedowns
from flows.watching import SILENT, Watcher
from flows.workers import WorkerOptions, clean_pages

PAGES_A_PART = 500
LEAST_ARTICLE = 0.25
"""Score of the article gate; under the cut that was calibrated on pages of all kinds, because most pages that get here
are articles, and what is not rarely passes the topic."""

Summary = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Input:
    """Where a run's pages come from: its own crawl (`kind` "crawl"), WARC files ("warc") or HTML files ("html").

    With `urls`, the crawl fetches exactly these.
    """

    kind: str = "crawl"
    paths: tuple[Path, ...] = ()
    urls: tuple[str, ...] = ()

    def files(self) -> list[Path]:
        """The files below `paths`, in the order in which they are read; none for a crawl."""
        if self.kind == "crawl":
            return []
        return inputs.html_files(self.paths) if self.kind == "html" else inputs.warc_files(self.paths)

    def pages(self, run: Run, damaged: Callable[[str], None]) -> Iterator[Page]:
        """The pages, in an order that is always the same."""
        if self.kind == "html":
            return inputs.html_pages(self.files(), damaged)
        return inputs.warc_pages(self.files() if self.kind == "warc" else own_warc_files(run), damaged)

    def as_record(self) -> Summary:
        """What tells it from other input: the files with their sizes, and the URLs."""
        files = [[str(path.absolute()), path.stat().st_size] for path in self.files()]
        return {"kind": self.kind, "files": files, "urls": list(self.urls)}


def own_warc_files(run: Run) -> list[Path]:
    """The WARC files that the run's crawl wrote, in the order of writing."""
    return sorted((run.dataset.state / "warc").glob(f"{run.id}-*.warc.gz"))


# Clean


def clean(
    run: Run,
    source: Input = Input(),
    workers: WorkerOptions | None = None,
    watcher: Watcher = SILENT,
    spread: Spread | None = None,
) -> Summary:
    """Extracts every page in worker processes, into Parquet parts of PAGES_A_PART rows in the pages' order.

    Damaged input does not stop it: what can be read is cleaned, and the summary's `damaged` names the rest.

    Args:
        run: whose pages they are.
        source: where they come from.
        workers: the processes of this machine; by default as many as this one may use cores.
        watcher: who is told.
        spread: over what the parts are spread, in place of these processes.

    Raises:
        InputError: the run was begun with other input.
    """
    if finished := run.summary("clean"):
        return finished
    _same_input(run, source)
    if source.kind == "crawl":
        run.require("crawl")
    damaged: list[str] = []
    done = _finished_parts(run)
    pages = islice(source.pages(run, damaged.append), done * PAGES_A_PART, None)
    recipe = run.dataset.recipe
    options = ExtractOptions(recipe.limits.words, least_article=LEAST_ARTICLE, lede=recipe.clean.lede)
    if spread:
        counts = cleaned_parts(run, _batches(pages), options, spread, done)
        for number in accumulate(counts, initial=done * PAGES_A_PART):
            watcher.progress("clean", number, None)
    else:
        results = clean_pages(pages, partial(extract, options=options), workers or default_workers())
        for extractions in _parts(results, watcher, done * PAGES_A_PART):
            write_table(run.clean_folder / f"{done:05d}.parquet", extraction_table(extractions))
            done += 1
    for line in damaged:
        watcher.log(f"damaged input: {line}")
    verdicts = remove_repeated(run, is_wanted=recipe.clean.repeated == "remove")
    return run.finish("clean", {"pages": sum(verdicts.values()), "verdicts": verdicts, "damaged": damaged})


def default_workers() -> WorkerOptions:
    """As many processes as this one may use cores."""
    return WorkerOptions(
        processes=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    )


def _same_input(run: Run, source: Input) -> None:
    asked, begun = source.as_record(), run.summary("input")
    if begun is None:
        run.finish("input", asked)
    elif begun != asked:
        raise InputError(
            f"Run {run.id} was begun with other input ({_said(begun)}; now {_said(asked)}).",
            "Repeat the first command, on the same files, to finish that run, or add --new to begin another.",
        )


def _said(record: Summary) -> str:
    first = (record["files"] or [[""]])[0][0]
    return f"{record['kind']}: {len(record['files'])} files, {len(record['urls'])} URLs {first}".rstrip()


def _finished_parts(run: Run) -> int:
    parts = sorted(run.clean_folder.glob("[0-9]*.parquet"))
    whole = 0
    for part in parts:
        verdicts = pq.read_table(part, columns=["verdict"], partitioning=None)["verdict"].to_pylist()
        if (
            len(verdicts) < PAGES_A_PART
        ):  # the last part of a run that was killed before its marker: made again, for the count
            break
        whole += 1
    return whole


def _parts(results: Iterator[Extraction], watcher: Watcher, done: int) -> Iterator[list[Extraction]]:
    while part := list(_counted(islice(results, PAGES_A_PART), watcher, done)):
        done += len(part)
        yield part


def _batches(pages: Iterator[Page]) -> Iterator[Iterator[Page]]:
    """The pages of each part; one part is to be read to its end before the next."""
    for first in pages:
        yield chain((first,), islice(pages, PAGES_A_PART - 1))


def _counted(results: Iterator[Extraction], watcher: Watcher, done: int) -> Iterator[Extraction]:
    for number, result in enumerate(results, done + 1):
        watcher.progress("clean", number, None)
        yield result


# Filter


def filter_articles(run: Run, watcher: Watcher = SILENT, spread: Spread | None = None) -> Summary:
    """Judges every extracted page against the seeds, the languages, the period and the rights policy.

    Each part of `clean/` gets a part of the same rows in `filter/`, with verdict, reason, similarity and nearest seed.
    """
    if finished := run.summary("filter"):
        return finished
    run.require("clean")
    wanted = criteria(run.dataset)
    profile = _fitted(run.dataset, wanted)
    counts: Counter[str] = Counter()
    nearest: list[tuple[float, str, str]] = []
    parts = sorted(run.clean_folder.glob("[0-9]*.parquet"))
    judging = judged_parts(run, parts, wanted, spread) if spread else _judged_here(run, parts, wanted, profile)
    for number, (extracted, judged) in enumerate(judging, 1):
        counts.update(judged["verdict"].to_pylist())
        nearest = nlargest(3, [*nearest, *_off_topic(extracted, judged)])
        watcher.progress("filter", number, len(parts))
    summary = {"threshold": profile.threshold, "verdicts": dict(sorted(counts.items())), "nearest": nearest}
    return run.finish("filter", summary | {"problems": list(profile.problems())})


def _judged_here(
    run: Run, parts: list[Path], wanted: Criteria, profile: TopicProfile
) -> Iterator[tuple[pa.Table, pa.Table]]:
    """Judges parts, and gives each with what was judged of it."""
    for path in parts:
        extracted = pq.read_table(path, partitioning=None)
        judged = wanted.judge(extracted, profile)
        write_table(run.filter_folder / path.name, judged)
        yield extracted, judged


def _off_topic(extracted: pa.Table, judged: pa.Table) -> list[tuple[float, str, str]]:
    """Similarity, title and URL of the articles that are not like the seeds."""
    columns = (judged["verdict"], judged["similarity"], extracted["title"], extracted["url"])
    rows = zip(*(column.to_pylist() for column in columns), strict=True)
    return [(similarity, title, url) for verdict, similarity, title, url in rows if verdict == Verdict.OFF_TOPIC]


def criteria(dataset: Dataset) -> Criteria:
    """All that the dataset's articles are judged by."""
    labels = tuple(stored.learnable() for stored in read_labels(dataset))
    return Criteria(dataset.recipe, dataset.seeds(), labels, tuple(read_takedowns(dataset)))


def topic_profile(dataset: Dataset) -> TopicProfile:
    """The topic of the dataset's seeds and labels, at the threshold that its recipe asks for."""
    return _fitted(dataset, criteria(dataset))


def _fitted(dataset: Dataset, wanted: Criteria) -> TopicProfile:
    try:
        return wanted.profile()
    except TopicError as error:
        raise RecipeError(
            f"{dataset.recipe_path}: topic: {error}", "docs/recipe.md says what makes a good seed."
        ) from error


# Copies


def find_copies(
    run: Run,
    watcher: Watcher = SILENT,
    addressed: Callable[[pa.Table], pa.Table] | None = None,
    spread: Spread | None = None,
) -> Summary:
    """Enters the run's articles into the index of known articles, and leaves what each of them is to those.

    `copies.parquet` gets a row for every article that passed the filter, in their order; `representatives.parquet` the
    published articles that gave way to a better copy; `withdrawn.parquet` the known ones that are certainly gone;
    `promoted.parquet` the copies that take the place of these.
    `addressed` may give documents the canonical URLs by which they are known already. With `spread`, what is to be made
    of each text by itself is made there.
    """
    if finished := run.summary("copies"):
        return finished
    run.require("filter")
    documents = addressed(kept_documents(run)) if addressed else kept_documents(run)
    watcher.progress("copies", 0, documents.num_rows)
    prints = prints_of(run, spread) if spread else None
    with open_index(run.dataset) as index:
        decisions = index.add(run.id, documents, prints)
        changes, withdrawn = index.changes(run.id), _withdrawn(run, index)
        write_table(run.folder / "copies.parquet", decisions)
        promoted = promotions(run, index, withdrawn["id"].to_pylist(), decisions)
    write_table(run.folder / "representatives.parquet", changes)
    write_table(run.folder / WITHDRAWN_NAME, withdrawn)
    write_table(run.folder / PROMOTED_NAME, promoted)
    watcher.progress("copies", documents.num_rows, documents.num_rows)
    relations = Counter(decisions["relation"].to_pylist()) + Counter(withdrawn=withdrawn.num_rows)
    return run.finish("copies", {"relations": dict(sorted(relations.items()))})


def kept_documents(run: Run) -> pa.Table:
    """The articles of the run that passed the filter, in their order, with the columns that the index reads."""
    parts = []
    for path in sorted(run.filter_folder.glob("[0-9]*.parquet")):
        kept = pc.equal(pq.read_table(path, columns=["verdict"], partitioning=None)["verdict"], str(Verdict.KEPT))
        parts.append(
            pq.read_table(run.clean_folder / path.name, columns=DOCUMENTS.names, partitioning=None).filter(kept)
        )
    return pa.concat_tables(
        [part.select(DOCUMENTS.names).cast(DOCUMENTS) for part in parts] or [DOCUMENTS.empty_table()]
    )


def _withdrawn(run: Run, index: CopyIndex) -> pa.Table:
    """The ids of known articles whose pages are gone, or came back without their text or with an opt-out."""
    gone = gone_articles(run, index) | index.known(sorted(_retracted(run) | _reserved(run)))
    return pa.table({"id": pa.array(sorted(gone), pa.string())})


def _retracted(run: Run) -> set[str]:
    """The ids of pages that are too short to be an article and do not say that they are paywalled.

    A known article that comes back so was retracted: its publisher left a notice in its place.
    """
    names = ["url", "canonical_url", "is_paywalled", "verdict"]
    found: set[str] = set()
    for path in sorted(run.clean_folder.glob("[0-9]*.parquet")):
        pages = pq.read_table(path, columns=names, partitioning=None)
        short = pages.filter(pc.equal(pages["verdict"], str(Verdict.TOO_SHORT))).to_pylist()
        found |= _ids(row for row in short if not row["is_paywalled"])
    return found


def _reserved(run: Run) -> set[str]:
    """The ids of articles that were fetched at their own address, and whose publisher has opted them out there.

    A copy elsewhere that names the article as its canonical form speaks for itself only.
    """
    found: set[str] = set()
    for path in sorted(run.filter_folder.glob("[0-9]*.parquet")):
        verdicts = pq.read_table(path, columns=["verdict"], partitioning=None)["verdict"]
        pages = pq.read_table(run.clean_folder / path.name, columns=["url", "canonical_url"], partitioning=None)
        reserved = pages.filter(pc.equal(verdicts, str(Verdict.OPTED_OUT))).to_pylist()
        found |= _ids(row for row in reserved if canonical(row["url"]) == canonical(row["canonical_url"] or row["url"]))
    return found


def _ids(rows: Iterable[dict[str, Any]]) -> set[str]:
    addresses = {row[name] for row in rows for name in ("url", "canonical_url")}
    return {article_id(address) for url in addresses if url for address in (url, canonical(url) or url)}


# Publish


def publish(run: Run, watcher: Watcher = SILENT) -> Summary:
    """Publishes what is new since the published version, in one atomic commit, and brings its replicas up to it.

    Raises:
        RefusedVersionError: the version is not what the recipe expects. The run is over then; what it found is
            published with that of a later run that makes the version fit.
        ReplicaError: a replica cannot be brought up to the version, which is published in the local folder.
    """
    published = run.summary("publish") or _publish_here(run, watcher)
    push_all(run.dataset, watcher.log)
    return published


def _publish_here(run: Run, watcher: Watcher) -> Summary:
    """Publishes into the local folder."""
    run.require("copies")
    watcher.progress("publish", 0, 1)
    try:
        published = publish_pending(run, _order_with(run, watcher), render_report(run))
    except RefusedVersionError as refused:
        _settle(run, WITHDRAWN_NAME)  # Its orphans are published still.
        run.finish("publish", {"version": None, "is_new": False, "added": {}, "refused": refused.what})
        finish(run)
        raise
    forget_withdrawn(run)
    watcher.progress("publish", 1, 1)
    return run.finish("publish", asdict(published))


def _order_with(run: Run, watcher: Watcher) -> list[str]:
    """The order in which runs entered the index; the run enters it again where the index was lost in between."""
    with open_index(run.dataset) as index:
        order = index.runs()
    if run.id in order:
        return order
    run.marker("copies").unlink()
    find_copies(run, watcher)
    return [*order, run.id]


def forget_withdrawn(run: Run) -> None:
    """Makes withdrawn articles and the copies that went with them unknown: what comes back is published again."""
    _settle(run, WITHDRAWN_NAME, ORPHANS_NAME)


def _settle(run: Run, *names: str) -> None:
    paths = (run.folder / name for name in names)
    if any(path.exists() and pq.read_metadata(path).num_rows for path in paths):
        with open_index(run.dataset) as index:
            for name in names:
                settle(run, index, name)


def write_report(run: Run) -> Path:
    """Writes the report of what is finished of the run into its folder."""
    path = run.folder / "report.html"
    write_text(path, render_report(run))
    return path


def finish(run: Run) -> Summary:
    """Marks the run as done, so that the next command begins another, and gives its counts."""
    return run.finish("done", as_json(run))


def run_stages(run: Run, source: Input = Input(), watcher: Watcher = SILENT, spread: Spread | None = None) -> Summary:
    """All stages one after another, without a Prefect flow; those that are finished are passed over.

    Args:
        run: the run to make or to finish.
        source: where the pages come from; only the kind "crawl" crawls.
        watcher: who is told.
        spread: over what the parts of the stages are spread; by default this machine does them.
    """
    _same_input(run, source)
    if source.kind == "crawl":
        crawl(run, source.urls, watcher)
    clean(run, source, watcher=watcher, spread=spread)
    filter_articles(run, watcher, spread)
    find_copies(run, watcher, spread=spread)
    publish(run, watcher)
    write_report(run)
    return finish(run)

"""The lines that repeat across a host's articles, in the state: learned from a run's pages, and taken out of them."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from cleaning.article.repeated import Host, HostLine, Known, Seen, learn, merged, without_lines
from cleaning.schema import TIME, Extraction
from cleaning.verdict import Verdict
from flows.config import Dataset
from flows.errors import StateError
from flows.runs import Run
from flows.tables import write_table

_SEEN = pa.struct(
    {
        "article": pa.int64(),
        "day": TIME,
        "lines": pa.list_(pa.int64()),
        "edges": pa.list_(pa.bool_()),
        "chars": pa.list_(pa.int32()),
    }
)
_LINE = pa.struct(
    {
        "line": pa.int64(),
        "text": pa.string(),
        "support": pa.int32(),
        "share": pa.float64(),
        "first_seen": TIME,
        "last_seen": TIME,
    }
)
SCHEMA = pa.schema({"host": pa.string(), "window": pa.list_(_SEEN), "lines": pa.list_(_LINE)})
"""One row a host, the host seen last in the last row: its last articles, and the lines that they repeat."""

_CHANGED = ("verdict", "reason", "text", "word_count", "language", "language_score")
_READ = (*_CHANGED, "url", "canonical_url", "domain", "fetched_at", "published_at")


def state_file(dataset: Dataset) -> Path:
    """Where the state remembers the hosts' lines."""
    return dataset.state / "furniture.parquet"


def read_known(path: Path) -> dict[str, Host]:
    """What a state file remembers; nothing where there is none.

    Raises:
        StateError: the file is broken.
    """
    try:
        rows = pq.read_table(path, schema=SCHEMA, partitioning=None).to_pylist() if path.exists() else []
    except (pa.ArrowInvalid, OSError) as error:
        raise StateError(
            f"{path}: cannot be read: {error}.", "Delete it: the lines that hosts repeat are learned again."
        ) from error
    return {row["host"]: _host(row) for row in rows}


def _host(row: dict[str, Any]) -> Host:
    return Host(
        window=tuple(
            Seen(one["article"], one["day"], tuple(one["lines"]), tuple(one["edges"]), tuple(one["chars"]))
            for one in row["window"]
        ),
        lines=tuple(HostLine(**line) for line in row["lines"]),
    )


def write_known(path: Path, known: Known) -> None:
    """Replaces a state file, by an atomic rename."""
    rows = [{"host": domain} | asdict(host) for domain, host in known.items()]
    write_table(path, pa.Table.from_pylist(rows, schema=SCHEMA))


def remove_repeated(run: Run, *, is_wanted: bool = True) -> dict[str, int]:
    """Learns from the run's extracted pages, in their order, and takes the lines that repeat out of its articles.

    What is known is what the state knew, and what these pages add to it. It is written into the run's folder before the
    first part is changed, so that a run that is killed in between ends with the same texts. Where `is_wanted` is false,
    nothing is learned or removed. Returns how many pages have each verdict.
    """
    parts = sorted(run.clean_folder.glob("[0-9]*.parquet"))
    if not is_wanted:
        return _verdicts(parts)
    mine = run.folder / "furniture.parquet"
    if not mine.exists():
        known = read_known(state_file(run.dataset))
        for part in parts:
            known = learn(known, _records(part))
        write_known(mine, known)
    known = read_known(mine)
    for part in parts:
        _rewrite(part, known, run.dataset.recipe.limits.words)
    write_known(state_file(run.dataset), merged(read_known(state_file(run.dataset)), known))
    return _verdicts(parts)


def _verdicts(parts: list[Path]) -> dict[str, int]:
    counts: Counter[str] = Counter()
    for part in parts:
        counts.update(pq.read_table(part, columns=["verdict"], partitioning=None)["verdict"].to_pylist())
    return dict(sorted(counts.items()))


def _records(part: Path) -> Iterator[Extraction]:
    for row in pq.read_table(part, columns=list(_READ), partitioning=None).to_pylist():
        filled = {"verdict": Verdict(row["verdict"]), "reason": row["reason"] or "", "text": row["text"] or ""}
        yield Extraction(**row | filled)


def _rewrite(part: Path, known: Known, min_words: int) -> None:
    """Takes the known lines out of a part's articles; a part without any stays as it is."""
    before = list(_records(part))
    after = [without_lines(one, known[one.domain].lines, min_words) if one.domain in known else one for one in before]
    if all(old is new for old, new in zip(before, after, strict=True)):
        return
    table = pq.read_table(part, partitioning=None)
    for name in _CHANGED:
        place, field = table.schema.get_field_index(name), table.schema.field(name)
        values = [getattr(record, name) for record in after]
        nullable = [None if field.nullable and value == "" else value for value in values]
        table = table.set_column(place, field, pa.array(nullable, field.type))
    write_table(part, table)


def forget(dataset: Dataset, host: str | None) -> int:
    """Forgets what was learned of a host, or of all; returns of how many hosts."""
    known = read_known(state_file(dataset))
    kept = {domain: entry for domain, entry in known.items() if host is not None and domain != host}
    if len(kept) < len(known):
        write_known(state_file(dataset), kept)
    return len(known) - len(kept)

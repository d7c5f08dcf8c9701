"""1,000 hostile pages through the workers: does each end in a verdict before its deadline, and what costs most?

Run from the repository: `python -m benchmarks.hostile_pages [PAGES] [PROCESSES]`; pages made by hand come first, the
rest are real ones of ../shared/corpora, mutated. The exit code is 1 when a page overran its deadline or broke its
worker.
"""

import gzip
import random
import resource
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from itertools import islice
from pathlib import Path

from cleaning.extract import extract
from cleaning.schema import Extraction, Page
from cleaning.verdict import Verdict
from flows.workers import WorkerOptions, clean_pages

CORPORA = Path(__file__).parents[1] / "../shared/corpora"
_SLOWEST = 12
_MEGABYTE = 1_000_000
_TEXT = b"The ministers met at the river and said that the talks would go on in the spring. "
_SEED = 20

BY_HAND: dict[str, Callable[[], bytes]] = {
    "nested div": lambda: b"<div>" * 200_000 + _TEXT,
    "nested div with classes": lambda: b"<div class='article body'>" * 50_000 + _TEXT,
    "nested tables": lambda: b"<table><tr><td>" * 30_000 + _TEXT,
    "nested lists": lambda: b"<ul><li>" * 50_000 + _TEXT,
    "nested quotes of text": lambda: (b"<blockquote><p>" + _TEXT) * 20_000,
    "nested inline": lambda: b"<b><i><a href=/x>" * 50_000 + _TEXT,
    "nested frames": lambda: b"<iframe srcdoc='<iframe srcdoc=" * 20_000 + _TEXT,
    "nested framesets": lambda: b"<frameset><frame src=x>" * 20_000 + _TEXT,
    "nested forms": lambda: b"<form><fieldset>" * 20_000 + _TEXT,
    "nested svg": lambda: b"<svg><foreignObject><p>" * 20_000 + _TEXT,
    "table of 300,000 cells": lambda: b"<table>" + (b"<tr>" + b"<td>17" * 30) * 10_000,
    "table of long cells": lambda: b"<table>" + (b"<tr><td>" + _TEXT * 4) * 15_000,
    "list of 100,000 items": lambda: b"<ul>" + b"<li>An item of the list" * 100_000,
    "100,000 paragraphs": lambda: (b"<p>" + _TEXT) * 100_000,
    "200,000 short paragraphs": lambda: b"<p>word" * 200_000,
    "100,000 breaks": lambda: (_TEXT + b"<br><br>") * 100_000,
    "50,000 links": lambda: b"<p><a href='https://x.example/a'>A link to another article</a> " * 50_000,
    "50,000 links in one paragraph": lambda: b"<p>" + b"<a href=/a>link</a> " * 50_000,
    "5 MB of one word": lambda: b"<article><p>" + b"river " * 833_000,
    "5 MB without a space": lambda: b"<article><p>" + b"a" * 5 * _MEGABYTE,
    "3 MB of ideographs": lambda: b"<p>" + "漢".encode() * _MEGABYTE,
    "3 MB of mojibake": lambda: b"<p>" + "Ã©â€™ ".encode() * 300_000,
    "2 MB of capitals and full stops": lambda: b"<p>" + b"A. " * 600_000,
    "2 MB of digits and colons": lambda: b"<p>" + b"12:34 2024-01-01 " * 120_000,
    "2 MB of entities": lambda: b"<p>" + b"&#55555;&#0;&#x110000;&amp;amp;" * 70_000,
    "10 MB of script": lambda: b"<script>" + b"var a = '<p>text</p>';" * 450_000 + b"</script><p>" + _TEXT * 10,
    "10 MB of open script": lambda: b"<script>" + b"var a = '<p>text</p>';" * 450_000,
    "5 MB of style": lambda: b"<style>" + b".a{color:red}" * 400_000 + b"</style><p>" + _TEXT * 10,
    "5 MB of open comment": lambda: b"<p>text<!-- " + _TEXT * 60_000,
    "100,000 comments": lambda: b"<!-- a -->" * 100_000 + b"<p>" + _TEXT * 10,
    "script bombs": lambda: b"<script>document.write('<script>')</script>" * 50_000 + b"<p>" + _TEXT * 10,
    "5 MB attribute": lambda: b"<p class='" + b"a " * 2_500_000 + b"'>" + _TEXT * 10,
    "10,000 attributes": lambda: b"<p " + b" ".join(b"a%d=x" % i for i in range(10_000)) + b">" + _TEXT * 10,
    "5 MB attribute left open": lambda: b"<p title='" + b"a" * 5 * _MEGABYTE,
    "50,000 distinct classes": lambda: b"".join(b"<div class='c%d-x news%d'>w</div>" % (i, i) for i in range(50_000)),
    "deep JSON-LD": lambda: b'<script type="application/ld+json">' + b'{"a":' * 300_000 + b"</script><p>" + _TEXT,
    "wide JSON-LD": lambda: (
        b'<script type="application/ld+json">['
        + b'{"@type":"NewsArticle","headline":"A","author":{"name":"B"}},' * 20_000
        + b'{"@type":"Thing"}]</script><p>'
        + _TEXT * 10
    ),
    "5,000 JSON-LD scripts": lambda: b'<script type="application/ld+json">{"@type":"Person"}</script>' * 5_000 + _TEXT,
    "JSON-LD of dates": lambda: (
        b'<script type="application/ld+json">{"@type":"NewsArticle","headline":"A","datePublished":"'
        + b"9" * 500_000
        + b'"}</script><p>'
        + _TEXT * 10
    ),
    "50,000 metas": lambda: b"<meta property='og:title' content='A title of it'>" * 50_000 + b"<p>" + _TEXT * 10,
    "20,000 headings": lambda: b"<h1>A heading of the page</h1>" * 20_000 + b"<p>" + _TEXT * 10,
    "2 MB heading": lambda: b"<title>" + b"Talks - " * 250_000 + b"</title><h1>" + b"Talks | " * 250_000 + _TEXT,
    "20,000 bylines": lambda: b"<a rel=author class=byline>By Jane Roe and Tom Fox</a>" * 20_000 + _TEXT,
    "1 MB byline": lambda: b"<p class=byline rel=author>By " + b"Jane Roe, " * 100_000 + b"<p>" + _TEXT * 10,
    "20,000 times": lambda: b"<time datetime='2024-13-45T99:99'>x</time>" * 20_000 + b"<p>" + _TEXT * 10,
    "1 MB of white space": lambda: b"<p>a" + b" \t\n\xc2\xa0" * 250_000 + b"b<p>" + _TEXT * 10,
    "null bytes": lambda: b"<p>\0The river\0" * 100_000,
    "zero-width characters": lambda: b"<p>" + "a\u200b\u202e\u2066".encode() * 200_000,
    "unclosed everything": lambda: b"<html><body><article><p>text <b>text <i>text <a href=" * 20_000,
    "closing tags": lambda: b"</div></p></table>" * 200_000 + _TEXT * 10,
    "angle brackets": lambda: b"<" * 3 * _MEGABYTE,
    "metas without an end": lambda: b"<meta charset" * 100_000 + b"\xff",
    "undeclared bytes": lambda: random.Random(_SEED).randbytes(2 * _MEGABYTE) + b"<p>",
    "every byte": lambda: b"<p>" + bytes(range(256)) * 10_000,
    "UTF-16 with half a character": lambda: b"\xff\xfe" + ("<p>" + "ab" * 500_000).encode("utf-16-le") + b"\0",
    "over the limit": lambda: b"<p>" + _TEXT * 260_000,
}


@dataclass(frozen=True)
class Measured(Extraction):
    """An extraction with the CPU seconds that it took and its process's largest memory so far, in megabytes."""

    seconds: float = 0.0
    megabytes: float = 0.0


def measured(page: Page) -> Measured:
    """Extracts a page and measures it."""
    begun = time.process_time()
    record = extract(page)
    seconds = time.process_time() - begun
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    values = {field.name: getattr(record, field.name) for field in fields(Extraction)}
    return Measured(**values, seconds=seconds, megabytes=peak)


def hostile_pages() -> Iterator[Page]:
    """The pages made by hand, then mutated real ones without end, the same in every run."""
    for name, make in BY_HAND.items():
        yield Page(f"https://hostile.example/{name.replace(' ', '-')}", make(), "text/html")
    real = sorted(path for corpus in ("news-pages", "wcxb-dev") for path in (CORPORA / corpus / "html").glob("*.gz"))
    chance = random.Random(_SEED)
    while real:
        path, (name, mutate) = chance.choice(real), chance.choice(list(MUTATIONS.items()))
        body = mutate(gzip.decompress(path.read_bytes()), chance)
        yield Page(f"https://hostile.example/{name}/{path.name}", body, chance.choice(_TYPES))


_TYPES = ("text/html", "", "text/html; charset=utf-16", "text/html; charset=shift_jis", "text/html; charset=none")


def _flip(body: bytes, chance: random.Random) -> bytes:
    changed = bytearray(body)
    for _ in range(max(1, len(body) // 100)):
        changed[chance.randrange(len(changed))] = chance.randrange(256)
    return bytes(changed)


def _shuffle(body: bytes, chance: random.Random) -> bytes:
    parts = body.split(b"<")
    chance.shuffle(parts)
    return b"<".join(parts)


def _repeat_piece(body: bytes, chance: random.Random) -> bytes:
    start = chance.randrange(len(body))
    piece = body[start : start + chance.randrange(1, 5_000)]
    return body[:start] + piece * (3 * _MEGABYTE // len(piece)) + body[start:]


def _without_ends(body: bytes, chance: random.Random) -> bytes:
    return b"".join(part for part in body.split(b"</") if chance.random() < 0.5)


def _bury(body: bytes, chance: random.Random) -> bytes:
    depth = chance.randrange(100, 20_000)
    return b"<div>" * depth + body.replace(b"<body", b"<div").replace(b"</", b"<!/")


MUTATIONS: dict[str, Callable[[bytes, random.Random], bytes]] = {
    "flipped": _flip,
    "shuffled": _shuffle,
    "cut": lambda body, chance: body[: chance.randrange(1, len(body))],
    "beheaded": lambda body, chance: body[chance.randrange(len(body)) :],
    "piece-repeated": _repeat_piece,
    "twenty-times": lambda body, _: body * min(20, 10 * _MEGABYTE // len(body) + 1),
    "without-ends": _without_ends,
    "buried": _bury,
    "null-bytes": lambda body, _: body.replace(b" ", b"\0 "),
    "as-utf-16": lambda body, _: body.decode("utf-8", "replace").encode("utf-16-le"),
    "latin-in-utf-8": lambda body, _: body.decode("latin-1").encode("utf-8"),
    "without-quotes": lambda body, _: body.replace(b'"', b""),
    "spaces-gone": lambda body, _: body.replace(b" ", b""),
    "tags-in-capitals": lambda body, _: body.upper(),
    "all-links": lambda body, _: body.replace(b"<p", b"<a href=/x><p"),
}


def main() -> int:
    """Prints the counts, the slowest pages and the largest memory; 1 when a page overran or broke its worker."""
    pages = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000
    options = WorkerOptions(processes=int(sys.argv[2]) if len(sys.argv) > 2 else 2)
    begun = time.perf_counter()
    found = list(clean_pages(islice(hostile_pages(), pages), measured, options))
    timed = sorted((row for row in found if isinstance(row, Measured)), key=lambda row: -row.seconds)
    for slow in timed[:_SLOWEST]:
        print(f"{slow.seconds:6.2f} s  {slow.verdict:12} {slow.url}")
    lost = [row for row in found if row.verdict in (Verdict.TIMED_OUT, Verdict.CRASHED)]
    for row in lost:
        print(f"{row.verdict}: {row.url}: {row.reason}")
    print(", ".join(f"{verdict} {count}" for verdict, count in Counter(row.verdict for row in found).most_common()))
    print(
        f"{len(found)} verdicts of {pages} pages in {time.perf_counter() - begun:.0f} s; "
        f"deadline {options.seconds:g} s of CPU"
    )
    print(f"largest memory of a worker: {max(row.megabytes for row in timed):.0f} MB; overran or broken: {len(lost)}")
    return 1 if lost or len(found) != pages else 0


if __name__ == "__main__":
    sys.exit(main())

"""Bombs served to a crawl: how much memory does its process take, and what does it say of each?

Run from the repository: `python -m benchmarks.crawl_bombs [MEGABYTES]`; the samples are those of
../shared/corpora/compressed, beside bombs of our own that grow to so many megabytes (1,000 by default).
"""

import gzip
import resource
import sys
import tempfile
import zlib
from collections.abc import Iterator
from pathlib import Path

import brotli

from tests.crawler.conftest import REPOSITORY, crawl, make_options
from tests.crawler.web import SEED, Reply, Web, article, feed

SAMPLES = REPOSITORY / "../shared/corpora/compressed"
_MEGABYTE = bytes(1_000_000)


def own_bombs(megabytes: int) -> Iterator[tuple[str, bytes]]:
    """Content encodings and bodies that grow to so many megabytes, made without holding them."""
    for name, deflater in (("gzip", zlib.compressobj(9, wbits=31)), ("deflate", zlib.compressobj(9))):
        yield name, b"".join(deflater.compress(_MEGABYTE) for _ in range(megabytes)) + deflater.flush()
    squeezer = brotli.Compressor(quality=5)
    yield "br", b"".join(squeezer.process(_MEGABYTE) for _ in range(megabytes)) + squeezer.finish()
    inner = zlib.compressobj(9, wbits=31)
    once = b"".join(inner.compress(_MEGABYTE) for _ in range(megabytes)) + inner.flush()
    yield "gzip, gzip", gzip.compress(once)


def samples() -> Iterator[tuple[str, bytes]]:
    """The bombs of Scrapy's tests."""
    for path in sorted(SAMPLES.glob("bomb-*.bin")):
        yield path.stem.split("-")[1], path.read_bytes()


def build(web: Web, megabytes: int) -> dict[str, str]:
    """Each bomb as a page, as a feed, as a sitemap and as a robots.txt; the pages' URLs with their names."""
    names, items = {}, []
    for i, (encoding, body) in enumerate([*own_bombs(megabytes), *samples()]):
        reply = Reply(body, headers={"Content-Encoding": encoding})
        host, path = f"h{i}.test", "/velmar-crossing-talks-bomb"
        for place in (path, "/bomb-feed", "/bomb-map.xml"):
            web.pages[host, place] = reply
        web.pages[f"r{i}.test", "/robots.txt"] = reply
        names[web.url(host, path)] = f"{encoding}, {len(body):,} bytes"
        items.append(web.url(host, path))
        items.append(web.url(f"r{i}.test", path))
    items.append(web.url("list.test", "/velmar-crossing-talks-plain"))
    web.add("list.test", "/velmar-crossing-talks-plain", article("Velmar", SEED))
    dated = [(url, "Velmar crossing talks", "Tue, 18 Nov 2025 10:00:00 GMT") for url in items]
    web.add("list.test", "/feed", feed(dated), type="application/rss+xml")
    return names


def peak() -> float:
    """The largest resident set of a child process so far, in MB."""
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1000


def main() -> None:
    """Prints the figures: first of a crawl without a bomb, then of one with all of them."""
    megabytes = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000
    with Web() as web, tempfile.TemporaryDirectory() as folder:
        names = build(web, megabytes)
        plain = make_options(web, Path(folder) / "plain", urls=(web.url("list.test", "/velmar-crossing-talks-plain"),))
        crawl(plain)
        print(f"without a bomb: peak RSS {peak():.0f} MB")
        hosts = sorted({url.split("/")[2].split(":")[0] for url in names})
        options = make_options(
            web,
            Path(folder) / "bombs",
            feeds=(web.url("list.test", "/feed"), *(web.url(host, "/bomb-feed") for host in hosts)),
            sitemaps=tuple(web.url(host, "/bomb-map.xml") for host in hosts),
            limits={"page_seconds": 30.0, "seconds": 300.0},
        )
        run = crawl(options, 300)
    for url, name in names.items():
        print(f"{name}: {run.verdict(url)}, {run.outcomes[url].reason if url in run.outcomes else ''}")
    print(f"exit code {run.code}, {run.stats['fetched']} page kept; with {len(names)} bombs: peak RSS {peak():.0f} MB")


if __name__ == "__main__":
    main()

"""Pages from where they lie: WARC files, or folders of HTML files."""

import gzip
import zlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from urllib.parse import quote, urlsplit

from selectolax.lexbor import LexborHTMLParser

from cleaning.schema import Page
from crawler import warc
from flows.errors import InputError

HTML_SUFFIXES = (".html", ".htm", ".xhtml", ".html.gz", ".htm.gz")
WARC_SUFFIXES = (".warc", ".warc.gz", ".warc.zst")
MAX_PAGE_BYTES = 20_000_000
_HEAD_BYTES = 200_000

Damage = Callable[[str], None]


def warc_files(paths: Sequence[Path]) -> list[Path]:
    """The WARC files among `paths` and below the folders among them, in the order of their names.

    Raises:
        InputError: a path does not exist, or there is no WARC file at all.
    """
    return _files(paths, WARC_SUFFIXES, "WARC file")


def html_files(paths: Sequence[Path]) -> list[Path]:
    """The HTML files (plain or gzipped) among `paths` and below the folders among them, in the order of their names.

    Raises:
        InputError: a path does not exist, or there is no HTML file at all.
    """
    return _files(paths, HTML_SUFFIXES, "HTML file")


def _files(paths: Sequence[Path], suffixes: tuple[str, ...], kind: str) -> list[Path]:
    found: list[Path] = []
    for path in paths:
        if not path.exists():
            raise InputError(f"{path}: there is no such file or folder.", "Check the path.")
        inside = sorted(path.rglob("*")) if path.is_dir() else [path]
        found += [file for file in inside if file.is_file() and (file == path or file.name.lower().endswith(suffixes))]
    if not found:
        raise InputError(
            f"{', '.join(map(str, paths))}: no {kind} in there.", f"Expected names that end in {', '.join(suffixes)}."
        )
    return found


def warc_pages(files: Sequence[Path], damaged: Damage) -> Iterator[Page]:
    """The pages of WARC files; what cannot be read is told to `damaged`, and the whole records before it are kept."""
    return warc.pages(files, on_damage=lambda damage: damaged(str(damage)))


def html_pages(files: Sequence[Path], damaged: Damage) -> Iterator[Page]:
    """A page for each HTML file; its URL is the address that it gives itself, else a `file:` URL of folder and name.

    The file's modification time is no evidence of a fetch, so `fetched_at` stays unknown.
    """
    for path in files:
        try:
            body = _read(path)
        except (OSError, EOFError, zlib.error) as error:
            damaged(f"{path}: {error}")
            continue
        yield Page(
            url=own_address(body) or f"file:///{quote(path.parent.name)}/{quote(path.name)}",
            body=body,
            content_type="text/html",
            source=path.name,
            source_kind="file",
        )


def _read(path: Path) -> bytes:
    if path.suffix == ".gz":
        with gzip.open(path) as file:
            return file.read(MAX_PAGE_BYTES)
    with path.open("rb") as plain:
        return plain.read(MAX_PAGE_BYTES)


def own_address(body: bytes) -> str:
    """The absolute http(s) address that a page gives itself in its head (canonical link or og:url), or ""."""
    tree = LexborHTMLParser(body[:_HEAD_BYTES])
    for selector, attribute in (("link[rel=canonical]", "href"), ('meta[property="og:url"]', "content")):
        node = tree.css_first(selector)
        value = (node.attributes.get(attribute) or "").strip() if node else ""
        if value.startswith(("http://", "https://")) and urlsplit(value).path.strip("/"):
            return value  # many sites name their front page on every page by mistake; that says nothing
    return ""


def url_list(path: Path) -> tuple[str, ...]:
    """The URLs in a text file, one a line; empty lines and lines that begin with # do not count.

    Raises:
        InputError: the file cannot be read, holds no URL, or a line is none.
    """
    try:
        lines = [line.strip() for line in path.read_text(encoding="utf-8").splitlines()]
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read: {error}.", "Give a text file with a URL a line.") from error
    urls = [line for line in lines if line and not line.startswith("#")]
    wrong = [line for line in urls if not line.startswith(("http://", "https://"))]
    if wrong or not urls:
        raise InputError(
            f"{path}: {wrong[0]!r} is no URL." if wrong else f"{path}: holds no URL.",
            "Put one http or https URL on each line.",
        )
    return tuple(dict.fromkeys(urls))

"""WARC files, ours and others' -> pages in order, and an index of what they hold; damage is told, not swallowed."""

import json
import re
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

import fsspec
from fastwarc.warc import ArchiveIterator, WarcRecord, WarcRecordType

from cleaning.schema import Page
from crawler.payload import PayloadError, decode

MAX_RECORD = 64_000_000
"""Bytes; a larger record is reported and passed over."""

METADATA_TYPE = "application/json"
_MAX_HEAD = 1 << 16
_STEP = 1 << 20
_CHUNK = re.compile(rb"(?:\r?\n)?([0-9A-Fa-f]{1,8})[ \t]*(?:;[^\r\n]{0,1000})?\r?\n")
_HEAD_END = re.compile(rb"\r?\n\r?\n")
_READ = WarcRecordType.response | WarcRecordType.metadata


@dataclass(frozen=True, slots=True)
class Damage:
    """What is wrong with a WARC file or a record of it. `offset` is in bytes, where the trouble begins."""

    path: str
    offset: int
    reason: str
    url: str = ""

    def __str__(self) -> str:
        about = f" ({self.url})" if self.url else ""
        return f"{self.path}, byte {self.offset}{about}: {self.reason}"


class DamagedWarcError(ValueError):
    """A WARC file that is cut, broken or none; the whole records before the damage were given."""

    def __init__(self, damage: Damage) -> None:
        super().__init__(f"{damage}; whole records before it were read: fetch the file again, or pass `on_damage`")
        self.damage = damage


def pages(
    paths: Iterable[str | Path], *, most: int = 20_000_000, on_damage: Callable[[Damage], None] | None = None
) -> Iterator[Page]:
    """The HTTP responses of some WARC files as pages, in the order of the files and their records.

    Request, revisit, resource and other records are passed over; a `metadata` record of this crawler gives a page its
    source and hints. Transfer and content encodings are undone.

    Args:
        paths: files or fsspec URLs: .warc, .warc.gz, .warc.zst.
        most: the largest payload in bytes; a larger one is damage.
        on_damage: told of every damage; without it the first one ends the reading.

    Raises:
        DamagedWarcError: without `on_damage`, after the pages before the damage were given.
        OSError: a file cannot be opened or read.
    """
    report = on_damage or _refuse
    for path in paths:
        with fsspec.open(str(path), "rb") as stream:  # type: ignore[no-untyped-call]
            yield from _read_file(stream, str(path), most, report)


def _refuse(damage: Damage) -> None:
    raise DamagedWarcError(damage)


def _read_file(stream: BinaryIO, path: str, most: int, report: Callable[[Damage], None]) -> Iterator[Page]:
    pending: Page | None = None
    pending_id = ""
    for record in _records(stream, path, report):
        if record.record_type == WarcRecordType.metadata:
            if pending and record.headers.get("WARC-Concurrent-To") == pending_id:
                pending = _with_metadata(pending, record)
            continue
        if pending:
            yield pending
        pending, pending_id = _page(record, path, most, report), record.headers.get("WARC-Record-ID") or ""
    if pending:
        yield pending


def _records(stream: BinaryIO, path: str, report: Callable[[Damage], None]) -> Iterator[WarcRecord]:
    """The response and metadata records of a file; damage at its end, which the parser may not notice, is reported."""
    last = 0
    try:
        for record in ArchiveIterator(stream, parse_http=False):
            last = record.stream_pos
            if record.record_type & _READ:
                yield record
    except OSError as error:
        report(Damage(path, last, f"not a WARC record: {error}"))
        return
    reason = _cut(stream, last)
    if reason:
        report(Damage(path, last, reason))


def _cut(stream: BinaryIO, last: int) -> str:
    """Why the gzip member of the last record is not whole, or "" where it is, or is not gzip."""
    stream.seek(0, 2)
    size = stream.tell()
    stream.seek(last if last < size else 0)
    chunk = stream.read(_STEP)
    if not chunk:
        return "empty file" if not size else ""
    if chunk[:2] != b"\x1f\x8b":
        return ""
    inflater = zlib.decompressobj(wbits=31)
    while chunk:
        try:
            inflater.decompress(chunk, _STEP)
        except zlib.error as error:
            return f"broken gzip member: {error}"
        chunk = inflater.unconsumed_tail or inflater.unused_data or stream.read(_STEP)
        if inflater.eof and chunk:
            if chunk[:2] != b"\x1f\x8b":
                return "bytes after the last gzip member that are no gzip"
            inflater = zlib.decompressobj(wbits=31)
    return "" if inflater.eof else "cut in the middle of a gzip member"


def _page(record: WarcRecord, path: str, most: int, report: Callable[[Damage], None]) -> Page | None:
    url = (record.headers.get("WARC-Target-URI") or "").strip("<> ")
    length = record.content_length
    if length > MAX_RECORD:
        report(Damage(path, record.stream_pos, f"a record of {length} bytes; at most {MAX_RECORD} are read", url))
        return None
    try:
        block = record.reader.read(length) if length else b""
    except OSError as error:
        report(Damage(path, record.stream_pos, f"broken record: {error}", url))
        return None
    if len(block) != length:
        report(Damage(path, record.stream_pos, f"cut: {len(block)} of {length} bytes", url))
        return None
    try:
        return _parse_response(block, url, most, path, record)
    except PayloadError as error:
        report(Damage(path, record.stream_pos, str(error), url))
        return None


def _parse_response(block: bytes, url: str, most: int, path: str, record: WarcRecord) -> Page | None:
    status, headers, body = split_response(block)
    if not status:
        return None
    if "chunked" in headers.get("transfer-encoding", "").lower():
        body = _unchunk(body)
    return Page(
        url=url,
        # Many writers keep the header of an encoding that they have undone.
        body=decode(body, headers.get("content-encoding", ""), most, lenient=True),
        content_type=headers.get("content-type", ""),
        status=status,
        fetched_at=_date(record.headers.get("WARC-Date") or ""),
        warc_file=Path(path).name,
        warc_offset=record.stream_pos,
    )


def split_response(block: bytes) -> tuple[int, dict[str, str], bytes]:
    """Status, headers (names in lower case) and body of an HTTP response; status 0 where it is none."""
    end = _HEAD_END.search(block, 0, _MAX_HEAD)
    head = block[: end.start()] if end else block[:_MAX_HEAD]
    lines = head.decode("utf-8", "replace").splitlines()
    words = lines[0].split(None, 2) if lines else []
    if len(words) < 2 or not words[0].startswith("HTTP/") or not words[1].isdigit():
        return 0, {}, b""
    headers: dict[str, str] = {}
    for name, _, value in (line.partition(":") for line in lines[1:]):
        key = name.strip().lower()
        headers[key] = f"{headers[key]}, {value.strip()}" if key in headers else value.strip()
    return int(words[1]), headers, block[end.end() :] if end else b""


def _unchunk(body: bytes) -> bytes:
    """The body without chunked transfer coding (RFC 9112, 7.1); a body that only claims to be chunked as it is."""
    kept: list[bytes] = []
    at = 0
    while at < len(body):
        found = _CHUNK.match(body, at)
        if not found:
            return b"".join(kept) if kept else body
        size = int(found[1], 16)
        if not size:
            break
        kept.append(body[found.end() : found.end() + size])
        at = found.end() + size
    return b"".join(kept)


def _with_metadata(page: Page, record: WarcRecord) -> Page:
    """The page with what this crawler noted about it; metadata records of other writers change nothing."""
    if record.headers.get("Content-Type") != METADATA_TYPE or record.content_length > _MAX_HEAD:
        return page
    try:
        noted: Any = json.loads(record.reader.read(record.content_length))
    except ValueError:
        return page
    if not isinstance(noted, dict) or "source_kind" not in noted:
        return page
    return replace(
        page,
        source=str(noted.get("source", "")),
        source_kind=str(noted["source_kind"]),
        hint_title=str(noted.get("hint_title", "")),
        hint_published=_date(str(noted.get("hint_published") or "")),
        rights=json.dumps(noted.get("rights", {}), sort_keys=True, ensure_ascii=False),
    )


def _date(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)

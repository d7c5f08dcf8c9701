"""An index of WARC files with the columns of CDXJ: which URL lies where, as it was when."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import urlsplit

import fsspec
from fastwarc.warc import ArchiveIterator, WarcRecord, WarcRecordType

from crawler.warc import split_response

_INDEXED = WarcRecordType.response | WarcRecordType.revisit
_HEAD = 1 << 16


@dataclass(frozen=True, slots=True)
class Capture:
    """A response or revisit record. `timestamp` is UTC, YYYYMMDDhhmmss; `offset` in bytes of the file."""

    urlkey: str
    timestamp: str
    url: str
    mime: str
    status: int
    digest: str
    offset: int
    filename: str

    def as_cdxj(self) -> str:
        """The capture as a line of a CDXJ file."""
        fields = asdict(self)
        head = [fields.pop(name) for name in ("urlkey", "timestamp")]
        return f"{head[0]} {head[1]} {json.dumps({key: str(value) for key, value in fields.items()})}"


def captures(paths: Iterable[str | Path]) -> Iterator[Capture]:
    """The captures of some WARC files, in the order of the files and their records.

    Raises:
        OSError: a file cannot be opened, or is broken; the captures before were given.
    """
    for path in paths:
        with fsspec.open(str(path), "rb") as stream:  # type: ignore[no-untyped-call]
            for record in ArchiveIterator(stream, record_types=_INDEXED, parse_http=False):
                yield _capture(record, Path(str(path)).name)


def surt(url: str) -> str:
    """The sort-friendly form of a URL: `com,example)/path?query`, without scheme, `www.` and port."""
    parts = urlsplit(url.lower())
    host = (parts.hostname or "").removeprefix("www.")
    return f"{','.join(reversed(host.split('.')))}){parts.path or '/'}" + (f"?{parts.query}" if parts.query else "")


def _capture(record: WarcRecord, filename: str) -> Capture:
    url = (record.headers.get("WARC-Target-URI") or "").strip("<> ")
    status, headers, _ = split_response(record.reader.read(_HEAD))
    is_revisit = record.record_type == WarcRecordType.revisit
    return Capture(
        urlkey=surt(url),
        timestamp="".join(char for char in (record.headers.get("WARC-Date") or "") if char.isdigit())[:14],
        url=url,
        mime="warc/revisit" if is_revisit else headers.get("content-type", "").split(";")[0].strip().lower(),
        status=status,
        digest=(record.headers.get("WARC-Payload-Digest") or "").removeprefix("sha1:"),
        offset=record.stream_pos,
        filename=filename,
    )

"""The raw store: WARC/1.1 files of a run, appended record by record, cut back to the acknowledged ones after a kill."""

import base64
import hashlib
import json
import os
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any
from uuid import uuid4

from crawler.errors import StoreError
from crawler.warc import METADATA_TYPE

OPEN = ".open"
"""Suffix of the file that is being written; it is dropped when the file is complete."""

_RESPONSE_TYPE = "application/http; msgtype=response"
_REQUEST_TYPE = "application/http; msgtype=request"
_IDENTICAL = "http://netpreserve.org/warc/1.1/revisit/identical-payload-digest"
_NOT_MODIFIED = "http://netpreserve.org/warc/1.1/revisit/server-not-modified"
_STEP = 1 << 16
# Twisted undoes chunked transfer coding, so the header would no longer be true of what is stored.
_UNTRUE = frozenset((b"transfer-encoding", b"content-length", b"connection", b"keep-alive"))

Headers = Iterable[tuple[bytes, bytes]]


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request and its response as they went over the wire: the body has its content encoding still."""

    url: str
    status: int
    request_headers: Headers
    response_headers: Headers
    body: bytes
    at: datetime
    ip: str = ""
    truncated: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a record lies: the final name of the file, offset and length in bytes, and its payload's digest."""

    file: str
    offset: int
    length: int
    digest: str


@dataclass(slots=True)
class WarcStore:
    """The WARC files of one run, in a folder; one is open for writing at a time.

    Args:
        folder: made where it is missing.
        run_id: the files are `<run_id>-NNNNN.warc.gz`.
        about: what the `warcinfo` record at the head of each file says.
        most: a file over this many bytes is completed and the next one begun.
        committed: bytes of each unfinished file that the frontier knows of; what lies beyond is cut off.

    Raises:
        StoreError: the folder or a file cannot be made or written.
    """

    folder: Path
    run_id: str
    about: Mapping[str, str]
    most: int = 500_000_000
    committed: Mapping[str, int] = field(default_factory=dict)
    lost: dict[str, int] = field(default_factory=dict, init=False)
    _file: IO[bytes] | None = field(default=None, init=False)
    _name: str = field(default="", init=False)
    _warcinfo: str = field(default="", init=False)

    def __post_init__(self) -> None:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            for path in sorted(self.folder.glob(f"{self.run_id}-*.warc.gz{OPEN}")):
                self._recover(path)
        except OSError as error:
            raise StoreError(self.folder, error) from error

    @property
    def position(self) -> tuple[str, int]:
        """The name of the file that is being written ("" for none) and its length in bytes."""
        return (self._name, self._file.tell()) if self._file else ("", 0)

    def append_response(self, exchange: Exchange, metadata: Mapping[str, Any]) -> Place:
        """Writes a response with its request and metadata records; returns where the response lies."""
        block = response_block(exchange)
        digest = payload_digest(exchange.body)
        named = {"WARC-Payload-Digest": digest} | ({"WARC-Truncated": exchange.truncated} if exchange.truncated else {})
        return self._append(exchange, "response", block, named, metadata, digest)

    def append_revisit(
        self, exchange: Exchange, metadata: Mapping[str, Any], digest: str, first: datetime | None
    ) -> Place:
        """Writes that a page was unchanged: the same payload `digest` as at `first`, or 304 without a body."""
        profile = _NOT_MODIFIED if exchange.status == 304 else _IDENTICAL
        named = {"WARC-Profile": profile, "WARC-Refers-To-Target-URI": exchange.url}
        named |= {"WARC-Payload-Digest": digest} if digest else {}
        named |= {"WARC-Refers-To-Date": warc_date(first)} if first else {}
        return self._append(exchange, "revisit", response_block(exchange, with_body=False), named, metadata, digest)

    def flush(self) -> None:
        """Hands what was written to the operating system; enough to survive a kill of the process."""
        if self._file:
            self._file.flush()

    def sync(self) -> None:
        """Flushes to the disk itself; enough to survive a loss of power."""
        if self._file:
            self._file.flush()
            os.fsync(self._file.fileno())

    def close(self) -> None:
        """Completes the open file: synced, and renamed to its final name."""
        if not self._file:
            return
        self.sync()
        self._file.close()
        (self.folder / (self._name + OPEN)).rename(self.folder / self._name)
        self._file, self._name = None, ""

    def _append(
        self,
        exchange: Exchange,
        kind: str,
        block: bytes,
        named: Mapping[str, str],
        metadata: Mapping[str, Any],
        digest: str,
    ) -> Place:
        try:
            stream = self._open()
            offset = stream.tell()
            identifier = _identifier()
            shared = {"WARC-Warcinfo-ID": self._warcinfo}
            ip = {"WARC-IP-Address": exchange.ip} if exchange.ip else {}
            first = member(
                kind, identifier, exchange.url, exchange.at, _RESPONSE_TYPE, block, {**shared, **ip, **named}
            )
            linked = {**shared, "WARC-Concurrent-To": identifier}
            request = member(
                "request", _identifier(), exchange.url, exchange.at, _REQUEST_TYPE, request_block(exchange), linked
            )
            noted = json.dumps(metadata, sort_keys=True, ensure_ascii=False).encode()
            about = member("metadata", _identifier(), exchange.url, exchange.at, METADATA_TYPE, noted, linked)
            stream.write(first + request + about)
            self.flush()
        except OSError as error:
            raise StoreError(self.folder / self._name, error) from error
        return Place(self._name, offset, len(first), digest)

    def rotate(self) -> None:
        """Completes the open file if it is over the limit; to be called after its last record is acknowledged."""
        if self._file and self._file.tell() >= self.most:
            self.close()

    def _open(self) -> IO[bytes]:
        if self._file is None:
            self._name = self._next_name()
            self._file = (self.folder / (self._name + OPEN)).open("wb")
            self._write_warcinfo(self._file)
        return self._file

    def _next_name(self) -> str:
        taken = [
            int(path.name.split(".")[0].rpartition("-")[2]) for path in self.folder.glob(f"{self.run_id}-*.warc.gz*")
        ]
        return f"{self.run_id}-{max(taken, default=0) + 1:05d}.warc.gz"

    def _write_warcinfo(self, stream: IO[bytes]) -> None:
        self._warcinfo = _identifier()
        fields = {"format": "WARC File Format 1.1", **self.about}
        block = "".join(f"{key}: {' '.join(str(value).split())}\r\n" for key, value in fields.items()).encode()
        named = {"WARC-Filename": self._name}
        stream.write(member("warcinfo", self._warcinfo, "", datetime.now(UTC), "application/warc-fields", block, named))

    def _recover(self, path: Path) -> None:
        """Cuts an unfinished file back to what was acknowledged and completes it; one without a page is removed.

        After a loss of power the file may be shorter than what was acknowledged: it is then cut to its last whole
        record, and `lost` has its length.
        """
        name = path.name.removesuffix(OPEN)
        size, acknowledged = path.stat().st_size, self.committed.get(name, 0)
        kept = acknowledged if size >= acknowledged else whole_members(path)
        if kept < acknowledged:
            self.lost[name] = kept
        if not kept:
            path.unlink()
            return
        os.truncate(path, kept)
        path.rename(path.with_name(name))


def whole_members(path: Path) -> int:
    """The bytes of a file up to the end of its last whole gzip member."""
    end = at = 0
    with path.open("rb") as stream:
        inflater = zlib.decompressobj(wbits=31)
        while chunk := stream.read(_STEP):
            while chunk:
                try:
                    inflater.decompress(chunk)
                except zlib.error:
                    return end
                at += len(chunk) - len(inflater.unused_data)
                chunk = inflater.unused_data
                if inflater.eof:
                    end = at
                    inflater = zlib.decompressobj(wbits=31)
    return end


def member(
    kind: str, identifier: str, url: str, at: datetime, content_type: str, block: bytes, named: Mapping[str, str]
) -> bytes:
    """A WARC/1.1 record as a gzip member of its own (WARC 1.1, annex D); level 1, as bodies are compressed already."""
    fields = {
        "WARC-Type": kind,
        "WARC-Record-ID": identifier,
        "WARC-Date": warc_date(at),
        **({"WARC-Target-URI": url} if url else {}),
        "Content-Type": content_type,
        **named,
        "WARC-Block-Digest": payload_digest(block),
        "Content-Length": str(len(block)),
    }
    head = "WARC/1.1\r\n" + "".join(f"{key}: {value}\r\n" for key, value in fields.items()) + "\r\n"
    deflater = zlib.compressobj(level=1, wbits=31)
    return deflater.compress(head.encode() + block + b"\r\n\r\n") + deflater.flush()


def response_block(exchange: Exchange, *, with_body: bool = True) -> bytes:
    """The HTTP response as bytes. Header names and their order are as Scrapy gives them, which normalises both."""
    kept = [(key, value) for key, value in exchange.response_headers if key.lower() not in _UNTRUE]
    if with_body:
        kept.append((b"Content-Length", str(len(exchange.body)).encode()))
    head = b"HTTP/1.1 %d %s\r\n" % (exchange.status, b"Not Modified" if exchange.status == 304 else b"OK")
    return head + _header_lines(kept) + b"\r\n" + (exchange.body if with_body else b"")


def request_block(exchange: Exchange) -> bytes:
    """The HTTP request as bytes."""
    authority, _, path = exchange.url.partition("://")[2].partition("/")
    head = f"GET /{path} HTTP/1.1\r\nHost: {authority}\r\n".encode()
    return head + _header_lines(exchange.request_headers) + b"\r\n"


def payload_digest(body: bytes) -> str:
    """The digest of a payload as WARC files write it: SHA-1 in base 32."""
    return "sha1:" + base64.b32encode(hashlib.sha1(body, usedforsecurity=False).digest()).decode()


def warc_date(at: datetime) -> str:
    """A time as WARC files write it, in UTC, to the second."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _header_lines(headers: Headers) -> bytes:
    return b"".join(b"%s: %s\r\n" % (key, b" ".join(value.split())) for key, value in headers)


def _identifier() -> str:
    return f"<urn:uuid:{uuid4()}>"

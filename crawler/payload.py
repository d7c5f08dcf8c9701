"""Content encodings undone under a size bound: wire bytes in, payload out."""

import sys
import zlib
from collections.abc import Callable, Iterable

import brotli

if sys.version_info >= (3, 14):
    from compression.zstd import ZstdDecompressor, ZstdError
else:
    from backports.zstd import ZstdDecompressor, ZstdError

ACCEPTED = "gzip, deflate, br"
"""What requests accept. Not zstd, so that older readers of the WARC files can undo every encoding."""

_MOST_ENCODINGS = 4
_STEP = 1 << 16
_HELD = 4_000_000
_GZIP = b"\x1f\x8b"


class PayloadError(ValueError):
    """A body whose encoding is unknown or broken, or that grows over the bound."""


class OversizeError(PayloadError):
    """A body that is larger than the bound, encoded or decoded: a bomb, or just too much."""


def decode(body: bytes, encodings: str, most: int, *, lenient: bool = False) -> bytes:
    """The payload of a body.

    Args:
        body: the bytes as they came over the wire, without transfer encoding.
        encodings: the value of Content-Encoding, in the order in which they were applied; "" for none.
        most: the largest payload in bytes that is accepted.
        lenient: whether a body that is cut short gives the bytes before the cut instead of an error, and a body that is
            no gzip at all, whatever its header says, is taken as it is.

    Raises:
        OversizeError: over `most` bytes; at most about `most` bytes were made before it was noticed.
        PayloadError: an encoding that is unknown, applied too often, or broken.
    """
    names = [name.strip().lower() for name in encodings.split(",") if name.strip()]
    if len(names) > _MOST_ENCODINGS:
        raise PayloadError(f"{len(names)} content encodings on top of each other; at most {_MOST_ENCODINGS} are undone")
    for name in reversed(names):
        body = _undo(name, body, most, lenient=lenient)
    if len(body) > most:
        raise OversizeError(f"{len(body)} bytes; the limit is {most}")
    return body


def gunzip_file(body: bytes, most: int) -> bytes:
    """The content of a body that is itself a gzip file (a `sitemap.xml.gz`), or the body as it is where it is none.

    Raises:
        OversizeError, PayloadError: as `decode`.
    """
    return decode(body, "gzip", most, lenient=True) if body[:2] == _GZIP else body


def _undo(name: str, body: bytes, most: int, *, lenient: bool) -> bytes:
    if name in ("identity", "none", "utf-8", ""):
        return body
    decoder = _DECODERS.get(name)
    if decoder is None:
        raise PayloadError(f"unknown content encoding {name!r}")
    if not body:
        return body
    try:
        return decoder(body, most, lenient)
    except (zlib.error, brotli.error, ZstdError, EOFError) as error:
        raise PayloadError(f"broken {name} body of {len(body)} bytes: {error}") from error


def _bounded(pieces: Callable[[], Iterable[bytes]], most: int) -> bytes:
    """The pieces as one. What is large is counted before it is kept, so that a bomb costs time alone."""
    kept, total = [], 0
    for piece in pieces():
        total += len(piece)
        if total > most:
            raise OversizeError(f"over {most} bytes when decoded")
        if total <= _HELD:
            kept.append(piece)
        else:
            kept.clear()
    return b"".join(kept if total <= _HELD else pieces())


def _gunzip(body: bytes, most: int, lenient: bool) -> bytes:
    if lenient and body[:2] != _GZIP:
        return body
    return _bounded(lambda: _members(body, most, lenient), most)


def _members(body: bytes, most: int, lenient: bool) -> Iterable[bytes]:
    """The content of each gzip member; what follows the last one and is no member is padding, as in gzip(1)."""
    first = True
    while body and (first or body[:2] == _GZIP):
        inflater = zlib.decompressobj(wbits=31)
        yield from _inflate_lenient(inflater, body, most, lenient)
        if not inflater.eof:
            return
        body, first = inflater.unused_data.lstrip(b"\0"), False


def _inflate_lenient(inflater: "zlib._Decompress", body: bytes, most: int, lenient: bool) -> Iterable[bytes]:
    step = min(most, _STEP) + 1
    try:
        while body and not inflater.eof:
            yield inflater.decompress(body, step)
            body = inflater.unconsumed_tail
    except zlib.error:
        if not lenient:
            raise
        return
    if not inflater.eof and not lenient:
        raise EOFError("cut short")


def _inflate(body: bytes, most: int, lenient: bool) -> bytes:
    """Deflate with its zlib header, or raw as some servers send it (RFC 9110, 8.4.1.2)."""
    try:
        return _bounded(lambda: _inflate_lenient(zlib.decompressobj(), body, most, False), most)
    except (zlib.error, EOFError):
        return _bounded(lambda: _inflate_lenient(zlib.decompressobj(wbits=-15), body, most, lenient), most)


def _unbrotli(body: bytes, most: int, lenient: bool) -> bytes:
    return _bounded(lambda: _brotli_pieces(body, lenient), most)


def _brotli_pieces(body: bytes, lenient: bool) -> Iterable[bytes]:
    decoder = brotli.Decompressor()
    yield decoder.process(body, output_buffer_limit=_STEP)
    while not decoder.is_finished():
        piece = decoder.process(b"", output_buffer_limit=_STEP)
        if not piece and decoder.can_accept_more_data():
            break
        yield piece
    if not decoder.is_finished() and not lenient:
        raise EOFError("cut short")


def _unzstd(body: bytes, most: int, lenient: bool) -> bytes:
    return _bounded(lambda: _zstd_pieces(body, lenient), most)


def _zstd_pieces(body: bytes, lenient: bool) -> Iterable[bytes]:
    while body:
        decoder = ZstdDecompressor()
        yield decoder.decompress(body, _STEP)
        while not decoder.eof and not decoder.needs_input:
            yield decoder.decompress(b"", _STEP)
        if not decoder.eof:
            if lenient:
                return
            raise EOFError("cut short")
        body = decoder.unused_data


_DECODERS: dict[str, Callable[[bytes, int, bool], bytes]] = {
    "gzip": _gunzip,
    "x-gzip": _gunzip,
    "deflate": _inflate,
    "br": _unbrotli,
    "zstd": _unzstd,
}

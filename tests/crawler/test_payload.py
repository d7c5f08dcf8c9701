"""Content encodings undone under a bound."""

import gzip
import resource
import zlib
from pathlib import Path

import brotli
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.payload import OversizeError, PayloadError, decode, gunzip_file

COMPRESSED = Path(__file__).parents[2] / "../shared/corpora/compressed"
ENCODINGS = {"br": "br", "gzip": "gzip", "deflate": "deflate", "rawdeflate": "deflate", "zlibdeflate": "deflate"}
needs_samples = pytest.mark.skipif(not COMPRESSED.exists(), reason="compressed samples are not beside the repository")


def encode(body: bytes, name: str) -> bytes:
    """A body in a content encoding."""
    raw = zlib.compressobj(wbits=-15)
    return {
        "gzip": gzip.compress,
        "br": brotli.compress,
        "deflate": zlib.compress,
        "raw": lambda data: raw.compress(data) + raw.flush(),
    }[name](body)


@given(st.binary(max_size=2_000), st.lists(st.sampled_from(["gzip", "br", "deflate"]), max_size=3))
def test_what_is_encoded_is_decoded(body: bytes, names: list[str]) -> None:
    """Encodings are undone in the reverse of their order; x-gzip is gzip."""
    wire = body
    for name in names:
        wire = encode(wire, name)
    assert decode(wire, ", ".join(names), 10_000) == body


@pytest.mark.parametrize("name", ["gzip", "br", "deflate", "raw"])
def test_large_bodies_are_whole(name: str) -> None:
    """What is counted before it is kept comes out as it went in."""
    body = bytes(range(256)) * 20_000
    assert decode(encode(body, name), name.replace("raw", "deflate"), 10_000_000) == body


def test_deflate_without_its_header_is_decoded() -> None:
    """Some servers send raw deflate."""
    assert decode(encode(b"text" * 50, "raw"), "deflate", 1_000) == b"text" * 50


@given(st.binary(max_size=300), st.sampled_from(["gzip", "br", "deflate", "zstd", "x", "gzip, br", ",", "identity"]))
def test_noise_gives_bytes_or_a_typed_error(body: bytes, names: str) -> None:
    """No body escapes with another error than PayloadError."""
    for lenient in (True, False):
        try:
            assert len(decode(body, names, 10_000, lenient=lenient)) <= 10_000
        except PayloadError:
            continue


def test_a_cut_body_gives_its_beginning_or_an_error() -> None:
    """Lenient decoding keeps what came before the cut."""
    wire = gzip.compress(bytes(range(256)) * 100)[:-20]
    assert decode(wire, "gzip", 100_000, lenient=True).startswith(bytes(range(256)))
    with pytest.raises(PayloadError, match="cut short"):
        decode(wire, "gzip", 100_000)


def test_too_many_encodings_are_refused() -> None:
    """A chain of encodings is bounded."""
    with pytest.raises(PayloadError, match="on top of each other"):
        decode(b"x", "gzip, " * 9, 10)


@pytest.mark.parametrize("name", ["gzip", "br", "deflate"])
def test_bombs_end_at_the_bound(name: str) -> None:
    """A body of 200 MB from a few hundred kilobytes is refused before it is in memory."""
    bomb = encode(bytes(200_000_000), name)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(OversizeError):
        decode(bomb, name, 1_000_000)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 20_000


def test_a_gzip_file_is_told_by_its_content() -> None:
    """What begins like gzip is unpacked, all members; everything else stays."""
    assert gunzip_file(gzip.compress(b"one") + gzip.compress(b"two"), 100) == b"onetwo"
    assert gunzip_file(b"<urlset/>", 100) == b"<urlset/>"


@needs_samples
@pytest.mark.parametrize("path", sorted(COMPRESSED.glob("html-*.bin")), ids=lambda path: path.stem)
def test_samples_of_scrapy(path: Path) -> None:
    """Every sample decodes to the same page."""
    names = [ENCODINGS.get(part, part) for part in path.stem.split("-")[1:]]
    known = [name for name in names if name in ("br", "gzip", "deflate", "zstd")]
    assert b"</html>" in decode(path.read_bytes(), ", ".join(known), 1_000_000)


@needs_samples
@pytest.mark.parametrize("path", sorted(COMPRESSED.glob("bomb-*.bin")), ids=lambda path: path.stem)
def test_bombs_of_scrapy(path: Path) -> None:
    """Every bomb is refused."""
    with pytest.raises(OversizeError):
        decode(path.read_bytes(), path.stem.split("-")[1], 1_000_000)


@needs_samples
@pytest.mark.parametrize("path", sorted(COMPRESSED.glob("*.gz")), ids=lambda path: path.name)
def test_broken_gzip_of_scrapy(path: Path) -> None:
    """Cut and damaged gzip files give what can be read of them."""
    assert gunzip_file(path.read_bytes(), 10_000_000)

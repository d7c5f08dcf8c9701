"""WARC/1.1: what is written is read by others, what others wrote is read, and damage is told."""

import gzip
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from fastwarc.warc import ArchiveIterator as FastIterator
from hypothesis import given, settings
from hypothesis import strategies as st
from warcio.archiveiterator import ArchiveIterator

from crawler.store import OPEN, Exchange, WarcStore, whole_members
from crawler.warc import Damage, DamagedWarcError, pages, split_response
from crawler.warc_index import captures

SAMPLES = Path(__file__).parents[2] / "../shared/corpora/warc"
needs_samples = pytest.mark.skipif(not SAMPLES.exists(), reason="WARC samples are not beside the repository")
AT = datetime(2025, 11, 18, 10, 0, tzinfo=UTC)
HTML = b"<html><body><p>Talks end</p></body></html>"
NOTED = {
    "source": "https://example.com/feed",
    "source_kind": "feed",
    "hint_title": "Talks – end",
    "hint_published": "2025-11-18T09:00:00+00:00",
    "rights": {"verdict": "allowed", "signals": []},
}


def exchange(url: str = "https://example.com/a", body: bytes = HTML, status: int = 200, **headers: str) -> Exchange:
    """An exchange with these response headers."""
    given = {"Content-Type": "text/html", **{key.replace("_", "-"): value for key, value in headers.items()}}
    sent = [(b"User-Agent", b"likewise/0.1")]
    received = [(key.encode(), value.encode()) for key, value in given.items()]
    return Exchange(url, status, sent, received, body, AT, "93.184.215.14")


def store(folder: Path, **fields: object) -> WarcStore:
    """A store of the run r1."""
    return WarcStore(folder, "r1", {"software": "likewise/0.1"}, **fields)  # type: ignore[arg-type]


def kill(written: WarcStore) -> None:
    """Leaves a store as a killed process does."""
    assert written._file is not None
    written._file.close()


def test_records_are_read_by_warcio_with_right_digests(tmp_path: Path) -> None:
    """warcinfo, response, request, metadata and revisit, each valid, the wire's bytes kept."""
    written = store(tmp_path)
    wire = gzip.compress(HTML)
    place = written.append_response(exchange(body=wire, Content_Encoding="gzip", Transfer_Encoding="chunked"), NOTED)
    written.append_revisit(exchange(body=b"", status=304), NOTED, place.digest, AT)
    written.close()
    kinds, bodies = [], []
    with (tmp_path / "r1-00001.warc.gz").open("rb") as stream:
        for record in ArchiveIterator(stream, check_digests="raise"):
            kinds.append((record.rec_headers.get_header("WARC-Type"), record.rec_headers.protocol))
            bodies.append(record.content_stream().read())
            if record.rec_type == "response":
                assert record.http_headers.get_header("Transfer-Encoding") is None
                assert record.http_headers.get_header("Content-Length") == str(len(wire))
            if record.rec_type == "revisit":
                assert record.rec_headers.get_header("WARC-Profile").endswith("server-not-modified")
                assert record.rec_headers.get_header("WARC-Refers-To-Date") == "2025-11-18T10:00:00Z"
    assert kinds == [
        (kind, "WARC/1.1") for kind in ("warcinfo", "response", "request", "metadata", "revisit", "request", "metadata")
    ]
    assert bodies[1] == HTML


def test_records_are_read_by_fastwarc_where_the_store_says(tmp_path: Path) -> None:
    """Each record is a gzip member of its own, at the offset that was returned."""
    written = store(tmp_path)
    places = [written.append_response(exchange(f"https://example.com/{i}"), NOTED) for i in range(5)]
    written.close()
    found = {}
    with (tmp_path / "r1-00001.warc.gz").open("rb") as stream:
        for record in FastIterator(stream, parse_http=False):
            assert record.verify_block_digest()
            found[record.headers["WARC-Type"], record.headers.get("WARC-Target-URI")] = record.stream_pos
    assert [found["response", f"https://example.com/{i}"] for i in range(5)] == [place.offset for place in places]


def test_pages_come_with_what_was_noted(tmp_path: Path) -> None:
    """Body decoded, source, hints, rights and place; revisits are no pages."""
    written = store(tmp_path)
    place = written.append_response(exchange(body=gzip.compress(HTML), Content_Encoding="gzip"), NOTED)
    written.append_revisit(exchange(body=b"", status=304), NOTED, place.digest, AT)
    written.append_response(exchange("https://example.com/b"), NOTED)
    written.close()
    first, second = pages([tmp_path / "r1-00001.warc.gz"])
    assert (first.url, first.body, first.status, first.content_type) == (
        "https://example.com/a",
        HTML,
        200,
        "text/html",
    )
    assert (first.source, first.source_kind, first.hint_title) == ("https://example.com/feed", "feed", "Talks – end")
    assert first.hint_published == datetime(2025, 11, 18, 9, tzinfo=UTC)
    assert first.fetched_at == AT
    assert first.rights == '{"signals": [], "verdict": "allowed"}'
    assert (first.warc_file, first.warc_offset) == ("r1-00001.warc.gz", place.offset)
    assert second.url == "https://example.com/b"


def test_files_are_rotated_and_named_by_number(tmp_path: Path) -> None:
    """A file over the limit is completed, and the next one begun; what is unfinished has its suffix."""
    written = store(tmp_path, most=2_000)
    for i in range(6):
        written.append_response(exchange(f"https://example.com/{i}", body=bytes(range(256)) * 4), NOTED)
        written.rotate()
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names[0] == "r1-00001.warc.gz"
    assert len(names) >= 2
    written.close()
    assert not list(tmp_path.glob(f"*{OPEN}"))
    assert len(list(pages(sorted(tmp_path.iterdir())))) == 6


def test_a_cut_file_is_recovered_to_what_was_acknowledged(tmp_path: Path) -> None:
    """After a kill the file ends with its last acknowledged record, and the next file has the next number."""
    written = store(tmp_path)
    written.append_response(exchange(), NOTED)
    name, length = written.position
    written.append_response(exchange("https://example.com/unacknowledged"), NOTED)
    kill(written)
    recovered = store(tmp_path, committed={name: length})
    assert (tmp_path / name).stat().st_size == length
    assert [page.url for page in pages([tmp_path / name])] == ["https://example.com/a"]
    recovered.append_response(exchange("https://example.com/b"), NOTED)
    assert recovered.position[0] == "r1-00002.warc.gz"
    recovered.close()


def test_a_file_shorter_than_acknowledged_is_cut_to_its_last_whole_record(tmp_path: Path) -> None:
    """After a loss of power the store says how much is left, so that the rest is fetched again."""
    written = store(tmp_path)
    written.append_response(exchange(), NOTED)
    whole = written.position[1]
    written.append_response(exchange("https://example.com/b"), NOTED)
    name, length = written.position
    kill(written)
    path = tmp_path / (name + OPEN)
    path.write_bytes(path.read_bytes()[: whole + 30])
    recovered = store(tmp_path, committed={name: length})
    assert recovered.lost == {name: whole}
    assert whole_members(tmp_path / name) == whole
    assert len(list(pages([tmp_path / name]))) == 1


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A file of three pages."""
    folder = tmp_path_factory.mktemp("warc")
    written = store(folder)
    for i in range(3):
        written.append_response(exchange(f"https://example.com/{i}", body=HTML * 20), NOTED)
    written.close()
    return (folder / "r1-00001.warc.gz").read_bytes()


@settings(max_examples=60)
@given(share=st.floats(0, 1, exclude_max=True))
def test_a_cut_anywhere_gives_the_whole_records_before_it(
    share: float, sample: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """And then tells the damage, unless the cut is between two records."""
    path = tmp_path_factory.mktemp("cut") / "cut.warc.gz"
    cut = int(len(sample) * share)
    path.write_bytes(sample[:cut])
    damages: list[Damage] = []
    found = [page.url for page in pages([path], on_damage=damages.append)]
    assert found == [f"https://example.com/{i}" for i in range(len(found))]
    assert damages or whole_members(path) == cut


def test_without_a_callback_damage_is_an_error_after_the_pages(sample: bytes, tmp_path: Path) -> None:
    """The error names the file and the byte."""
    path = tmp_path / "cut.warc.gz"
    path.write_bytes(sample[:-100])
    found = []
    with pytest.raises(DamagedWarcError, match=r"cut\.warc\.gz, byte \d+") as caught:
        found.extend(page.url for page in pages([path]))
    assert caught.value.damage.offset > 0


def test_bodies_under_untrue_headers_are_read(tmp_path: Path) -> None:
    """Many writers keep the headers of encodings that they have undone."""
    written = store(tmp_path)
    written.append_response(exchange(Content_Encoding="gzip"), NOTED)
    written.close()
    assert [page.body for page in pages([tmp_path / "r1-00001.warc.gz"])] == [HTML]


def test_a_payload_over_the_limit_is_damage(sample: bytes, tmp_path: Path) -> None:
    """And the pages after it are given."""
    path = tmp_path / "r.warc.gz"
    path.write_bytes(sample)
    damages: list[Damage] = []
    assert list(pages([path], most=100, on_damage=damages.append)) == []
    assert [damage.url for damage in damages] == [f"https://example.com/{i}" for i in range(3)]


@given(st.binary(max_size=300))
def test_noise_is_damage_or_no_page(noise: bytes) -> None:
    """No bytes escape with another error."""
    split_response(noise)
    split_response(b"HTTP/1.1 200 OK\r\n" + noise)


EXPECTED = {
    "example.warc.gz": 1,
    "example.warc": 1,
    "example-bad-non-chunked.warc.gz": 1,
    "example-iana.org-chunked.warc": 1,
    "example-wrong-chunks.warc.gz": 1,
    "example-wget-bad-target-uri.warc.gz": 1,
    "example-bad.warc.gz.bad": 2,
    "example-trunc.warc": 1,
    "post-test.warc.gz": 3,
    "example-resource.warc.gz": 0,
    "chatnoir-resiliparse/warcfile.warc.gz": 16,
    "chatnoir-resiliparse/warcfile.warc": 16,
    "chatnoir-resiliparse/clueweb-quirk.warc.gz": 29,
    "chatnoir-resiliparse/clipped.warc.gz": 0,
    "jwarc/cc.warc.gz": 1,
}
DAMAGED = ("example-trunc.warc", "chatnoir-resiliparse/clipped.warc.gz", "bad.arc", "example.arc.gz", "example.arc")


def samples() -> Iterator[tuple[str, int, list[Damage]]]:
    """Name, number of pages and damages of each sample file."""
    for path in sorted(path for path in SAMPLES.rglob("*") if path.is_file() and path.suffix != ".md"):
        damages: list[Damage] = []
        yield str(path.relative_to(SAMPLES)), sum(1 for _ in pages([path], on_damage=damages.append)), damages


@needs_samples
def test_samples_of_warcio_resiliparse_and_jwarc() -> None:
    """All files are read as far as they go; cut ones, and ARC files, which are another format, are told."""
    found = {name: (count, damages) for name, count, damages in samples()}
    assert {name: found[name][0] for name in EXPECTED} == EXPECTED
    assert [name for name in DAMAGED if not found[name][1]] == []
    assert [name for name in EXPECTED if name not in DAMAGED and found[name][1]] == []


def test_the_index_says_where_each_capture_lies(tmp_path: Path) -> None:
    """With the columns of CDXJ, responses and revisits alike."""
    written = store(tmp_path)
    place = written.append_response(exchange("https://www.Example.com/A?b=1"), NOTED)
    written.append_revisit(exchange(body=b"", status=304), NOTED, place.digest, AT)
    written.close()
    first, second = captures([tmp_path / "r1-00001.warc.gz"])
    assert (first.urlkey, first.timestamp, first.mime, first.status) == (
        "com,example)/a?b=1",
        "20251118100000",
        "text/html",
        200,
    )
    assert (first.offset, first.filename) == (place.offset, "r1-00001.warc.gz")
    assert (second.mime, second.status) == ("warc/revisit", 304)
    assert first.as_cdxj().startswith('com,example)/a?b=1 20251118100000 {"url": "https://www.Example.com/A?b=1"')

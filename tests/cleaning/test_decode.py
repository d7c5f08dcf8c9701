"""Bytes to text: encodings by the standard's own cases and by real pages, and the repair of damaged text."""

import codecs
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from w3lib.encoding import resolve_encoding

from cleaning.decode import declared_encoding, decode, is_html, one_line, repair_mojibake, tidy

CORPORA = Path(__file__).parents[2] / "../shared/corpora"
CHARDET = CORPORA / "encodings" / "chardet"
needs_corpora = pytest.mark.skipif(not CHARDET.is_dir(), reason="the encodings corpus is not beside the repository")


def test_the_byte_order_mark_wins() -> None:
    """A byte order mark outweighs the header."""
    found = decode(codecs.BOM_UTF16_LE + "naïve".encode("utf-16-le"), "text/html; charset=utf-8")
    assert (found.text, found.how) == ("naïve", "byte order mark")


def test_a_wrong_declaration_gives_way_to_valid_utf8() -> None:
    """Valid UTF-8 is read as such although the header says Latin-1."""
    assert decode("Москва".encode(), "text/html; charset=iso-8859-1").text == "Москва"


def test_the_header_and_then_the_markup_name_the_encoding() -> None:
    """A Windows-1251 page is read by its header, or by its own meta element."""
    page = '<meta charset="windows-1251"><p>Кремль не подтвердил встречу</p>'.encode("cp1251")
    assert "Кремль" in decode(page).text
    assert "Кремль" in decode(page.replace(b"windows-1251", b"iso-8859-5"), "text/html; charset=windows-1251").text


def test_an_undeclared_encoding_is_detected() -> None:
    """A page that names no encoding is read by what its bytes look like."""
    text = "Встреча президентов двух стран в ближайшее время не планируется, сообщили журналистам. " * 5
    assert decode(f"<p>{text}</p>".encode("cp1251")).text == f"<p>{text}</p>"


@needs_corpora
@pytest.mark.parametrize(
    "folder",
    ["utf-8", "utf-8-sig", "windows-1251-russian", "EUC-JP", "SHIFT_JIS", "Big5", "GB2312", "EUC-KR", "KOI8-R"],
)
def test_real_pages_keep_their_letters(folder: str) -> None:
    """Pages in many encodings decode without a replacement character in nine of ten."""
    pages = [path.read_bytes() for path in sorted((CHARDET / folder).iterdir())[:20]]
    damaged = sum("\ufffd" in decode(page).text for page in pages)
    assert damaged <= len(pages) / 10


def _prescan_cases() -> list[tuple[bytes, str]]:
    cases = []
    for path in sorted((CORPORA / "html5lib-tests" / "encoding").glob("tests*.dat")):
        for case in path.read_bytes().split(b"#data\n")[1:]:
            data, _, encoding = case.partition(b"#encoding\n")
            cases.append((data.removesuffix(b"\n"), encoding.split(b"\n")[0].decode().strip()))
    return cases


@needs_corpora
def test_the_standards_prescan_cases() -> None:
    """Of the html5lib cases for the charset prescan, at least seven in ten name the expected encoding."""
    cases = _prescan_cases()
    right = sum((declared_encoding(data) or "cp1252") == resolve_encoding(expected) for data, expected in cases)
    assert right >= 0.7 * len(cases)


@pytest.mark.parametrize(
    ("damaged", "whole"), [("cafÃ©", "café"), ("donâ€™t", "don’t"), ("â€œYesâ€\u009d", "“Yes”"), ("São", "São")]
)
def test_mojibake_is_repaired_and_nothing_else(damaged: str, whole: str) -> None:
    """UTF-8 that was read as Windows-1252 comes out right, and correct text is left alone."""
    assert repair_mojibake(damaged) == whole


def test_invisible_characters_go_and_joiners_stay() -> None:
    """Zero-width spaces, soft hyphens and direction marks go; the joiner that Persian needs stays."""
    assert one_line("\u200bin\u00advisible \u202eabc\u202c\ufeff") == "invisible abc"
    assert tidy("می\u200cخواهم") == "می\u200cخواهم"


@pytest.mark.parametrize(
    "body",
    [b"%PDF-1.7", b"\x89PNG\r\n", b'{"a": 1}', b"<?xml version='1.0'?><rss></rss>", b"plain words", b"", b"\x00" * 999],
)
def test_what_is_no_page_is_told(body: bytes) -> None:
    """PDF, images, JSON, feeds, plain text and binary data are no HTML."""
    assert not is_html(body)


@given(st.binary(max_size=300), st.text(max_size=40))
def test_any_bytes_and_any_header_give_text(body: bytes, header: str) -> None:
    """Decoding never fails."""
    assert isinstance(decode(body, header).text, str)
    assert is_html(body, header) in (True, False)

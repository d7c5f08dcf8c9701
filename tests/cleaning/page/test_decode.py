"""Bytes to text: which signal names the encoding, what is a page at all, and the repair of damaged text."""

import codecs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cleaning.page.decode import decode, is_html, one_line, repair_mojibake, tidy


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

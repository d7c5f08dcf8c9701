"""Encodings by the WHATWG standards: labels, the prescan's cases of html5lib, and the corpora of labelled texts."""

import codecs
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cleaning.page.decode import declared_encoding, decode
from cleaning.page.prescan import encoding_of, prescan

CORPORA = Path(__file__).parents[3] / "../shared/corpora"
HTML5LIB = CORPORA / "html5lib-tests" / "encoding"
CHARDET = CORPORA / "encodings" / "chardet"
NORMALIZER = CORPORA / "encodings" / "charset_normalizer"
needs_corpora = pytest.mark.skipif(not CHARDET.is_dir(), reason="the encodings corpus is not beside the repository")

_UNREADABLE = frozenset({"EUC-TW"})
"""Labels that neither the web nor Python has a decoder for."""


def _cases(path: Path) -> list[tuple[bytes, str]]:
    cases = []
    for case in path.read_bytes().split(b"#data\n")[1:]:
        data, _, encoding = case.partition(b"#encoding\n")
        cases.append((data.removesuffix(b"\n"), encoding.split(b"\n")[0].decode().strip()))
    return cases


def _prescan_cases() -> list[tuple[bytes, str]]:
    """All cases but that of `scripted/`, which has its declaration written by a script."""
    return [case for path in sorted(HTML5LIB.glob("*.dat")) for case in _cases(path)]


@pytest.mark.parametrize(("data", "expected"), _prescan_cases() if HTML5LIB.is_dir() else [])
def test_html5lib_prescan(data: bytes, expected: str) -> None:
    """Each html5lib case names the expected encoding; one that names none is Windows-1252."""
    assert (declared_encoding(data) or "cp1252") == encoding_of(expected)


@needs_corpora
def test_html5lib_scripts_are_not_run() -> None:
    """A declaration that a script would write is not taken for one."""
    assert [prescan(data) for data, _ in _cases(HTML5LIB / "scripted" / "tests1.dat")] == [""]


@needs_corpora
def test_html5lib_detects_big5() -> None:
    """The undeclared Big5 page of html5lib is read as Big5."""
    body = (HTML5LIB / "chardet" / "test_big5.txt").read_bytes()
    assert decode(body).text == body.decode("big5hkscs")


def _encoding_of_folder(name: str) -> str:
    """The encoding in the name of a folder (`iso-8859-2-polish`), as the web means it where the web knows it."""
    for label in (name, name.rpartition("-")[0]):
        try:
            return encoding_of(label) or codecs.lookup(label).name
        except LookupError:
            continue
    raise LookupError(name)


FOLDERS = sorted(path.name for path in CHARDET.iterdir() if path.is_dir()) if CHARDET.is_dir() else []


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_labelled_text_is_read(folder: str) -> None:
    """Every file of every folder is decoded as its label says, or as another encoding of the same text."""
    for path in sorted((CHARDET / folder).iterdir()):
        found = decode(path.read_bytes())
        if folder not in _UNREADABLE:
            expected = path.read_bytes().decode(_encoding_of_folder(folder), "replace")
            assert found.text == expected.removeprefix("\ufeff"), f"{path.name} as {found.encoding}"


@needs_corpora
@pytest.mark.parametrize("path", sorted(NORMALIZER.glob("sample-*")), ids=lambda path: path.name)
def test_unlabelled_texts_have_letters_and_no_damage(path: Path) -> None:
    """Samples in many languages are decoded with no unreadable character and without control characters."""
    text = decode(path.read_bytes()).text
    assert "\ufffd" not in text
    assert not any("\x80" <= character <= "\x9f" for character in text)


@pytest.mark.parametrize(
    ("label", "expected"),
    [
        ("Latin1", "cp1252"),
        (" ascii\n", "cp1252"),
        ("x-user-defined", "cp1252"),
        ("gb2312", "gb18030"),
        ("ks_c_5601-1987", "cp949"),
        ("Shift_JIS", "cp932"),
        ("iso-8859-8-i", "iso8859-8"),
        ("utf-7", ""),
        ("rot13", ""),
        ("unicode_escape", ""),
        ("idna", ""),
        ('utf-8"', ""),
        ("", ""),
    ],
)
def test_labels_mean_what_they_mean_on_the_web(label: str, expected: str) -> None:
    """Labels are those of the Encoding standard; Python's other codecs are no encodings of pages."""
    assert encoding_of(label) == expected


@pytest.mark.parametrize(
    ("markup", "expected"),
    [
        (b"<!-- <meta charset=utf-8> --><meta charset=koi8-r>", "koi8-r"),
        (b"<!--><meta charset=koi8-r>", "koi8-r"),
        (b"<meta charset=utf-16>", "utf-8"),
        (b"<meta charset=nonsense><meta charset=koi8-r>", "koi8-r"),
        (b"<title><meta charset=koi8-r>", "koi8-r"),
        (b"<a title='<meta charset=big5>'><meta charset=koi8-r>", "koi8-r"),
        (b"<meta content='text/html; charset=koi8-r'>", ""),
        (b"<meta content='charset = \"koi8-r' http-equiv=Content-Type>", ""),
        (b"<?xml version='1.0' encoding='koi8-r'?><html>", "koi8-r"),
        (b"<meta charset=koi8-r", ""),
    ],
)
def test_the_prescan_skips_what_is_no_declaration(markup: bytes, expected: str) -> None:
    """Comments, other tags' attributes, unknown labels and cut tags declare nothing."""
    assert prescan(markup) == expected


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
def test_wide_encodings_need_no_mark(encoding: str) -> None:
    """UTF-16 and UTF-32 are recognised by their zero bytes."""
    text = "<html><p>Переговоры продолжатся в среду, сообщили журналистам.</p></html>"
    assert decode(text.encode(encoding)).text == text


@given(st.binary(max_size=300).map(lambda data: b"<meta " + data))
def test_any_markup_names_a_known_encoding_or_none(markup: bytes) -> None:
    """The prescan of any bytes ends, and what it names can be decoded."""
    named = prescan(markup)
    assert not named or isinstance(markup.decode(named, "replace"), str)

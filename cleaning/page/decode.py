"""Bytes and headers to clean text: which encoding a page is in, and what to repair once it is decoded."""

import re
from dataclasses import dataclass

from charset_normalizer import from_bytes
from resiliparse.parse.encoding import detect_encoding
from w3lib.encoding import http_content_type_encoding, read_bom, to_unicode

from cleaning.page.prescan import encoding_of, prescan

_SAMPLE = 65_536
_START = 2_048
_WIDE = (("utf-32-le", 4, 0), ("utf-32-be", 4, 3), ("utf-16-le", 2, 0), ("utf-16-be", 2, 1))
"""Encodings of 2 or 4 bytes a character: name, width, and where in it the byte of an ASCII character lies."""
_SOME_ASCII = 0.2
"""Share of ASCII characters that markup and text with spaces and line ends have in any language, and binary has not."""
_DOUBTFUL = frozenset({"", "utf-8", "cp1252", "cp1253", "iso8859-16"})
"""What the quick detector answers for short texts, for encodings that it does not know, and for near relatives."""
_C1 = re.compile(b"[\x80-\x9f]")
"""Bytes that are controls in ISO 8859, and quotation marks and dashes in the Windows encodings."""
_MANY_BYTE_FAMILIES = ("gb", "hz", "big5", "euc", "shift", "cp932", "cp949", "johab", "iso2022")
_SHIFTS = ((b"\x1b$)C", "iso2022_kr"), (b"\x1b$", "iso2022_jp"), (b"\x1b(J", "iso2022_jp"))
"""Escape sequences that only the 7-bit encodings of Korean and Japanese have (RFC 1557, RFC 1468)."""
_DAMAGE = 0.002
"""Share of replacement characters above which a declared encoding is not believed."""

_INVISIBLE = re.compile("[\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]")
_CONTROL = re.compile("[\x00-\x08\x0b\x0e-\x1f\x7f\x80-\x84\x86-\x9f\ufffe\uffff\ud800-\udfff]")
_SPACES = re.compile("[^\\S\n]+")
_BREAKS = re.compile(r"\r\n?|[\u2028\u2029\x85\x0c]")

_HIGH = "€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ\u0080-\u00bf"
_MOJIBAKE = re.compile(f"[ÂÃÐÑ][{_HIGH}]|[àáâãå-ï][{_HIGH}]{{2}}|ð[{_HIGH}]{{3}}")
"""UTF-8 read as Windows-1252: a lead byte and its continuation bytes, as that table shows them."""

_SIGNS = ("Ã", "Â", "â€", "Ð", "Ñ")
"""What mojibake of Latin and Cyrillic letters, quotation marks and spaces begins with."""
_MAGIC = (b"%PDF-", b"PK\x03\x04", b"\x89PNG", b"GIF8", b"\xff\xd8\xff", b"RIFF", b"\x1f\x8b", b"OggS", b"ID3", b"wOF")
_NOT_HTML_TYPES = re.compile(
    r"\s*(?:image|audio|video|font)/|\s*application/(?!x?html|xml|xhtml|octet-stream|force-download)|\s*text/(?:css|csv|javascript)",
    re.I,
)
_FEED = re.compile(
    rb"\s*+(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*+)*+<(?:rss|feed|urlset|sitemapindex|rdf:RDF|svg)[\s>]", re.S | re.I
)


@dataclass(frozen=True, slots=True)
class Decoded:
    """The text of a body, the encoding that it was read in (Python's name), and the signal that named the encoding."""

    text: str
    encoding: str
    how: str


def decode(body: bytes, content_type: str = "") -> Decoded:
    """Decodes a body: byte order mark, then valid UTF-8, then header, then markup, then detection; never fails.

    Before all but the mark, zero bytes show UTF-16 and UTF-32 that have none.

    Valid UTF-8 comes before the declarations because text in another encoding is almost never valid by chance, while
    wrong declarations are common. A declaration is dropped when more than 0.2 % of the text would be unreadable.
    """
    encoding, mark = read_bom(body)
    if encoding and mark:
        return Decoded(to_unicode(body[len(mark) :], encoding), encoding, "byte order mark")
    if b"\0" in body[:_START] and (wide := _wide_encoding(body)):
        return Decoded(to_unicode(body, wide), wide, "zero bytes")
    if not body.isascii():
        try:
            return Decoded(body.decode("utf-8"), "utf-8", "valid UTF-8")
        except UnicodeDecodeError:
            pass
    return _by_declaration(body, content_type) or _by_detection(body)


def declared_encoding(body: bytes, content_type: str = "") -> str:
    """The encoding that the byte order mark, the header or the markup names; "" where none names a known one."""
    return read_bom(body)[0] or _in_header(content_type) or prescan(body)


def _in_header(content_type: str) -> str:
    """The encoding in a header; w3lib gives a known label's Python name, which is a label too."""
    return encoding_of(http_content_type_encoding(content_type) or "")


def _by_declaration(body: bytes, content_type: str) -> Decoded | None:
    for how, encoding in (("header", _in_header(content_type)), ("markup", prescan(body))):
        if encoding and not encoding.startswith("utf-16"):
            text = to_unicode(body, encoding)
            if text.count("\ufffd") <= _DAMAGE * len(text):
                return Decoded(text, encoding, how)
    return None


def _by_detection(body: bytes) -> Decoded:
    shifted = next((encoding for sign, encoding in _SHIFTS if sign in body), "") if body.isascii() else ""
    if body.isascii() and not shifted:
        return Decoded(body.decode("ascii"), "ascii", "ASCII only")
    guesses = [shifted] if shifted else [*_detected(body), "utf-8", "cp1252"]
    texts = [(to_unicode(body, guess), guess) for guess in dict.fromkeys(guesses)]
    text, encoding = min(texts, key=lambda pair: pair[0].count("\ufffd"))
    return Decoded(text, encoding, "detection")


def _detected(body: bytes) -> list[str]:
    """What the bytes look like: to a quick detector, and where that is known to err, to a thorough one before it."""
    quick = encoding_of(detect_encoding(body, max_len=_SAMPLE) or "")
    if quick not in _DOUBTFUL and not (quick.startswith("iso8859") and _C1.search(body)):
        return [quick]
    found = from_bytes(_sample(body)).best()
    thorough = found.encoding if found else ""
    if quick == "cp1252" and not thorough.startswith(_MANY_BYTE_FAMILIES):
        return [quick]
    return [name for name in (thorough, quick) if name]


def _sample(body: bytes) -> bytes:
    """The first lines; a line feed is part of no longer character in any encoding."""
    return body if len(body) <= _SAMPLE else body[:_SAMPLE].rpartition(b"\n")[0] or body[:_SAMPLE]


def _wide_encoding(body: bytes) -> str:
    """UTF-16 or UTF-32 without a byte order mark: many characters whose bytes are all zero but the one of ASCII."""
    start = body[:_START]
    for encoding, width, place in _WIDE:
        units = [start[i : i + width] for i in range(0, len(start) - width + 1, width)]
        ascii_units = sum(0 < unit[place] < 128 and unit.count(0) == width - 1 for unit in units)
        if units and ascii_units >= _SOME_ASCII * len(units):
            return encoding
    return ""


def is_html(body: bytes, content_type: str = "") -> bool:
    """Whether a body may be a web page: not an image, a PDF, an archive, a feed, JSON, or binary data."""
    start = body[:_START].lstrip(b"\xef\xbb\xbf \t\r\n")
    if start.startswith(_MAGIC) or _NOT_HTML_TYPES.match(content_type) or _FEED.match(start):
        return False
    if start.startswith((b"{", b"[")) and b"<" not in start:
        return False
    return b"<" in body and (
        start.count(0) < len(start) / 8 or start[:2] in (b"\xff\xfe", b"\xfe\xff") or bool(_wide_encoding(start))
    )


def repair_page(text: str) -> str:
    """A page's markup with its mojibake repaired, where it has one of the commonest signs; quick where it has none."""
    return repair_mojibake(text) if not text.isascii() and any(sign in text for sign in _SIGNS) else text


def repair_mojibake(text: str) -> str:
    """Repairs UTF-8 that was once read as Windows-1252 (`cafÃ©`, `donâ€™t`), where a stretch decodes cleanly."""
    if not _MOJIBAKE.search(text):
        return text
    return _MOJIBAKE.sub(lambda match: _redecode(match[0]), text)


def _redecode(stretch: str) -> str:
    try:
        octets = b"".join(bytes([ord(c)]) if 0x80 <= ord(c) <= 0xFF else c.encode("cp1252") for c in stretch)
        return octets.decode("utf-8")
    except UnicodeError:
        return stretch


def tidy(text: str) -> str:
    """Text without invisible, bidirectional and control characters, with single spaces and line feeds; not stripped."""
    if text.isprintable() and "  " not in text:
        return text
    text = _INVISIBLE.sub("", _BREAKS.sub("\n", text))
    return _SPACES.sub(" ", _CONTROL.sub("", text))


def one_line(text: str | None) -> str:
    """`tidy` text in one line without space at its ends; empty for None."""
    if not text:
        return ""
    if text.isascii() and (line := " ".join(text.split())).isprintable():
        return line
    return " ".join(tidy(repair_mojibake(text)).split())

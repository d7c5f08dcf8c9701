"""Bytes and headers to clean text: which encoding a page is in, and what to repair once it is decoded."""

import re
from dataclasses import dataclass

from resiliparse.parse.encoding import detect_encoding
from w3lib.encoding import html_body_declared_encoding, http_content_type_encoding, read_bom, to_unicode

_SAMPLE = 65_536
_DAMAGE = 0.002
"""Share of replacement characters above which a declared encoding is not believed."""

_INVISIBLE = re.compile("[\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]")
_CONTROL = re.compile("[\x00-\x08\x0b\x0e-\x1f\x7f\x80-\x84\x86-\x9f\ufffe\uffff\ud800-\udfff]")
_SPACES = re.compile("[^\\S\n]+")
_BREAKS = re.compile(r"\r\n?|[\u2028\u2029\x85\x0c]")

_HIGH = "€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ\u0080-\u00bf"
_MOJIBAKE = re.compile(f"[ÂÃÐÑ][{_HIGH}]|[àáâãå-ï][{_HIGH}]{{2}}|ð[{_HIGH}]{{3}}")
"""UTF-8 read as Windows-1252: a lead byte and its continuation bytes, as that table shows them."""

_MAGIC = (b"%PDF-", b"PK\x03\x04", b"\x89PNG", b"GIF8", b"\xff\xd8\xff", b"RIFF", b"\x1f\x8b", b"OggS", b"ID3", b"wOF")
_NOT_HTML_TYPES = re.compile(
    r"\s*(?:image|audio|video|font)/|\s*application/(?!x?html|xml|xhtml|octet-stream|force-download)|\s*text/(?:css|csv|javascript)",
    re.I,
)
_FEED = re.compile(
    rb"\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)*<(?:rss|feed|urlset|sitemapindex|rdf:RDF|svg)[\s>]", re.S | re.I
)


@dataclass(frozen=True, slots=True)
class Decoded:
    """The text of a body, the encoding that it was read in (Python's name), and the signal that named the encoding."""

    text: str
    encoding: str
    how: str


def decode(body: bytes, content_type: str = "") -> Decoded:
    """Decodes a body: byte order mark, then valid UTF-8, then header, then markup, then detection; never fails.

    Valid UTF-8 comes before the declarations because text in another encoding is almost never valid by chance, while
    wrong declarations are common. A declaration is dropped when more than 0.2 % of the text would be unreadable.
    """
    encoding, mark = read_bom(body)
    if encoding and mark:
        return Decoded(to_unicode(body[len(mark) :], encoding), encoding, "byte order mark")
    if not body.isascii():
        try:
            return Decoded(body.decode("utf-8"), "utf-8", "valid UTF-8")
        except UnicodeDecodeError:
            pass
    return _by_declaration(body, content_type) or _by_detection(body)


def declared_encoding(body: bytes, content_type: str = "") -> str | None:
    """The encoding that the header, or else the markup, names; None where neither names a known one."""
    return http_content_type_encoding(content_type) or html_body_declared_encoding(body)


def _by_declaration(body: bytes, content_type: str) -> Decoded | None:
    named = {"header": http_content_type_encoding(content_type), "markup": html_body_declared_encoding(body)}
    for how, encoding in named.items():
        if encoding and not encoding.startswith(("utf-16", "utf-32")):
            text = to_unicode(body, encoding)
            if text.count("\ufffd") <= _DAMAGE * len(text):
                return Decoded(text, encoding, how)
    return None


def _by_detection(body: bytes) -> Decoded:
    if body.isascii() and b"\x1b" not in body:
        return Decoded(body.decode("ascii"), "ascii", "ASCII only")
    guesses = [detect_encoding(body, max_len=_SAMPLE) or "utf-8", "utf-8", "cp1252"]
    texts = [(to_unicode(body, guess), guess) for guess in dict.fromkeys(guesses)]
    text, encoding = min(texts, key=lambda pair: pair[0].count("\ufffd"))
    return Decoded(text, encoding, "detection")


def is_html(body: bytes, content_type: str = "") -> bool:
    """Whether a body may be a web page: not an image, a PDF, an archive, a feed, JSON, or binary data."""
    start = body[:2048].lstrip(b"\xef\xbb\xbf \t\r\n")
    if start.startswith(_MAGIC) or _NOT_HTML_TYPES.match(content_type) or _FEED.match(start):
        return False
    if start.startswith((b"{", b"[")) and b"<" not in start:
        return False
    return b"<" in body and (
        start.count(0) < len(start) / 8 or start[:2] in (b"\xff\xfe", b"\xfe\xff") or _is_wide(start)
    )


def _is_wide(start: bytes) -> bool:
    """Whether the bytes look like UTF-16 without a byte order mark: markup with every second byte zero."""
    return b"<\x00" in start[:4] or b"\x00<" in start[:4]


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
    text = _INVISIBLE.sub("", _BREAKS.sub("\n", text))
    return _SPACES.sub(" ", _CONTROL.sub("", text))


def one_line(text: str | None) -> str:
    """`tidy` text in one line without space at its ends; empty for None."""
    return " ".join(tidy(repair_mojibake(text)).split()) if text else ""

"""The encoding that markup names, by the encoding sniffing algorithm of the WHATWG HTML standard."""

import re
from collections.abc import Iterator

from w3lib.encoding import resolve_encoding

_LOOKED_AT = 65_536
"""Bytes. The standard prescans 1,024 and lets the parser find later declarations; here one pass does both."""
_SPACE = rb"[\t\n\x0c\r ]"
_TOKEN = re.compile(rb"<(?:(?P<comment>!--)|(?P<meta>meta(?=[\t\n\x0c\r /]))|(?P<tag>/?[a-z])|(?P<other>[!/?]))", re.I)
_TAG_NAME_END = re.compile(rb"[\t\n\x0c\r >]")
_BETWEEN = re.compile(rb"[\t\n\x0c\r /]*")
_NAME = re.compile(rb"=?[^\t\n\x0c\r =/>]*")
_EQUALS = re.compile(_SPACE + rb"*=" + _SPACE + rb"*")
_QUOTED = re.compile(rb"\"([^\"]*)\"|'([^']*)'")
_UNQUOTED = re.compile(rb"[^\t\n\x0c\r >]*")
_CHARSET = re.compile(rb"charset" + _SPACE + rb"*=" + _SPACE + rb"*", re.I)
_LABEL = re.compile(rb"[^\t\n\x0c\r ;]*")
_XML = re.compile(rb"<\?xml[^>]*?\bencoding\s*=\s*(?:\"([^\">]*)\"|'([^'>]*)')")
_LABELS = {
    "utf-8": "unicode-1-1-utf-8 unicode11utf8 unicode20utf8 x-unicode20utf8",
    "utf-16": "unicode csunicode ucs-2 iso-10646-ucs-2 unicodefeff unicodefffe",
    "utf-16-le": "",
    "utf-16-be": "",
    "cp866": "",
    "iso8859-2": "iso88592",
    "iso8859-3": "iso88593",
    "iso8859-4": "iso88594",
    "iso8859-5": "iso88595",
    "iso8859-6": "iso88596 iso-8859-6-e iso-8859-6-i csiso88596e csiso88596i",
    "iso8859-7": "iso88597 sun_eu_greek",
    "iso8859-8": "iso88598 iso-8859-8-e iso-8859-8-i csiso88598e csiso88598i visual logical",
    "iso8859-10": "iso885910",
    "iso8859-13": "iso885913",
    "iso8859-14": "iso885914",
    "iso8859-15": "iso885915 csisolatin9",
    "iso8859-16": "",
    "koi8-r": "koi koi8",
    "koi8-u": "koi8-ru",
    "mac-roman": "mac csmacintosh x-mac-roman",
    "mac-cyrillic": "x-mac-cyrillic x-mac-ukrainian",
    "cp874": "windows-874 dos-874 iso885911",
    "cp1250": "x-cp1250",
    "cp1251": "x-cp1251",
    "cp1252": "x-cp1252 x-user-defined iso88591",
    "cp1253": "x-cp1253",
    "cp1254": "x-cp1254 iso88599",
    "cp1255": "x-cp1255",
    "cp1256": "x-cp1256",
    "cp1257": "x-cp1257",
    "cp1258": "x-cp1258",
    "gb18030": "x-gbk",
    "big5hkscs": "cn-big5 x-x-big5",
    "euc_jp": "x-euc-jp cseucpkdfmtjapanese",
    "iso2022_jp": "",
    "cp932": "x-sjis",
    "cp949": "cseuckr windows-949",
}
"""The encodings of the WHATWG Encoding standard by Python's names, with those labels that w3lib does not know."""
_MORE_LABELS = {label: name for name, labels in _LABELS.items() for label in labels.split()}
_LABEL_TEXT = re.compile(r"[a-z0-9][a-z0-9_.:-]{1,40}")


def encoding_of(label: str) -> str:
    """Python's name of the encoding that a label means on the web (`latin1` is Windows-1252); "" for no known one."""
    label = label.strip("\t\n\x0c\r ").lower()
    if not _LABEL_TEXT.fullmatch(label):
        return ""
    found = _MORE_LABELS.get(label) or resolve_encoding(label) or ""
    return found if found in _LABELS else ""


def prescan(body: bytes) -> str:
    """The encoding that the first telling `meta` element names, else an XML declaration; "" where neither does."""
    head = body[:_LOOKED_AT]
    for attributes in _metas(head):
        if encoding := _named_by(attributes):
            return _readable(encoding)
    xml = _XML.match(head)
    return _readable(encoding_of((xml[1] or xml[2] or b"").decode("latin-1"))) if xml else ""


def _readable(encoding: str) -> str:
    """A declaration that could be read byte by byte is in no wide encoding, whatever it says."""
    return "utf-8" if encoding.startswith("utf-16") else encoding


def _metas(head: bytes) -> Iterator[dict[bytes, bytes]]:
    """The attributes of each `meta` element, their names in lower case; the first of several of a name counts."""
    position = 0
    while token := _TOKEN.search(head, position):
        if token["comment"]:
            position = _past(head, b"-->", token.end() - 2)
        elif token["other"]:
            position = _past(head, b">", token.end())
        else:
            position, attributes = _attributes(head, token.end() if token["meta"] else _end_of_name(head, token.end()))
            if token["meta"] and position <= len(head):
                yield attributes


def _past(head: bytes, mark: bytes, start: int) -> int:
    """The position behind a mark; behind the end of all where there is none."""
    found = head.find(mark, start)
    return found + len(mark) if found >= 0 else len(head) + 1


def _end_of_name(head: bytes, start: int) -> int:
    found = _TAG_NAME_END.search(head, start)
    return found.start() if found else len(head)


def _attributes(head: bytes, position: int) -> tuple[int, dict[bytes, bytes]]:
    """The attributes from a position on, and the position behind them; behind the end of all where the tag is cut."""
    found: dict[bytes, bytes] = {}
    while True:
        position = _match_end(_BETWEEN, head, position)
        if position >= len(head):
            return len(head) + 1, found
        if head[position : position + 1] == b">":
            return position, found
        start, position = position, _match_end(_NAME, head, position)
        name, value = head[start:position].lower(), b""
        if equals := _EQUALS.match(head, position):
            position, value = _value(head, equals.end())
        found.setdefault(name, value.lower())


def _match_end(pattern: re.Pattern[bytes], head: bytes, position: int) -> int:
    match = pattern.match(head, position)
    return match.end() if match else position


def _value(head: bytes, position: int) -> tuple[int, bytes]:
    if head[position : position + 1] in (b'"', b"'"):
        quoted = _QUOTED.match(head, position)
        return (quoted.end(), quoted[1] or quoted[2] or b"") if quoted else (len(head) + 1, b"")
    end = _match_end(_UNQUOTED, head, position)
    return end, head[position:end]


def _named_by(attributes: dict[bytes, bytes]) -> str:
    """The encoding that a `meta` element names by `charset`, or by `content` where `http-equiv` makes it a header."""
    if b"charset" in attributes:
        return encoding_of(attributes[b"charset"].decode("latin-1"))
    if attributes.get(b"http-equiv") != b"content-type":
        return ""
    return encoding_of(_charset_in(attributes.get(b"content", b"")).decode("latin-1"))


def _charset_in(content: bytes) -> bytes:
    """The value of `charset=` in a content type; empty for a quotation that is not closed."""
    start = _CHARSET.search(content)
    if not start:
        return b""
    if content[start.end() : start.end() + 1] in (b'"', b"'"):
        quoted = _QUOTED.match(content, start.end())
        return (quoted[1] or quoted[2] or b"") if quoted else b""
    label = _LABEL.match(content, start.end())
    return label[0] if label else b""

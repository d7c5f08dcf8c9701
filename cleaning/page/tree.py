"""Markup to a tree: bounded, and free of what XML has no place for."""

import re

import lxml.html
from lxml.html import HtmlElement

_MOST_TAGS = 25_000
"""Tags of a page that are parsed, the closing ones too; of 1,620 real pages the longest has 21,646."""
_CONTROLS = bytes(code for code in range(32) if chr(code) not in "\t\n\f\r")
_NO_CHARACTERS = re.compile(b"\xef\xbf[\xbe\xbf]")
"""U+FFFE and U+FFFF in UTF-8."""
_NO_XML = re.compile(
    rb"&#(?:0*(?:[0-8]|1[124-9]|2[0-9]|3[01])(?![0-9])|0*6553[45]"
    rb"|[xX]0*(?:[0-8bcefBCEF]|1[0-9a-fA-F]|[fF]{3}[efEF])(?![0-9a-fA-F]));?"
)
"""References to characters that lxml reads but refuses to write, as trafilatura and htmldate let it."""
_XML_DECLARATION = re.compile(rb"^\s*<\?xml[^>]*\?>")


def parse(text: str) -> HtmlElement | None:
    """The tree of an HTML document; None when there is nothing in it. Control characters and XML declarations go.

    What follows the `_MOST_TAGS`-th tag is left out, because what is done with a tree takes time by its elements.
    """
    markup = _XML_DECLARATION.sub(b"", _without_controls(text), count=1)
    if markup.count(b"<") > _MOST_TAGS:
        markup = markup[: -len(markup.split(b"<", _MOST_TAGS)[-1]) - 1]
    try:
        tree = lxml.html.document_fromstring(
            markup,
            parser=lxml.html.HTMLParser(remove_comments=True, remove_pis=True, huge_tree=True, encoding="utf-8"),
        )
    except (lxml.etree.ParserError, ValueError):
        return None
    return tree


def _without_controls(text: str) -> bytes:
    """A page in UTF-8 without the characters that XML has no place for; as bytes, where that is much faster."""
    markup = text.encode("utf-8", "ignore").replace(b"\f", b" ").translate(None, _CONTROLS)
    return _NO_XML.sub(b"", _NO_CHARACTERS.sub(b"", markup))

"""Portraits of authors under an article: recognised by what they say of whom, and left out."""

import re
from collections.abc import Iterable

from cleaning.article.selection import Selection
from cleaning.article.trimming import leave_out
from cleaning.page.blocks import Segments

_TAIL = 4
"""Blocks at the end of an article among which portraits are looked for."""
_LONGEST = 500
_TRADES = (
    r"reporters?|correspondents?|editors?|editorial|journalists?|columnists?|contributors?|newsroom|bureau chief"
    r"|(?:staff|freelance|senior) writers?|covers|covering|reports (?:on|from)|writes (?:about|on|for)|has written"
    r"|joined|freelancer?"
    r"|redakteur(?:in)?|korrespondent(?:in)?|reporter(?:in)?|journalist(?:in)?|autorin|schreibt|berichtet|volontär(?:in)?"
    r"|jahrgang|redaktion|journaliste|correspondante?|rédac\w+|chroniqueu\w+|grand reporter|periodista|corresponsal"
    r"|redactora?|colaborador\w*|columnista|jornalista|repórter|correspondente|colunista|giornalista|inviat[oa]"
    r"|corrispondente|redattore|redattrice|verslaggever|redacteur|schrijft|reporterka|dziennikar\w+|redaktor\w*"
    r"|журналист\w*|корреспондент\w*|обозреватель|редактор|журналіст\w*|кореспондент\w*"
)
_TRADE = re.compile(rf"\b(?:{_TRADES})\b", re.I)
_NAMED = re.compile(
    r"(?:[^\W\d_a-z][\w.’'-]+ ){1,3}(?:[^\W\d_a-z][\w.’'-]+)(?:, [^,]{2,60},)? "
    r"(?:(?:is|was|has been|ist|est|es|é|è|jest) (?:[\w.&’' -]{2,40}[’']s|a|an|the|our|one of|eine?|une?|una?|um|uma)\b"
    r"|(?:covers|writes|reports|schreibt|berichtet|arbeitet|escribe|scrive|schrijft)\b)"
)
"""A person of whom a line says what they are: "Jane Roe is a …", "Jane Roe is the Post's …"."""
_SPOKEN = re.compile(r"[“”„«»\"]")


def without_bios(found: Segments, chosen: Selection, authors: Iterable[str]) -> Selection:
    """The selection without its authors' portraits: closing blocks that begin with a person's name and say their trade.

    The person is one of the page's authors, or one who is introduced by what they are; a line with quotation marks is
    no portrait.
    """
    kept = [i for i, choice in enumerate(chosen.choices) if choice.kept]
    names = [name.lower() for name in authors]
    closing = kept[-_TAIL:] if len(kept) > _TAIL else []
    return leave_out(chosen, {i: "about the author" for i in closing if _is_bio(found.blocks[i].text, names)})


def _is_bio(text: str, names: list[str]) -> bool:
    if len(text) > _LONGEST or _SPOKEN.search(text) or not _TRADE.search(text):
        return False
    start = text.lower()[:60]
    return any(name in start for name in names if " " in name) or bool(_NAMED.match(text) and _TRADE.search(text[:160]))

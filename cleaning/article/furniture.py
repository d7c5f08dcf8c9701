"""Lines that belong to the page and not to the article, by what they say (the table is `data/furniture.toml`)."""

import re
import tomllib
from functools import cache, lru_cache
from importlib.resources import files

from cleaning.metadata.authors import agency_of

_LONGEST = 400
"""Characters; a longer line is never judged by its words alone."""

_WE = re.compile(r"\b(?:we|our|us)\b", re.I)
_TRADE = re.compile(
    r"\b(?:journalists?|journalism|newsroom|news|reporters?|readers|uncensored|independent|non-?profit|broadcaster|outlet"
    r"|coverage|languages|countries|mission|subscrib\w*|audience|stories|publication|media|website|press|funded|funding"
    r"|donat\w*|debate)\b",
    re.I,
)
_QUOTED = re.compile(r"[\"“„«].*?[\"”“»]")
_POSITION = r"(?:cent(?:er|re)|left|right|middle|l|r|c|front|back|top|bottom|above|below)"
_IN_PICTURE = re.compile(
    rf"\((?:(?:from|far|front|back|second|third|top|bottom|upper|lower|and|to|the|at|in) )*{_POSITION}"
    r"(?:[ ,][^)]{0,20})?\)"
    r"|\((?:not )?pictured[^)]{0,20}\)|\((?:file|archive)(?: photo)?\)"
    r"|\b(?:pictured|photographed) (?:here|above|below|left|right|cent(?:er|re))\b|\bfile photo\b"
    r"|\bin (?:this|an undated) (?:file |handout |undated |combination )*(?:photo|image|picture)\b",
    re.I,
)

_PICTURE = re.compile(r"[(]|pictur|photo|image", re.I)
"""What every match of the pattern above holds; much quicker to look for."""


@cache
def _rules() -> tuple[tuple[str, re.Pattern[str]], ...]:
    table = tomllib.loads((files("cleaning") / "data" / "furniture.toml").read_text("utf-8"))
    return tuple(
        (rule["reason"], re.compile(rf"\W*(?:{'|'.join(f'(?:{p})' for p in rule['patterns'])})\W*", re.I))
        for rule in table["rule"]
    )


@lru_cache(maxsize=8_192)
def reason_of(line: str) -> str:
    """Why a line is furniture, judged by its own words only; empty for a line that may be the article's."""
    line = line.strip()
    if not line or len(line) > _LONGEST:
        return ""
    if not any(character.isalnum() or character == "©" for character in line):
        return "ornament"
    return next((reason for reason, pattern in _rules() if pattern.fullmatch(line)), "")


def is_about_outlet(paragraph: str) -> bool:
    """Whether a paragraph presents its own outlet: "we" outside quotations, and three words of the trade or more."""
    if not _WE.search(paragraph):
        return False
    own = _QUOTED.sub(" ", paragraph)
    return bool(_WE.search(own)) and len({word.lower() for word in _TRADE.findall(own)}) >= 3


def is_caption(line: str) -> bool:
    """Whether a short text says where somebody stands in a picture, as only captions do."""
    return len(line) <= _LONGEST and bool(_PICTURE.search(line) and _IN_PICTURE.search(line))


def credited_agency(line: str) -> str:
    """The agency that a credit, copyright or syndication line names; empty for any other line."""
    return agency_of(line) if reason_of(line) in {"credit", "copyright", "syndication"} else ""

"""Furniture in a plain text: a seed file becomes exactly its article, with a reason for each line that goes."""

import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from cleaning.article.furniture import credited_agency, is_about_outlet, is_caption, reason_of
from cleaning.metadata.authors import agency_of, people
from cleaning.metadata.dates import parse_time
from cleaning.page.decode import one_line

_SENTENCE_END = re.compile(r"[.!?…。！？؟۔।]['\"”’»)\]]*$")
_CUT = re.compile(r"(?:\.\.\.|…)\s*$")
_GLUED_HOME = re.compile(r"^(?:home|start|accueil|inicio|главная)(?=\S)", re.I)
_TRAIL = re.compile(r"\s[/>»›|]\s")
_BYLINE_END = re.compile(r"^(?P<who>.{3,90}?)(?:\s+on\b\s*(?P<when>.{0,40})|\s*[|·•]\s*(?P<date>.{4,40}))$", re.I)
_BYLINE_START = re.compile(r"^(?:by|written by|von|par|por)\s+\S", re.I)
_ENDS = frozenset({"credit", "copyright", "comments", "syndication"})
"""Reasons after which, past the middle of a text, no line is the article's any more."""
_HEADINGS = frozenset({"related", "comments"})
"""Reasons of lines that head a list of other articles or a form."""

_MIN_WORDS = 12
"""Words of a line that can open the article; labels and headlines are shorter or end without a stop."""
_RUN = 5
_COVERED = 0.45
"""Share of a caption's words that lie in runs of five words which one paragraph of the article has too."""


@dataclass(frozen=True, slots=True)
class CleanSeed:
    """A seed text without its furniture.

    `removed` holds (line number from 1, the line, why) of every line that is neither
    the title nor the text, blank lines left out; `kept` the numbers of the lines of `text`. Paragraphs of `text` are
    separated by an empty line. `published` is aware, in UTC.
    """

    title: str
    text: str
    authors: tuple[str, ...] = ()
    agency: str = ""
    published: datetime | None = None
    section: str = ""
    rights: str = ""
    removed: tuple[tuple[int, str, str], ...] = ()
    kept: tuple[int, ...] = ()


@dataclass(slots=True)
class _Line:
    number: int
    text: str
    reason: str = ""

    @property
    def words(self) -> int:
        return len(self.text.split())

    @property
    def is_sentence(self) -> bool:
        return bool(_SENTENCE_END.search(self.text))

    @property
    def is_paragraph(self) -> bool:
        return not self.reason and ((self.words >= _MIN_WORDS and self.is_sentence) or self.words >= 2 * _MIN_WORDS)


def clean_seed(text: str) -> CleanSeed:
    """Separates the article in a text file from what was copied with it; deterministic, never raises.

    The rules know kinds of furniture, no site: lines that say what they are (`data/furniture.toml`), labels above the
    headline, captions, teasers, and all that follows the article's closing credit.
    """
    lines = [_Line(number, one_line(raw)) for number, raw in enumerate(text.splitlines(), 1)]
    lines = [line for line in lines if line.text]
    for rule in (_own_words, _teasers, _repeated, _bylines, _tail):
        rule(lines)
    title = _head(lines)
    _captions(lines)
    _loose_ends(lines)
    return _result(lines, title)


def _own_words(lines: list[_Line]) -> None:
    for line in lines:
        line.reason = "navigation" if _is_trail(line.text) else reason_of(line.text)


def _is_trail(text: str) -> bool:
    """Whether a line is a breadcrumb, its steps glued together or separated."""
    return bool(_GLUED_HOME.match(text) and _CUT.search(text)) or (
        len(_TRAIL.findall(text)) >= 2 and not _SENTENCE_END.search(text)
    )


def _teasers(lines: list[_Line]) -> None:
    """A text cut off by dots under a line without a stop is another article's teaser with its headline."""
    for above, line in zip([None, *lines], lines, strict=False):
        if (
            _CUT.search(line.text)
            and line.words >= 6
            and above
            and not above.is_sentence
            and not above.is_paragraph
            and above.text
        ):
            line.reason = line.reason or "teaser"
            above.reason = above.reason or "teaser"


def _repeated(lines: list[_Line]) -> None:
    counts = Counter(line.text for line in lines if line.words >= 6)
    for line in lines:
        if counts[line.text] > 2:
            line.reason = line.reason or "repeated"


def _bylines(lines: list[_Line]) -> None:
    for line in lines:
        if not line.reason and _byline(line.text):
            line.reason = "byline"


def _byline(text: str) -> tuple[tuple[str, ...], str, datetime | None] | None:
    """Authors, agency and time of a byline ("By Jane Roe", "Jane Roe, Some Agency on June 3"); None for others."""
    if len(text) > 140 or (_SENTENCE_END.search(text) and not _BYLINE_START.match(text)):
        return None
    match = _BYLINE_END.match(text)
    who = match["who"] if match else text
    authors = people([who])
    if not authors or not (
        _BYLINE_START.match(text) or agency_of(text) or (match and "," in who) or (match and match["date"])
    ):
        return None
    if len(who.split()) > 3 * len(authors) + 8:
        return None
    return authors, agency_of(who), parse_time((match["when"] or match["date"]) if match else None)


def _tail(lines: list[_Line]) -> None:
    """All that follows the closing credit, the comment form or the outlet's portrait goes with it.

    A mark counts as closing when most of the article's paragraphs lie above it; a heading of related articles in the
    middle removes only the headlines under it.
    """
    total = sum(line.is_paragraph for line in lines)
    seen, closed = 0, ""
    for line in lines:
        if closed:
            line.reason = line.reason or closed
            continue
        seen += line.is_paragraph
        if (
            total
            and 2 * seen > total
            and (line.reason in _ENDS or (line.reason in _HEADINGS and not _goes_on(lines, line)))
        ):
            closed = f"after the article ({line.reason})"
    for line in reversed(lines):
        if not line.reason and is_about_outlet(line.text):
            line.reason = "about the outlet"
        elif not line.reason:
            break


def _goes_on(lines: list[_Line], mark: _Line) -> bool:
    """Whether two paragraphs or more follow a mark: then the article goes on under it."""
    return sum(line.is_paragraph for line in lines if line.number > mark.number) >= 2


def _head(lines: list[_Line]) -> str:
    """Finds the headline above the first paragraph, and marks every other line there; empty for a text without one."""
    first = next((i for i, line in enumerate(lines) if line.is_paragraph and not is_caption(line.text)), None)
    if first is None:
        return ""
    head = [line for line in lines[:first] if not line.reason]
    body = Counter(
        word.lower() for line in lines[first:] if not line.reason for word in re.findall(r"\w{4,}", line.text)
    )
    titles = [line for line in head if line.words > 2 and not is_caption(line.text) and len(line.text) <= 250]
    title = max(
        titles,
        key=lambda line: (sum(word.lower() in body for word in re.findall(r"\w{4,}", line.text)), -line.number),
        default=None,
    )
    for line in head:
        if line is title:
            line.reason = "title"
        elif not is_caption(line.text) and not line.is_sentence:
            line.reason = "label above the article"
    return title.text if title else ""


def _captions(lines: list[_Line]) -> None:
    body = [line for line in lines if not line.reason]
    for i, line in enumerate(body):
        opens = i == 0 and len(body) > 2
        if is_caption(line.text) or (
            opens and line.words <= 40 and _repeats(line.text, [other.text for other in body[1:]])
        ):
            line.reason = "caption"


def _repeats(text: str, others: Iterable[str]) -> bool:
    """Whether another paragraph holds a good part of a text in long runs of words, as it does of a caption."""
    words = re.findall(r"\w+", text.lower())
    for other in others:
        runs = _runs(re.findall(r"\w+", other.lower()))
        covered = {i + j for i in range(len(words)) if tuple(words[i : i + _RUN]) in runs for j in range(_RUN)}
        if other != text and len(covered) >= _COVERED * len(words):
            return True
    return False


def _runs(words: list[str]) -> set[tuple[str, ...]]:
    return {tuple(words[i : i + _RUN]) for i in range(len(words) - _RUN + 1)}


def _loose_ends(lines: list[_Line]) -> None:
    """Short lines without a stop under the last paragraph, and runs of them under a heading of related articles, go."""
    for line in reversed([line for line in lines if not line.reason]):
        if line.is_paragraph or line.is_sentence:
            break
        line.reason = "after the article"
    listing = False
    for line in lines:
        if line.reason:
            listing = line.reason == "related" or (listing and line.reason in {"teaser", "ornament"})
        elif listing and not line.is_sentence and not line.is_paragraph:
            line.reason = "related"
        else:
            listing = False


def _result(lines: list[_Line], title: str) -> CleanSeed:
    body = [line for line in lines if not line.reason]
    bylines = [found for line in lines if line.reason == "byline" and (found := _byline(line.text))]
    return CleanSeed(
        title=title,
        text="\n\n".join(line.text for line in body),
        authors=tuple(dict.fromkeys(name for authors, _, _ in bylines for name in authors)),
        agency=next((agency for _, agency, _ in bylines if agency), "") or _first(lines, credited_agency),
        published=next((when for _, _, when in bylines if when), None) or _published(lines),
        section=_first(lines, _section),
        rights=next((line.text for line in lines if line.reason == "copyright"), ""),
        removed=tuple((line.number, line.text, line.reason) for line in lines if line.reason not in ("", "title")),
        kept=tuple(line.number for line in body),
    )


def _first(lines: list[_Line], find: Callable[[str], str]) -> str:
    return next((found for line in lines if line.reason and (found := find(line.text))), "")


def _section(text: str) -> str:
    match = re.match(r"(?:published|posted|filed) (?:in|under) (?P<section>[^\d]{2,60})$", text, re.I)
    return match["section"].strip() if match else ""


def _published(lines: list[_Line]) -> datetime | None:
    written = (
        re.sub(r"^\D*?(?=\b(?:\d|[A-Z][a-z]{2,8}\.? \d))", "", line.text)
        for line in lines
        if line.reason == "publication line"
    )
    return next((moment for text in written if (moment := parse_time(text))), None)

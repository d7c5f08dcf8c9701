"""What kind of page it is that is no article: the verdict on it, with the reason."""

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import islice

from cleaning.language import count_words
from cleaning.page.blocks import Segments
from cleaning.page.families import bit_of
from cleaning.page.glance import PATHS, Signs, prose_of
from cleaning.verdict import Verdict

_STAND_IN_WORDS = 250
"""Words of the longest page that is judged by what it says; articles about such pages are longer."""
_LOOKED_AT = 8_000
"""Characters of a page, or of a block, that are looked at: more than that many words have in any language."""
_PARAGRAPHS = 4
"""Long unlinked blocks of an article, however short; what stands in its place explains itself in fewer."""
_MADE_BY_SCRIPTS = 60
"""Words on a page that its scripts have yet to fill: a menu, a notice, a line of copyright."""
_MOSTLY_LINKS = 0.4
_LITTLE_PROSE = 150
"""Words in long unlinked blocks up to which a page with a player or with pictures is about these."""
_CAPTIONS = 5
_CAPTION = bit_of("caption")
_COUNTED = re.compile(
    r"(?:(?:photo|image|picture|slide|bild|foto|imagen)\s*)?\d{1,3}\s*(?:of|/|von|sur|de|из)\s*\d{1,3}", re.I
)
"""A picture's place in its gallery."""

Kind = tuple[Verdict, str]


@dataclass(frozen=True, slots=True)
class _Patterns:
    title: re.Pattern[str]
    text: re.Pattern[str]


@cache
def _stand_ins() -> dict[str, _Patterns]:
    table = tomllib.loads((files("cleaning") / "data" / "page_kinds.toml").read_text("utf-8"))
    return {
        name: _Patterns(
            re.compile(rf"\W*(?:{'|'.join(rule.get('titles', ['(?!)']))})\W*", re.I),
            re.compile("|".join(rule.get("texts", ["(?!)"])), re.I),
        )
        for name, rule in table.items()
    }


def stand_in(found: Segments, signs: Signs) -> Kind | None:
    """The verdict on a page that was sent in place of what is at the address: an error, a wall, an empty shell."""
    text = " ".join(block.text[:_LOOKED_AT] for block in found.blocks[:_STAND_IN_WORDS])[:_LOOKED_AT]
    words = count_words(text)
    prose = prose_of(found)
    least = 1 if signs.is_declared_article else _PARAGRAPHS
    if words > _STAND_IN_WORDS or (
        len(prose) >= least and sum(count_words(block.text) for block in prose) > _MADE_BY_SCRIPTS
    ):
        return None
    rules, names = _stand_ins(), [name for name in (signs.title, signs.heading) if name]
    for kind, verdict in _STAND_INS:
        if name := next((name for name in _parts(names) if rules[kind].title.fullmatch(name)), ""):
            return verdict, f"titled {name!r}"
    for kind, verdict in _STAND_INS:
        if match := rules[kind].text.search(text):
            return verdict, f"{words} words, among them {match[0][:80]!r}"
    if words <= _MADE_BY_SCRIPTS and signs.scripts:
        notice = rules["scripted"].text.search(f"{text} {signs.notice}")
        if notice or (signs.is_shell and not prose):
            return Verdict.NEEDS_JAVASCRIPT, f"{words} words and {signs.scripts} scripts"
    return None


_STAND_INS = (
    ("missing", Verdict.SOFT_404),
    ("challenge", Verdict.ERROR_PAGE),
    ("consent", Verdict.CONSENT_WALL),
)


def _parts(names: list[str]) -> list[str]:
    """The titles, and what they are without an outlet's name at their end."""
    return [*names, *(re.split(r"\s[|•·»–—-]\s", name)[0] for name in names)]


def media_kind(found: Segments, signs: Signs) -> Kind | None:
    """The verdict on a page that is a player or a series of pictures, with little prose beside them."""
    prose = (block.text[:_LOOKED_AT] for block in prose_of(found) if not _is_caption(found, block.container))
    words = sum(count_words(text) for text in islice(prose, _LITTLE_PROSE))
    if words > _LITTLE_PROSE or signs.is_declared_article:
        return None
    captions = sum(
        _is_caption(found, block.container) or bool(_COUNTED.fullmatch(block.text)) for block in found.blocks
    )
    if "gallery" in signs.kinds or (captions >= _CAPTIONS and PATHS["gallery"].search(signs.path)):
        return Verdict.GALLERY, f"{captions} captions and {words} words of prose"
    is_video = "video" in signs.kinds or signs.og_type.startswith(("video", "music"))
    if is_video or (signs.videos and PATHS["video"].search(signs.path)):
        return Verdict.VIDEO, f"{signs.videos} players and {words} words of prose"
    return None


def _is_caption(found: Segments, container: int) -> bool:
    home = found.containers[container]
    return home.tag == "figcaption" or bool(home.own & _CAPTION)


def other_kind(found: Segments, signs: Signs) -> Kind:
    """The verdict on a page that is known to be no article."""
    if kind := stand_in(found, signs) or media_kind(found, signs):
        return kind
    for name, verdict in (("product", Verdict.PRODUCT), ("forum", Verdict.FORUM)):
        if (name in signs.kinds or name in signs.og_type) and "article" not in signs.kinds:
            return verdict, f"the page describes itself as a {name}"
    chars = sum(len(block.text) for block in found.blocks) or 1
    linked = sum(block.link_chars for block in found.blocks) / chars
    return _list_kind(signs, linked) or _by_address(signs)


def _list_kind(signs: Signs, linked: float) -> Kind | None:
    reason = f"{linked:.0%} of its text are links"
    if PATHS["list"].search(signs.path) or re.search(r"(?:^|&)(?:q|s|query|search|page|p)=", signs.query):
        return Verdict.LISTING, reason
    is_short = signs.path.strip("/").count("/") == 0 and signs.path.count("-") < 2 and not re.search(r"\d", signs.path)
    if linked > _MOSTLY_LINKS and (is_short or "section" in signs.kinds or PATHS["section"].search(signs.path)):
        return Verdict.SECTION, reason
    if signs.path == "/" or "section" in signs.kinds or PATHS["section"].search(signs.path):
        return Verdict.SECTION, reason
    if linked > _MOSTLY_LINKS or "list" in signs.kinds:
        return Verdict.LISTING, reason
    return None


def _by_address(signs: Signs) -> Kind:
    for name, verdict in (("product", Verdict.PRODUCT), ("forum", Verdict.FORUM)):
        if PATHS[name].search(signs.path):
            return verdict, "its address is like that of a " + name
    return Verdict.NOT_ARTICLE, "its text, markup and address are not like an article's"

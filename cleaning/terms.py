"""Turns a text, a title or a URL into the weighted terms by which articles are compared."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable
from functools import lru_cache

from cleaning.urls import slug_words

MAX_CHARACTERS = 100_000
"""Characters of a text that are read: far more than an article, and a bound for hostile input."""

_MAX_TITLE = 1_000
_MAX_URL = 2_000

LEAD_TOKENS = 40
"""Tokens of an article's opening, which says what happened; each counts twice."""

NAME_WEIGHT = 1.5
"""Factor of names and numbers, which tell an event from its like; 1.3 to 2 measured alike on ECB+."""

# A token is at most 40 characters long, so that a text without spaces is cut in pieces, not taken for one giant word.
# The ranges are vowel signs and accents, which Unicode does not count as letters, though words are written with them.
_TOKEN = re.compile(r"[^\W_](?:[^\W_]|[\u0300-\u036f\u064b-\u0652\u0900-\u0963\u0e31-\u0e4e]|['’](?=[^\W_])){0,39}")
_UNSPACED = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]")
_POSSESSIVE = ("'s", "’s")
_SHORTEST_PLURAL = 4
_SINGULAR_ENDINGS = ("ss", "us", "is")


def weighted_terms(text: str) -> dict[str, float]:
    """The terms of an article's text, each with its weight before rarity is taken into account.

    The weight is the square root of the occurrences, those in the opening counted double, times 1.5 for names and
    numbers. A name is a term that is never written with a small first letter in this text.

    Args:
        text: the cleaned text, title first where there is one; read up to `MAX_CHARACTERS`.

    Returns:
        Terms in the order of their first occurrence, with weights > 0.
    """
    tokens = _tokens(text, MAX_CHARACTERS)
    surfaces = Counter(tokens)
    surfaces.update(tokens[:LEAD_TOKENS])
    counts: dict[str, int] = {}
    small: set[str] = set()
    for surface, count in surfaces.items():
        terms = _terms_of(surface)
        for term in terms:
            counts[term] = counts.get(term, 0) + count
        if surface[0].islower():
            small.update(terms)
    return {term: count**0.5 * (1.0 if term in small else NAME_WEIGHT) for term, count in counts.items()}


def distinct_terms(text: str) -> set[str]:
    """The terms that occur in a text, read up to `MAX_CHARACTERS`; what document frequencies are counted from."""
    return _all_terms(_tokens(text, MAX_CHARACTERS))


def title_terms(title: str, url: str = "") -> set[str]:
    """The terms of a headline, and of the words in a URL's slug; a URL that cannot be split has none."""
    return _all_terms(_tokens(title, _MAX_TITLE)) | (_all_terms(_slug(url)) if url else set())


def _tokens(text: str, limit: int) -> list[str]:
    return _TOKEN.findall(unicodedata.normalize("NFC", text[:limit]))


def _all_terms(surfaces: Iterable[str]) -> set[str]:
    return {term for surface in surfaces for term in _terms_of(surface)}


def _slug(url: str) -> list[str]:
    try:
        return slug_words(url[:_MAX_URL])
    except ValueError:
        return []


@lru_cache(maxsize=100_000)
def _terms_of(surface: str) -> tuple[str, ...]:
    """A token's terms: mostly one; overlapping pairs of characters where a script is written without spaces."""
    word = surface.lower()
    if _UNSPACED.search(word):
        return tuple(word[i : i + 2] for i in range(max(1, len(word) - 1)))
    return (_singular(word.removesuffix(_POSSESSIVE[0]).removesuffix(_POSSESSIVE[1])),)


def _singular(word: str) -> str:
    """The word without an English plural ending: the S-stemmer of Harman (1991), "How effective is suffixing?"."""
    if len(word) < _SHORTEST_PLURAL or not word.endswith("s") or word.endswith(_SINGULAR_ENDINGS):
        return word
    return word[:-3] + "y" if word.endswith("ies") and len(word) > _SHORTEST_PLURAL else word[:-1]

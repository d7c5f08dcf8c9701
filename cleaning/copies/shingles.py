"""Turns texts into word codes and sampled shingles, many texts at once, without a Python loop over words.

A word code is 30 bits of a polynomial hash (Karp and Rabin, 1987) of the folded word and 2 bits that say what kind of
word it is. A shingle is a hash of three words in a row; those under 2**64 / SAMPLE are kept. The kept set estimates
containment without bias whatever the lengths of the texts (FracMinHash; Irber et al., 2022).
"""

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

SKETCH_VERSION = 1
"""Goes up with every change of tables, hash or sample: sketches of different versions must never meet."""

SAMPLE = 8
"""One shingle in so many is kept."""

WIDTH = 3
"""Words of a shingle."""

MAX_CHARACTERS = 200_000
"""What follows in a longer text is not looked at; bounds what one text can cost."""

PLAIN, NUMBER, NAME = 0, 1, 2
"""Kinds of words: a name is capitalised within a sentence, a number begins with a digit."""

_WORD, _DIGIT, _UPPER, _ALONE, _JOINT, _SPACE = 1, 2, 4, 8, 16, 32
_CODEPOINTS = 0x32000  # Above lie only unassigned, private and tag characters, which count as the last of these.
_CHUNK = 60_000  # Characters hashed at a time: the arrays then stay within the processor's cache.
_TEXTS = 50  # Texts sketched at a time, likewise.
_BASE = np.uint64(0x9E3779B97F4A7C15)
_INVERSE = np.uint64(pow(0x9E3779B97F4A7C15, -1, 2**64))
_KEEP = np.uint64(2**64 // SAMPLE)
_INVISIBLE = "\u00ad\u200b\u200c\u200d\u2060\ufeff"
# Scripts that put no spaces between words: Thai to Lao, Myanmar, Khmer, Kana, Han.
_UNSPACED = (
    (0x0E00, 0x0EFF),
    (0x1000, 0x109F),
    (0x1780, 0x17FF),
    (0x3040, 0x30FF),
    (0x31F0, 0x31FF),
    (0x3400, 0x4DBF),
    (0x4E00, 0x9FFF),
    (0xF900, 0xFAFF),
    (0x20000, 0x31FFF),
)

Words = NDArray[np.uint32]
"""Word codes of one text: the hash in the upper 30 bits, the kind in the lower 2."""

Hashes = NDArray[np.uint64]
_NO_HASHES: Hashes = np.empty(0, np.uint64)


@dataclass(frozen=True, slots=True)
class Sketches:
    """Sampled shingles of several texts: `hashes[k]` occurs in text `texts[k]`; no pair occurs twice."""

    hashes: Hashes
    texts: NDArray[np.int64]


def words_of(texts: Sequence[str]) -> list[Words]:
    """The word codes of each text, after NFKC and simple case folding.

    Scripts without spaces yield one code for every two neighbouring characters.
    """
    found: list[Words] = []
    for chunk in _chunks([_normal(text[:MAX_CHARACTERS]) for text in texts]):
        found += _hash_words(chunk)
    return found


def digests(texts: Sequence[Words]) -> Hashes:
    """For each text a hash of its whole word sequence: equal where only case, spaces and punctuation differ."""
    parts = [_digests(texts[start : start + _TEXTS]) for start in range(0, len(texts), _TEXTS)]
    return np.concatenate([*parts, _NO_HASHES])


def shingle_keys(words: Words) -> Hashes:
    """A number for each three words in a row, in the order of the text; good in its upper bits.

    Empty for texts under three words.
    """
    codes = (words >> np.uint32(2)).astype(np.uint64)
    return ((codes[:-2] * _BASE + codes[1:-1]) * _BASE + codes[2:]) * _BASE


def sketch(texts: Sequence[Words]) -> Sketches:
    """The sampled shingles of each text, and the digest of each text that has a word at all.

    The digest stands among the shingles so that texts too short to be sampled are found when they are equal.
    """
    parts = [_sketch(texts[start : start + _TEXTS]) for start in range(0, len(texts), _TEXTS)]
    hashes = [part.hashes for part in parts]
    owners = [part.texts + number * _TEXTS for number, part in enumerate(parts)]
    return Sketches(np.concatenate([*hashes, _NO_HASHES]), np.concatenate([*owners, np.empty(0, np.int64)]))


def _sketch(texts: Sequence[Words]) -> Sketches:
    sizes = np.array([words.size for words in texts], np.int64)
    owner = np.repeat(np.arange(len(texts)), sizes)
    shingles = _scramble(shingle_keys(np.concatenate(texts)))
    sampled = np.flatnonzero(shingles < _KEEP)
    whole = owner[sampled] == owner[sampled + WIDTH - 1]
    kept, filled = sampled[whole], np.flatnonzero(sizes)
    hashes, owners = np.concatenate([shingles[kept], _digests(texts)[filled]]), np.concatenate([owner[kept], filled])
    by_hash = np.argsort(hashes)
    order = by_hash[np.argsort(owners[by_hash].astype(np.uint8), kind="stable")]  # _TEXTS of them fit into a byte
    hashes, owners = hashes[order], owners[order]
    first = np.append(True, (hashes[1:] != hashes[:-1]) | (owners[1:] != owners[:-1]))[: hashes.size]
    return Sketches(hashes[first], owners[first])


def _digests(texts: Sequence[Words]) -> Hashes:
    ends = np.cumsum([words.size for words in texts], dtype=np.int64)
    codes = (np.concatenate(texts) >> np.uint32(2)).astype(np.uint64)
    sums = np.concatenate([np.zeros(1, np.uint64), np.cumsum(codes * _powers(_BASE, codes.size), dtype=np.uint64)])
    starts = np.concatenate([np.zeros(1, np.int64), ends[:-1]])
    return _scramble((sums[ends] - sums[starts]) * _powers(_INVERSE, codes.size + 1)[starts])


def _normal(text: str) -> str:
    if text.isascii():
        return text
    # The two that texts of the web are full of are replaced first: many then need no normalising.
    text = unicodedata.normalize("NFKC", text.replace("\u00a0", " ").replace("\u2026", "..."))
    for invisible in _INVISIBLE:
        if invisible in text:
            text = text.replace(invisible, "")
    return text


def _chunks(texts: list[str]) -> Iterator[list[str]]:
    chunk: list[str] = []
    size = 0
    for text in texts:
        if chunk and size + len(text) > _CHUNK:
            yield chunk
            chunk, size = [], 0
        chunk.append(text)
        size += len(text)
    if chunk:
        yield chunk


def _hash_words(texts: list[str]) -> list[Words]:
    # Two separators before each text: no word spans two texts, and the look behind a word's start stays inside.
    joined = "\n\n" + "\n\n".join(texts) + "\n\n"
    points = np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), np.uint32)
    characters = _characters().take(points, mode="clip")
    kinds = characters.astype(np.uint8)
    starts, ends = _bounds(kinds)
    sums = np.zeros(points.size + 1, np.uint64)
    np.multiply(characters >> np.uint32(8), _powers(_BASE, points.size), out=sums[1:])
    np.cumsum(sums[1:], out=sums[1:])
    hashes = _scramble((sums[ends] - sums[starts]) * _powers(_INVERSE, points.size)[starts])
    codes = (hashes >> np.uint64(32)).astype(np.uint32) & np.uint32(0xFFFFFFFC) | _kinds(kinds, starts)
    lengths = np.array([len(text) + 2 for text in texts])
    return np.split(codes, np.searchsorted(starts, np.cumsum(lengths)[:-1] + 2))


def _bounds(kinds: NDArray[np.uint8]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Where words start and end. A character of a script without spaces starts a word and takes its neighbour in."""
    word = (kinds & _WORD).view(np.bool_)
    breaks = word[1:] != word[:-1]
    alone = kinds & np.uint8(_ALONE)
    if not alone.max():
        edges = np.flatnonzero(breaks) + 1
        return edges[::2], edges[1::2]
    edges = np.flatnonzero(alone[1:] | alone[:-1] | breaks) + 1
    opening = np.flatnonzero(word[edges])
    starts, ends = edges[opening], edges[opening + 1]
    return starts, ends + (alone[starts] & alone[ends] != 0)


def _kinds(kinds: NDArray[np.uint8], starts: NDArray[np.intp]) -> Words:
    # A capital after a full stop, a quotation mark or a line break proves no name.
    first = kinds[starts]
    inside = (kinds[starts - 1] & _SPACE != 0) & (kinds[starts - 2] & (_WORD | _JOINT) != 0)
    number = first & _DIGIT != 0
    name = (first & _UPPER != 0) & inside & ~number
    codes: Words = number * np.uint32(NUMBER) | name * np.uint32(NAME)
    return codes


def _scramble(values: Hashes) -> Hashes:
    """The finaliser of splitmix64 (Steele, Lea and Flood, 2014)."""
    mixed = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))


def _powers(base: np.uint64, count: int) -> Hashes:
    """The powers 0 to `count` - 1 of the base, modulo 2**64."""
    return _all_powers(int(base), 1 << max(12, (count - 1).bit_length()))[:count]


@cache
def _all_powers(base: int, count: int) -> Hashes:
    factors = np.full(count, base, np.uint64)
    factors[0] = 1
    return np.cumprod(factors, dtype=np.uint64)


@cache
def _characters() -> NDArray[np.uint32]:
    """For each code point its simple case folding, plus one, and in the lower 8 bits what kind of character it is."""
    kinds = np.zeros(_CODEPOINTS, np.uint32)
    folded = np.arange(1, _CODEPOINTS + 1, dtype=np.uint32)
    for point in range(_CODEPOINTS):
        character = chr(point)
        category = unicodedata.category(character)
        if category[0] in "LNM":
            kinds[point] = _WORD | _DIGIT * (category == "Nd") | _UPPER * (category in ("Lu", "Lt"))
            fold = character.casefold()
            folded[point] = 1 + (ord(fold) if len(fold) == 1 else point)
    for start, end in _UNSPACED:
        kinds[start : end + 1] |= _ALONE * (kinds[start : end + 1] & _WORD)
    kinds[[ord(","), ord(";"), ord("-")]] = _JOINT
    kinds[ord(" ")] = _SPACE
    return folded << np.uint32(8) | kinds

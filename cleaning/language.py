"""The language of a text, and how many words it has."""

import re
from functools import cache

from py3langid.langid import MODEL_FILE, LanguageIdentifier

_WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]|[^\W_\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]+")
_NO_NEWS_IN = frozenset(
    {"an", "ba", "br", "eo", "fo", "ha", "ht", "ig", "la", "lg", "ln", "oc", "om", "qu", "sa", "se", "vo", "wa", "zxx"}
)
"""Languages that the detector knows by two letters, and takes small texts of others for."""
_LOOKED_AT = 2_000


def count_words(text: str) -> int:
    """Words of a text; each ideograph, kana and hangul syllable counts as one."""
    return sum(1 for _ in _WORD.finditer(text))


@cache
def _identifier() -> LanguageIdentifier:
    identifier: LanguageIdentifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)  # type: ignore[no-untyped-call]
    known = [label for label in identifier.labels if len(label) == 2 and label not in _NO_NEWS_IN]
    identifier.set_languages(known)  # type: ignore[no-untyped-call]
    return identifier


def language_of(text: str) -> tuple[str, float]:
    """The language of a text (ISO 639-1) and the confidence, 0..1; ("", 0.0) for an empty text."""
    if not text.strip():
        return "", 0.0
    label, score = _identifier().classify(text[:_LOOKED_AT])  # type: ignore[no-untyped-call]
    return str(label), float(score)

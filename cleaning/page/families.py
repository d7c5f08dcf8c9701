"""The families of words in class names and ids, by which publishers say what an element is for."""

import re
from functools import lru_cache

_FAMILIES = {
    "body": "body prose wysiwyg richtext copy paragraph",
    "content": "content article story entry post text main",
    "related": "relat recomm suggest similar also more outbrain taboola mgid zerg revcontent seealso",
    "popular": "popular trend latest ticker most headlines top",
    "teaser": "teaser card promo tout tile listing feed river grid carousel slider swiper stories articles posts",
    "share": "share sharing social addthis follow whatsapp sns",
    "comment": "comment disqus respond reply replies coral discuss forum",
    "sidebar": "sidebar side rail aside widget secondary sticky",
    "newsletter": "newsletter subscri signup mailing optin mailchimp register inbox",
    "ad": "=ad =ads advert sponsor banner dfp gpt commercial adslot affiliate werbung anzeige",
    "caption": "caption credit figcap legend photo image picture gallery media figure thumb foto bild",
    "byline": "byline author writer contributor reporter =bio biograph avatar profile autor auteur",
    "meta": "meta date =time publish updated info kicker eyebrow =label category section dateline topper timestamp",
    "tags": "=tag =tags topic keyword taglist labels categories",
    "nav": "nav menu breadcrumb crumb skip pagination pager toolbar =tab =tabs submenu mega",
    "header": "header masthead topbar hero",
    "footer": "foot copyright legal disclaimer colophon bottom",
    "consent": "cookie consent gdpr privacy cmp onetrust modal popup overlay lightbox",
    "lede": "lead lede standfirst intro =dek summary subtitle subhead abstract excerpt chapo sapo vorspann deck "
    "description ingress entradilla bajada copete tagline",
    "title": "title headline heading =hed titre titulo",
    "hidden": "hidden =sr screen reader visually invisible a11y offscreen print noprint",
    "embed": "embed tweet twitter instagram facebook youtube video player tiktok podcast audio iframe",
    "live": "=live liveblog timeline minute ticker",
    "paywall": "paywall premium piano regwall meter locked restrict subscriber",
    "box": "fact infobox =box keypoint highlight takeaway bullet callout pullquote inset tldr =toc contents",
    "quote": "quote quotation zitat citation",
    "form": "form search login input contact survey poll quiz vote",
    "product": "product price shop cart buy deal rating review",
    "list": "list =item =items links",
}
FAMILIES = tuple(_FAMILIES)
"""Families of words in class names and ids, in the order of the bits of `Container.own` and `far`.

In the table `=` marks a word that counts only as a whole.
"""
_WHOLE = {word[1:]: 1 << i for i, words in enumerate(_FAMILIES.values()) for word in words.split() if word[0] == "="}
_PART = [(word, 1 << i) for i, words in enumerate(_FAMILIES.values()) for word in words.split() if word[0] != "="]
_LOOKED_AT = 200
"""Characters of an element's class names and id that are read."""
_NAME_WORD = re.compile(r"[A-Z]*[a-z]+|[A-Z]{2,}")


def bit_of(family: str) -> int:
    """The mask of one family."""
    return 1 << FAMILIES.index(family)


def families(names: str) -> int:
    """The mask of the families that the words in class names and ids belong to."""
    return _families_of_words(names[:_LOOKED_AT])


@lru_cache(maxsize=16_384)
def _families_of_words(names: str) -> int:
    mask = 0
    for word in _NAME_WORD.findall(names):
        mask |= _families_of_word(word.lower())
    return mask


@lru_cache(maxsize=16_384)
def _families_of_word(word: str) -> int:
    mask = _WHOLE.get(word, 0)
    for part, bit in _PART:
        if part in word:
            mask |= bit
    return mask

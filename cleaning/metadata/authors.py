"""Names of people from bylines as publishers write them; agencies, desks and outlets are told apart."""

import re
from collections.abc import Iterable

from cleaning.page.decode import one_line

AGENCIES = {
    "Associated Press": r"(?:the )?associated press|\bap\b(?! news$)|ap news",
    "AFP": r"\bafp\b|agence france[- ]presse",
    "Reuters": r"reuters",
    "Bloomberg": r"bloomberg(?: news)?",
    "dpa": r"\bdpa\b|deutsche presse-agentur",
    "ANSA": r"\bansa\b",
    "EFE": r"\befe\b|agencia efe",
    "TASS": r"\btass\b",
    "Interfax": r"\binterfax\b",
    "Xinhua": r"\bxinhua\b",
    "Kyodo": r"\bkyodo\b",
    "Yonhap": r"\byonhap\b",
    "PTI": r"\bpti\b|press trust of india",
    "ANI": r"\bani\b",
    "IANS": r"\bians\b",
    "UPI": r"\bupi\b|united press international",
    "PA Media": r"\bpa (?:media|news)\b|press association",
    "AAP": r"\baap\b|australian associated press",
    "The Canadian Press": r"canadian press",
    "APA": r"\bapa\b",
    "Keystone-SDA": r"\bats\b|\bsda\b|keystone-sda",
    "Belga": r"\bbelga\b",
    "ANP": r"\banp\b",
    "NTB": r"\bntb\b",
    "TT": r"\btt nyhetsbyrån\b|\btt\b(?=[/-])",
    "Ritzau": r"\britzau\b",
    "PAP": r"\bpap\b",
    "Ukrinform": r"\bukrinform\b",
    "Lusa": r"\blusa\b",
    "Anadolu": r"\banadolu\b",
    "Tribune News Service": r"tribune (?:news service|content agency)",
    "Getty": r"\bgetty\b",
}
"""News agencies by the pattern that credits them; names that are also words are matched as whole words only."""

_AGENCY = {name: re.compile(pattern, re.I) for name, pattern in AGENCIES.items()}
_LEAD = re.compile(
    r"^(?:(?:(?:written|story|article|text|words|reporting|report|analysis|reviewed|posted|published|opinion) )?by"
    r"|كتبت?|بقلم|تقرير|إعداد|تحرير|مقال|به قلم|نویسنده|گزارش|מאת|כתבה?|γράφει (?:ο|η)|του|της"
    r"|беседовала?|подготовила?|записала?|материал|підготува(?:в|ла)|取材・文|取材|執筆|著者|筆者|聞き手|글|글쓴이|취재|특파원"
    r"|责任?编辑?|记者|作者|編集|文|撰文|von|par|por|door|af|av|di|da|od|автор\w*|текст|"
    r"autore?n?|autor[ae]?s?|authors?|text|texte|byline|words|redactie|reporter|redaktion|przez|tekijä|kirjoittaja|yazan|oleh|penulis)(?<=\w)[:：=＝\s]+(?=\S)",
    re.I,
)
_SPLIT = re.compile(
    r"\s*(?:;|\||/|·|•|、|，|；|\n|&|\+|\s(?:and|und|et|och|og|en|and by|with|i|и|та|ve|dan|y)\s)\s*", re.I
)
_AFTER = re.compile(
    r"\s+(?:[-–—]\s.*|(?:for|in|at|of|from|updated|published|senior|staff|chief|special|contributor|correspondent|reporter"
    r"|editor|writer|journalist|bureau|political"
    r"|founder|co-?founder|former|lead|head \w+|ceo|cto|owner|rn|md|ph\.?d)\b.*"
    r"|(?:선임)?기자|특파원|논설위원|記者|记者|特派員"
    r"|on(?:\s+\w{3,9}\.?\s+\d.*)?|(?:feb|jul|sept?|oct|nov|dec)(?:ruary|y|ober|ember|tember)?\.?"
    r"|(?:jan|feb|mar|apr|may|june?|july?|aug|sep|oct|nov|dec)[a-z]{0,6}\.?\s+\d.*)$|\s*[|(<\[@].*$",
    re.I | re.S,
)
_NOT_PERSON = re.compile(
    r"\b(?:staff|desk|team|teams?|editors?|editorial|newsroom|redakt\w*|redac\w*|rédac\w*|redaz\w*|redaç\w*|news|press|agenc\w*|agentur|online|media|tv|radio|correspondents?|reporters?|"
    r"admin\w*|webmaster|guest|contributors?|newspaper|magazine|times|post|herald|tribune|gazette|daily|journal|company|inc|llc|ltd|gmbh|group|network|service|services|wire|"
    r"associated|reuters|afp|bloomberg|staffel|zeitung|team|content|digital|unknown|anonymous|web|channel|today|"
    r"author|podcast|publishing|(?:co-?)?founder|director|manager|officer|experts?|specialist|consultant|educator|reviewer|"
    r"dietitian|nutritionist|president|ceo|cto|attorney|nachrichten|noticias|nyheter|notizie|actualités|"
    r"sponsored|advertis\w*|partner|university|institute|foundation|subscribe|follow|share|comments?|read|more|minutes?|all|posts|view|edit|hours?|ago|www)\b|https?:|写真|撮影|摄影|攝影|사진|一覧|編集部|编辑部|取材班|新聞|通信|\.(?:com|org|net|de|fr|ru|ua|news)\b|\d",
    re.I,
)
_EDGES = ' ,.;:-–—|"“”()（）'
_FIRST_NAME = re.compile(r"[^\W\d_][^\W\d_]+(?:[-'’][^\W\d_]+)?")
_PARTICLES = {
    "de",
    "da",
    "di",
    "van",
    "von",
    "der",
    "den",
    "la",
    "le",
    "el",
    "al",
    "bin",
    "ben",
    "del",
    "dos",
    "du",
    "ter",
    "ten",
    "zu",
    "af",
    "y",
    "e",
    "das",
    "do",
    "dela",
    "st.",
}


def people(raw: Iterable[str], outlet: str = "") -> tuple[str, ...]:
    """The persons named by some bylines, in order, once each; `outlet` is the publisher, whose name is no author."""
    names = (name for line in raw for name in _names(one_line(line)))
    return _once(name for name in names if is_person(name) and not _is_outlet(name, outlet))


def stated_people(raw: Iterable[str], outlet: str = "", host: str = "") -> tuple[str, ...]:
    """The persons among names that a page states to be authors' names, once each.

    Because it says so, a name may also be a single word ("Lauren"), if that is not the outlet's or the host's; an
    empty `outlet` lets a full name through that is the outlet's own, as on the sites of authors.
    """
    names = [one_line(line).strip(_EDGES) for line in raw]
    return _once(
        name
        for name in names
        if not _is_outlet(name, outlet) and (is_person(name) or (is_first_name(name) and not _is_outlet(name, host)))
    )


def _once(names: Iterable[str]) -> tuple[str, ...]:
    return tuple({name.lower(): name for name in reversed(list(names))}.values())[::-1]


def _is_outlet(name: str, outlet: str) -> bool:
    known, squeezed = _squeeze(outlet), _squeeze(name)
    return bool(known) and (squeezed in known or known in squeezed)


def _squeeze(text: str) -> str:
    return re.sub(r"\W+", "", text).lower()


def _names(line: str) -> list[str]:
    line = re.sub(r"<[^>]*>", " ", line).strip(_EDGES)
    previous = ""
    while previous != line:
        previous, line = line, _LEAD.sub("", line).strip()
    return [name for part in _SPLIT.split(line) for name in _commas(part)]


def _commas(part: str) -> list[str]:
    """Names in a list by commas; what follows a name as a role ("Jane Roe, Moscow correspondent") goes.

    `Roe, Jane` is turned round.
    """
    pieces = [_AFTER.sub("", piece.strip()).strip(_EDGES) for piece in part.split(",")]
    if len(pieces) == 2 and all(len(piece.split()) == 1 and piece[:1].isupper() for piece in pieces):
        return [f"{pieces[1]} {pieces[0]}"]
    names = [piece for piece in pieces if len(piece.split()) > 1]
    return names[:12] if names else pieces[:1]


def is_person(name: str) -> bool:
    """Whether a string reads as a person's name: 2..5 capitalised words, or few in a script without capitals."""
    words = name.split()
    if not 2 <= len(name) <= 60 or _NOT_PERSON.search(name) or agency_of(name):
        return False
    if not any(letter.isupper() or letter.islower() for letter in name):
        return len(words) <= 4
    return 1 < len(words) <= 5 and all(
        word[0].isupper() or word.lower() in _PARTICLES or not word[0].isalpha() or "'" in word[:3] for word in words
    )


def is_first_name(name: str) -> bool:
    """Whether a string may be a name of one word: capitalised, 3..20 letters, and no word of the trade."""
    return (
        3 <= len(name) <= 20
        and name.istitle()
        and bool(_FIRST_NAME.fullmatch(name))
        and not _NOT_PERSON.search(name)
        and not agency_of(name)
    )


def agency_of(text: str) -> str:
    """The news agency named first in a credit line, by its usual name; empty for none."""
    hits = [(match.start(), name) for name, pattern in _AGENCY.items() if (match := pattern.search(text))]
    return min(hits)[1] if hits else ""

"""Canonical form and identity of a URL: the form to fetch, and the key under which its variants are one article."""

import re
from datetime import date
from functools import lru_cache
from urllib.parse import SplitResult, parse_qsl, quote_plus, unquote, urljoin, urlsplit, urlunsplit

from courlan import extract_domain
from w3lib.url import canonicalize_url, safe_url_string

MAX_LENGTH = 2_083
"""Characters; the longest URL that is considered, as in Scrapy's URLLENGTH_LIMIT."""

_DEFAULT_PORT = {"http": 80, "https": 443}
# "C0 control or space", which the WHATWG URL standard strips from both ends.
_EDGE = "".join(map(chr, range(0x21)))
_STRIPPED = str.maketrans("", "", "\t\n\r")
_PLAIN = re.compile(
    r"https?://(?!www\d?\.|m\.|mobile\.|amp\.)[a-z0-9.-]+(?::\d+)?/[A-Za-z0-9_~!$'()*+,;=:@/.-]*", re.ASCII
)
_PLAIN_FETCH = re.compile(r"https?://[a-z0-9-][a-z0-9.-]*/[A-Za-z0-9_~!$'()*+,;=:@/.-]*", re.ASCII)
_UNTIDY_PATH = re.compile(r"/\.{1,2}(?:/|$)|(?<!:)//|\./|;")
_PERCENT = re.compile(r"%(?P<hex>[0-9A-Fa-f]{2})?")
_HOST = re.compile(r"[\w.-]+|\[[0-9a-f:.]+\]", re.IGNORECASE)

_TRACKING = re.compile(
    r"(?:utm|mtm|pk|piwik|hsa|itm|oly|vero|ns|mc|ga|at)_\w+|_(?:ga|gl|hsenc|hsmi|openstat)|__(?:s|hstc|hssc|hsfp|twitter_impression)"
    r"|(?:fb|g|dc|msclk|yc|ysc|twc|ttc|igsh|wbra|gbra|gclsrc|mkt_tok|s_?c|srs|epik|li_fat_)(?:l?id)?"
    r"|fbclid|gclid|gclsrc|msclkid|igshid|mkt_tok|xtor|cmpid|ncid|icid|smid|taid|ftag|sref|wt\.?mc(?:_id)?|zanpid|ref_?src|ref_?url"
    r"|ref|referr?er|rss|feed(?:name)?|share|shared|smtyp|ocid|cvid|spm|__tn__|sessionid|phpsessid|jsessionid|aspsessionid\w*|sid"
    r"|replytocom|nocache|no_cache|cachebuster|_r|traffic_source|soc_src|soc_trk|guccounter|guce_referr?er\w*",
    re.IGNORECASE,
)
_VARIANT = re.compile(
    r"amp|print(?:er|able|view)?|m|mobile|output_?type|view|output|format|mode|noamp|usqp|amp_\w+", re.IGNORECASE
)
_VARIANT_VALUE = re.compile(r"|1|0|true|false|yes|amp|print(?:er|able|view)?|mobile|mq\d.*", re.IGNORECASE)
_SESSION_PATH = re.compile(r";(?:jsessionid|phpsessid|sid)=[^/?#]*", re.IGNORECASE)

_HOST_VARIANT = re.compile(r"^(?:www\d?|m|mobile|amp)\.(?=[^.]+\.)")
_PATH_VARIANT = re.compile(
    r"(?:(?<=/)(?:amp|print)/(?=.)|/(?:amp|print)(?:\.html?)?/?$|[._-](?:amp|print)(?=\.html?$)|\.amp/?$"
    r"|(?<=/)(?:index|default)\.(?:html?|php|aspx?)$)",
    re.IGNORECASE,
)
_DATE_LIKE = re.compile(r"(?:19|20)\d\d(?:[01]\d(?:[0-3]\d)?)?(?:\d{4}(?:\d\d)?)?$")
_SLUG = re.compile(r"(?=.*[^\W\d])[^/]*-[^/]*")
# A word of a slug: letters, or letters with a short number before or after them, as in g20, covid19 and 5g; a longer
# number is an id.
_SLUG_WORD = re.compile(
    r"(?<![^\W_])(?:[^\W\d_]{1,20}\d{1,3}|\d{1,3}[^\W\d_]{1,20})(?![^\W_])|[^\W\d_]{2,}",
)
_ID_SEGMENT = re.compile(r"(?P<id>\d{5,})")
_ID_IN_SLUG = re.compile(
    r"(?:(?P<first>\d{6,})[-_](?=.*[^\W\d])[^/]+|[^/]*[^\W\d][^/]*[-_.](?P<last>\d{6,}))(?:\.\w{2,5})?"
)
_PATH_DATE = re.compile(
    r"/(?P<y>(?:19|20)\d\d)(?P<separator>[/-])?(?P<m>(?(separator)[01]?\d|[01]\d))(?(separator)[/-])"
    r"(?P<d>(?(separator)[0-3]?\d|[0-3]\d))(?=[/-]|$)"
)
_PATH_MONTHS = re.compile(r"/(?P<y>(?:19|20)\d\d)/(?P<m>[a-z]{3})[a-z]*/(?P<d>[0-3]?\d)(?=[/-]|$)", re.IGNORECASE)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


def canonical(url: str, base: str = "") -> str | None:
    """The form of a URL under which it is fetched and published, or None where it is no http(s) URL.

    Scheme and host in lower case, the host in ASCII, no user, default port, fragment, session or tracking parameter,
    dot segments resolved, unsafe characters percent-encoded. What the server may care about (www, order of the
    parameters, trailing slash) is left alone. Idempotent. A relative `url` is resolved against `base`.
    """
    url = url.strip(_EDGE).translate(_STRIPPED)
    if _PLAIN_FETCH.fullmatch(url) and not _UNTIDY_PATH.search(url) and len(url) <= MAX_LENGTH:
        return url
    if not url:
        return None
    try:
        return _canonical(urljoin(base, url.replace("\\", "/")) if base else url.replace("\\", "/"))
    except ValueError:  # the standard library's word for malformed addresses, ports and encodings
        return None


def identity(url: str) -> str:
    """The key under which all variants of a canonical URL are the same article: scheme, www, AMP, print, slug, order.

    `url` should be canonical. The key has no scheme and is not meant to be fetched. One id under many slugs
    (`/news/123456-some-title`, `/news/123456-other-title`) is one article; a date is no id.
    """
    if "?" not in url and _PLAIN.fullmatch(url) and "%" not in url:
        parts = urlsplit(url)
        host, path, query = parts.netloc, parts.path, ""
    else:
        parts = urlsplit(canonicalize_url(url))
        host, path, query = _HOST_VARIANT.sub("", parts.netloc), parts.path, _identity_query(parts.query)
    path = _without_slug(_PATH_VARIANT.sub("", path).rstrip("/"))
    return f"{host}{path or '/'}" + (f"?{query}" if query else "")


def host_of(url: str) -> str:
    """The host of a URL in lower case without `www.` and port; "" where it has none."""
    try:
        name = urlsplit(url).hostname or ""
    except ValueError:
        return ""
    return name.removeprefix("www.")


def origin_of(url: str) -> str:
    """Scheme and authority of a canonical URL, as robots.txt binds to them (RFC 9309, 2.3)."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


@lru_cache(maxsize=16_384)
def site_of(host: str) -> str:
    """The registrable domain of a host by the public suffix list; its last two labels where that has no answer."""
    bare = host.split(":")[0]
    if bare.replace(".", "").isdigit():
        return bare
    return extract_domain(f"http://{bare}/") or ".".join(bare.split(".")[-2:])


def date_in(url: str) -> date | None:
    """The day that a URL's path names (`/2025/03/12/`, `/2025-03-12-`, `/2025/mar/12/`), or None."""
    if found := _PATH_DATE.search(url):
        month = int(found["m"])
    elif found := _PATH_MONTHS.search(url):
        name = found["m"].lower()
        month = _MONTHS.index(name) + 1 if name in _MONTHS else 0
    else:
        return None
    try:
        return date(int(found["y"]), month, int(found["d"]))
    except ValueError:
        return None


def slug_words(url: str) -> list[str]:
    """The words of the path segment that reads most like a title, in lower case; empty where none does."""
    segments = unquote(urlsplit(url).path).lower().split("/")
    worded = [_SLUG_WORD.findall(re.sub(r"\.\w{2,5}$", "", segment)) for segment in segments if segment]
    return max(worded, key=len, default=[])


def _canonical(url: str) -> str | None:
    parts = urlsplit(_SESSION_PATH.sub("", url))
    host = _ascii_host(unquote(parts.hostname or ""))
    if parts.scheme not in _DEFAULT_PORT or not host:
        return None
    port = parts.port
    netloc = host if port in (None, _DEFAULT_PORT[parts.scheme]) else f"{host}:{port}"
    path = _resolve_dots(parts.path) or "/"
    rebuilt = urlunsplit((parts.scheme, netloc, path, _without_tracking(parts), ""))
    safe = safe_url_string(_PERCENT.sub(_tidy_percent, rebuilt))
    return safe if len(safe) <= MAX_LENGTH else None


def _ascii_host(host: str) -> str:
    if ":" in host:
        return f"[{host}]"
    host = host.rstrip(".")
    if not host.isascii():
        host = host.encode("idna").decode("ascii")
    return host if _HOST.fullmatch(host) else ""


def _tidy_percent(found: re.Match[str]) -> str:
    """One percent sign: a needless escape undone, a needed one in upper case, a stray one escaped (RFC 3986, 6.2.2)."""
    if not found["hex"]:
        return "%25"
    char = chr(int(found["hex"], 16))
    return char if char.isascii() and (char.isalnum() or char in "-._~") else found[0].upper()


def _resolve_dots(path: str) -> str:
    """The path without dot segments (RFC 3986, 5.2.4) and empty segments."""
    kept: list[str] = []
    segments = path.split("/")
    for segment in segments[1:]:
        if segment == "..":
            del kept[-1:]
        elif segment not in ("", "."):
            kept.append(segment)
    closing = "/" if segments[-1] in ("", ".", "..") and kept else ""
    return "/" + "/".join(kept) + closing


def _without_tracking(parts: SplitResult) -> str:
    if not parts.query:
        return ""
    kept = [pair for pair in parts.query.split("&") if pair and not _TRACKING.fullmatch(unquote(pair.split("=")[0]))]
    return "&".join(kept)


def _identity_query(query: str) -> str:
    pairs = sorted(parse_qsl(query, keep_blank_values=True))
    kept = [(k, v) for k, v in pairs if not (_VARIANT.fullmatch(k) and _VARIANT_VALUE.fullmatch(v))]
    return "&".join(f"{quote_plus(k)}={quote_plus(v)}" for k, v in kept)


def _without_slug(path: str) -> str:
    """The path with a slug that only accompanies an id replaced, so that all slugs of the id give the same key."""
    folder, _, last = path.rpartition("/")
    parent, _, segment = folder.rpartition("/")
    if _is_id(_ID_SEGMENT.fullmatch(segment)) and _SLUG.fullmatch(last):
        return f"{parent}/{segment}"
    found = _ID_IN_SLUG.fullmatch(last)
    if found and _is_id(found):
        return f"{folder}/{found['first'] or found['last']}"
    return path


def _is_id(found: re.Match[str] | None) -> bool:
    if not found:
        return False
    digits = next(group for group in found.groups() if group)
    return not _DATE_LIKE.fullmatch(digits)

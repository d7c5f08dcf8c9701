"""Why a page is kept or dropped: the one vocabulary that every stage and the report use."""

from enum import StrEnum


class Verdict(StrEnum):
    """What became of a URL or a page; each dropped one is counted under exactly one of these."""

    KEPT = "kept"

    # Before the fetch, and at it.
    KNOWN = "known"
    OUTSIDE_PERIOD = "outside_period"
    OVER_BUDGET = "over_budget"
    TRAP = "trap"
    REFUSED_ADDRESS = "refused_address"
    ROBOTS = "robots"
    OPTED_OUT = "opted_out"
    BLOCKED = "blocked"
    GONE = "gone"
    FETCH_FAILED = "fetch_failed"
    TOO_LARGE = "too_large"
    NOT_MODIFIED = "not_modified"

    # In cleaning.
    NOT_HTML = "not_html"
    TIMED_OUT = "timed_out"
    CRASHED = "crashed"
    NO_TEXT = "no_text"
    TOO_SHORT = "too_short"
    LISTING = "listing"
    SECTION = "section"
    VIDEO = "video"
    GALLERY = "gallery"
    PRODUCT = "product"
    FORUM = "forum"
    SOFT_404 = "soft_404"
    CONSENT_WALL = "consent_wall"
    NEEDS_JAVASCRIPT = "needs_javascript"
    NOT_ARTICLE = "not_article"
    ERROR_PAGE = "error_page"
    UNLIKELY = "unlikely"
    PAYWALLED = "paywalled"
    OTHER_LANGUAGE = "other_language"
    OFF_TOPIC = "off_topic"

    # Among the articles.
    OLDER_VERSION = "older_version"
    NEAR_DUPLICATE = "near_duplicate"
    WITHDRAWN = "withdrawn"
    TAKEN_DOWN = "taken_down"


MEANING: dict[Verdict, str] = {
    Verdict.KEPT: "published as an article",
    Verdict.KNOWN: "links and list entries to pages that were known already, and unchanged as far as their source says",
    Verdict.OUTSIDE_PERIOD: "dated outside the recipe's period",
    Verdict.OVER_BUDGET: "not fetched: a limit of pages or time was reached first",
    Verdict.TRAP: "not fetched: the URL looks like an endless calendar, session or path trap",
    Verdict.REFUSED_ADDRESS: "not fetched: it leads to a private address, another scheme or a port that is not allowed",
    Verdict.ROBOTS: "not fetched: robots.txt forbids it, or could not be read",
    Verdict.OPTED_OUT: "the publisher reserved text and data mining, and the recipe honours it",
    Verdict.BLOCKED: "the server refused this crawler (401, 403, 429, 451 or a challenge page)",
    Verdict.GONE: "the page is not there (404 or 410)",
    Verdict.FETCH_FAILED: "the fetch failed (5xx, time-out, DNS, TLS) and its retries were used up",
    Verdict.TOO_LARGE: "the page is over the size limit",
    Verdict.NOT_MODIFIED: "the server says that nothing changed since the last fetch (304)",
    Verdict.NOT_HTML: "the body is not HTML text",
    Verdict.TIMED_OUT: "cleaning the page overran its deadline",
    Verdict.CRASHED: "cleaning the page broke its worker process (memory limit or a fault)",
    Verdict.NO_TEXT: "no article text was found",
    Verdict.TOO_SHORT: "the article text is shorter than the recipe's minimum",
    Verdict.LISTING: "a search, tag, author or archive page: links to articles, not an article",
    Verdict.SECTION: "a front or section page: links to articles, not an article",
    Verdict.VIDEO: "a video or audio page with hardly any text of its own",
    Verdict.GALLERY: "a gallery: pictures with captions, not an article",
    Verdict.PRODUCT: "a product or an offer, not an article",
    Verdict.FORUM: "a forum, questions and answers, or a discussion, not an article",
    Verdict.SOFT_404: "a page that says that nothing is there, sent with status 200",
    Verdict.CONSENT_WALL: "a request for consent in place of the article",
    Verdict.NEEDS_JAVASCRIPT: "the markup has no text: the page is made by scripts in the browser",
    Verdict.NOT_ARTICLE: "another kind of page: a service, a profile, a document, a form",
    Verdict.ERROR_PAGE: "an error or challenge page in place of the article",
    Verdict.UNLIKELY: "the cheap prefilter found too little of the topic to clean the page at all",
    Verdict.PAYWALLED: "the page says that it is not free to read, and the recipe publishes no paywalled articles",
    Verdict.OTHER_LANGUAGE: "not in one of the recipe's languages",
    Verdict.OFF_TOPIC: "an article, but not like the seeds",
    Verdict.OLDER_VERSION: "an earlier edition of an article that is published in a later one",
    Verdict.NEAR_DUPLICATE: "a copy of another article; published in the config `copies`",
    Verdict.WITHDRAWN: "the publisher withdrew the article after it was collected",
    Verdict.TAKEN_DOWN: "removed on request, and kept out",
}
"""One sentence for each verdict, for the report, the card and the help."""

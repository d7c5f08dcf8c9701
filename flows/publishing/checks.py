"""What must hold of a version before readers get it: whole rows, and what the recipe expects of their number."""

from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc

from flows.config import Recipe
from flows.manifest import Manifest
from flows.publishing.plan import RefusedVersionError

__all__ = ["RefusedVersionError", "check_articles", "check_version"]

_REPORT_IT = "Nothing was published. `likewise report` shows the run; this is a fault of likewise, please report it."


def check_articles(rows: pa.Table) -> None:
    """Makes sure that articles to add are whole, before their texts are shortened as the recipe says.

    Raises:
        RefusedVersionError: a row lacks its text, its id or its similarity.
    """
    wrong = list(_wrong_rows(rows))
    if wrong:
        raise RefusedVersionError(f"{len(wrong)} rows are not whole; first: {wrong[0]}.", _REPORT_IT)


def _wrong_rows(rows: pa.Table) -> Iterator[str]:
    has_text = pc.greater(pc.utf8_length(pc.utf8_trim_whitespace(pc.fill_null(rows["text"], ""))), 0)
    likeness = pc.fill_null(rows["similarity"], -1.0)
    is_share = pc.and_(pc.greater_equal(likeness, 0.0), pc.less_equal(likeness, 1.0))
    for is_whole, fault in ((has_text, "has no text"), (is_share, "has no similarity within 0..1")):
        for url in rows["url"].filter(pc.invert(is_whole)).to_pylist():
            yield f"{url} {fault}"


def check_version(manifest: Manifest, base: Manifest, recipe: Recipe) -> None:
    """Makes sure that a version has as many articles as the recipe expects.

    Raises:
        RefusedVersionError: too few articles, or too many fewer than before.
    """
    before, now, expect = base.rows("articles"), manifest.rows("articles"), recipe.expect
    if now < expect.articles:
        raise RefusedVersionError(
            f"The version would have {now} articles, and the recipe expects at least {expect.articles}.",
            "Nothing was published. See `likewise report`, or lower expect.articles.",
        )
    if now < before * (1 - expect.drop):
        raise RefusedVersionError(
            f"The version would have {now} articles after {before}, a larger drop than the recipe's {expect.drop:.0%}.",
            "Nothing was published. See `likewise report`, or raise expect.drop for this once.",
        )

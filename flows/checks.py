"""What must hold of a version before readers get it: whole rows, and what the recipe expects of their number."""

from collections.abc import Iterator

from flows.changes import Change
from flows.config import Recipe
from flows.errors import PublishError
from flows.manifest import Manifest


class RefusedVersionError(PublishError):
    """A version that is not fit for readers; they keep the one before."""


def check_rows(change: Change, recipe: Recipe) -> None:
    """Makes sure that the rows to add are whole.

    Raises:
        RefusedVersionError: a row lacks its text, or its id is in two configs.
    """
    both = sorted(set(change.add["articles"]) & set(change.add["copies"]))
    if both:
        raise RefusedVersionError(f"{len(both)} ids are an article and a copy at once: {both[:3]}.", _REPORT_IT)
    wrong = list(_wrong_rows(change, recipe))
    if wrong:
        raise RefusedVersionError(f"{len(wrong)} rows are not whole; first: {wrong[0]}.", _REPORT_IT)


_REPORT_IT = "Nothing was published. `likewise report` shows the run; this is a fault of likewise, please report it."


def _wrong_rows(change: Change, recipe: Recipe) -> Iterator[str]:
    for row in change.add["articles"].values():
        if recipe.publish.text != "none" and not (row["text"] or "").strip():
            yield f"{row['url']} has no text"
        if row["similarity"] is None or not 0 <= row["similarity"] <= 1:
            yield f"{row['url']} has the similarity {row['similarity']}"


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

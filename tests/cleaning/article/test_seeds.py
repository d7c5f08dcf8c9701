"""The user's seed files come out as exactly their articles, and the same furniture goes from other articles too."""

from pathlib import Path

import pytest

from cleaning.article.boilerplate import clean_seed

SEEDS = Path(__file__).parents[3] / "seeds" / "kremlin-meetings"

KEPT = {
    "arcamax.txt": [13, 15, 17, 19, 23, 25],
    "in-depth.txt": [5, 7, 9, 11, 13, 15],
    "kyiv-independent.txt": [3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13],
    "rferl.txt": [9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31],
    "wire-rewrite.txt": [1, 2, 3, 4, 5, 6, 7, 8],
}
TITLES = {
    "arcamax.txt": "Kremlin douses imminent Putin meeting with Trump and Zelenskyy",
    "in-depth.txt": "Kremlin Uncertain on Putin-Trump Meeting Amid Global Turmoil",
    "kyiv-independent.txt": "Putin-Trump meeting currently not on the table, Kremlin says",
    "rferl.txt": "Trump Plans To Meet Putin At G20, But Kremlin Says Meeting Not Yet Confirmed",
    "wire-rewrite.txt": "",
}

ARTICLE = [
    "The harbour authority of Port Elsin closed two of its nine berths on Thursday after divers found cracks in piles.",
    "“We would rather lose a week than a quay,” Marta Ilves told reporters, adding that a survey would follow soon.",
    "The cracks were found in an inspection that had been put off twice since the spring, according to documents.",
    "What happens next",
    "Ships bound for the closed berths are being sent to Varn, up the coast, where pilots expect long delays.",
    "The council will discuss the cost of repairs, put at 14 million crowns, when it meets on Monday.",
]
TITLE = "Port Elsin shuts two berths after divers find cracks"
TEASER = "The gardens of the coast have never been as full as in this dry year, and visitors may walk through..."
FRAMES = {
    "syndicated page": (
        [
            "Latest Headlines",
            "/",
            "The Coast Mirror",
            TITLE,
            "Nora Beck, Reuters on June 5, 2025",
            "Published in World & Politics",
        ],
        [
            "©2025 Northern Wire Ltd. Visit northernwire.example. Distributed by Harbour Content Service, Inc.",
            "Comments",
            "blog comments powered by Somebody",
        ],
    ),
    "magazine theme": (
        ["HomeOpinionPort Elsin shuts two...", TITLE],
        [
            "Most Popular",
            "LEAVE A REPLY",
            "Please enter your comment!",
            "Please enter your name here",
            "More from Author",
            "Read Now",
            "Ten gardens to see before the autumn comes",
            TEASER,
            "Baking with rye, and why it takes time",
            TEASER,
        ],
    ),
    "broadcaster": (
        [
            "Accessibility links",
            "Top Stories",
            TITLE,
            "Harbour chief Marta Ilves (left) inspects a berth of Port Elsin with divers.",
        ],
        [
            "With reporting by Reuters, dpa, and Ukrinform",
            "  • 4x3 Image",
            "    Radio Elsin journalists report the news in 9 languages across the region, where media are rare. "
            "We provide what many readers cannot get locally: open debate and uncensored news.",
        ],
    ),
}


@pytest.mark.parametrize("name", sorted(KEPT))
def test_each_seed_is_cleaned_to_exactly_its_article(name: str) -> None:
    """Of every seed file, exactly the article's lines stay, and its headline is the title."""
    seed = clean_seed((SEEDS / name).read_text("utf-8"))
    assert list(seed.kept) == KEPT[name]
    assert seed.title == TITLES[name]


def test_what_goes_from_a_seed_becomes_metadata() -> None:
    """Byline, agency, copyright line and section of a syndicated seed are kept as metadata."""
    seed = clean_seed((SEEDS / "arcamax.txt").read_text("utf-8"))
    assert seed.authors == ("Henry Meyer",)
    assert seed.agency == "Bloomberg"
    assert seed.section == "News & Features"
    assert seed.rights.startswith("©2025 Bloomberg L.P.")


@pytest.mark.parametrize("frame", sorted(FRAMES))
def test_the_same_furniture_goes_from_another_article(frame: str) -> None:
    """Furniture of a seed's kind with other names, put around another article, leaves exactly that article."""
    above, below = FRAMES[frame]
    seed = clean_seed("\n\n".join([*above, *ARTICLE, *below]))
    assert seed.text.split("\n\n") == ARTICLE
    assert seed.title == TITLE


def test_a_text_without_furniture_is_left_alone() -> None:
    """An article with its title and nothing else loses no line."""
    seed = clean_seed("\n\n".join([TITLE, *ARTICLE]))
    assert seed.text.split("\n\n") == ARTICLE
    assert seed.removed == ()

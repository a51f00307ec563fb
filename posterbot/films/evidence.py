"""How a sighting says which film a picture shows, and how far each way is believed.

A confidence is meant as the share of such links that are right. None of them is a guess about the title: that is the
certainty of the mention (``resolving.py``), and a link's confidence is the product of both.
"""

from __future__ import annotations

TABLE = "table"
"""A table that a person imported names the image by its hash or address."""
LIST = "list"
"""A list such as wikidump's names the image as the film's."""
MARKUP = "markup"
"""The page states one film, and in its markup this picture as the film's or its own (JSON-LD, Open Graph, …)."""
ADDRESS = "address"
"""The image's own address holds the film's id."""
PAGE = "page"
"""The page states one film, and the words beside the picture name it."""
NAMED = "named"
"""The page states several films, and the words beside the picture name one of them."""
WORDS = "words"
"""The words of the picture itself name a title."""
HEADING = "heading"
"""The heading over the picture does, or the title of its page."""
NOTHING = "nothing"
"""Looked at; no film is named."""

CONFIDENCE = {
    TABLE: 0.99,
    LIST: 0.97,
    MARKUP: 0.95,
    ADDRESS: 0.95,
    PAGE: 0.9,
    NAMED: 0.85,
    WORDS: 0.75,
    HEADING: 0.6,
}
"""Set by judgement, but for what ``docs/films.md`` tells of; the order is what matters: it decides between films."""

BY_ID = 1.0
"""Certainty that a mention with an id means the film with that id."""
BY_TITLE_AND_YEAR = 0.95
"""And of title and year. Of 23,568 American films with an article, 12 share both with another; the world has more."""
BY_NEAR_YEAR = 0.75
"""Of 5,797 years in names of such articles, 1.6 % are one beside that of a list, and 0.3 % more; but some films with
one title are a year apart."""
BY_TITLE_AND_DIRECTOR = 0.75
BY_TITLE_ONLY = 0.5
"""There is only one film of that title here. Of the same films 14 % share their title with another."""
UNDATED = 0.8
"""A page states a film of which nobody here says the year."""

SIMILAR = 0.1
"""Two films of one image whose confidences differ by less contradict each other."""
MOST_FILMS = 4
"""An image that is said to show more films shows none of them: it is a logo, or stands in for what is missing."""

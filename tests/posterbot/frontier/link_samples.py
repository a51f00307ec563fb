"""Links of a made-up wiki, and whether their pages brought posters: only those of one kind do."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

from posterbot.frontier.promise import features
from posterbot.frontier.records import Place
from posterbot.frontier.traps import pattern

WORDS = [
    "amber",
    "anchor",
    "autumn",
    "bridge",
    "candle",
    "canyon",
    "cargo",
    "castle",
    "cipher",
    "comet",
    "copper",
    "coral",
    "crown",
    "desert",
    "dragon",
    "echo",
    "ember",
    "engine",
    "falcon",
    "feather",
    "fever",
    "forest",
    "garden",
    "ghost",
    "glacier",
    "harbor",
    "hollow",
    "horizon",
    "island",
    "ivory",
    "jungle",
    "lantern",
    "ledger",
    "legend",
    "marble",
    "meadow",
    "mirror",
    "monsoon",
    "mountain",
    "needle",
    "ocean",
    "orchard",
    "oracle",
    "palace",
    "paper",
    "parade",
    "pepper",
    "phantom",
    "pilot",
]
KINDS = ("film", "album", "novel", "politician", "song", "", "", "")
PATHS = (
    "html/body/div#content/div.mw-parser-output/ul/li/i/a",
    "html/body/div#content/div.mw-parser-output/p/a",
    "html/body/div#content/div.mw-parser-output/table.wikitable/tbody/tr/td/a",
    "html/body/div.navbox/table/tbody/tr/td/div/ul/li/a",
)


@dataclass(frozen=True, slots=True)
class Sample:
    """A link, and what came of it."""

    features: bytes
    kind: str
    """What its text says in brackets; empty for nothing."""
    brings: bool


def samples(number: int, seed: int, fruitful: str = "film", wrong: float = 0.0) -> Iterator[Sample]:
    """60 % of those of kind ``fruitful`` bring something, and 2 % of the others.

    Args:
        number: how many.
        seed: of all chance.
        fruitful: one of KINDS.
        wrong: share of which the opposite is said.
    """
    chance = random.Random(seed)
    for _ in range(number):
        kind = chance.choice(KINDS)
        title = " ".join(chance.choices(WORDS, k=chance.randint(1, 3))).title()
        text = f"{title} ({chance.randint(1920, 2024)} {kind})" if kind else title
        name = text if chance.random() < 0.5 else title  # most URLs do not say it
        url = "https://wiki.example/wiki/" + name.replace(" ", "_")
        place = Place(chance.choice(PATHS), text, chance.randrange(300))
        brings = chance.random() < (0.6 if kind == fruitful else 0.02)
        known = features(url, pattern(url), place, "/wiki/{text}")
        yield Sample(known, kind, brings != (chance.random() < wrong))

"""All sites by name."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .blog import Blog, blog
from .cinema_chain import CinemaChain, cinema_chain
from .film_database import FilmDatabase, film_database
from .forum import Forum, forum
from .shop import Shop, shop
from .site import Site
from .wiki import Wiki, wiki

Make = Callable[[np.random.Generator, float], Site]

SITES: dict[str, Make] = {
    "film database": lambda rng, size: film_database(rng, FilmDatabase(size)),
    "blog": lambda rng, size: blog(rng, Blog(size)),
    "shop": lambda rng, size: shop(rng, Shop(size)),
    "wiki": lambda rng, size: wiki(rng, Wiki(size)),
    "forum": lambda rng, size: forum(rng, Forum(size)),
    "cinema chain": lambda rng, size: cinema_chain(rng, CinemaChain(size)),
}
HELD_OUT = ("forum", "cinema chain")
"""Never looked at while constants were chosen."""


def make(name: str, seed: int, size: float = 1.0) -> Site:
    """The site ``name`` as ``seed`` has it, of about ``size`` × 56,000 pages."""
    return SITES[name](np.random.default_rng([seed, *name.encode()]), size)

"""A shop that sells everything, posters and films on disc among it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np

from .site import FOOT, NAV, SIDE, Builder, Site, paged, scaled
from .wording import slug, titles, topics


@dataclass(frozen=True)
class Shop:
    """About 57,000 pages for ``size`` 1. Posters and discs are 6 of the 90 categories, and 9 % of the products.

    95 % of these have a poster. All products have one kind of URL and one tag path; half of the names of posters and
    discs say what they are. Books, games and records (8 categories) have covers, which the classifier may take for
    posters. Facets of a category (brand, price, order) show the same products under many URLs.
    """

    size: float = 1.0
    products: int = 18_000
    categories: int = 90
    poster_categories: int = 6
    cover_categories: int = 8
    poster_share: float = 0.09
    with_poster: float = 0.95
    facets: int = 16_000
    reviews: int = 11_000
    logins: int = 8_000


def shop(rng: np.random.Generator, given: Shop = Shop()) -> Site:
    """One such site."""
    b, host = Builder("shop", rng, "html/body.shop.desktop/div.layout"), "https://www.allesda.example"
    count = partial(scaled, given.size)
    number, groups = count(given.products), given.categories
    front = b.pages("front", [f"{host}/"], ["Home"], images=8)
    shuffled = rng.permutation(groups)
    with_posters, with_covers = np.split(
        shuffled[: given.poster_categories + given.cover_categories], [given.poster_categories]
    )
    others = shuffled[given.poster_categories :]
    group = np.where(
        rng.random(number) < given.poster_share, rng.choice(with_posters, number), rng.choice(others, number)
    )
    wanted, covered = np.isin(group, with_posters), np.isin(group, with_covers)
    names = topics(rng, number)
    film_names = titles(rng, number)
    said = rng.random(number)
    kind = np.where(said < 0.25, 0, np.where(said < 0.5, 1, 2))
    products_names = [
        f"{film_names[n]} ({('DVD', 'Poster A1')[kind[n]]})"
        if wanted[n] and kind[n] < 2
        else film_names[n]
        if wanted[n] or covered[n]
        else names[n]
        for n in range(number)
    ]
    urls = [f"{host}/product/{slug(name, n)}" for n, name in enumerate(products_names)]
    products = np.concatenate(
        [
            b.pages("product", [url], [name], images=2, covers=1.0 if cover else 0.0, kilobytes=100)
            for url, name, cover in zip(urls, products_names, covered, strict=True)
        ]
    )
    of_review = rng.integers(0, number, count(given.reviews))
    reviews = b.pages(
        "reviews", [f"{urls[p]}/reviews?page={n}" for n, p in enumerate(of_review)], ["All reviews"] * len(of_review)
    )
    of_login = rng.integers(0, number, count(given.logins))
    logins = b.pages(
        "login",
        [f"{host}/account/login?next=/product/{p}&n={n}" for n, p in enumerate(of_login)],
        ["Wish list"] * len(of_login),
    )
    brands = b.pages(
        "brand",
        [f"{host}/brand/{slug(name, n)}" for n, name in enumerate(titles(rng, 900))],
        titles(rng, 900),
        images=1,
    )
    helps = b.pages("help", [f"{host}/help/{slug(name, n)}" for n, name in enumerate(topics(rng, 30))], topics(rng, 30))

    tile = "main.main/div.product-grid/div.product-tile/a.product-link"
    special = {
        int(g): name
        for g, name in zip(
            with_posters, ("Posters", "Film posters", "DVD", "Blu-ray", "Film classics", "Wall art"), strict=False
        )
    }
    group_names = [special.get(g, topics(rng, 1)[0]) for g in range(groups)]
    lists = [
        b.listing(
            "category", paged(f"{host}/c/{slug(group_names[g], g)}"), group_names[g], products[group == g], 24, tile
        )
        for g in range(groups)
    ]
    heads = np.array([pages[0] for pages in lists])
    of_facet = rng.integers(0, groups, count(given.facets))
    facets = b.pages(
        "facet",
        [
            f"{host}/c/{slug(group_names[g], g)}?brand={n % 30}&price={n // 30 % 6}&sort={n}"
            for n, g in enumerate(of_facet.tolist())
        ],
        [f"Brand {n % 30}" for n in range(len(of_facet))],
    )
    has = products[wanted & (rng.random(number) < given.with_poster)]
    b.new_posters(has, np.where(rng.random(len(has)) < 0.9, 1, 2))

    everything = np.arange(len(b.urls))
    b.block(everything, np.concatenate([front, heads[:8], logins[:1]]), "header.header/nav.mega-menu/ul/li/a", NAV)
    b.block(everything, helps[:5], "footer.footer/div.links/ul/li/a", FOOT)
    b.some(everything, products, 1, "aside.recommendations/div.carousel/div.slide/a", SIDE)
    parents = heads[:10]
    b.block(front, parents, "main.main/div.departments/a.department")
    b.block(parents, heads, "main.main/aside.filters/ul.subcategories/li/a")
    for g, pages in enumerate(lists):
        mine = facets[of_facet == g]
        if len(mine):
            b.link(np.concatenate([pages[:1], mine[:-1]]), mine, "main.main/aside.filters/ul.facet/li/a.facet-link")
            b.some(np.concatenate([pages, mine]), mine, 6, "main.main/aside.filters/ul.facet/li/a.facet-link")
            b.some(mine, products[group == g] if (group == g).any() else products, 8, tile)
        b.link(pages, np.full(len(pages), parents[g % 10]), "main.main/nav.breadcrumb/ol/li/a")
    b.link(products, heads[group], "main.main/nav.breadcrumb/ol/li/a")
    b.link(products, rng.choice(brands, number), "main.main/div.product-info/a.brand")
    b.link(brands[:-1], brands[1:], "main.main/ul.brands/li/a")
    b.link(front, brands[:1], "main.main/div.departments/a.department", "Brands")
    b.link(brands, rng.choice(heads, len(brands)), "main.main/div.departments/a.department")
    for g in range(groups):
        same = products[group == g]
        if len(same):
            b.some(same, same, 4, "main.main/section.similar/div.product-tile/a.product-link")
    b.some(products, products, 2, "main.main/section.also-bought/div.product-tile/a.product-link")
    b.link(products[of_review], reviews, "main.main/section.reviews/a.all-reviews", "All reviews")
    b.link(reviews, products[of_review], "main.main/h1/a")
    b.link(products[of_login], logins, "main.main/div.product-info/div.actions/a.wish-list", "Wish list")
    b.link(logins, products[of_login], "main.main/p/a.back", "Back")
    b.link(helps, np.roll(helps, -1), "main.main/ul.topics/li/a")
    return b.site()

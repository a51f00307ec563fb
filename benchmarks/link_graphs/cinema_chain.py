"""A chain of cinemas: a programme for each cinema and day, films, events, jobs. Held out from tuning."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np

from .site import FOOT, NAV, SIDE, Builder, Site, scaled
from .wording import names, slug, titles, topics


@dataclass(frozen=True)
class CinemaChain:
    """About 57,000 pages for ``size`` 1. 95 % of the film pages have one poster, one in five of them two.

    The programme of a cinema is a page for each day, each linked with the next: a calendar that hardly ends. 15 % of
    the events have a poster. Programmes show thumbnails, which are too small to count.
    """

    size: float = 1.0
    cinemas: int = 220
    days: int = 120
    films: int = 2_500
    with_poster: float = 0.95
    showtimes: int = 9_000
    bookings: int = 9_000
    events: int = 3_000
    event_poster: float = 0.15
    jobs: int = 1_500
    news: int = 2_500


def cinema_chain(rng: np.random.Generator, given: CinemaChain = CinemaChain()) -> Site:
    """One such site."""
    b, host = Builder("cinema chain", rng, "html/body.no-js/div.app"), "https://www.lumos-cinemas.example"
    count = partial(scaled, given.size)
    front = b.pages("front", [f"{host}/"], ["Home"], images=5)
    film_titles = titles(rng, count(given.films))
    slugs = [slug(title, n) for n, title in enumerate(film_titles)]
    films = b.pages("film", [f"{host}/films/{s}" for s in slugs], film_titles, images=2, kilobytes=110)
    cities = b.pages(
        "city", [f"{host}/cities/{slug(name, n)}" for n, name in enumerate(names(rng, 60))], names(rng, 60)
    )
    number, days = count(given.cinemas), given.days
    cinema_slugs = [slug(name, n) for n, name in enumerate(names(rng, number))]
    cinemas = b.pages("cinema", [f"{host}/cinema/{s}" for s in cinema_slugs], names(rng, number), images=3)
    dates = [f"2026-{n // 28 + 1:02}-{n % 28 + 1:02}" for n in range(days)]
    programme = b.pages(
        "programme",
        [f"{host}/cinema/{s}/programme/{date}" for s in cinema_slugs for date in dates],
        [date[5:] for _ in cinema_slugs for date in dates],
        kilobytes=90,
    ).reshape(number, days)
    of_showtime = rng.integers(0, len(films), count(given.showtimes))
    showtimes = b.pages(
        "showtimes",
        [f"{host}/films/{slugs[f]}/showtimes/{n}" for n, f in enumerate(of_showtime)],
        ["Showtimes"] * len(of_showtime),
    )
    booking = b.pages(
        "booking",
        [f"{host}/booking/{100000 + n}" for n in range(count(given.bookings))],
        ["20:15"] * count(given.bookings),
    )
    event_titles = titles(rng, count(given.events))
    events = b.pages(
        "event",
        [f"{host}/events/{slug(t, n)}" for n, t in enumerate(event_titles)],
        event_titles,
        images=1.5,
        covers=0.2,
    )
    job_titles = topics(rng, count(given.jobs))
    jobs = b.pages("job", [f"{host}/jobs/{slug(t, n)}" for n, t in enumerate(job_titles)], job_titles, images=0.2)
    headlines = topics(rng, count(given.news))
    news = b.pages("news", [f"{host}/news/{slug(t, n)}" for n, t in enumerate(headlines)], headlines, images=1.5)
    about = b.pages(
        "about", [f"{host}/{name}" for name in ("imprint", "privacy", "vouchers", "snacks", "faq")], ["Service"] * 5
    )

    now = b.listing(
        "films", lambda n: f"{host}/films?page={n + 1}", "Films", films, 24, "main/section.grid/div.tile/a.tile-link"
    )
    event_list = b.listing(
        "events", lambda n: f"{host}/events?page={n + 1}", "Events", events, 20, "main/ul.events/li/a.event"
    )
    job_list = b.listing("jobs", lambda n: f"{host}/jobs?page={n + 1}", "Jobs", jobs, 25, "main/table.jobs/tr/td/a")
    news_list = b.listing(
        "news list", lambda n: f"{host}/news?page={n + 1}", "News", news, 15, "main/article.teaser/h3/a"
    )

    shows = films[rng.random(len(films)) < given.with_poster]
    b.new_posters(shows, np.where(rng.random(len(shows)) < 0.8, 1, 2))
    b.new_posters(events[rng.random(len(events)) < given.event_poster])

    everything = np.arange(len(b.urls))
    menu = np.concatenate([front, now[:1], cities[:1], event_list[:1], news_list[:1], job_list[:1]])
    b.block(everything, menu, "header.header/nav.primary/ul/li.nav-item/a.nav-link", NAV)
    b.block(everything, about, "footer.footer/div.col/ul/li/a", FOOT)
    b.some(everything, films[:40], 1.5, "div.banner/div.slide/a.cta", SIDE, "Book now")
    b.block(np.concatenate([front, cities]), cities, "main/div.city-picker/ul/li/a")
    b.some(front, films[:60], 14, "main/section.grid/div.tile/a.tile-link")
    of_city = rng.integers(0, len(cities), number)
    b.link(cities[of_city], cinemas, "main/ul.cinemas/li.cinema/a")
    b.link(cinemas, cities[of_city], "main/nav.breadcrumb/a")
    for ahead in range(7):
        b.link(cinemas, programme[:, ahead], "main/div.days/ul.calendar/li.day/a")
        if ahead:
            b.link(programme[:, :-ahead].ravel(), programme[:, ahead:].ravel(), "main/div.days/ul.calendar/li.day/a")
    flat = programme.ravel()
    on = (np.tile(np.arange(days), number) * (len(films) - 40) // days)[:, None] + rng.integers(0, 40, (len(flat), 8))
    b.link(np.repeat(flat, 8), films[on.ravel()], "main/div.programme/article.show/h3/a.film")
    b.some(flat, booking, 5, "main/div.programme/article.show/ul.times/li/a.time", text="20:15")
    b.link(rng.choice(flat, len(booking)), booking, "main/div.programme/article.show/ul.times/li/a.time", "17:30")
    b.link(booking, films[rng.integers(0, len(films), len(booking))], "main/div.booking/aside.summary/a")
    b.link(films[of_showtime], showtimes, "main/section.showtimes/ul.cinemas/li/a")
    b.link(showtimes, films[of_showtime], "main/nav.breadcrumb/a")
    b.some(showtimes, cinemas, 3, "main/ul.cinemas/li.cinema/a")
    b.some(films, films, 4, "main/section.more/div.tile/a.tile-link")
    b.some(films, news, 1, "main/section.news/ul/li/a")
    b.some(events, films, 0.7, "main/div.text/p/a")
    b.some(events, cinemas, 2, "main/ul.cinemas/li.cinema/a")
    b.some(news, films, 1, "main/div.text/p/a")
    b.some(news, news, 3, "main/div.related/ul/li/a")
    b.some(jobs, jobs, 3, "main/div.related/ul/li/a")
    return b.site()

"""A blog that writes about everything and now and then shows a poster."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np

from .site import FOOT, NAV, SIDE, Builder, Site, paged, scaled
from .wording import names, slug, titles, topics


@dataclass(frozen=True)
class Blog:
    """About 56,000 pages for ``size`` 1. 1.6 % of the articles show a poster.

    6 % of the articles are of the category "cinema", and 20 % of these have a poster (three in ten of which show two);
    of the others 0.5 %. Half of the cinema articles say so in their title. Pictures of articles have pages of their
    own (attachments), which show the same picture again. Every comment has a link that leads to the same article under
    another URL; days and months have archives.
    """

    size: float = 1.0
    articles: int = 15_000
    cinema: float = 0.06
    poster_in_cinema: float = 0.2
    poster_elsewhere: float = 0.005
    tags: int = 4_500
    attachments: int = 7_000
    replies: int = 14_000
    days: int = 5_000


def blog(rng: np.random.Generator, given: Blog = Blog()) -> Site:
    """One such site."""
    b, host = Builder("blog", rng, "html/body.blog.wp-theme/div#page.site"), "https://www.notesandpictures.example"
    count = partial(scaled, given.size)
    number = count(given.articles)
    front = b.pages("front", [f"{host}/"], ["Home"], images=3)
    category = rng.integers(1, 14, number)
    category[rng.random(number) < given.cinema] = 0
    headlines, of_film = topics(rng, number), titles(rng, number)
    told = (category == 0) & (rng.random(number) < 0.5)
    headlines = [f"Film review: {of_film[n]}" if told[n] else headlines[n] for n in range(number)]
    day = np.sort(rng.integers(0, count(given.days), number))[::-1]  # newest first
    dates = [f"{2008 + d // 336}/{d // 28 % 12 + 1:02}/{d % 28 + 1:02}" for d in range(count(given.days))]
    urls = [f"{host}/{dates[day[n]]}/{slug(headlines[n], n)}/" for n in range(number)]
    articles = b.pages("article", urls, headlines, images=1.5, covers=0.03, kilobytes=70)
    of_attachment = rng.integers(0, number, count(given.attachments))
    attachments = b.pages(
        "attachment", [f"{urls[a]}img-{n}/" for n, a in enumerate(of_attachment)], ["Image"] * len(of_attachment)
    )
    of_reply = rng.integers(0, number, count(given.replies))
    replies = b.pages("reply", [f"{urls[a]}?replytocom={n}" for n, a in enumerate(of_reply)], ["Reply"] * len(of_reply))
    writers = names(rng, 12)
    about = b.pages("about", [f"{host}/{name}/" for name in ("about", "contact", "imprint", "privacy")], ["About"] * 4)

    teaser = "main.content/article.post/header.entry-header/h2.entry-title/a"
    pager = "nav.pagination/div.nav-links/a.page-numbers"
    home = b.listing("list", lambda n: f"{host}/page/{n + 2}/", "Older", articles, 10, teaser, pager=pager)
    b.link(front, home[:1], f"{pager}.next", "Older posts")
    b.link(np.repeat(front, 10), articles[:10], teaser)
    sections = ["cinema", *(f"section-{n}" for n in range(1, 14))]
    categories = [
        b.listing(
            "category",
            paged(f"{host}/category/{name}/", "page/{}/"),
            name.capitalize(),
            articles[category == n],
            10,
            teaser,
            pager=pager,
        )
        for n, name in enumerate(sections)
    ]
    author = rng.integers(0, len(writers), number)
    authors = [
        b.listing(
            "author", paged(f"{host}/author/{slug(name, n)}/", "page/{}/"), name, articles[author == n], 10, teaser
        )
        for n, name in enumerate(writers)
    ]
    tag_titles = titles(rng, count(given.tags))
    tag = (len(tag_titles) * rng.random((number, 2)) ** 1.5).astype(np.int64)
    cinema_tags = len(tag_titles) // 15
    tag[category == 0] = (cinema_tags * rng.random((int((category == 0).sum()), 2))).astype(np.int64)
    by_tag = np.argsort(tag.ravel(), kind="stable")
    tagged = np.split(articles[by_tag // 2], np.cumsum(np.bincount(tag.ravel(), minlength=len(tag_titles)))[:-1])
    tags = [
        b.listing("tag", paged(f"{host}/tag/{slug(tag_titles[n], n)}/", "page/{}/"), tag_titles[n], some, 10, teaser)
        for n, some in enumerate(tagged)
    ]
    tag_heads = np.array([pages[0] for pages in tags])
    months = sorted({date[:7] for date in dates})
    in_month: dict[str, list[int]] = {month: [] for month in months}
    in_day: dict[int, list[int]] = {}
    for n in range(number):
        in_month[dates[day[n]][:7]].append(n)
        in_day.setdefault(int(day[n]), []).append(n)
    month_pages = {
        month: b.listing("month", paged(f"{host}/{month}/", "page/{}/"), month, articles[some], 10, teaser)
        for month, some in in_month.items()
    }
    month_heads = np.array([pages[0] for pages in month_pages.values()])
    written = sorted(in_day)
    days = b.pages("day", [f"{host}/{dates[d]}/" for d in written], [dates[d][-2:] for d in written])

    for pages, chance in ((articles[category == 0], given.poster_in_cinema), (articles, given.poster_elsewhere)):
        with_poster = pages[rng.random(len(pages)) < chance]
        b.new_posters(with_poster, np.where(rng.random(len(with_poster)) < 0.7, 1, 2))
    shown: dict[int, list[int]] = {}
    for pages, posters in list(b._shows):
        for page, poster in zip(pages.tolist(), posters.tolist(), strict=True):
            shown.setdefault(page, []).append(poster)
    again = [
        (int(attachments[n]), shown[page][0])
        for n, page in enumerate(articles[of_attachment].tolist())
        if page in shown
    ]
    b.show(np.array([page for page, _ in again], np.int64), np.array([poster for _, poster in again], np.int64))

    everything = np.arange(len(b.urls))
    heads = np.array([pages[0] for pages in categories])
    b.block(
        everything, np.concatenate([front, heads[:8], about[:1]]), "header.masthead/nav/ul.menu/li.menu-item/a", NAV
    )
    b.block(everything, articles[:5], "aside.sidebar/section.widget_recent/ul/li/a", SIDE)
    b.some(everything, tag_heads, 3, "aside.sidebar/section.widget_tag_cloud/div.tagcloud/a.tag-cloud-link", SIDE)
    b.block(everything, month_heads[-2:], "aside.sidebar/section.widget_archive/ul/li/a", SIDE)
    b.block(everything, about, "footer.site-footer/ul/li/a", FOOT)
    b.block(front, heads, "main.content/ul.all-categories/li/a")
    b.block(front, np.array([pages[0] for pages in authors]), "main.content/ul.authors/li/a")
    b.link(tag_heads[:-1], tag_heads[1:], "main.content/div.see-also/a.tag")
    b.link(month_heads[1:], month_heads[:-1], "aside.sidebar/section.calendar/table/tfoot/tr/td#prev/a", place=SIDE)
    month_number = {month: n for n, month in enumerate(in_month)}
    of_day = np.array([month_number[dates[d][:7]] for d in written])
    b.link(month_heads[of_day], days, "aside.sidebar/section.calendar/table/tbody/tr/td/a", place=SIDE)
    day_number = {d: n for n, d in enumerate(written)}
    b.link(days[np.array([day_number[int(d)] for d in day])], articles, teaser)
    b.link(articles[:-1], articles[1:], "main.content/nav.post-navigation/div.nav-previous/a")
    b.link(articles[1:], articles[:-1], "main.content/nav.post-navigation/div.nav-next/a")
    b.link(articles, heads[category], "main.content/article.post/footer.entry-meta/span.cat-links/a")
    for column in (0, 1):
        b.link(articles, tag_heads[tag[:, column]], "main.content/article.post/footer.entry-meta/span.tags-links/a")
    b.link(articles[of_attachment], attachments, "main.content/article.post/div.entry-content/figure.wp-block-image/a")
    b.link(attachments, articles[of_attachment], "main.content/nav.parent/a")
    b.link(
        articles[of_reply], replies, "main.content/ol.comment-list/li.comment/div.reply/a.comment-reply-link", "Reply"
    )
    b.link(replies, articles[of_reply], "main.content/small/a#cancel-comment-reply-link", "Cancel reply")
    for n in range(14):  # related ones are mostly of the same category
        same = articles[category == n]
        b.some(same, same, 2, "main.content/div.related-posts/ul/li/a")
    b.some(articles, articles, 1, "main.content/article.post/div.entry-content/p/a")
    return b.site()

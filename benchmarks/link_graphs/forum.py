"""A forum in which some boards show posters. Held out from tuning."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np

from .site import FOOT, NAV, SIDE, Builder, Site, paged, scaled
from .wording import slug, titles, topics


@dataclass(frozen=True)
class Forum:
    """About 57,000 pages for ``size`` 1. Posters are in threads of three of the 40 boards.

    There 35 % of the pages of threads show one to five posters, elsewhere 0.4 % show one. Threads have 2.2 pages on
    average (geometric). Permalinks of posts and pages of attachments show again what the thread shows.
    """

    size: float = 1.0
    threads: int = 8_000
    pages: float = 2.2
    boards: int = 40
    poster_boards: int = 3
    poster_there: float = 0.35
    poster_elsewhere: float = 0.004
    users: int = 9_000
    permalinks: int = 20_000
    attachments: int = 5_000


def forum(rng: np.random.Generator, given: Forum = Forum()) -> Site:
    """One such site."""
    b, host = Builder("forum", rng, "html/body#phpbb.section-index.ltr/div#wrap.wrap"), "https://forum.frames.example"
    count = partial(scaled, given.size)
    number = count(given.threads)
    front = b.pages("front", [f"{host}/index.php"], ["Board index"])
    board = (given.boards * rng.random(number) ** 1.3).astype(np.int64)
    shuffled = rng.permutation(given.boards)  # so that neither the busiest nor the first boards have the posters
    in_poster_board = np.isin(board, shuffled[: given.poster_boards])
    subjects = topics(rng, number)
    films = titles(rng, number)
    subjects = [
        f"{films[n]} poster" if in_poster_board[n] and rng.random() < 0.4 else subjects[n] for n in range(number)
    ]
    many = rng.geometric(1 / given.pages, number)
    first = np.concatenate(([0], np.cumsum(many)[:-1]))
    thread = np.repeat(np.arange(number), many)
    nth = np.arange(len(thread)) - first[thread]
    urls = [
        f"{host}/viewtopic.php?f={board[t]}&t={t}" + (f"&start={20 * n}" if n else "")
        for t, n in zip(thread.tolist(), nth.tolist(), strict=True)
    ]
    pages = b.pages("thread", urls, [subjects[t] for t in thread], images=0.6, covers=0.05, kilobytes=80)
    heads = pages[first]
    users = b.pages(
        "user",
        [f"{host}/memberlist.php?mode=viewprofile&u={n}" for n in range(count(given.users))],
        [slug(name, n) for n, name in enumerate(titles(rng, count(given.users)))],
    )
    of_post = rng.integers(0, len(pages), count(given.permalinks))
    posts = b.pages("permalink", [f"{host}/viewtopic.php?p={n}" for n in range(len(of_post))], ["Re:"] * len(of_post))
    fit = np.flatnonzero(in_poster_board[thread])
    of_attachment = np.where(
        rng.random(count(given.attachments)) < 0.3,
        rng.choice(fit, count(given.attachments)),
        rng.integers(0, len(pages), count(given.attachments)),
    )
    attachments = b.pages(
        "attachment",
        [f"{host}/attachments/{n}" for n in range(len(of_attachment))],
        ["Attachment"] * len(of_attachment),
        images=0.5,
    )
    rules = b.pages("rules", [f"{host}/{name}.php" for name in ("faq", "rules", "ucp", "search", "team")], ["Help"] * 5)
    boards = [
        b.listing(
            "board",
            paged(f"{host}/viewforum.php?f={f}", "&start={}"),
            topics(rng, 1)[0],
            heads[board == f],
            30,
            "div#page-body/div.forumbg/ul.topics/li.row/dl/dt/a.topictitle",
            pager="div#page-body/div.action-bar/div.pagination/ul/li/a.button",
        )
        for f in range(given.boards)
    ]
    board_heads = np.array([some[0] for some in boards])

    chance = np.where(in_poster_board[thread], given.poster_there, given.poster_elsewhere)
    shows = np.flatnonzero(rng.random(len(pages)) < chance)
    shown = np.where(in_poster_board[thread[shows]], rng.integers(1, 6, len(shows)), 1)
    posters = b.new_posters(pages[shows], shown)
    one = np.full(len(pages), -1)
    one[shows] = posters[np.concatenate(([0], np.cumsum(shown)[:-1]))]
    for copies, of in ((posts, of_post), (attachments, of_attachment)):
        has = one[of] >= 0
        b.show(copies[has], one[of[has]])

    everything = np.arange(len(b.urls))
    b.block(everything, np.concatenate([front, rules]), "div#page-header/div.navbar/ul.linklist/li/a", NAV)
    b.block(everything, board_heads[:6], "div#page-footer/form.jumpbox/div.dropdown/ul/li/a", FOOT)
    b.some(everything, heads, 1, "div.sidebar/dl.latest/dd/a.lastsubject", SIDE)
    b.block(front, board_heads, "div#page-body/div.forabg/ul.forums/li.row/dl/dt/a.forumtitle")
    b.link(pages, board_heads[board[thread]], "div#page-header/ul.breadcrumbs/li/a.crumb", place=NAV)
    on = np.flatnonzero(nth > 0)
    pager = "div#page-body/div.action-bar/div.pagination/ul/li/a.button"
    b.link(pages[on - 1], pages[on], f"{pager}.next", "Next")
    b.link(pages[on], pages[on - 1], f"{pager}.prev", "Previous")
    b.link(heads[thread[on]], pages[on], pager, "2")
    b.link(posts, pages[of_post], "div#page-body/h2.topic-title/a")
    b.link(attachments, pages[of_attachment], "div#page-body/p.back/a")
    b.link(pages[of_post], posts, "div#page-body/div.post/div.postbody/p.author/a.permalink", "Post")
    b.link(pages[of_attachment], attachments, "div#page-body/div.post/div.postbody/dl.attachbox/dt/a")
    b.some(pages, users, 6, "div#page-body/div.post/dl.postprofile/dt/a.username")
    b.some(posts, users, 2, "div#page-body/div.post/dl.postprofile/dt/a.username")
    b.link(rng.choice(pages, len(users)), users, "div#page-body/div.post/dl.postprofile/dt/a.username")
    b.some(users, heads, 2, "div#page-body/div.panel/dl.details/dd/a")
    b.some(pages, heads, 0.4, "div#page-body/div.post/div.postbody/div.content/a.postlink")
    return b.site()

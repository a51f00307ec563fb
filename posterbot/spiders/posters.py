"""The spider: pages in, pages with their candidates out. It knows nothing of pixels and nothing of SQL."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from itertools import islice
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import urlsplit

from scrapy import Request, Spider
from scrapy.http import HtmlResponse, Response

from posterbot.catalogue.records import Page
from posterbot.filters.consent import OptOuts
from posterbot.frontier.records import Place
from posterbot.frontier.requests import PARENT, PLACE, TICKET
from posterbot.frontier.session import Session
from posterbot.frontier.ticket import Ticket
from posterbot.frontier.turn import Stopping
from posterbot.items import PageItem
from posterbot.page import Candidate, FoundBy, PageContent, read_page
from posterbot.page.bounds import parse_html
from posterbot.page.consent import Signal
from posterbot.pipelines.fetch import reason_of_failure
from posterbot.reasons import Reason
from posterbot.sample.server import SampleSite
from posterbot.spiders.arguments import Arguments, read_arguments
from posterbot.spiders.lists import Listed, ListError, read_urls
from posterbot.spiders.pieces import items_again, piece_of, piece_request
from posterbot.spiders.wikipedia import article_url, file_path_url
from posterbot.steering.console import answering, show
from posterbot.steering.control import control_of
from posterbot.steering.live import CONSOLE

if TYPE_CHECKING:
    from scrapy.crawler import Crawler
    from twisted.python.failure import Failure

IMAGE_SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".gif", ".avif", ".bmp", ".tif", ".tiff"}
LISTED_AT_ONCE = 50
"""Rows of a list that make one piece."""
PIECES_AHEAD = 200
"""Pieces of a list that wait in the frontier while the rest of the list is still unread."""


class PostersSpider(Spider):
    """``scrapy crawl posters -a labels=poster``: see docs/crawl.md for the arguments.

    ``labels``, ``threshold``, ``top`` and ``model`` may be assigned while the crawl runs, as in the telnet console; the
    change holds for every image judged afterwards and is recorded as a new policy: docs/steering.md.
    """

    name = "posters"
    handle_httpstatus_list: ClassVar = [304]
    CALLBACKS: ClassVar = frozenset({"parse", "failed", "listed", "again"})
    """What the frontier may name as a callback."""

    def __init__(self, arguments: Arguments, given: dict[str, str]) -> None:
        super().__init__()
        self.job, self.arguments = arguments, given
        self.policy = arguments.policy
        self.allowed_domains = list(arguments.domains)
        self.run_id: int | None = None
        self.job_key = arguments.job
        """Equal for crawls that are the same work: one that was stopped goes on. None: never."""
        self.since = arguments.since
        """Pages that earlier runs have read since then are not asked again; older ones only whether they changed."""
        self._site: SampleSite | None = None
        self.opt_outs: OptOuts

    @classmethod
    def from_crawler(cls, crawler: Crawler, *_: Any, **kwargs: Any) -> PostersSpider:
        """Scrapy's construction door. Raises ArgumentError."""
        given = {name: str(value) for name, value in kwargs.items()}
        spider = cls(read_arguments(crawler.settings, given), given)
        spider._set_crawler(crawler)
        spider.opt_outs = OptOuts(crawler.settings)
        return spider

    @property
    def labels(self) -> str:
        """The labels kept, comma separated. Assigning an unknown one raises PolicyError and changes nothing."""
        return ", ".join(self.policy.current.labels)

    @labels.setter
    def labels(self, labels: str) -> None:
        self._assign(labels=labels)

    @property
    def threshold(self) -> float:
        """The probability from which an image is kept, 0–1, both excluded; 0 where ``top`` alone decides.

        ``"precision=0.95"`` may be assigned as well, and ``"recall=0.98"``. A wrong one raises PolicyError.
        """
        return self.policy.current.threshold

    @threshold.setter
    def threshold(self, threshold: float | str) -> None:
        self._assign(threshold=threshold)

    @property
    def top(self) -> int | None:
        """Among so many likeliest labels must be a wanted one; None: not asked. A wrong one raises PolicyError."""
        return self.policy.current.top

    @top.setter
    def top(self, top: int | str | None) -> None:
        self._assign(top=top)

    @property
    def model(self) -> str:
        """The name of the model. Another name or path that is assigned is loaded first, which takes seconds.

        What became of it is said at the console, or in the log. Raises PolicyError where the crawl has not begun.
        """
        return self.policy.current.model.name

    @model.setter
    def model(self, name: str) -> None:
        with answering():
            show(control_of(self.crawler).model(name))

    def _assign(self, **wanted: Any) -> None:
        with answering():
            self.policy.change(**wanted, origin=CONSOLE)

    async def start(self) -> AsyncIterator[Any]:
        """Start pages, then the list of URLs, piece by piece; what was done before a stop, the frontier knows."""
        pages = self.job.start
        if self.job.sample:
            self._site = SampleSite()
            pages = (self._site.start(),)
            self.allowed_domains = self.allowed_domains or ["127.0.0.1"]
        for url in pages:
            yield Request(url, errback=self.failed, dont_filter=True)
        if self.job.urls is not None:
            rows = read_urls(self.job.urls)
            number = 0
            while batch := await asyncio.to_thread(self._next_rows, rows):
                number += 1
                while self._session.waiting > PIECES_AHEAD * LISTED_AT_ONCE:
                    await asyncio.sleep(0.1)
                yield piece_request(self.job.urls, number, batch, callback=self.listed, errback=self.failed)

    def _next_rows(self, rows: Iterator[Listed | None]) -> list[Listed | None]:
        """Up to ``LISTED_AT_ONCE`` rows; a list that breaks off in the middle ends there, with one line."""
        batch: list[Listed | None] = []
        try:
            for row in islice(rows, LISTED_AT_ONCE):
                batch.append(row)
        except ListError as error:
            self.logger.error("%s; read up to there", error)
        return batch

    def _count_rows(self, rows: int, named: int) -> None:
        assert self.crawler.stats is not None
        self.crawler.stats.inc_value("posterbot/listed", rows)
        self.crawler.stats.inc_value("posterbot/listed_without_image", rows - named)

    def listed(self, response: Response) -> Iterator[Any]:
        """One piece of the list: listed pages as requests, images as items."""
        number, rows = piece_of(response)
        assert self.job.urls is not None
        named = [row for row in rows if row is not None]
        self._count_rows(len(rows), len(named))
        for row in named:
            if row.claim is None and _names_page(row.url):
                yield Request(row.url, errback=self.failed, meta={"listed": True})
        piece = Page(f"{self.job.urls.resolve().as_uri()}#{number}", title="list of URLs")
        yield from self._with_ticket(response, list(self._items(named, piece)))

    def again(self, response: Response) -> Iterator[PageItem]:
        """Images of one page once more."""
        yield from self._with_ticket(response, items_again(response))

    def _with_ticket(self, response: Response, items: list[PageItem]) -> Iterator[PageItem]:
        """The URL of ``response`` is done when all ``items`` are."""
        ticket = _ticket(response)
        if ticket is not None:
            ticket.items = len(items)
            if not items:
                self._session.finish(ticket)
        for item in items:
            item.ticket = ticket
            yield item

    def _items(self, rows: list[Listed], piece: Page) -> Iterator[PageItem]:
        """Images of no known page as one item; an item for each image that an article names."""
        loose = tuple(
            Candidate(row.url, FoundBy.LIST, alt=row.text)
            for row in rows
            if row.claim is None and not _names_page(row.url)
        )
        if loose:
            yield PageItem(piece, loose)
        for row in rows:
            if (claim := row.claim) is None:
                continue
            article = article_url(claim.wiki, claim.title)
            page = piece if article is None else Page(article, title=claim.title)
            moved = claim.image_name and file_path_url(
                claim.wiki, claim.repository, claim.image_name, self.settings["WIKI_URL"]
            )
            candidate = Candidate(row.url, FoundBy.LIST, alt=row.text, alternatives=(moved,) if moved else ())
            yield PageItem(page, (candidate,), claim)

    async def parse(self, response: Response) -> AsyncIterator[Any]:
        """One page: its links as requests, then its candidates as one item.

        In this order: the item's commit ends the page, and by then its links must be in the frontier.
        """
        ticket = _ticket(response)
        if ticket is not None:
            ticket.requests += int(response.meta.get("redirect_times", 0))
            ticket.size += len(response.body)
        if response.status == 304:
            if ticket is not None:
                ticket.unchanged = True
            yield PageItem(_page(response.request, response), (), ticket=ticket)
            return
        if not isinstance(response, HtmlResponse):
            # A page link that leads to an image, or a listed URL without a telling name.
            is_image = (response.headers.get("Content-Type") or b"").lower().startswith(b"image/")
            candidates = (Candidate(response.url, FoundBy.ANCHOR),) if is_image else ()
            page = _page(response.request, response, reason=None if is_image else Reason.NOT_HTML)
            yield PageItem(page, candidates, ticket=ticket)
            return
        # Large pages take a while to read; other downloads go on meanwhile. The tree is not kept on the response, which
        # lives until all its images are through.
        try:
            file = await self._session.tdm_signal(response.url)
        except Stopping:  # the page is read some other time
            yield PageItem(_page(response.request, response, reason=Reason.STOPPED), (), ticket=ticket)
            return
        content, signals = await asyncio.to_thread(self._read, response, file)
        # A list is a whole job: its pages are read, not left.
        follows = self.opt_outs.follows(signals).allowed
        if follows and not response.meta.get("listed"):
            parent = None if ticket is None else ticket.key
            for link in content.links:
                meta = {PARENT: parent, PLACE: Place(link.path, link.text, link.position)}
                yield Request(link.url, errback=self.failed, encoding=response.encoding, meta=meta)
        facts = {"title": content.title, "films": content.films, "data_uris": content.data_uris}
        if (refused := self.opt_outs.decide(signals).signal) is not None:
            facts["evidence"] = str(refused)
        page = _page(response.request, response, **facts)
        # What is only linked to is not shown by the page.
        shown = tuple(c for c in content.candidates if follows or c.found_by is not FoundBy.ANCHOR)
        yield PageItem(page, shown, ticket=ticket, signals=signals)

    def _read(self, response: HtmlResponse, file: Signal | None) -> tuple[PageContent, tuple[Signal, ...]]:
        selector = parse_html(response.text)
        return read_page(selector, response.url), self.opt_outs.page_signals(response, selector, file)

    def failed(self, failure: Failure) -> PageItem:
        """A page that could not be read is a row as well, with the reason."""
        request: Request = failure.request  # type: ignore[attr-defined]
        response: Response | None = getattr(failure.value, "response", None)
        assert failure.value is not None
        reason = reason_of_failure(failure.value) if response is None else Reason.of_status(response.status)
        return PageItem(_page(request, response, reason=reason), (), ticket=request.meta.get(TICKET))

    @property
    def _session(self) -> Session:
        session = self.crawler.get_extension(Session)
        assert session is not None
        return session

    def closed(self, reason: str) -> None:
        """Scrapy calls this at the end."""
        if self._site is not None:
            self._site.close()


def _page(request: Request | None, response: Response | None, **found: Any) -> Page:
    assert request is not None
    return Page(
        url=request.url if response is None else response.url,
        status=None if response is None else response.status,
        referrer=(request.headers.get("Referer") or b"").decode("latin-1"),
        depth=int(request.meta.get("depth", 0)),
        etag=_header(response, "ETag"),
        last_modified=_header(response, "Last-Modified"),
        **found,
    )


def _header(response: Response | None, name: str) -> str:
    return "" if response is None else (response.headers.get(name) or b"").decode("latin-1")


def _ticket(response: Response) -> Ticket | None:
    ticket: Ticket | None = response.meta.get(TICKET)
    return ticket


def _names_page(url: str) -> bool:
    """Is a listed URL a page? What is no URL at all goes the way of the images, where it is recorded as ``bad_url``."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    page_like = PurePosixPath(parts.path).suffix.lower() not in IMAGE_SUFFIXES
    return page_like and parts.scheme in {"http", "https"} and bool(parts.hostname)

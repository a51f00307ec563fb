"""An extension that writes down where links stand, and what their tickets say when their items are committed."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from scrapy import Request, signals
from scrapy.crawler import Crawler

from posterbot.frontier.requests import PARENT, PLACE
from posterbot.items import PageItem


class TicketNotes:
    def __init__(self, file: Path) -> None:
        self.file = file

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> TicketNotes:
        notes = cls(Path(crawler.settings["TICKET_NOTES"]))
        crawler.signals.connect(notes.scraped, signals.item_scraped)
        crawler.signals.connect(notes.scheduled, signals.request_scheduled)
        return notes

    def scheduled(self, request: Request) -> None:
        if PLACE in request.meta:
            place = asdict(request.meta[PLACE])
            self.note({"link": request.url, "parent": request.meta[PARENT], "place": list(place.values())})

    def scraped(self, item: PageItem) -> None:
        assert item.ticket is not None
        self.note(asdict(item.ticket) | {"fingerprint": "", "url": item.page.url})

    def note(self, facts: dict[str, Any]) -> None:
        with self.file.open("a") as file:
            file.write(json.dumps(facts) + "\n")

"""How fast film boxes are found and read, beside mwparserfromhell and wikitextparser, interleaved in one run.

    python benchmarks/wikidump_parse.py DUMP.xml.bz2 [--wiki enwiki] [--rounds 5] [--json FILE]

All times are CPU times of one process, the best of the rounds. Printed: MB/s of XML for decompression and for
``Extractor.find`` over all of it; milliseconds a page on the pages with a box, for the ``image`` parameter alone and
for whole rows; and where the parsers disagree on it. The peers read the whole page, as their manuals show it.
"""

from __future__ import annotations

import argparse
import bz2
import html
import re
import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path

import mwparserfromhell
import wikitextparser
from comparison import compared, parse, write

from wikidump.extract import Extractor
from wikidump.page import Page
from wikidump.template import without_comments


def pages_with_boxes(xml: bytes, extractor: Extractor) -> list[Page]:
    """The articles of ``xml`` that have a row."""
    found = []
    for match in re.finditer(rb"<page[ >].*?</page>", xml, re.DOTALL):
        text = re.search(rb"<text[^>]*>(.*?)</text>", match[0], re.DOTALL)
        title = re.search(rb"<title>(.*?)</title>", match[0])
        if text and title and b"<ns>0</ns>" in match[0] and extractor.may_match(match[0]):
            page = Page(0, 0, html.unescape(title[1].decode()), None, 0, html.unescape(text[1].decode()))
            if any(extractor.rows(page)):
                found.append(page)
    return found


def main() -> None:
    """Measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dump", type=Path)
    parser.add_argument("--wiki", default="enwiki")
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parse(parser, rounds=1)

    packed = arguments.dump.read_bytes()
    xml = bz2.decompress(packed)
    extractor = Extractor(arguments.wiki)
    pages = pages_with_boxes(xml, extractor)
    titles = {title for title, (_, kind) in extractor._boxes.items() if kind == "film"}

    def ours(text: str) -> str | None:
        boxes = extractor._find_boxes(text)
        return boxes[0].parameters().get("image")

    def by_wikitextparser(text: str) -> str | None:
        for template in wikitextparser.parse(text).templates:
            if extractor._box_title(template.name) in titles:
                argument = template.get_arg("image")
                return without_comments(argument.value).strip() if argument else None
        return None

    def by_mwparserfromhell(text: str) -> str | None:
        for template in mwparserfromhell.parse(text, skip_style_tags=True).filter_templates():
            if extractor._box_title(str(template.name)) in titles:
                return without_comments(str(template.get("image").value)).strip() if template.has("image") else None
        return None

    def find() -> None:
        at = -1
        while (at := extractor.find(xml, at + 1)) >= 0:
            pass

    image = {"wikidump": ours, "wikitextparser": by_wikitextparser, "mwparserfromhell": by_mwparserfromhell}
    work: dict[str, Callable[[], object]] = {
        "bz2": lambda: bz2.decompress(packed),
        "find": find,
        "rows": lambda: [list(extractor.rows(page)) for page in pages],
    }
    for name, read in image.items():
        work[name] = partial(lambda read: [read(page.text) for page in pages], read)
    best = dict.fromkeys(work, float("inf"))
    for _ in range(arguments.rounds):
        for name, do in work.items():
            start = time.process_time()
            do()
            best[name] = min(best[name], time.process_time() - start)

    size = len(xml) / 1e6
    print(f"{size:.1f} MB of XML, {len(pages)} pages with a box")
    print(f"{'decompression (bz2)':32} {size / best['bz2']:8.0f} MB/s")
    print(f"{'find':32} {size / best['find']:8.0f} MB/s  {best['find'] / best['bz2']:.1%} of decompression")
    rows = 1000 * best["rows"] / len(pages)
    print(f"{'rows':32} {rows:8.3f} ms a page  {best['rows'] / best['bz2']:.1%} of decompression")
    for name in image:
        ratio = best[name] / best["wikidump"]
        print(f"{'image by ' + name:32} {1000 * best[name] / len(pages):8.3f} ms a page  {ratio:6.1f} x")
    print(f"{'mwparserfromhell : rows':32} {best['mwparserfromhell'] / best['rows']:8.1f} x")
    for name in ("wikitextparser", "mwparserfromhell"):
        differ = [page.title for page in pages if image[name](page.text) != ours(page.text)]
        print(f"{name} differs on {len(differ)}: {', '.join(differ[:5])}")
    milliseconds = {name: [1000 * best[name] / len(pages)] for name in image}
    ours_first = milliseconds.pop("wikidump")
    beside = {
        f"image beside {name}": compared("ms a page", ours_first, them, less=True)
        for name, them in milliseconds.items()
    }
    write(arguments.json, beside)
    print("statuses:", dict(Counter(row.image_status for page in pages for row in extractor.rows(page))))


if __name__ == "__main__":
    main()

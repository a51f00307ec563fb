"""Every argument of the spider: names from the code, words from the table of docs/crawl.md, which must agree."""

from __future__ import annotations

import re
from pathlib import Path

import markup

from posterbot.spiders.arguments import KNOWN


def page(root: Path) -> str:
    """The page.

    Raises:
        SystemExit: docs/crawl.md and the code name different arguments.
    """
    crawl = (root / "docs/crawl.md").read_text()
    rows = dict(re.findall(r"^\| `(\w+)` \| (.+) \|$", crawl.partition("\n## ")[0], re.MULTILINE))
    if missing := set(KNOWN) ^ {name for name in rows if name.islower()}:
        raise SystemExit(f"docs/crawl.md and posterbot/spiders/arguments.py differ in {', '.join(sorted(missing))}")
    labels = (root / "models/weights/web-images/labels.txt").read_text().split()
    parts = markup.begin("scrapy crawl posters", "Crawls pages, or a list, and keeps the images that are wanted.")
    parts += [
        "## Synopsis",
        markup.block(f"scrapy crawl posters {' '.join(f'[-a {name}=…]' for name in KNOWN)} [-s SETTING=VALUE]…"),
        "Without arguments it crawls the sample site that ships with posterbot and keeps posters. All is checked "
        "before the first request: the arguments, the model, the catalogue and the store.",
        "## Arguments",
    ]
    for name in KNOWN:
        meaning, default = re.split(r"(?<!\\) \| ?", rows[name] + " ", maxsplit=1)
        parts.append(f"### `{name}`")
        parts.append(_moved(meaning[:1].upper() + meaning[1:]).rstrip(".") + ".")
        parts.append(f"Default: {_moved(default.strip())}." if default.strip() else "Not given by default.")
    parts += [
        "## Labels of the shipped model",
        ", ".join(map(markup.code, labels)) + ". Others come with [other models](../models.md).",
        "## Settings",
        "`-s NAME=VALUE`: [all settings](settings.md). Those of Scrapy that a crawl is most often given are "
        "`CLOSESPIDER_PAGECOUNT`, `DEPTH_LIMIT` and `LOG_LEVEL`.",
        "## Exit status",
        markup.table(
            ("", ""),
            (
                ("0", "the crawl ended in good order: finished, or stopped"),
                ("1", "it had to stop: the catalogue, or the store, could not be written"),
                ("2", "an argument or setting is wrong; one line says which, and nothing was requested"),
            ),
        ),
        "## See also",
        "[Crawling](../crawl.md), [long crawls](../long-crawls.md), [steering](../steering.md), "
        "[reasons](../reasons.md), [posterbot](posterbot.md).",
    ]
    return markup.end(parts)


def _moved(text: str) -> str:
    """Links of a page of docs/, from a folder below."""
    text = re.sub(r"\]\(#", "](crawl.md#", text)
    return re.sub(r"\]\((?!https?:)", "](../", text)

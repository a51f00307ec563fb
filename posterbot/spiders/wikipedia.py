"""Where a Wikipedia has an article, and where it still finds a file that is not at its usual address."""

from __future__ import annotations

import re
from urllib.parse import quote

COMMONS = "commons.wikimedia.org"

_DATABASE = re.compile(r"[a-z]{2,20}(?:_[a-z]{1,20}){0,3}wiki")
# What MediaWiki leaves as it is in the addresses of pages (wfUrlencode).
_UNQUOTED = ";@$!*(),/~:"


def host_of(wiki: str) -> str | None:
    """The host of a Wikipedia by its database name: ``zh-min-nan.wikipedia.org`` for ``zh_min_nanwiki``.

    None for what is no such name.
    """
    if not _DATABASE.fullmatch(wiki):
        return None
    return f"{wiki.removesuffix('wiki').replace('_', '-')}.wikipedia.org"


def article_url(wiki: str, title: str) -> str | None:
    """The address of the article ``title``, as MediaWiki writes it; None where ``wiki`` is no Wikipedia."""
    host = host_of(wiki)
    return None if host is None else f"https://{host}/wiki/{_underscored(title, _UNQUOTED)}"


def file_path_url(wiki: str, repository: str | None, name: str, wiki_url: str) -> str | None:
    """``Special:FilePath`` of the file ``name``, which redirects to wherever the file lies now.

    Args:
        wiki: database name of the wiki whose article names the file.
        repository: ``commons``, ``local``, or the database name of another wiki. None where it is not known: then the
            wiki itself is asked, which also knows the files of Commons.
        name: of the file, without ``File:``.
        wiki_url: the setting ``WIKI_URL``.

    Returns:
        None where there is no such wiki.
    """
    host = COMMONS if repository == "commons" else host_of(wiki if repository in {None, "local"} else repository)
    if host is None:
        return None
    return f"{wiki_url.replace('{host}', host)}/wiki/Special:FilePath/{_underscored(name, '')}"


def _underscored(title: str, unquoted: str) -> str:
    return quote(title.replace(" ", "_"), safe=unquoted, errors="replace")

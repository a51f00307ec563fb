"""Takes into the site what lies beside the code: cards of models, examples, ARCHITECTURE.md; and links between all."""

from __future__ import annotations

import posixpath
import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File

ROOT = Path(__file__).parents[2]
OUTSIDE = "project/"
"""Where the site has it: ``project/`` and the path in the repository."""
_LINK = re.compile(r"(!?\[[^]\[]*\])\(([^)#:\s]+)(#[^)\s]*)?\)")


def on_files(files: Any, config: Any) -> Any:
    """Add each page of the navigation that is not in docs/, with its pictures."""
    for place in _places(config.nav):
        if place.startswith(OUTSIDE):
            path = ROOT / place.removeprefix(OUTSIDE)
            _add(files, config, place, path)
            for sign, target, _ in _LINK.findall(path.read_text()):
                if sign.startswith("!"):
                    _add(files, config, posixpath.normpath(posixpath.join(posixpath.dirname(place), target)), None)
    return files


def on_page_markdown(text: str, page: Any, config: Any, files: Any) -> str:
    """Turn links between files of the repository into links of the site; what the site has not is named without one."""
    place = page.file.src_uri
    here = place.removeprefix(OUTSIDE) if place.startswith(OUTSIDE) else f"docs/{place}"

    def moved(link: re.Match[str]) -> str:
        sign, target, anchor = link[1], link[2], link[3] or ""
        there = posixpath.normpath(posixpath.join(posixpath.dirname(here), target))
        if (here.startswith("docs/") and there.startswith("docs/")) or not (ROOT / there).exists():
            return link[0]
        wanted = there.removeprefix("docs/") if there.startswith("docs/") else OUTSIDE + there
        if files.get_file_from_path(wanted) is None:
            return sign.strip("![]")
        return f"{sign}({posixpath.relpath(wanted, posixpath.dirname(place) or '.')}{anchor})"

    return _LINK.sub(moved, text)


def _add(files: Any, config: Any, place: str, path: Path | None) -> None:
    path = path or ROOT / place.removeprefix(OUTSIDE)
    files.append(File.generated(config, place, abs_src_path=str(path)))


def _places(nav: Any) -> list[str]:
    if isinstance(nav, str):
        return [nav]
    parts = nav.values() if isinstance(nav, dict) else nav
    return [place for part in parts for place in _places(part)]

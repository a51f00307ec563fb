"""The site of the documents: it builds without a warning, asks nobody for anything, and its reference is the code's."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("mkdocs", reason="pip install 'posterbot[docs]'")

ROOT = Path(__file__).parents[1]
GENERATE = ROOT / "docs/generate"
ENVIRONMENT = os.environ | {
    "NO_MKDOCS_2_WARNING": "1",
    "PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")])),
}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built as CI builds it: links, anchors and pages that are in no menu end it."""
    folder = tmp_path_factory.mktemp("site")
    done = call("-m", "mkdocs", "build", "--strict", "--site-dir", str(folder))
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def call(*words: str) -> subprocess.CompletedProcess[str]:
    """Run Python in the project's folder."""
    return subprocess.run(
        [sys.executable, *words], cwd=ROOT, env=ENVIRONMENT, capture_output=True, text=True, timeout=100
    )


def test_the_reference_is_the_code_s() -> None:
    done = call(str(GENERATE), "--check")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_every_document_is_a_page(site: Path) -> None:
    for path in ROOT.glob("docs/**/*.md"):
        assert (site / path.relative_to(ROOT / "docs")).with_suffix(".html").is_file()
    assert (site / "project/models/weights/web-images/pr.png").is_file()


def test_nothing_comes_from_elsewhere(site: Path) -> None:
    """What a browser fetches by itself: scripts, styles, pictures, fonts, frames."""
    for page in site.rglob("*.html"):
        text = page.read_text()
        fetched = re.findall(r"<(?:script|img|iframe|source)\b[^>]*\ssrc=\"?([^\"\s>]+)", text)
        fetched += re.findall(
            r"<link\b(?=[^>]*rel=\"?(?:stylesheet|icon|preconnect|preload))[^>]*href=\"?([^\"\s>]+)", text
        )
        assert fetched
        assert [address for address in fetched if re.match(r"(\w+:)?//", address)] == []


def test_links_to_files_beside_the_code_are_pages_of_the_site(site: Path) -> None:
    models = (site / "models.html").read_text()
    assert 'href="project/models/weights/web-images/card.html"' in models
    architecture = (site / "project/ARCHITECTURE.html").read_text()
    assert "How a URL becomes a row" in architecture


SETTINGS = """import os

# --- Stores ---
# Where bytes go.
# All of them: docs/stores.md.
STORE = os.environ.get("STORE", "data")
STORE_BYTES = 2 * 1024

BARE = 1
TABLE = {
    "a.Class": 1,
}
# <b> of STORE_BYTES
LAST = True
"""


def test_settings_stand_under_the_comment_they_share(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(GENERATE))
    import settings_page

    (tmp_path / "posterbot").mkdir()
    (tmp_path / "posterbot/settings.py").write_text(SETTINGS)
    text = settings_page.page(tmp_path)
    assert re.findall(r"^##+ .+", text, re.MULTILINE) == [
        "## Stores",
        "### `STORE`, `STORE_BYTES`",
        "### `BARE`",
        "### `TABLE`",
        "### `LAST`",
    ]
    assert 'STORE = "data"  # or as the environment has it\nSTORE_BYTES = 2 * 1024\n' in text
    assert "Where bytes go. All of them: [stores.md](../stores.md)." in text
    assert 'TABLE = {\n    "a.Class": 1,\n}\n' in text
    assert "\\<b> of `STORE_BYTES`" in text


def test_help_of_commands_becomes_a_manual(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(GENERATE))
    import click
    import commands_page
    import usage

    @click.group()
    def cli() -> None:
        """Do things."""

    @cli.command(epilog="\b\nwords:\n  one")
    @click.argument("file")
    @click.option("--size", type=click.IntRange(1, 9), default=3, envvar="SIZE", help="Of <it>, as --deep says")
    @click.option("--deep", is_flag=True, help="More.")
    @click.option("--kind", type=click.Choice(["a", "b"]), required=True)
    def do(file: str, size: int, deep: bool, kind: str) -> None:
        """Do one thing. Exit code: 0 if it is done, 1 otherwise."""

    known = [usage.Example("tool do FILE --deep", "crawl.md", "Crawling"), usage.Example("tool doing", "x.md", "X")]
    text = commands_page.manual_of("tool", cli, known)
    assert "tool do [OPTIONS] FILE --kind a|b" in text
    assert "| [do](#tool-do) | Do one thing. |" in text
    assert "| `--size N` | Of \\<it>, as `--deep` says. 1 to 9. Default: `3`. Environment: `SIZE`. |" in text
    assert "| <code>--kind a&#124;b</code> | Required. |" in text
    assert "**Exit status.** 0 if it is done, 1 otherwise." in text
    assert "```text\nwords:\n  one\n```" in text
    assert "```sh\ntool do FILE --deep\n```\n\n**See also** [Crawling](../crawl.md)" in text

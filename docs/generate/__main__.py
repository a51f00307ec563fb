"""``python docs/generate``: write docs/reference/ anew from the code; with ``--check`` only say what differs.

Exit codes: 0; with ``--check`` 1 where a page is not as the code has it.
"""

from __future__ import annotations

from pathlib import Path

import arguments_page
import click
import commands_page
import settings_page
import tables_page

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "docs/reference"


def pages() -> dict[str, str]:
    """Name of each page of the reference → what has to be in it."""
    return {
        "arguments.md": arguments_page.page(ROOT),
        "settings.md": settings_page.page(ROOT),
        "tables.md": tables_page.page(ROOT),
    } | commands_page.pages(ROOT)


@click.command()
@click.option("--check", is_flag=True, help="Write nothing; say which pages differ.")
def main(check: bool) -> None:
    """Write the reference anew from the code."""
    wanted = pages()
    there = {file.name: file.read_text() for file in FOLDER.glob("*.md")}
    differing = sorted(name for name in {*wanted, *there} if wanted.get(name) != there.get(name))
    if check:
        for name in differing:
            click.echo(f"docs/reference/{name} is not as the code has it: python docs/generate")
        raise SystemExit(1 if differing else 0)
    FOLDER.mkdir(exist_ok=True)
    for name in differing:
        if name in wanted:
            (FOLDER / name).write_text(wanted[name])
        else:
            (FOLDER / name).unlink()
        click.echo(f"docs/reference/{name}")


if __name__ == "__main__":
    main()

"""A training set: what would be in it, and the command that makes it."""

from __future__ import annotations

import math
import shlex
from collections.abc import Mapping
from pathlib import Path

from sqlalchemy import make_url
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from posterbot.export.counting import number_chosen
from posterbot.export.formats.formats import FORMATS
from posterbot.export.options import FITS
from posterbot.export.where import FIELDS, WhereError
from posterbot.web.exporting import Exporting, State
from posterbot.web.site import PageError, Site, form

NAMED = {
    "imagefolder": "folders by label",
    "webdataset": "shards for WebDataset",
    "tfrecord": "for TensorFlow",
    "parquet": "for Hugging Face and DuckDB",
    "csv": "a table, and files",
    "json": "as COCO has it",
}
DEFAULT_STORE, DEFAULT_CATALOGUE = "data/images", "sqlite:///data/catalogue.db"
LONGEST = 300
"""Characters of a folder or URI."""


class Pages:
    """The handlers."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._exporting = Exporting()

    def page(self, request: Request) -> Response:
        """``/export``."""
        fields = {"format": "imagefolder", "out": "data/exports/posters", "split": "0.8/0.1/0.1"}
        fields |= {name: value[:1000] for name, value in request.query_params.items()}
        try:
            command, text = self._told(fields)
            wrong = False
        except PageError as error:
            command, text, wrong = "", error.message, True
        return self._site.page(
            request,
            "export.html",
            given=fields,
            command=command,
            text=text,
            wrong=wrong,
            formats=[(name, NAMED.get(name, "")) for name in FORMATS],
            fits=FITS,
            known=FIELDS,
            state=_said(self._exporting.state()),
        )

    def preview(self, request: Request) -> Response:
        """``/export/preview?…``: the command and what it would make, as JSON."""
        command, text = self._told(request.query_params)
        return JSONResponse({"command": command, "text": text})

    def start(self, request: Request) -> Response:
        """``POST /export/start``: make it, in a process of its own."""
        fields = {name: value for name, value in form(request).items() if isinstance(value, str)}
        self._told(fields)
        out = fields["out"].strip()
        place = Path(out)
        if "://" in out or place.is_absolute() or ".." in place.parts:
            raise PageError(400, "From here a dataset goes into a folder below this one; for others run the command.")
        options = _options(fields)
        if self._site.store is not None:
            options += ["--store", self._site.store.name]
        if not self._exporting.start(options, out, {"CATALOGUE_URL": self._site.catalogue_url}):
            raise PageError(409, "Another export is not done yet.")
        return self.state(request)

    def state(self, request: Request) -> Response:
        """``/export/state``: how the last export goes, as JSON."""
        state = self._exporting.state()
        return JSONResponse({"state": state.name, "text": _said(state)})

    def _told(self, fields: Mapping[str, str]) -> tuple[str, str]:
        words = ["posterbot", "export", *_options(fields)]
        words += _where_it_is(self._site)
        where = fields.get("where", "").strip()
        try:
            number, of = number_chosen(self._site.engine, where)
        except WhereError as error:
            raise PageError(400, str(error).removeprefix("--where: ")) from None
        if not of:
            return _shell(words), "No kept image is stored in this catalogue yet."
        images = f"{number:,} image{'' if number == 1 else 's'}"
        return _shell(words), f"{images}." if not where else f"{images} of {of:,} that are kept."


def routes(site: Site) -> list[Route]:
    """Of this page."""
    pages = Pages(site)
    return [
        Route("/export", pages.page),
        Route("/export/preview", pages.preview),
        Route("/export/start", pages.start, methods=["POST"]),
        Route("/export/state", pages.state),
    ]


def _said(state: State) -> str:
    if state.name == "none":
        return ""
    beginning = {"running": "Being made", "done": "Made", "failed": "Not made"}[state.name]
    return f"{beginning}: {state.out}. {state.line}"


def _options(fields: Mapping[str, str]) -> list[str]:
    """Words of the command line; PageError for what that would refuse."""
    given = {name: fields.get(name, "").strip() for name in ("format", "out", "size", "fit", "where", "split")}
    if given["format"] not in FORMATS:
        raise PageError(400, f"Formats are {', '.join(FORMATS)}.")
    out = given["out"]
    if not out or len(out) > LONGEST or not out.isprintable() or out.startswith("-"):
        raise PageError(400, "Give an empty folder for it, or gs://…, s3://…, az://… or ftp://….")
    words = ["--format", given["format"], "--out", out]
    if size := given["size"]:
        if not (size.isascii() and size.isdecimal() and len(size) < 6 and 8 <= int(size) <= 16_384):
            raise PageError(
                400, "The size is a number of pixels from 8 to 16,384; without one, files stay as they are."
            )
        words += ["--size", str(int(size))]
        fit = given["fit"] or FITS[0]
        if fit not in FITS:
            raise PageError(400, f"The size is of one of {', '.join(FITS)}.")
        if fit != FITS[0]:
            words += ["--fit", fit]
    if given["where"]:
        words += ["--where", given["where"]]
    if given["split"]:
        words += ["--split", _shares(given["split"])]
    return words


def _shares(text: str) -> str:
    try:
        shares = [float(share) for share in text.split("/")]
    except ValueError:
        shares = []
    if (
        len(shares) != 3
        or not all(0 <= share <= 1 for share in shares)
        or not math.isclose(sum(shares), 1, abs_tol=1e-6)
    ):
        raise PageError(400, "Shares are three numbers that sum to 1, such as 0.8/0.1/0.1.")
    return "/".join(f"{share:g}" for share in shares)


def _where_it_is(site: Site) -> list[str]:
    """Options for what is not where the commands look by themselves; a password is never shown."""
    words = []
    if site.catalogue_url != DEFAULT_CATALOGUE:
        secret = make_url(site.catalogue_url).password is not None
        words += ["--catalogue", "$CATALOGUE_URL" if secret else site.catalogue_url]
    if site.store is not None and site.store.name != str(Path(DEFAULT_STORE).absolute()):
        words += ["--store", site.store.name]
    return words


def _shell(words: list[str]) -> str:
    """As it is typed: each option on a line of its own."""
    quoted = ['"$CATALOGUE_URL"' if word == "$CATALOGUE_URL" else shlex.quote(word) for word in words]
    text = " ".join(quoted[:2])
    for option, value in zip(quoted[2::2], quoted[3::2], strict=True):
        text += f" \\\n  {option} {value}"
    return text

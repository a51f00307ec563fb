"""The command that shows the catalogue as pages in a browser."""

from __future__ import annotations

import os
import socket
import webbrowser
from contextlib import suppress
from importlib.util import find_spec
from typing import TYPE_CHECKING

import click

from posterbot.cli_asking import Failure, catalogue_option, store_option

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from posterbot.stores.store import Store

EXTRA = ("jinja2", "starlette", "uvicorn")
EVERY_ADDRESS = ("0.0.0.0", "::")


@click.command()
@click.option(
    "--host", default="127.0.0.1", show_default=True, metavar="NAME", help="Where to listen; 0.0.0.0: everywhere."
)
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8765, show_default=True, metavar="N", help="0: one that is free."
)
@click.option("--open", "show", is_flag=True, help="Open it in a browser.")
@store_option
@catalogue_option
def serve(host: str, port: int, show: bool, uri: str, url: str) -> None:
    """Show the crawl, the images and their quality as pages in a browser, and steer and review there.

    The address that is printed has a token in it, good as long as the server runs: who has it may see all images and
    change what crawls keep. Ctrl-C ends it.
    """
    missing = [name for name in EXTRA if find_spec(name) is None]
    if missing:
        raise Failure(f"{', '.join(missing)} missing: pip install 'posterbot[serve]'")
    from posterbot.catalogue.database import CatalogueError, open_catalogue
    from posterbot.stores.opening import open_store
    from posterbot.stores.store import StoreError

    images: Store | None = None
    try:
        engine = open_catalogue(url, must_exist=True)
    except CatalogueError as error:
        raise Failure(str(error)) from None
    try:
        try:
            images = open_store(uri, os.environ, "--store")
        except StoreError as error:
            click.echo(f"posterbot: {error}; pages are without pictures", err=True)
        _serve(engine, images, url, host, port, show)
    finally:
        if images is not None:
            images.close()
        engine.dispose()


def _serve(engine: Engine, images: Store | None, url: str, host: str, port: int, show: bool) -> None:
    import uvicorn

    from posterbot.web.app import make_app
    from posterbot.web.security import ANY_ADDRESS, new_token

    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listening = socket.create_server((host, port), family=family)
    except OSError as error:
        raise Failure(f"cannot listen on {host} port {port}: {error.strerror or error}; try --port 0") from None
    with listening:
        number = listening.getsockname()[1]
        token = new_token()
        every = host in EVERY_ADDRESS
        named = socket.gethostname() if every else (f"[{host}]" if ":" in host else host)
        hosts = {named, named.partition(".")[0], ANY_ADDRESS} if every else {named}
        app = make_app(engine, images, catalogue_url=url, token=token, hosts=hosts)
        address = f"http://{named}:{number}/?token={token}"
        click.echo(f"{address}\nCtrl-C ends it.")
        if show:
            webbrowser.open(address)
        config = uvicorn.Config(
            app, log_level="warning", access_log=False, lifespan="off", server_header=False, proxy_headers=False,
            timeout_graceful_shutdown=3,
        )  # fmt: skip
        with suppress(KeyboardInterrupt):
            uvicorn.Server(config).run(sockets=[listening])

"""The console of a running crawl: who reaches it may do all that we may, so it is for this machine alone.

Scrapy's remote control needs no look: it listens on 127.0.0.1 whatever is set, and its token is in a file of the user.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from posterbot.politeness import is_loopback

if TYPE_CHECKING:
    from scrapy.settings import BaseSettings


def check_consoles(settings: BaseSettings) -> None:
    """The telnet console listens on loopback only, unless ``CONSOLE_MAY_BE_PUBLIC``, and has a password.

    Raises:
        ValueError: one line that names the setting.
    """
    if not settings.getbool("TELNETCONSOLE_ENABLED"):
        return
    host, password = settings["TELNETCONSOLE_HOST"], settings["TELNETCONSOLE_PASSWORD"]
    if not is_loopback(host) and not settings.getbool("CONSOLE_MAY_BE_PUBLIC"):
        raise ValueError(
            f"TELNETCONSOLE_HOST={host or ''}: whoever reaches the console controls the crawl and this account; leave "
            "it at 127.0.0.1 and come by ssh, or add -s CONSOLE_MAY_BE_PUBLIC=True"
        )
    if password is not None and not str(password).strip():
        raise ValueError("TELNETCONSOLE_PASSWORD is empty: give one, or leave the setting out and one is made up")


class SafetyAddon:
    """Scrapy add-on: the same check however a crawl is started."""

    def update_settings(self, settings: BaseSettings) -> None:
        """Called by Scrapy once all settings are known. Raises ValueError."""
        check_consoles(settings)

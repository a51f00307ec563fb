"""Every default of posterbot, polite first. Scrapy's own settings keep their names and meaning.

Each may be given as ``-s NAME=VALUE``; those read from the environment here may also be set there.
"""

from __future__ import annotations

import os
import sys

BOT_NAME = "posterbot"
SPIDER_MODULES = ["posterbot.spiders"]
NEWSPIDER_MODULE = "posterbot.spiders"
COMMANDS_MODULE = "posterbot.commands"

# --- What others rely on -----------------------------------------------------------------------------------------
# Where original bytes go: a folder, gs://bucket/prefix, s3://bucket/prefix or ftp://host/path.
IMAGES_STORE = os.environ.get("IMAGES_STORE", "data/images")
# Where facts and decisions go: any SQLAlchemy URL.
CATALOGUE_URL = os.environ.get("CATALOGUE_URL", "sqlite:///data/catalogue.db")
# An e-mail address or URL that site owners find in the User-Agent. Without it nothing but loopback is crawled.
OPERATOR_CONTACT = os.environ.get("OPERATOR_CONTACT", "")
# Where a crawl starts if -a start= and -a urls= are not given. "sample" is the site that ships with posterbot.
START = os.environ.get("START", "sample")
# Where a file that a list of Wikipedia's images names is looked for when it is gone from its URL. {host} becomes
# en.wikipedia.org, commons.wikimedia.org, …
WIKI_URL = "https://{host}"
# Folder for what a run leaves for people: runs/<number>/kept.html.
REPORTS = os.environ.get("REPORTS", "data/runs")

# --- Images ------------------------------------------------------------------------------------------------------
IMAGES_MIN_WIDTH = 100
IMAGES_MIN_HEIGHT = 100
IMAGES_MAX_BYTES = 20 * 1024 * 1024
IMAGES_MAX_PIXELS = 64_000_000
# Images between request and verdict, over all hosts; bounds memory at worst to this times IMAGES_MAX_BYTES.
IMAGES_IN_FLIGHT = 128
ITEM_PIPELINES = {"posterbot.pipelines.posters.PosterPipeline": 100}

# --- Politeness --------------------------------------------------------------------------------------------------
ROBOTSTXT_OBEY = True
AUTOTHROTTLE_ENABLED = True
AUTOTHROTTLE_START_DELAY = 1.0
AUTOTHROTTLE_TARGET_CONCURRENCY = 2.0
DOWNLOAD_DELAY = 0.25
CONCURRENT_REQUESTS_PER_DOMAIN = 4
CONCURRENT_REQUESTS = 16
# Hosts with limits of their own. "bits_per_second" is ours (posterbot/pace.py), the rest Scrapy's. Who sets this
# replaces the whole table.
DOWNLOAD_SLOTS = {
    # This machine is nobody else's host.
    **{host: {"concurrency": 16, "delay": 0, "jitter": 0} for host in ("127.0.0.1", "localhost", "::1")},
    # Wikimedia's robot policy of April 2025: two requests at a time, 25 Mbit/s.
    "upload.wikimedia.org": {"concurrency": 2, "bits_per_second": 25_000_000},
}
ADDONS = {"posterbot.politeness.OperatorAddon": 0, "posterbot.logs.LogAddon": 0}
DOWNLOADER_MIDDLEWARES = {
    # Before robots.txt (100): without a contact not even that is asked for.
    "posterbot.politeness.PolitenessMiddleware": 50,
    "scrapy.downloadermiddlewares.robotstxt.RobotsTxtMiddleware": None,
    "posterbot.politeness.RobotsMiddleware": 100,
}
COOKIES_ENABLED = False
# Only the web: a page must not make us read local files or speak other protocols.
DOWNLOAD_HANDLERS = dict.fromkeys(("data", "file", "ftp", "s3")) | dict.fromkeys(
    ("http", "https"), "posterbot.pace.PacedHandler"
)
RETRY_TIMES = 2
RETRY_GIVE_UP_LOG_LEVEL = "INFO"  # the catalogue has the row
DOWNLOAD_TIMEOUT = 30
# Pages; images have IMAGES_MAX_BYTES.
DOWNLOAD_MAXSIZE = 10 * 1024 * 1024
DOWNLOAD_WARNSIZE = 0

# libuv's event loop does the same work for less.
ASYNCIO_EVENT_LOOP = "uvloop.Loop"

# --- The crawl ---------------------------------------------------------------------------------------------------
# Breadth first: a broad crawl that dives never comes back.
DEPTH_PRIORITY = 1
SCHEDULER_DISK_QUEUE = "scrapy.squeues.PickleFifoDiskQueue"
SCHEDULER_MEMORY_QUEUE = "scrapy.squeues.FifoMemoryQueue"

# --- What people see ---------------------------------------------------------------------------------------------
EXTENSIONS = {
    "scrapy.extensions.logstats.LogStats": None,
    "posterbot.progress.Progress": 0,
    "posterbot.summary.Summary": 0,
}
# The live line needs a quiet terminal; a log file or a pipe gets everything.
LOG_LEVEL = "WARNING" if sys.stderr.isatty() else "INFO"
TELNETCONSOLE_ENABLED = True

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
# Where images wait while a bucket does not answer, and how many bytes of them; the crawl slows down on the way there.
SPOOL = os.environ.get("SPOOL", "data/spool")
SPOOL_MAX_BYTES = 10 * 1024**3
# Of rejected images the catalogue keeps the facts. "review": small pictures too; "all": the originals; both under
# dropped/ in the store, up to so many bytes, as long as the store takes them at the first try.
KEEP_DROPPED = "no"
KEEP_DROPPED_MAX_BYTES = 1024**3
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
# Smaller images are not scored; in pixels.
IMAGES_MIN_WIDTH = 100
IMAGES_MIN_HEIGHT = 100
# Larger ones are not loaded: bytes of the answer, and pixels as the header has them.
IMAGES_MAX_BYTES = 20 * 1024 * 1024
IMAGES_MAX_PIXELS = 64_000_000
# Images between request and verdict, over all hosts; bounds memory at worst to this times IMAGES_MAX_BYTES.
IMAGES_IN_FLIGHT = 128
# And their bytes: beyond that no more are asked for.
IMAGES_BYTES_IN_FLIGHT = 256 * 1024 * 1024
# Before an image is asked for: posterbot/filters/gates.py has the rules. EXPLORE is the share of what they drop that is
# fetched all the same, so that "posterbot stats" can say what is lost.
GATES = ["declared_size", "declared_aspect", "name_pattern", "barren_pattern", "unlikely_words"]
EXPLORE = 0.02
# Longer ÷ shorter side.
IMAGES_MAX_ASPECT = 3.2
# Of what would be kept, leave out what is blurred or flat, and pictures that stand in for posters that are missing.
QUALITY_GATES = True
# Seconds between two looks for copies among the images recorded; 0: only at the end of a crawl.
DUPLICATES_EVERY = 60.0
ITEM_PIPELINES = {"posterbot.pipelines.posters.PosterPipeline": 100}

# --- Consent -----------------------------------------------------------------------------------------------------
# Whose wish it is that an image is not used is respected: docs/consent.md.
OPT_OUTS = ["noai", "noimageai", "noml", "noindex", "noimageindex", "none", "tdm-reservation", "content-usage"]
# Version of the draft standard of Content-Usage that is understood: "attach-05", or none as long as it is a draft.
AIPREF = ""

# --- Politeness --------------------------------------------------------------------------------------------------
# Scrapy's names, our gate (posterbot/frontier/hosts.py): every request waits for its host's turn, in which a host gets
# its next request DOWNLOAD_DELAY seconds after it has begun to answer the last, or later if its robots.txt has a
# Crawl-delay. At most so many answers may be under way from one host, and over all.
ROBOTSTXT_OBEY = True
DOWNLOAD_DELAY = 0.25
CONCURRENT_REQUESTS_PER_DOMAIN = 4
CONCURRENT_REQUESTS = 16
# A day's budget for each host; 0: none.
HOST_REQUESTS_PER_DAY = 0
HOST_BYTES_PER_DAY = 0
# So many failed requests in a row, and a host is left alone for HOST_BACKOFF seconds, then twice as long, and so on.
HOST_FAILURES = 5
HOST_BACKOFF = 30.0
# Hosts, or networks of them, with limits of their own. Who sets this replaces the whole table.
DOWNLOAD_SLOTS = {
    # This machine is nobody else's host.
    **{host: {"concurrency": 16, "delay": 0, "failures": 0} for host in ("127.0.0.0/8", "localhost", "::1")},
    # Wikimedia's robot policy of April 2025: two requests at a time, 25 Mbit/s.
    "upload.wikimedia.org": {"concurrency": 2, "bits_per_second": 25_000_000},
}
ADDONS = {
    "posterbot.politeness.OperatorAddon": 0,
    "posterbot.frontier.limits.LimitsAddon": 0,
    "posterbot.safety.SafetyAddon": 0,
}
DOWNLOADER_MIDDLEWARES = {
    "posterbot.spiders.pieces.PieceMiddleware": 10,
    "posterbot.frontier.forgotten.ForgottenMiddleware": 40,
    # Before robots.txt (100): without a contact not even that is asked for.
    "posterbot.politeness.PolitenessMiddleware": 50,
    "scrapy.downloadermiddlewares.robotstxt.RobotsTxtMiddleware": None,
    "posterbot.frontier.robots.RobotsMiddleware": 100,
}
SPIDER_MIDDLEWARES = {"posterbot.spiders.gating.GatingMiddleware": 900}
# Nobody is recognised by what he was told before: cookies are neither kept nor sent.
COOKIES_ENABLED = False

# --- Safety: docs/safety.md --------------------------------------------------------------------------------------
# Names, addresses and networks, with commas between, that may be connected to though they are not public. Start URLs
# that spell such an address, and the sample site, need none.
ALLOWED_PRIVATE_HOSTS = os.environ.get("ALLOWED_PRIVATE_HOSTS", "")
# Hosts that cannot prove who they are are not asked for anything.
DOWNLOAD_VERIFY_CERTIFICATES = True
# Only the web: a page must not make us read local files or speak other protocols.
DOWNLOAD_HANDLERS = dict.fromkeys(("data", "file", "ftp", "s3")) | dict.fromkeys(
    ("http", "https"), "posterbot.frontier.handler.PoliteHandler"
)
# Who reaches a console may do all that we may. On another address than loopback it is opened only if this is True.
CONSOLE_MAY_BE_PUBLIC = False

# --- Failures and sizes ------------------------------------------------------------------------------------------
# A page or image that failed in a way that may pass is tried again so many times, after RETRY_BACKOFF seconds, then
# twice as many, and so on.
RETRY_TIMES = 2
RETRY_BACKOFF = 2.0
# Seconds within which an answer must be there.
DOWNLOAD_TIMEOUT = 30
# Pages; images have IMAGES_MAX_BYTES.
DOWNLOAD_MAXSIZE = 10 * 1024 * 1024
DOWNLOAD_WARNSIZE = 0

# libuv's event loop does the same work for less.
ASYNCIO_EVENT_LOOP = "uvloop.Loop"

# --- The crawl ---------------------------------------------------------------------------------------------------
# The queue in the catalogue's database.
SCHEDULER = "posterbot.frontier.scheduler.FrontierScheduler"
# What is fetched next: "yield", what is likely to bring most pictures for each request, learned from those that were
# made; or "breadth_first", on each host.
FRONTIER_STRATEGY = "yield"
# By yield, the crawl ends when no more pictures than this can be hoped for from one request; 0: when there is nothing
# left to fetch.
STOP_WHEN_YIELD_BELOW = 0.0
# Breadth first: a broad crawl that dives never comes back.
DEPTH_PRIORITY = 1
# Pages between leaving the frontier and being committed with all their images. What a kill interrupts is fetched again.
PAGES_IN_FLIGHT = 128
# And of their bytes.
SCRAPER_SLOT_MAX_ACTIVE_SIZE = 16 * 1024 * 1024
# One host cannot eat the crawl: at most so many of its URLs are queued in one crawl.
HOST_URLS = 100_000
# So many pages of one URL pattern in a row without a new picture or a link elsewhere, and the pattern is closed.
TRAP_PAGES = 200

# --- What people see ---------------------------------------------------------------------------------------------
EXTENSIONS = {
    "scrapy.extensions.logstats.LogStats": None,
    "posterbot.frontier.session.Session": 0,
    "posterbot.pipelines.early_stop.EarlyStop": 0,
    "posterbot.duplicates.crawling.Duplicates": 0,
    "posterbot.progress.Progress": 0,
    "posterbot.summary.Summary": 0,
}
# The live line needs a quiet terminal; a log file or a pipe gets everything.
LOG_LEVEL = "WARNING" if sys.stderr.isatty() else "INFO"
# Scrapy's console on this machine, to look into a crawl and to steer it: docs/steering.md.
TELNETCONSOLE_ENABLED = True

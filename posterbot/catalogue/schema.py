"""The tables, in SQLAlchemy Core. Migrations in ``migrations/`` bring any older catalogue here.

Scores are facts and stay; a verdict is a function of scores and one policy. ``candidates`` are sightings: the same
image on two pages, or under two URLs, is two candidates and one image.
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Double,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
    false,
    text,
)

from posterbot.catalogue.columns import Float16Vector, Float32Vector, UtcDateTime, id_column, key_of, metadata, to

runs = Table(
    "runs",
    metadata,
    id_column(),
    Column("spider", String, nullable=False),
    Column("arguments", JSON, nullable=False),
    Column("version", String, nullable=False),
    Column("started_at", UtcDateTime, nullable=False),
    Column("finished_at", UtcDateTime),
    Column("finish_reason", String),
    Column("job", String),  # same start, list and domains: the same job, which can be resumed. NULL: cannot be
    Column("stopping", Boolean, nullable=False, server_default=false()),  # its workers are asked to stop
    Column("store", String),  # where its images go, without a password
)

# One row per process that crawls. It is alive while ``beat`` counts on; no two clocks have to agree on that.
workers = Table(
    "workers",
    metadata,
    id_column(),
    to("runs"),
    Column("machine", String, nullable=False),
    Column("pid", Integer, nullable=False),
    Column("born", String, nullable=False),  # tells two processes of one pid apart
    Column("beat", Integer, nullable=False),
    Column("started_at", UtcDateTime, nullable=False),
    Column("ended_at", UtcDateTime),
    Index(None, "run_id"),
)

# How a host wants to be treated, whoever crawls. Times are seconds since 1970 on the database's clock.
hosts = Table(
    "hosts",
    metadata,
    id_column(),
    Column("name", String, nullable=False, unique=True),
    to("workers", nullable=True),  # has it on lease: nobody else sends it requests
    Column("wanted_by", Integer),  # a worker that waits for it
    Column("next_at", Double, nullable=False, server_default="0"),
    Column("gap", Double, nullable=False, server_default="0"),
    Column("crawl_delay", Double),
    Column("failures", Integer, nullable=False, server_default="0"),
    Column("openings", Integer, nullable=False, server_default="0"),
    Column("closed_until", Double, nullable=False, server_default="0"),
    Column("closed_reason", String),
    Column("day", Integer, nullable=False, server_default="0"),
    Column("day_requests", Integer, nullable=False, server_default="0"),
    Column("day_bytes", BigInteger, nullable=False, server_default="0"),
    Column("requests", BigInteger, nullable=False, server_default="0"),
    Column("bytes", BigInteger, nullable=False, server_default="0"),
    Index(None, "worker_id"),
)

# What one crawl has to do on one host.
queues = Table(
    "queues",
    metadata,
    key_of("runs"),
    key_of("hosts"),
    Column("waiting", Integer, nullable=False, server_default="0"),  # pending URLs
    Column("added", Integer, nullable=False, server_default="0"),
    Column("refused", Integer, nullable=False, server_default="0"),  # sightings of URLs over the host's limit
    Column("served_at", Double, nullable=False, server_default="0"),  # breadth first: served longest ago is next
    Column("worth", Double, nullable=False, server_default="0"),  # by yield: that of the best of its arms
    Index(
        "ix_queues_waiting",
        "run_id",
        "served_at",
        sqlite_where=text("waiting > 0"),
        postgresql_where=text("waiting > 0"),
    ),
    Index(
        "ix_queues_worth",
        "run_id",
        "worth",
        sqlite_where=text("waiting > 0"),
        postgresql_where=text("waiting > 0"),
    ),
)

# URLs of one shape on one host. A pattern that brings nothing for long is closed, and its URLs are refused.
patterns = Table(
    "patterns",
    metadata,
    id_column(),
    to("runs"),
    to("hosts"),
    Column("pattern", String, nullable=False),
    Column("pages", Integer, nullable=False, server_default="0"),
    Column("fruitless", Integer, nullable=False, server_default="0"),  # in a row
    Column("closed", String),
    Column("refused", Integer, nullable=False, server_default="0"),
    UniqueConstraint("run_id", "host_id", "pattern"),
)

# URLs of one host that were found in like places and look alike: what may be chosen, and what that has brought so far.
arms = Table(
    "arms",
    metadata,
    id_column(),
    to("runs"),
    to("hosts"),
    Column("path", String, nullable=False),  # tags and classes from the root of the page to the link
    Column("pattern", String, nullable=False),
    Column("added", Integer, nullable=False, server_default="0"),  # URLs
    Column("promise", Double, nullable=False, server_default="0"),  # sum of what was guessed of them
    Column("pulls", Double, nullable=False, server_default="0"),  # pages read; these three are halved now and then
    Column("reward", Double, nullable=False, server_default="0"),
    Column("cost", Double, nullable=False, server_default="0"),
    Column("leads", Double, nullable=False, server_default="0"),  # pages read, halved more often: new links run out
    Column("fetched", Integer, nullable=False, server_default="0"),  # pages read, and what they brought, in all
    Column("found", Double, nullable=False, server_default="0"),
    Column("worth", Double, nullable=False, server_default="0"),  # reward for a request, on the best way from here
    Column("served_at", Double, nullable=False, server_default="0"),
    UniqueConstraint("run_id", "host_id", "path", "pattern"),
)

# How many new URLs of one arm the pages of another have brought; halved with ``leads``.
arm_links = Table(
    "arm_links",
    metadata,
    Column("arm_id", ForeignKey("arms.id"), primary_key=True),
    Column("child_id", ForeignKey("arms.id"), primary_key=True),
    Column("number", Double, nullable=False),
    sqlite_with_rowid=False,
)

# What the words and places of links are worth, learned by all workers of a run: see ``frontier/promise.py``.
promises = Table(
    "promises",
    metadata,
    key_of("runs"),
    Column("bucket", Integer, primary_key=True),
    Column("weight", Double, nullable=False),
    sqlite_with_rowid=False,
)

# The course of a run: what ten seconds cost and brought, by the clock of the database.
yields = Table(
    "yields",
    metadata,
    key_of("runs"),
    Column("slot", BigInteger, primary_key=True),  # tens of seconds since 1970
    Column("pages", Integer, nullable=False),
    Column("requests", Integer, nullable=False),
    Column("found", Double, nullable=False),
    sqlite_with_rowid=False,
)

_PENDING, _LEASED, _RETRY = text("state = 0"), text("state = 1"), text("state = 3 AND retry_at IS NOT NULL")

# One row per URL of a crawl: the queue and the memory of what was seen in one. States: ``frontier.records.State``.
frontier = Table(
    "frontier",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    to("runs"),
    to("hosts"),
    to("patterns", nullable=True),
    Column("parent_id", BigInteger),  # first found on; no constraint, for speed
    Column("fingerprint", LargeBinary(20), nullable=False),
    Column("url", String, nullable=False),
    Column("request", Text, nullable=False),
    Column("state", SmallInteger, nullable=False),
    Column("arm_id", Integer, nullable=False, server_default="0"),  # 0: breadth first; no constraint, for speed
    Column("rank", Integer, nullable=False),  # lowest first, within an arm of a host
    Column("number", Integer, nullable=False, server_default="0"),  # how many of its host were found before it
    Column("depth", SmallInteger, nullable=False, server_default="0"),  # links from a start page
    Column("features", LargeBinary),  # of the link, see ``frontier/promise.py``
    Column("worker_id", Integer),
    Column("tries", SmallInteger, nullable=False, server_default="0"),
    Column("retry_at", Double),
    Column("reason", String),
    Column("found", Float),  # what its page brought
    Column("led", Integer, nullable=False, server_default="0"),  # pages first found on it that were read,
    Column("led_to", Integer, nullable=False, server_default="0"),  # and those of them that brought something
    UniqueConstraint("run_id", "fingerprint"),
    Index(
        "ix_frontier_pending",
        "run_id",
        "host_id",
        "arm_id",
        "rank",
        "id",
        sqlite_where=_PENDING,
        postgresql_where=_PENDING,
    ),
    Index(None, "parent_id"),
    Index("ix_frontier_leased", "worker_id", sqlite_where=_LEASED, postgresql_where=_LEASED),
    Index("ix_frontier_retry", "run_id", "retry_at", sqlite_where=_RETRY, postgresql_where=_RETRY),
)

# One row per host (or list). NULL in a terms column means: nobody has looked yet.
sources = Table(
    "sources",
    metadata,
    id_column(),
    Column("name", String, nullable=False, unique=True),
    Column("ml_allowed", Boolean),
    Column("redistributable", Boolean),
    Column("attribution", String),
    Column("max_age_days", Integer),
    Column("terms_url", String),
)

pages = Table(
    "pages",
    metadata,
    id_column(),
    to("runs"),
    to("sources"),
    Column("url", String, nullable=False),
    Column("status", Integer),
    Column("title", String, nullable=False),
    Column("referrer", String, nullable=False),
    Column("depth", Integer, nullable=False),
    Column("reason", String),  # set where the page could not be read
    Column("data_uris", Integer, nullable=False),
    Column("fetched_at", UtcDateTime, nullable=False),
    Column("etag", String, nullable=False, server_default=""),
    Column("last_modified", String, nullable=False, server_default=""),
    Column("evidence", String),  # the signal that decided what may be taken from it
    Index(None, "url"),
    UniqueConstraint("run_id", "url"),
)

# What a page states about films: evidence. The films themselves are in ``schema_films.py``.
film_statements = Table(
    "film_statements",
    metadata,
    id_column(),
    to("pages"),
    Column("kind", String, nullable=False),
    Column("name", String, nullable=False),
    Column("year", Integer),
    Column("genres", JSON, nullable=False),
    Column("directors", JSON, nullable=False),
    Column("same_as", JSON, nullable=False),
    Index(None, "page_id"),
    Index(None, "name"),
)

images = Table(
    "images",
    metadata,
    id_column(),
    Column("sha256", String(64), nullable=False, unique=True),
    Column("bytes", Integer, nullable=False),
    Column("format", String, nullable=False),
    Column("width", Integer, nullable=False),
    Column("height", Integer, nullable=False),
    Column("phash", String(16), index=True),
    Column("path", String),  # of the original; NULL: its bytes were not kept
    Column("dropped_path", String),  # of what KEEP_DROPPED had kept of it as long as it was not wanted
    Column("dropped_bytes", Integer),
    Column("sharpness", Float),  # these three: models/quality.py
    Column("spread", Float),
    Column("entropy", Float),
    Column("first_seen_at", UtcDateTime, nullable=False),
)

_PICTURE = text("image_id IS NOT NULL")

candidates = Table(
    "candidates",
    metadata,
    id_column(),
    to("pages"),
    to("images", nullable=True),
    to("sources"),
    Column("url", String, nullable=False),
    Column("found_by", String, nullable=False),
    Column("alt", String, nullable=False),
    Column("title", String, nullable=False),
    Column("caption", String, nullable=False),
    Column("declared_width", Integer),
    Column("declared_height", Integer),
    Column("alternatives", JSON, nullable=False),
    Column("final_url", String, nullable=False),
    Column("http_status", Integer),
    Column("content_type", String, nullable=False),
    Column("etag", String, nullable=False),
    Column("last_modified", String, nullable=False),
    Column("reason", String),  # set where there is no picture to judge
    Column("fetched_at", UtcDateTime, nullable=False),
    Column("gate", String),  # fetched to measure what is lost: the reason for which it would not have been
    Column("evidence", String),  # the signal that decided whether it may be taken
    UniqueConstraint("page_id", "url"),
    Index(None, "image_id"),
    # Most addresses never become a picture, and are not looked up.
    Index("ix_candidates_url", "url", sqlite_where=_PICTURE, postgresql_where=_PICTURE),
)

# Addresses of images of one shape on one host, and how many of those looked at were kept, by one rule.
image_patterns = Table(
    "image_patterns",
    metadata,
    id_column(),
    to("sources"),
    Column("wanted", String, nullable=False),  # the rule: labels, threshold, smallest size, model
    Column("pattern", String, nullable=False),
    Column("seen", Integer, nullable=False),
    Column("kept", Integer, nullable=False),
    UniqueConstraint("source_id", "wanted", "pattern"),
)

# What a list says of the image it names: the columns of wikidump's rows. NULL: the list does not say.
claims = Table(
    "claims",
    metadata,
    Column("candidate_id", ForeignKey("candidates.id"), primary_key=True),
    Column("list", String, nullable=False),
    Column("wiki", String, nullable=False),
    Column("title", String, nullable=False),
    Column("wiki_page_id", BigInteger, key="page_id"),  # not one of ours
    Column("rev_id", BigInteger),
    Column("template", String),
    Column("kind", String),
    Column("image_name", String),
    Column("repository", String),
    Column("licence", String),
    Column("year", Integer),
    Column("directors", JSON, nullable=False),
    Column("countries", JSON, nullable=False),
    Column("languages", JSON, nullable=False),
    Column("genres", JSON, nullable=False),
    Column("imdb_id", String),
    Column("dump_date", String),
)

models = Table(
    "models",
    metadata,
    id_column(),
    Column("name", String, nullable=False),
    Column("hash", String(64), nullable=False, unique=True),
    Column("labels", JSON, nullable=False),
)

scores = Table(
    "scores",
    metadata,
    Column("image_id", ForeignKey("images.id"), primary_key=True),
    Column("model_id", ForeignKey("models.id"), primary_key=True),
    Column("vector", Float32Vector, nullable=False),
    sqlite_with_rowid=False,
)

# How a model sees an image, kept or not: what is like it can be found without its bytes.
embeddings = Table(
    "embeddings",
    metadata,
    Column("image_id", ForeignKey("images.id"), primary_key=True),
    Column("model_id", ForeignKey("models.id"), primary_key=True),
    Column("vector", Float16Vector, nullable=False),
)

policies = Table(
    "policies",
    metadata,
    id_column(),
    to("runs"),
    to("models"),
    Column("labels", JSON, nullable=False),
    Column("threshold", Float, nullable=False),
    Column("author", String, nullable=False),
    Column("origin", String, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("top", Integer),  # set where a wanted label must be among so many likeliest
)

verdicts = Table(
    "verdicts",
    metadata,
    Column("image_id", ForeignKey("images.id"), primary_key=True),
    Column("policy_id", ForeignKey("policies.id"), primary_key=True),
    Column("keep", Boolean, nullable=False),
    Column("reason", String, nullable=False),
    Column("label", String),
    Column("score", Float),
    sqlite_with_rowid=False,
)

# What people said of images that they were shown. The last answer of an image holds; the earlier ones stay.
reviews = Table(
    "reviews",
    metadata,
    id_column(),
    to("images"),
    Column("answer", String, nullable=False),  # yes: one of the labels wanted; no; label: the one given; skip
    Column("label", String),  # which it is, where that was said
    Column("policy_id", ForeignKey("policies.id")),  # the verdict when it was shown: by this policy,
    Column("kept", Boolean),  # kept or not,
    Column("score", Float),  # with this score
    Column("picked", String, nullable=False),  # why it was shown: audit, unsure, duplicates, asked
    Column("stratum", String),  # of an audit: kept or dropped
    Column("reviewer", String, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Index(None, "image_id"),
)

# What is not to be fetched or recorded again, as hashes only: see ``tombstones.py``.
tombstones = Table(
    "tombstones",
    metadata,
    Column("hash", LargeBinary(32), primary_key=True),
    Column("kind", String, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    sqlite_with_rowid=False,
)

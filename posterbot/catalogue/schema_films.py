"""Which film a picture is of, and which pictures are the same: the tables that ``films/`` and ``duplicates/`` fill.

All of it is derived from ``schema.py``'s tables and from tables that people import; it can be made anew, but for what
was imported.
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    SmallInteger,
    String,
    Table,
    Text,
    text,
)

from posterbot.catalogue.columns import id_column, key_of, metadata, to

# Two films with one title are two rows.
films = Table(
    "films",
    metadata,
    id_column(),
    Column("kind", String),  # Movie or TVSeries, NULL: not said
    Column("title", String, nullable=False),
    Column("year", Integer),
    Column("genres", JSON, nullable=False),  # sorted, in the spelling of films/genres.py
)

# What others call a film. An id is of one film, and a film has at most one id of each scheme.
film_ids = Table(
    "film_ids",
    metadata,
    Column("scheme", String, primary_key=True),  # imdb, tmdb, wikidata
    Column("value", String, primary_key=True),
    to("films"),
    Column("evidence", String, nullable=False),  # films/evidence.py
    Index("uq_film_ids_film_id_scheme", "film_id", "scheme", unique=True),
    sqlite_with_rowid=False,
)

# Under which titles a film is found: its own, the original one, those of other languages.
film_titles = Table(
    "film_titles",
    metadata,
    Column("key", String, primary_key=True),  # the title without case, accents and signs
    Column("film_id", ForeignKey("films.id"), primary_key=True),
    Column("title", String, nullable=False),
    Index(None, "film_id"),
    sqlite_with_rowid=False,
)

_UNSETTLED, _UNLINKED = text("NOT settled"), text("NOT linked")

# What pages, lists and tables say of a film, in equal words one row: evidence, not identity. Which films there are
# follows from all of them together, see films/resolving.py.
film_mentions = Table(
    "film_mentions",
    metadata,
    id_column(),
    Column("digest", String(32), nullable=False, unique=True),  # of all columns up to "genres"
    Column("origin", String, nullable=False),  # films/mentions.py
    Column("key", String, nullable=False),  # of the title; empty: no title is said
    Column("title", String, nullable=False),
    Column("year", Integer),
    Column("kind", String),
    Column("imdb", String, index=True),
    Column("tmdb", String, index=True),
    Column("wikidata", String, index=True),
    Column("directors", JSON, nullable=False),  # the words of their names
    Column("genres", JSON, nullable=False),
    to("films", nullable=True),  # NULL: nobody can tell which film it means
    Column("certainty", Float, nullable=False),  # that it means this film, 0–1
    Column("settled", Boolean, nullable=False),  # no: there is more to say about it than film_id and certainty tell
    Index(None, "key"),
    Index(None, "film_id"),
    Index("ix_film_mentions_unsettled", "id", sqlite_where=_UNSETTLED, postgresql_where=_UNSETTLED),
)

# Which sighting of a picture mentions what, and how. Each that was read has a row, if only one without a mention.
film_sightings = Table(
    "film_sightings",
    metadata,
    key_of("candidates"),
    Column("evidence", String, primary_key=True),  # films/evidence.py
    to("film_mentions", nullable=True),
    Column("detail", String, nullable=False),
    Column("linked", Boolean, nullable=False),  # image_films of its image says so
    Index(None, "film_mention_id"),
    Index("ix_film_sightings_unlinked", "candidate_id", sqlite_where=_UNLINKED, postgresql_where=_UNLINKED),
    sqlite_with_rowid=False,
)

# The evidence that an image shows a film's poster. The film of an image is that of highest confidence.
image_films = Table(
    "image_films",
    metadata,
    key_of("images"),
    key_of("films"),
    Column("evidence", String, primary_key=True),  # films/evidence.py
    Column("confidence", Float, nullable=False),  # 0–1
    Column("detail", String, nullable=False),  # what was read, and where
    Index(None, "film_id"),
    sqlite_with_rowid=False,
)

# What does not fit together, for a person to look at.
film_conflicts = Table(
    "film_conflicts",
    metadata,
    id_column(),
    Column("kind", String, nullable=False),
    to("films", nullable=True),
    Column("other_film_id", ForeignKey("films.id")),
    to("images", nullable=True),
    Column("detail", Text, nullable=False),
    Index(None, "film_id"),
    Index(None, "other_film_id"),
    Index(None, "image_id"),
)

# Every image with a perceptual hash has a row. The name of a cluster is the first 16 digits of the sha256 of the image
# that was its first; when two become one, the older's name stays.
clusters = Table(
    "clusters",
    metadata,
    key_of("images"),
    Column("copies", String(16), nullable=False, index=True),  # the same picture: other size, other compression
    Column("variants", String(16), nullable=False, index=True),  # and other crops, languages, lettering; has the copies
    Column("representative", Boolean, nullable=False),  # the best of its copies
    sqlite_with_rowid=False,
)

# Why two images are in one cluster: for each image, those it was found like when it came.
duplicates = Table(
    "duplicates",
    metadata,
    key_of("images"),
    Column("other_id", ForeignKey("images.id"), primary_key=True),  # came earlier
    Column("kind", String, nullable=False),  # copy or variant
    Column("distance", SmallInteger, nullable=False),  # bits in which the perceptual hashes differ
    Column("similarity", Float),  # cosine of the embeddings; NULL: one has none
    Index(None, "other_id"),
    sqlite_with_rowid=False,
)

"""Rows of many images that share the few pictures of a world: what a gallery has to be quick with."""

from __future__ import annotations

from serve_world import World
from sqlalchemy import func, select, text

from posterbot.catalogue.schema import images

_ROWS = (
    """INSERT INTO images (id, sha256, bytes, format, width, height, path, dropped_path, first_seen_at)
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :number)
    SELECT :last + i, printf('%064x', i), 1000, 'JPEG', 600, 900,
        CASE WHEN i % 3 < 2 THEN o.path END, CASE WHEN i % 7 = 2 THEN o.path END, '2026-01-01 00:00:00.000000'
    FROM n JOIN images o ON o.id = :first + i % :pictures""",
    """INSERT INTO candidates (page_id, image_id, source_id, url, found_by, alt, title, caption, alternatives,
        final_url, http_status, content_type, etag, last_modified, fetched_at)
    SELECT c.page_id, i.id, c.source_id, 'https://many.example/' || i.id || '.jpg', 'img', 'Picture ' || i.id, '', '',
        '[]', '', 200, '', '', '', '2026-01-01 00:00:00.000000'
    FROM images i JOIN candidates c ON c.id = :first + i.id % :pictures WHERE i.id > :last""",
    """INSERT INTO verdicts (image_id, policy_id, keep, reason, label, score)
    SELECT id, (SELECT max(id) FROM policies), path IS NOT NULL,
        CASE WHEN path IS NULL THEN 'not_relevant' ELSE 'relevant' END,
        CASE WHEN path IS NULL THEN 'photo' ELSE 'poster' END,
        CASE WHEN path IS NULL THEN 0 ELSE 0.5 END + (id % 1000) / 2001.0
    FROM images WHERE id > :last""",
)


def add_images(world: World, number: int) -> None:
    """``number`` images more: two of three kept, of most of the others no bytes; their sha256 are 1, 2, 3 …"""
    with world.engine.begin() as connection:
        last = connection.scalar(select(func.max(images.c.id))) or 0
        pictures = connection.scalar(select(func.count()).where(images.c.path.is_not(None), images.c.id <= last)) or 0
        values = {"number": number, "last": last, "first": 1, "pictures": min(pictures, last)}
        for statement in _ROWS:
            connection.execute(text(statement), {name: values[name] for name in values if f":{name}" in statement})

"""Records to rows: one batch in one transaction, with one statement per table rather than eight per outcome.

Every statement is an insert that meets an existing row with a rule, so writing a record twice is harmless and other
processes may write the same images and hosts at the same time.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import Any, Generic, TypeVar, cast

from sqlalchemy import Connection, Select, Table, and_, bindparam, func, or_, select
from sqlalchemy.dialects import postgresql, sqlite

from posterbot.catalogue import schema
from posterbot.catalogue.records import Model, Outcome, Page, Policy
from posterbot.catalogue.rows import (
    Row,
    candidate_row,
    claim_row,
    clean,
    film_row,
    image_row,
    page_row,
    source_of,
    url_key,
    verdict_row,
)

Record = Page | Policy | Outcome
Key = TypeVar("Key", bound=Hashable)

_LEARNED = ("phash", "path", "dropped_path", "dropped_bytes", "sharpness", "spread", "entropy")
"""What one sighting of an image may not know, and another does."""
REMEMBERED = 10_000
"""How many row numbers of each table are kept in memory: enough that a crawl rarely asks twice."""


class Numbers(Generic[Key]):
    """The row numbers used most recently. Only a short cut: whatever is not here is asked of the database."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._numbers: OrderedDict[Key, int] = OrderedDict()

    def known(self, keys: Iterable[Key]) -> dict[Key, int]:
        """Those of ``keys`` that are remembered."""
        found = {key: self._numbers[key] for key in keys if key in self._numbers}
        for key in found:
            self._numbers.move_to_end(key)
        return found

    def remember(self, numbers: Mapping[Key, int]) -> None:
        """Add ``numbers``, forgetting the oldest."""
        self._numbers.update(numbers)
        while len(self._numbers) > self._size:
            self._numbers.popitem(last=False)

    def clear(self) -> None:
        """Forget all."""
        self._numbers.clear()


class Writer:
    """Writes the records of one run. Belongs to one thread."""

    def __init__(self, dialect: str, run: int, remembered: int = REMEMBERED) -> None:
        self._run = run
        self._sources: Numbers[str] = Numbers(remembered)
        self._pages: Numbers[str] = Numbers(remembered)
        self._images: Numbers[str] = Numbers(remembered)
        self._models: Numbers[str] = Numbers(remembered)
        self._policies: Numbers[Policy] = Numbers(remembered)
        self._sql = _Statements(dialect)

    def forget(self) -> None:
        """Trust nothing in memory; needed when a transaction was rolled back."""
        for numbers in (self._sources, self._pages, self._images, self._models):
            numbers.clear()
        self._policies.clear()

    def write(self, connection: Connection, batch: Sequence[Record]) -> dict[Policy, int]:
        """Write all of ``batch`` on ``connection``, which is in a transaction; gives the numbers of its policies."""
        outcomes = [record for record in batch if isinstance(record, Outcome)]
        pages: dict[str, Page] = {}
        for record in batch:
            if not isinstance(record, Policy):
                page = record if isinstance(record, Page) else record.page
                pages.setdefault(url_key(page.url), page)
        policies = self._write_policies(connection, batch)
        hosts = {url: source_of(url, url) for url in pages}
        pages_of_images = [url_key(outcome.page.url) for outcome in outcomes]
        hosts_of_images = [
            source_of(url_key(outcome.url), hosts[url]) for outcome, url in zip(outcomes, pages_of_images, strict=True)
        ]
        sources = self._write_sources(connection, {*hosts.values(), *hosts_of_images})
        page_ids = self._write_pages(connection, pages, {url: sources[host] for url, host in hosts.items()})
        image_ids = self._write_images(connection, outcomes)

        candidates: list[Row] = []
        scores: list[Row] = []
        embeddings: list[Row] = []
        verdicts: list[Row] = []
        for outcome, url, host in zip(outcomes, pages_of_images, hosts_of_images, strict=True):
            image = None if outcome.image is None else image_ids[outcome.image.sha256]
            candidates.append(candidate_row(outcome, page_ids[url], image, sources[host]))
            if image is None or outcome.policy is None:
                continue
            policy, model = policies[outcome.policy]
            if outcome.scores is not None:
                scores.append({"image_id": image, "model_id": model, "vector": outcome.scores})
            if outcome.embedding is not None:
                embeddings.append({"image_id": image, "model_id": model, "vector": outcome.embedding})
            if outcome.verdict_reason is not None:
                verdicts.append(verdict_row(outcome, image, policy))
        for statement, rows in (
            (self._sql.candidate, candidates),
            (self._sql.score, scores),
            (self._sql.embedding, embeddings),
            (self._sql.verdict, verdicts),
        ):
            if rows:
                connection.execute(statement, rows)
        self._write_claims(connection, outcomes, page_ids)
        return {policy: number for policy, (number, _) in policies.items()}

    def _write_sources(self, connection: Connection, names: set[str]) -> dict[str, int]:
        found = self._sources.known(names)
        # Sorted, here and below: processes that write the same rows in the same order cannot deadlock.
        if missing := sorted(names - found.keys()):
            connection.execute(self._sql.source, [{"name": name} for name in missing])
            found |= _ask(connection, self._sql.find_sources, missing)
            self._sources.remember(found)
        return found

    def _write_pages(
        self, connection: Connection, pages: Mapping[str, Page], sources: Mapping[str, int]
    ) -> dict[str, int]:
        found = self._pages.known(pages)
        missing = [url for url in pages if url not in found]
        if missing:
            found |= _ask(connection, self._sql.find_read_pages, missing, run=self._run)
            # Sorted, for workers that share the run and meet the same pages.
            new = sorted(url for url in missing if url not in found)
            if new:
                connection.execute(self._sql.page, [page_row(url, pages[url], self._run, sources[url]) for url in new])
                found |= _ask(connection, self._sql.find_pages, new, run=self._run)
                self._write_films(connection, {found[url]: pages[url] for url in new if pages[url].films})
            # Not those that could not be read: of another try they are written anew.
            self._pages.remember({url: number for url, number in found.items() if pages[url].reason is None})
        return found

    def _write_films(self, connection: Connection, pages: Mapping[int, Page]) -> None:
        if not pages:
            return
        # Another worker may have written a page, and its films, since we looked.
        written = set(connection.scalars(self._sql.find_films, {"pages": list(pages)}))
        new = {number: page for number, page in pages.items() if number not in written}
        if rows := [film_row(film, number) for number, page in new.items() for film in page.films]:
            connection.execute(self._sql.film, rows)

    def _write_images(self, connection: Connection, outcomes: Iterable[Outcome]) -> dict[str, int]:
        rows = sorted(
            (image_row(outcome.image, outcome.at) for outcome in outcomes if outcome.image),
            key=lambda row: str(row["sha256"]),
        )
        if not rows:
            return {}
        connection.execute(self._sql.image, rows)
        names = dict.fromkeys(str(row["sha256"]) for row in rows)
        found = self._images.known(names)
        if missing := [name for name in names if name not in found]:
            found |= _ask(connection, self._sql.find_images, missing)
            self._images.remember(found)
        return found

    def _write_claims(self, connection: Connection, outcomes: Iterable[Outcome], pages: Mapping[str, int]) -> None:
        claims = {
            (pages[url_key(outcome.page.url)], url_key(outcome.url)): outcome.claim
            for outcome in outcomes
            if outcome.claim
        }
        if not claims:
            return
        found = connection.execute(
            self._sql.find_candidates,
            {"pages": sorted({page for page, _ in claims}), "urls": sorted({url for _, url in claims})},
        )
        # Each page with each URL: some of these pairs may be other candidates.
        rows = [claim_row(claims[page, url], number) for page, url, number in found if (page, url) in claims]
        connection.execute(self._sql.claim, rows)

    def _write_policies(self, connection: Connection, batch: Iterable[Record]) -> dict[Policy, tuple[int, int]]:
        """Numbers of policy and model for each policy in ``batch``."""
        wanted = dict.fromkeys(
            policy
            for record in batch
            if (policy := record if isinstance(record, Policy) else getattr(record, "policy", None)) is not None
        )
        found: dict[Policy, tuple[int, int]] = {}
        for policy in wanted:
            model = self._model(connection, policy.model)
            number = self._policies.known([policy]).get(policy) or self._policy(connection, policy, model)
            self._policies.remember({policy: number})
            found[policy] = number, model
        return found

    def _model(self, connection: Connection, model: Model) -> int:
        if known := self._models.known([model.hash]):
            return known[model.hash]
        row = {"name": model.name, "hash": model.hash, "labels": list(model.labels)}
        connection.execute(self._sql.model, [row])
        found = _ask(connection, self._sql.find_models, [model.hash])
        self._models.remember(found)
        return found[model.hash]

    def _policy(self, connection: Connection, policy: Policy, model: int) -> int:
        row = {
            "run_id": self._run,
            "model_id": model,
            "labels": list(policy.labels),
            "threshold": policy.threshold,
            "author": clean(policy.author),
            "origin": clean(policy.origin),
            "at": policy.at,
            "top": policy.top,
        }
        table = schema.policies
        # JSON cannot be compared in SQL everywhere, so the few rows of that moment are compared here.
        same_moment = select(table).where(table.c.run_id == self._run, table.c.at == policy.at)
        for written in connection.execute(same_moment).mappings():
            if all(written[name] == value for name, value in row.items()):
                return cast("int", written["id"])
        return cast("int", connection.scalar(self._sql.policy, row))


class _Statements:
    """Built once: SQLAlchemy compiles each on first use and then only fills it in."""

    def __init__(self, dialect: str) -> None:
        # Both dialects write "on conflict" alike; their classes share no base that says so.
        insert = cast(
            "Callable[[Table], sqlite.Insert]", postgresql.insert if dialect == "postgresql" else sqlite.insert
        )
        self.source = insert(schema.sources).on_conflict_do_nothing(index_elements=["name"])
        # The first reading of a page stands; until there is one, the latest try does.
        page = insert(schema.pages)
        self.page = page.on_conflict_do_update(
            index_elements=["run_id", "url"],
            set_={name: page.excluded[name] for name in schema.pages.c.keys() if name not in {"id", "run_id", "url"}},  # noqa: SIM118
            where=schema.pages.c.reason.is_not(None),
        )
        self.film = insert(schema.film_statements)
        self.model = insert(schema.models).on_conflict_do_nothing(index_elements=["hash"])
        self.policy = insert(schema.policies).returning(schema.policies.c.id)
        self.score = insert(schema.scores).on_conflict_do_nothing(index_elements=["image_id", "model_id"])
        self.embedding = insert(schema.embeddings).on_conflict_do_nothing(index_elements=["image_id", "model_id"])

        # An image seen again may bring what was unknown; nothing known is taken away.
        image, images = insert(schema.images), schema.images.c
        self.image = image.on_conflict_do_update(
            index_elements=["sha256"],
            set_={name: func.coalesce(images[name], image.excluded[name]) for name in _LEARNED},
            where=or_(
                *(and_(images[name].is_(None), image.excluded[name].is_not(None)) for name in _LEARNED),
            ),
        )
        # The latest sighting stands, but a failure never replaces a picture, nor "dropped" a "kept".
        candidate, candidates = insert(schema.candidates), schema.candidates.c
        self.candidate = candidate.on_conflict_do_update(
            index_elements=["page_id", "url"],
            set_={name: candidate.excluded[name] for name in candidates.keys() if name not in {"id", "page_id", "url"}},  # noqa: SIM118
            where=or_(candidate.excluded.image_id.is_not(None), candidates.image_id.is_(None)),
        )
        claim = insert(schema.claims)
        self.claim = claim.on_conflict_do_update(
            index_elements=["candidate_id"],
            set_={name: claim.excluded[name] for name in schema.claims.c.keys() if name != "candidate_id"},  # noqa: SIM118
        )
        verdict, verdicts = insert(schema.verdicts), schema.verdicts.c
        self.verdict = verdict.on_conflict_do_update(
            index_elements=["image_id", "policy_id"],
            set_={name: verdict.excluded[name] for name in ("keep", "reason", "label", "score")},
            where=or_(verdict.excluded.keep, ~verdicts.keep),
        )

        self.find_sources = _numbers_by(schema.sources, "name")
        self.find_pages = _numbers_by(schema.pages, "url").where(schema.pages.c.run_id == bindparam("run"))
        self.find_read_pages = self.find_pages.where(schema.pages.c.reason.is_(None))
        self.find_films = select(schema.film_statements.c.page_id).where(
            schema.film_statements.c.page_id.in_(bindparam("pages", expanding=True))
        )
        self.find_images = _numbers_by(schema.images, "sha256")
        self.find_candidates = select(candidates.page_id, candidates.url, candidates.id).where(
            candidates.page_id.in_(bindparam("pages", expanding=True)),
            candidates.url.in_(bindparam("urls", expanding=True)),
        )
        self.find_models = _numbers_by(schema.models, "hash")


def _numbers_by(table: Table, name: str) -> Select[Any]:
    return select(table.c[name], table.c.id).where(table.c[name].in_(bindparam("keys", expanding=True)))


def _ask(connection: Connection, statement: Select[Any], keys: Sequence[str], **values: int) -> dict[str, int]:
    return {key: number for key, number in connection.execute(statement, {"keys": keys, **values})}  # noqa: C416

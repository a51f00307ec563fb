"""The arms of one run in SQL: what they are, what they brought, where they lead."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, cast

from sqlalchemy import BindParameter, Connection, Dialect, Table, bindparam, func, select, text, update
from sqlalchemy.dialects import postgresql, sqlite

from posterbot.catalogue.schema import arm_links, arms, frontier, promises, workers
from posterbot.frontier.choosing import Arm
from posterbot.frontier.judging import Mean
from posterbot.frontier.states import PENDING
from posterbot.frontier.strategy import ARMLESS

MEMORY = 512
"""Pulls after which what was counted of an arm is halved: the web changes."""
LINK_MEMORY = 16
"""The same of the new links that its pages bring: what is new runs out."""


class ArmTable:
    """Belongs to the thread that writes."""

    def __init__(self, dialect: str, run: int) -> None:
        self._run = run
        insert = cast(
            "Callable[[Table], sqlite.Insert]", postgresql.insert if dialect == "postgresql" else sqlite.insert
        )
        self._new = insert(arms).on_conflict_do_nothing(index_elements=["run_id", "host_id", "path", "pattern"])
        links = insert(arm_links)
        self._lead = links.on_conflict_do_update(
            index_elements=["arm_id", "child_id"], set_={"number": arm_links.c.number + links.excluded.number}
        )
        weights = insert(promises)
        self._learn = weights.on_conflict_do_update(
            index_elements=["run_id", "bucket"], set_={"weight": promises.c.weight + weights.excluded.weight}
        )
        hosts: BindParameter[Any] = bindparam("hosts", expanding=True)
        of_hosts = (arms.c.run_id == run) & arms.c.host_id.in_(hosts)
        self._of_hosts = select(arms).where(of_hosts).order_by(arms.c.id)
        number: BindParameter[int] = bindparam("number")
        self._grow = (
            update(arms)
            .where(arms.c.id == number)
            .values(added=arms.c.added + bindparam("new"), promise=arms.c.promise + bindparam("guessed"))
        )
        self._pull = (
            update(arms)
            .where(arms.c.id == number)
            .values(
                pulls=arms.c.pulls + bindparam("more"),
                leads=arms.c.leads + bindparam("more"),
                fetched=arms.c.fetched + bindparam("more"),
                reward=arms.c.reward + bindparam("brought"),
                found=arms.c.found + bindparam("brought"),
                cost=arms.c.cost + bindparam("took"),
            )
        )
        of_url = update(frontier).where(frontier.c.id == bindparam("key"))
        self._follow = of_url.values(
            led=frontier.c.led + bindparam("more"), led_to=frontier.c.led_to + bindparam("fruit")
        )
        self._rank = of_url.values(rank=bindparam("new_rank"))
        numbers: BindParameter[Any] = bindparam("numbers", expanding=True)
        some = arms.c.id.in_(numbers)
        self._counted = select(arms.c.id, arms.c.pulls, arms.c.leads).where(some)
        self._halve = update(arms).where(some).values({name: arms.c[name] / 2 for name in ("pulls", "reward", "cost")})
        self._halve_leads = update(arms).where(some).values(leads=arms.c.leads / 2)
        of_some = update(arm_links).where(arm_links.c.arm_id.in_(numbers))
        self._halve_links = of_some.values(number=arm_links.c.number / 2)
        self._serve = update(arms).where(arms.c.id == number).values(served_at=bindparam("now"))
        self._armless = (
            select(frontier.c.host_id, func.count())
            .where(frontier.c.run_id == run, frontier.c.host_id.in_(hosts))
            .where(frontier.c.arm_id == ARMLESS, frontier.c.state == PENDING)
            .group_by(frontier.c.host_id)
        )
        # As text, since the inner query, within a FROM, looks at the outermost one's rows.
        self._waiting = text(
            "SELECT arms.id, arms.host_id, arms.worth, arms.pulls, arms.served_at, "
            "(SELECT count(*) FROM (SELECT 1 FROM frontier WHERE frontier.run_id = arms.run_id "
            "AND frontier.host_id = arms.host_id AND frontier.arm_id = arms.id AND frontier.state = 0 "
            "LIMIT :most) AS waiting) AS available "
            "FROM arms WHERE arms.run_id = :run AND arms.host_id IN :hosts"
        ).bindparams(hosts)

    # --- what there is ------------------------------------------------------------------------------------------

    def of_hosts(self, connection: Connection, hosts: Collection[int]) -> dict[int, list[Any]]:
        """Host → all rows of its arms, the oldest first."""
        found: dict[int, list[Any]] = {host: [] for host in hosts}
        if hosts:
            for row in connection.execute(self._of_hosts, {"hosts": sorted(hosts)}).all():
                found[row.host_id].append(row)
        return found

    def number(self, connection: Connection, host: int, path: str, pattern: str, worth: float, now: float) -> int:
        """Row number of an arm, which is made where there is none: it is thought to be of such ``worth``."""
        row = {"run_id": self._run, "host_id": host, "path": path, "pattern": pattern}
        connection.execute(self._new, row | {"worth": worth, "served_at": now})
        number: int = connection.execute(select(arms.c.id).filter_by(**row)).scalar_one()
        return number

    def waiting(self, connection: Connection, hosts: Sequence[int], most: int) -> dict[int, list[Arm]]:
        """Host → its arms of which URLs wait; of each at most ``most`` are counted."""
        found: dict[int, list[Arm]] = {host: [] for host in hosts}
        if not hosts:
            return found
        for row in connection.execute(self._waiting, {"run": self._run, "hosts": list(hosts), "most": most}).all():
            if row.available:
                arm = Arm(row.id, row.worth, row.pulls, row.served_at, row.available)
                found[row.host_id].append(arm)
        return found

    def heads(self, connection: Connection, shares: Mapping[tuple[int, int], int]) -> dict[tuple[int, int], list[Any]]:
        """Host and arm → its first URLs, up to how many, and what is known of the pages they stand on."""
        if not shares:
            return {}
        statement, names = _heads(connection.dialect, len(shares))
        values: dict[str, int] = {"run": self._run}
        for place, ((host, arm), number) in enumerate(shares.items()):
            values |= {f"host{place}": host, f"arm{place}": arm, f"most{place}": number}
        found: dict[tuple[int, int], list[Any]] = {}
        given: Any = tuple(values[name] for name in names) if names else values
        for row in connection.exec_driver_sql(statement, given).all():
            found.setdefault((row.host_id, row.arm_id), []).append(row)
        return found

    def armless(self, connection: Connection, hosts: Sequence[int]) -> dict[int, int]:
        """Host → URLs that wait and are of no arm, where there are any."""
        return {row[0]: row[1] for row in connection.execute(self._armless, {"hosts": list(hosts)})}

    def adopt(self, connection: Connection, now: float) -> None:
        """Make what waits and is of no arm one arm of each host."""
        armless = (frontier.c.run_id == self._run) & (frontier.c.arm_id == ARMLESS) & (frontier.c.state == PENDING)
        for host in sorted(connection.scalars(select(frontier.c.host_id).where(armless).distinct())):
            arm = self.number(connection, host, "", "", 0.0, now)
            of_host = update(frontier).where(armless, frontier.c.host_id == host)
            connection.execute(of_host.values(arm_id=arm))

    def mean(self, connection: Connection) -> Mean:
        """Of all arms of the run."""
        columns = (func.coalesce(func.sum(column), 0.0) for column in (arms.c.pulls, arms.c.reward, arms.c.cost))
        statement = select(*columns).where(arms.c.run_id == self._run)
        return Mean(*(float(value) for value in connection.execute(statement).one()))

    def weights(self, connection: Connection) -> dict[int, float]:
        """Bucket → what all workers have learned."""
        rows = connection.execute(select(promises.c.bucket, promises.c.weight).where(promises.c.run_id == self._run))
        return {row.bucket: row.weight for row in rows}

    def workers(self, connection: Connection) -> int:
        """How many work on the run, this one with them."""
        alive = (workers.c.run_id == self._run) & workers.c.ended_at.is_(None)
        return max(1, connection.scalar(select(func.count()).select_from(workers).where(alive)) or 0)

    # --- what is learned ----------------------------------------------------------------------------------------

    def grow(self, connection: Connection, guesses: Mapping[int, Sequence[float]]) -> None:
        """URLs were added: arm → what was guessed of each."""
        rows = [{"number": arm, "new": len(of), "guessed": float(sum(of))} for arm, of in sorted(guesses.items())]
        if rows:
            connection.execute(self._grow, rows)

    def lead(self, connection: Connection, links: Mapping[tuple[int, int], int]) -> None:
        """Arm and child → so many new URLs more."""
        rows = [{"arm_id": arm, "child_id": child, "number": links[arm, child]} for arm, child in sorted(links)]
        if rows:
            connection.execute(self._lead, rows)

    def pull(self, connection: Connection, pulls: Mapping[int, tuple[int, float, float]]) -> None:
        """Arm → pages, what they brought, what they took. What was counted long ago counts less."""
        rows = [
            {"number": arm, "more": more, "brought": brought, "took": took}
            for arm, (more, brought, took) in sorted(pulls.items())
        ]
        connection.execute(self._pull, rows)
        now = connection.execute(self._counted, {"numbers": list(pulls)}).all()
        if old := [row.id for row in now if row.pulls >= MEMORY]:
            connection.execute(self._halve, {"numbers": old})
        if old := [row.id for row in now if row.leads >= LINK_MEMORY]:
            connection.execute(self._halve_leads, {"numbers": old})
            connection.execute(self._halve_links, {"numbers": old})

    def follow(self, connection: Connection, led: Mapping[int, tuple[int, int]]) -> None:
        """Key of a page → how many more of the links found there were followed, and how many of these bore fruit."""
        rows = [{"key": key, "more": more, "fruit": fruit} for key, (more, fruit) in sorted(led.items())]
        if rows:
            connection.execute(self._follow, rows)

    def rank(self, connection: Connection, ranks: Mapping[int, int]) -> None:
        """Key of a URL → its new rank."""
        rows = [{"key": key, "new_rank": ranks[key]} for key in sorted(ranks)]
        if rows:
            connection.execute(self._rank, rows)

    def learn(self, connection: Connection, changes: Mapping[int, float]) -> None:
        """Add to weights."""
        rows = [{"run_id": self._run, "bucket": key, "weight": float(changes[key])} for key in sorted(changes)]
        if rows:
            connection.execute(self._learn, rows)

    def serve(self, connection: Connection, numbers: Iterable[int], now: float) -> None:
        """URLs of these were leased."""
        rows = [{"number": number, "now": now} for number in sorted(numbers)]
        if rows:
            connection.execute(self._serve, rows)


@lru_cache(maxsize=256)
def _heads(dialect: Dialect, number: int) -> tuple[str, Sequence[str] | None]:
    """The statement for so many arms as the driver takes it, and the order of its values where they have no names.

    As text, and made once: to build it from SQLAlchemy's parts, or to have it read the text, takes longer than to run
    it.
    """
    one = (
        "SELECT * FROM (SELECT url.id, url.host_id, url.arm_id, url.url, url.rank, url.number, url.features, "
        "page.features AS above, page.found, page.led, page.led_to "
        "FROM frontier url LEFT JOIN frontier page ON page.id = url.parent_id "
        "WHERE url.run_id = :run AND url.host_id = :host{0} AND url.arm_id = :arm{0} AND url.state = 0 "
        "ORDER BY url.rank, url.id LIMIT :most{0}) AS head{0}"
    )
    compiled: Any = text(" UNION ALL ".join(one.format(place) for place in range(number))).compile(dialect=dialect)
    return str(compiled), compiled.positiontup

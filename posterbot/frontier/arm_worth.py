"""What arms are worth, in SQL: judged by what is counted of them, for some hosts at a time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, bindparam, text, update

from posterbot.catalogue.schema import arms
from posterbot.frontier.arm_table import ArmTable
from posterbot.frontier.judging import FIRST_GUESS, Mean, expected, mean_of, worth_of

ASKED_AFTER = 0.1
"""It is asked anew what is usual in the run after so many new pages for each old one, ..."""
LEAST, MOST = 8, 1024
"""... but at least and at most so many."""
STEP = 0.2
"""Arms of other hosts that are worth the same within so much of what is usual are one to those that lead there: sites
link to thousands of others."""

_LEADS = """
    SELECT arms.host_id, arm_links.arm_id,
        CASE WHEN child.host_id = arms.host_id THEN child.id END AS child_id,
        CASE WHEN child.host_id = arms.host_id THEN 0 ELSE CAST(child.worth / :step AS BIGINT) END AS step,
        sum(arm_links.number) AS number, sum(arm_links.number * child.worth) AS worth
    FROM arms JOIN arm_links ON arm_links.arm_id = arms.id JOIN arms child ON child.id = arm_links.child_id
    WHERE arms.run_id = :run AND arms.host_id IN :hosts
    GROUP BY 1, 2, 3, 4
"""


class Judged(NamedTuple):
    """The arms of one host."""

    worth: dict[int, float]
    """Arm → expected reward of a request, on the best way from there."""
    usual: Mean
    """What is expected of any page."""
    pulls: float


class ArmWorth:
    """Of the arms of one run. Belongs to the thread that writes."""

    def __init__(self, table: ArmTable, run: int) -> None:
        self._table, self._run = table, run
        self.usual = FIRST_GUESS
        """What is expected of any page of the run, as of lately."""
        self._pages, self._ask_after = 0, 0.0
        self._leads = text(_LEADS).bindparams(bindparam("hosts", expanding=True))
        self._store = update(arms).where(arms.c.id == bindparam("arm")).values(worth=bindparam("now_worth"))

    def pulled(self, pages: int) -> None:
        """So many pages more were read by this worker."""
        self._pages += pages

    def judge(self, connection: Connection, hosts: Sequence[int]) -> dict[int, Judged]:
        """Compute and store what each arm of ``hosts`` is worth."""
        if not hosts:
            return {}
        if self._pages >= self._ask_after:
            mean = self._table.mean(connection)
            self.usual = expected(mean, FIRST_GUESS)
            self._pages, self._ask_after = 0, min(max(ASKED_AFTER * mean.pulls, LEAST), MOST)
        rows = self._table.of_hosts(connection, hosts)
        leads: dict[int, list[Any]] = defaultdict(list)
        step = STEP * self.usual.reward / self.usual.cost
        for lead in connection.execute(self._leads, {"run": self._run, "hosts": list(hosts), "step": step}).all():
            leads[lead.host_id].append(lead)
        found: dict[int, Judged] = {}
        changed: dict[int, float] = {}
        for host in hosts:
            mean = mean_of(rows[host])
            usual = expected(mean, self.usual)
            worth = worth_of(rows[host], leads[host], usual).tolist()
            found[host] = Judged({row.id: of for row, of in zip(rows[host], worth, strict=True)}, usual, mean.pulls)
            before = {row.id: row.worth for row in rows[host]}
            changed |= {arm: of for arm, of in found[host].worth.items() if abs(of - before[arm]) > 0.01 * before[arm]}
        if changed:
            connection.execute(self._store, [{"arm": arm, "now_worth": changed[arm]} for arm in sorted(changed)])
        return found

"""Which processes are alive: each holds a lease in the database, and beside it a lock that ends with the process."""

import asyncio
import contextlib
import fcntl
import os
import secrets
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic

import structlog
from sqlalchemy import Connection, bindparam, delete, insert, literal_column, select, update

from bot.database import Database
from bot.errors import StorageError
from bot.tables import inbox, processes

log = structlog.get_logger(__name__)

LONGEST_LEASE = 600.0
"""Seconds: the longest lease that the settings allow. One that ends later is from before the machine was restarted."""

_RENEWALS = 3
"""Renewals within the time of a lease: some may fail before it runs out."""

_RENEW = update(processes).where(processes.c.id == bindparam("own")).values(leased_until=bindparam("until"))
_LEASES = select(processes.c.id, processes.c.leased_until).where(processes.c.id != bindparam("own"))
_END = delete(processes).where(processes.c.id == bindparam("own"))
_RELEASE = (
    update(inbox).where(literal_column("inbox.is_open"), inbox.c.claimed_by == bindparam("own")).values(claimed_by="")
)


class Lease:
    """This process's name among those that answer, and its lease.

    Leases end on the clock that all processes of a machine share and nobody sets (`time.monotonic`), so that a jump of
    the wall clock changes nothing. A process that was killed lets go of its lock, and is known to be dead at once; one
    that hangs or is stopped is, when its lease has run out. Once others have declared it dead, it goes on under a new
    `id`: what it had claimed under the old one is theirs, and nothing of that is written or sent any more.

    Args:
        database: where leases are kept.
        file: the database's file; the locks lie beside it.
        seconds: how long a lease lasts.
    """

    def __init__(self, database: Database, file: Path, seconds: float) -> None:
        self._database = database
        self._file = file
        self._seconds = seconds
        self._until = 0.0
        self._lock = -1
        self._renewing: asyncio.Task[None] | None = None
        self._at_once = asyncio.Lock()
        self.id = ""

    async def take(self) -> None:
        """Begin the lease, and renew it from now on.

        Raises:
            StorageError: it cannot be written.
        """
        await self._begin()
        self._renewing = asyncio.create_task(self._renew_forever(), name="lease")

    async def release(self) -> None:
        """End the lease: what this process had claimed and not finished is everybody's."""
        if self._renewing is not None:
            self._renewing.cancel()
            await asyncio.gather(self._renewing, return_exceptions=True)
            self._renewing = None
        if not self.id:
            return
        own, self.id, self._until = self.id, "", 0.0
        try:
            await self._database.transact(lambda connection: _give_back(connection, own))
        except StorageError as error:
            # The lock that nobody holds any more tells the others.
            log.warning("lease not given back", reason=error.sentence)
        else:
            self._forget_lock(own)
        self._unlock()

    async def holds(self, claim: str) -> bool:
        """Say whether what was claimed under this id is still this process's.

        As long as the lease has not run out nobody takes it, and nothing is looked up.

        Raises:
            StorageError: the lease has run out, and cannot be renewed.
        """
        if claim == self.id and monotonic() >= self._until:
            await self.renew()
        return claim == self.id

    async def renew(self) -> None:
        """Prolong the lease; where others have declared this process dead, begin another one.

        Raises:
            StorageError: it cannot be written.
        """
        async with self._at_once:
            if not self.id:
                return
            own, until = self.id, monotonic() + self._seconds
            row = {"own": own, "until": until}
            if await self._database.transact(lambda connection: connection.execute(_RENEW, row).rowcount):
                self._until = until
                return
            log.warning("lease lost: this process was silent too long, others have taken up what it had to do")
            await self._begin()
            self._forget_lock(own)

    def dead(self, connection: Connection) -> list[str]:
        """Name the other processes that have died, or whose lease has run out."""
        now = monotonic()
        return [
            name
            for name, until in connection.execute(_LEASES, {"own": self.id})
            if not now < until <= now + LONGEST_LEASE or _is_free(self._lock_file(name))
        ]

    def bury(self, connection: Connection) -> None:
        """Forget those who are dead: what they had claimed is everybody's. Called where nobody else writes."""
        for name in self.dead(connection):
            connection.execute(_END, {"own": name})
            self._forget_lock(name)

    async def _begin(self) -> None:
        own, until = secrets.token_hex(8), monotonic() + self._seconds
        self._unlock()
        self._lock = _locked(self._lock_file(own))
        row = {"id": own, "leased_until": until, "started_at": datetime.now(UTC)}
        await self._database.transact(lambda connection: connection.execute(insert(processes), row))
        self.id, self._until = own, until

    async def _renew_forever(self) -> None:
        while True:
            await asyncio.sleep(self._seconds / _RENEWALS)
            try:
                await self.renew()
            except StorageError as error:
                log.warning("lease not renewed", reason=error.sentence)

    def _lock_file(self, name: str) -> Path:
        return self._file.with_name(f"{self._file.name}.process-{name}")

    def _unlock(self) -> None:
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    def _forget_lock(self, name: str) -> None:
        with contextlib.suppress(OSError):
            self._lock_file(name).unlink(missing_ok=True)


def _give_back(connection: Connection, own: str) -> None:
    connection.execute(_RELEASE, {"own": own})
    connection.execute(_END, {"own": own})


def _locked(file: Path) -> int:
    """Make a lock of a process that lives; -1 where the file system has none, and leases alone tell."""
    try:
        descriptor = os.open(file, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    except OSError:
        return -1
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        file.unlink(missing_ok=True)
        return -1
    return descriptor


def _is_free(file: Path) -> bool:
    """Say whether whoever held a lock has ended; a lock that cannot be looked at tells nothing."""
    try:
        descriptor = os.open(file, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return True

"""What holds in a place: set by the operator in the settings, and by admins in the chats, where it counts more."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, cast

import structlog
from sqlalchemy import bindparam, delete, select
from sqlalchemy.dialects.sqlite import insert

from bot.database import Change, Database
from bot.errors import StorageError
from bot.messages import IncomingMessage, Place
from bot.settings import Settings
from bot.tables import place_settings

log = structlog.get_logger(__name__)

Name = Literal["keep", "redact", "retention_days"]

_REFRESH_SECONDS = 2.0
"""How long it takes, at the most, until what one process was told holds in the others, too."""

_put = insert(place_settings)
_PUT = (
    _put.on_conflict_do_update(
        index_elements=["place", "name"],
        set_={"value": _put.excluded.value, "by": _put.excluded.by, "at": _put.excluded.at},
    ),
)
_DROP = (
    delete(place_settings).where(
        place_settings.c.place == bindparam("set_for"), place_settings.c.name == bindparam("set_name")
    ),
)


@dataclass(frozen=True, slots=True)
class Held:
    """What holds somewhere.

    Attributes:
        value: "on" or "off", or a number of days.
        place: the name of the place that it was set for, one of `Place.names`; empty for the default of all places.
        by_admin: whether an admin set it in a chat; else the settings did.
    """

    value: str
    place: str = ""
    by_admin: bool = False


class PlaceSettings:
    """The settings of places, kept in memory, so that asking for one takes no time; the narrowest place counts.

    Args:
        database: where what admins set is kept.
        settings: what the operator set.
    """

    def __init__(self, database: Database, settings: Settings) -> None:
        self._database = database
        self._defaults: Mapping[Name, str] = {
            "keep": "on",
            "redact": "",
            "retention_days": str(settings.privacy.retention_days),
        }
        days = {place: str(number) for place, number in settings.privacy.retention.items()}
        not_kept = dict.fromkeys(settings.conversations.not_kept, "off")
        redacted = {place: "on" if wanted else "off" for place, wanted in settings.privacy.redact.items()}
        self._operators: Mapping[Name, Mapping[str, str]] = {
            "keep": not_kept,
            "redact": redacted,
            "retention_days": days,
        }
        self._admins: Mapping[tuple[str, str], str] = {}

    async def load(self) -> None:
        """Read what admins set.

        Raises:
            StorageError: it cannot be read; what was read last holds on.
        """
        rows = await self._database.read(lambda connection: connection.execute(select(place_settings)).all())
        self._admins = {(row.place, row.name): row.value for row in rows}

    async def follow(self) -> None:
        """Read it again and again, so that all processes on one database agree; until it is cancelled."""
        failed = False
        while True:
            await asyncio.sleep(_REFRESH_SECONDS)
            try:
                await self.load()
                failed = False
            except StorageError as error:
                if not failed:
                    log.warning("settings of places not read", reason=error.sentence)
                failed = True

    def value(self, place: Place, name: Name) -> str | None:
        """Give what an admin set for a place, or for the narrowest that it lies in; None where none did."""
        return next((self._admins[named, name] for named in place.names if (named, name) in self._admins), None)

    def held(self, place: Place, name: Name) -> Held:
        """Give what holds in a place. For one and the same place, what an admin set counts more than the settings."""
        for named in place.names:
            if (named, name) in self._admins:
                return Held(self._admins[named, name], named, by_admin=True)
            if named in self._operators.get(name, {}):
                return Held(self._operators[name][named], named)
        return Held(self._defaults[name])

    def keeps(self, place: Place) -> bool:
        """Say whether what is said in a place is kept."""
        return self.held(place, "keep").value == "on"

    @property
    def defaults(self) -> Mapping[Name, str]:
        """What holds where nothing is set."""
        return self._defaults

    def listed(self) -> list[dict[str, Any]]:
        """Give what is set for places, in their order: of two for one place, the one that counts, an admin's."""
        found = {
            (place, name): {"place": place, "name": name, "value": value, "by_admin": False}
            for name, values in self._operators.items()
            for place, value in values.items()
        }
        for (place, called), value in self._admins.items():
            found[place, cast("Name", called)] = {"place": place, "name": called, "value": value, "by_admin": True}
        return [found[key] for key in sorted(found)]

    @property
    def something_is_not_kept(self) -> bool:
        """Whether there is any place of which nothing is kept."""
        by_admins = ("off" for (_, name), value in self._admins.items() if name == "keep" and value == "off")
        return bool(self._operators["keep"]) or any(by_admins)

    def redacts(self, place: Place) -> bool | None:
        """Say whether what must not leave this machine is hidden from servers; None: as is set for each generator."""
        return {"on": True, "off": False}.get(self.held(place, "redact").value)

    def retention_days(self, place: Place) -> int:
        """Give after how many days conversations of a place are deleted; 0: never."""
        return int(self.held(place, "retention_days").value)

    def shortest_retention(self) -> int:
        """Give the least of the days that are set anywhere; 0 where conversations are never deleted."""
        admins = (value for (_, name), value in self._admins.items() if name == "retention_days")
        every = {self._defaults["retention_days"], *self._operators["retention_days"].values(), *admins}
        return min((int(days) for days in every if int(days)), default=0)

    async def put(self, message: IncomingMessage, place: str, name: Name, value: str) -> None:
        """Set something for a place (one of `Place.names`), as the author of the message wants it.

        Raises:
            StorageError: it was not set.
        """
        row = {"place": place, "name": name, "value": value, "by": message.person_id, "at": message.received_at}
        await self._database.write(Change(_PUT, ([row],)))
        await self.load()

    async def drop(self, place: str, name: Name) -> None:
        """Take back what admins set for a place, so that what is set for a wider one holds there.

        Raises:
            StorageError: it was not taken back.
        """
        await self._database.write(Change(_DROP, ([{"set_for": place, "set_name": name}],)))
        await self.load()

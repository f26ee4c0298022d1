"""What is set for all places, and how long conversations are kept: shown, set, and cleaned by hand."""

from datetime import UTC, datetime
from typing import Any

from bot.access import Access
from bot.cleaning import Cleaning
from bot.errors import QuestionError
from bot.known_people import require_operator
from bot.messages import IncomingMessage, Reply
from bot.place_names import known_place
from bot.place_settings import PlaceSettings
from bot.place_settings_desk import DEFAULT, NAMES, checked_value
from bot.retention import Retention


class PlacesDesk:
    """The commands ``places``, ``set_place``, ``retention`` and ``clean``, for admins of all places.

    Args:
        settings: what holds where.
        access: who is one.
        cleaning: deletes what is kept no longer.
        retention: knows which conversations that would be.
        cleaning_hour: when (UTC) it is done every night.
    """

    def __init__(
        self, settings: PlaceSettings, access: Access, cleaning: Cleaning, retention: Retention, cleaning_hour: int
    ) -> None:
        self._settings = settings
        self._access = access
        self._cleaning = cleaning
        self._retention = retention
        self._cleaning_hour = cleaning_hour

    async def tell_places(self, message: IncomingMessage) -> Reply:
        """Show what is set for which place, by whom, and what holds elsewhere."""
        require_operator(self._access, message)
        return self._places("")

    async def set_place(self, message: IncomingMessage) -> Reply:
        """Set something for a place that the text names: ``slack/T012AB3CD keep off``; ``default`` takes it back.

        Raises:
            QuestionError: there is no such place, setting or value.
        """
        require_operator(self._access, message)
        words = message.text.split()
        if len(words) != len(("place", "name", "value")):
            raise QuestionError("That sets nothing.", "Name a place, a setting and its value.")
        place, called, value = _known(words[0]), words[1].lower(), words[2].lower()
        name = NAMES.get(called)
        if name is None:
            raise QuestionError("I know no such setting.", f"There are {', '.join(NAMES)}.")
        value = checked_value(name, value)
        if value == DEFAULT:
            await self._settings.drop(place, name)
        else:
            await self._settings.put(message, place, name, value)
        return self._places(f"Set for {place}.")

    def _places(self, said: str) -> Reply:
        listed = self._settings.listed()
        text = f"{said} {len(listed)} settings of places.".strip()
        return Reply(text, ephemeral=True, data={"places": listed, "defaults": dict(self._settings.defaults)})

    async def tell_retention(self, message: IncomingMessage) -> Reply:
        """Show how long conversations are kept, how many are due, and when it was cleaned last."""
        require_operator(self._access, message)
        last = await self._cleaning.last()
        of_places = [one for one in self._settings.listed() if one["name"] == "retention_days"]
        document: dict[str, Any] = {
            "default_days": int(self._settings.defaults["retention_days"]),
            "places": [{**one, "days": int(one["value"])} for one in of_places],
            "due": await self._retention.due(datetime.now(UTC)),
            "cleaning_hour": self._cleaning_hour,
            "cleaned": last.at.isoformat() if last else None,
            "last_cleaning": last.document() if last else None,
        }
        return Reply(f"{document['due']:,} conversations are due.", ephemeral=True, data=document)

    async def clean(self, message: IncomingMessage) -> Reply:
        """Delete what is due, as every night."""
        require_operator(self._access, message)
        done = await self._cleaning.clean(datetime.now(UTC))
        conversations = done.deleted.get("conversations", 0)
        data = {**done.document(), "conversations": conversations}
        return Reply(f"{conversations:,} conversations deleted.", ephemeral=True, data=data)


def _known(place: str) -> str:
    """Give a place's name as it is kept.

    Raises:
        QuestionError: no place is called so.
    """
    try:
        return known_place(place)
    except ValueError as error:
        raise QuestionError(f"{error}.") from error

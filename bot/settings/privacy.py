"""The settings of privacy: how long what is kept is kept, when it is deleted, and what is hidden from servers."""

from typing import Annotated

from pydantic import Field

from bot.settings.section import PlaceName, Section

LONGEST_RETENTION = 36_500
"""Days; a hundred years, which no calendar overflows."""

Days = Annotated[int, Field(ge=0, le=LONGEST_RETENTION)]


class PrivacySettings(Section):
    """What becomes of what is kept."""

    retention_days: Days = Field(
        0, description="Days after which conversations are deleted, everywhere where nothing else is set; 0: never."
    )
    retention: dict[PlaceName, Days] = Field(
        {}, description="The same for a platform, workspace or channel; the narrowest counts."
    )
    cleaning_hour: int = Field(
        3, ge=0, le=23, description="The hour (UTC) in which, every night, what is too old is deleted."
    )

    redact: dict[PlaceName, bool] = Field(
        {},
        description="Whether e-mail addresses, numbers and the like are hidden from servers that write answers, for a"
        " platform, workspace or channel; the narrowest counts. Elsewhere gemini.redact and openai.redact say so.",
    )
    names_model: str = Field(
        "",
        description="A model for named entities, by name or folder, that finds names of people: they are hidden, too.",
    )

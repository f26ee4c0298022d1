"""The settings of privacy: how long what is kept is kept."""

from pydantic import Field

from bot.settings.section import Section


class PrivacySettings(Section):
    """What becomes of what is kept."""

    retention_days: int = Field(
        0,
        ge=0,
        description="Days after which conversations are deleted, everywhere where nothing else is set; 0: never.",
    )

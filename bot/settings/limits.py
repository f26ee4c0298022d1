"""The settings of limits: how much may be asked."""

from pydantic import Field

from bot.settings.section import PlaceName, Section


class PlaceLimitSettings(Section):
    """Other numbers for one place; what is not set is as everywhere else."""

    person_per_minute: int | None = Field(None, ge=0, description="Questions of one person in a minute.")
    channel_per_minute: int | None = Field(None, ge=0, description="Questions in one channel in a minute.")
    workspace_per_minute: int | None = Field(
        None, ge=0, description="Questions in the server or workspace in a minute."
    )
    person_at_once: int | None = Field(None, ge=0, description="Questions of one person at once.")


class LimitSettings(Section):
    """How many questions may be asked; 0: no bound."""

    person_per_minute: int = Field(20, ge=0, description="Questions of one person in a minute.")
    channel_per_minute: int = Field(120, ge=0, description="Questions in one channel in a minute.")
    workspace_per_minute: int = Field(1_200, ge=0, description="Questions in one server or workspace in a minute.")
    person_at_once: int = Field(3, ge=0, description="Questions of one person that are being answered or wait.")
    places: dict[PlaceName, PlaceLimitSettings] = Field(
        {},
        description="Other numbers for a platform, workspace or channel, as"
        ' "slack/T012AB3CD/C012AB3CD" = {channel_per_minute = 600}.',
    )

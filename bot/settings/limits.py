"""The settings of limits: how much may be asked."""

from pydantic import Field

from bot.settings.section import Section


class LimitSettings(Section):
    """How many questions may be asked; 0: no bound."""

    person_per_minute: int = Field(20, ge=0, description="Questions of one person in a minute.")
    channel_per_minute: int = Field(120, ge=0, description="Questions in one channel in a minute.")
    workspace_per_minute: int = Field(1_200, ge=0, description="Questions in one server or workspace in a minute.")
    person_at_once: int = Field(3, ge=0, description="Questions of one person that are being answered or wait.")

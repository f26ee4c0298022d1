"""The settings of limits: how much may be asked."""

import json

from pydantic import Field, field_validator

from bot.settings.section import Section, known_place


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
    places: dict[str, PlaceLimitSettings] = Field(
        {},
        description="Other numbers for a platform, workspace or channel, as"
        ' "slack/T012AB3CD/C012AB3CD" = {channel_per_minute = 600}.',
    )

    @field_validator("places", mode="before")
    @classmethod
    def _places_from_text(cls, value: object) -> object:
        try:
            return json.loads(value) if isinstance(value, str) else value
        except json.JSONDecodeError as error:
            raise ValueError('it must be JSON, as {"slack/T012AB3CD": {"person_per_minute": 60}}') from error

    @field_validator("places")
    @classmethod
    def _platforms_are_known(cls, places: dict[str, PlaceLimitSettings]) -> dict[str, PlaceLimitSettings]:
        for place in places:
            known_place(place)
        return places

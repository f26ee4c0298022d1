"""The documents of signing in, as the API's OpenAPI page shows them."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field


class SignIn(BaseModel):
    """Who wants a session."""

    model_config = ConfigDict(extra="forbid", strict=True, json_schema_extra={"examples": [{"key": "KEY"}]})

    key: str | None = Field(None, max_length=512, description="A key of the settings.")
    guest: bool = Field(
        False, description="Whether it is for somebody without a key, where the settings let guests in."
    )


class SignedInPerson(BaseModel):
    """Whose session it is."""

    id: str = Field(description="As in /v1/people; a guest's begins with `http:guest-`.")


class OpenedSession(BaseModel):
    """A session; its token is told this once."""

    token: str = Field(description="Is taken wherever a key is: `Authorization: Bearer TOKEN`.")
    expires_at: datetime
    person: SignedInPerson
    is_admin: bool

"""Settings of the web pages."""

from pydantic import Field

from bot.settings.section import FrontDoor


class WebSettings(FrontDoor):
    """The pages: one to talk to the bot, and one to run it."""

    through = "http"
    enabled: bool = Field(
        True, description="Whether the pages are served, where they are installed (`make web`) and the HTTP API is on."
    )
    host: str = Field("127.0.0.1", description="Address to listen on; anything but this machine's own needs a key.")
    port: int = Field(8322, ge=0, le=65_535, description="Port to listen on; 0 takes a free one.")
    allowed_hosts: tuple[str, ...] = Field(
        (), description="Host names under which the pages are reached from elsewhere."
    )
    https: bool = Field(
        False, description="Whether people reach the pages by https alone, through a proxy; their cookies then say so."
    )
    title: str = Field("Preceptor", description="What the pages are called.", min_length=1, max_length=60)

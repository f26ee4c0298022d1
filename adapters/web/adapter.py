"""Keeps the process that serves the web pages running."""

from bot.adapter import Accept, Adapter, AdapterSetup, Limits
from bot.errors import DeliveryRefusedError
from bot.messages import Place, Reply


class WebAdapter(Adapter):
    """The pages. What is asked there comes over the HTTP API, and so do the answers: nothing is sent from here."""

    name = "web"
    limits = Limits(reaches_later=False)

    def __init__(self, setup: AdapterSetup) -> None:
        self._setup = setup

    @classmethod
    def create(cls, setup: AdapterSetup) -> "WebAdapter":
        """Make the adapter from the settings."""
        return cls(setup)

    async def start(self, accept: Accept) -> None:
        """Start the pages."""

    async def send(self, place: Place, reply: Reply, idempotency_key: str) -> str:
        """Refuse: nobody is reached here but through the HTTP API."""
        raise DeliveryRefusedError("The web pages take their answers from the HTTP API.")

    async def edit(self, place: Place, sent_id: str, reply: Reply) -> None:
        """Refuse as `send` does."""
        await self.send(place, reply, sent_id)

    async def stop(self) -> None:
        """End the process."""

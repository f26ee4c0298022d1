"""What holds in this process now, for the statistics and the status."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.cleaning import Cleaning
from bot.loop_lag import LoopLag
from bot.messages import Place
from bot.usage import UsageLedger
from models.generation.chain import Chain


@dataclass(frozen=True, slots=True)
class ProcessFigures:
    """Asks those who know: the chain, the ledger of what answers take, the measure of the event loop, the cleaning."""

    chain: Chain
    usage: UsageLedger
    loop_lag: LoopLag
    cleaning: Cleaning

    async def of(self, place: Place) -> Mapping[str, Any]:
        """Give the event loop's lag, the state of each generator for a place, and the last cleaning."""
        states = self.chain.states()
        for name in states:
            if not await self.usage.has_room(name, place.workspace_id):
                states[name] = "over budget"
        cleaned = await self.cleaning.last()
        return {
            "loop_lag_ms": self.loop_lag.figures(),
            "generators": states,
            "cleaned": cleaned.document() if cleaned else None,
        }

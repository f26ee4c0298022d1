"""Long answers cut into messages a platform takes: CommonMark in, CommonMark out, nothing lost on the way."""

from adapters.splitting.packing import split

__all__ = ["split"]

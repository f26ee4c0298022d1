"""One tree of settings, read from ``preceptor.toml``, the environment and ``.env``."""

from bot.settings.sources import Loaded, every_setting, load
from bot.settings.tree import Settings

__all__ = ["Loaded", "Settings", "every_setting", "load"]

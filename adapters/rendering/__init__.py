"""Renders CommonMark in a platform's own markup; what the platforms share, each adding its dialect."""

from adapters.rendering.blocks import Dialect, render
from adapters.rendering.emphasis import Mark, emphasised
from adapters.rendering.runs import Kind, Run, Style, without_breaks

__all__ = ["Dialect", "Kind", "Mark", "Run", "Style", "emphasised", "render", "without_breaks"]

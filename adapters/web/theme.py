"""Streamlit's theme for the pages, light and dark: colours that are legible on their grounds, and sizes."""

from typing import Any

_SIZES: dict[str, Any] = {
    "theme.baseRadius": "0.6rem",
    "theme.headingFontSizes": ["1.9rem", "1.4rem", "1.15rem", "1.05rem", "1rem", "1rem"],
    "theme.paddingTop": "2.75rem",
    "theme.linkUnderline": True,
}

_LIGHT = {
    "primaryColor": "#1957b3",
    "backgroundColor": "#ffffff",
    "secondaryBackgroundColor": "#f3f5f8",
    "textColor": "#0d1320",
    "linkColor": "#1957b3",
    "grayTextColor": "#4d5666",
    "borderColor": "#c9d0da",
}

_DARK = {
    "primaryColor": "#8ab8ff",
    "backgroundColor": "#14171c",
    "secondaryBackgroundColor": "#1f242c",
    "textColor": "#eef1f5",
    "linkColor": "#8ab8ff",
    "grayTextColor": "#b5bdc9",
    "borderColor": "#414a57",
}

OPTIONS: dict[str, Any] = {
    **_SIZES,
    **{f"theme.light.{name}": value for name, value in _LIGHT.items()},
    **{f"theme.dark.{name}": value for name, value in _DARK.items()},
}
"""To be handed to Streamlit's configuration; without a base, the pages follow the visitor's system."""

"""What looks at pictures where nothing else was chosen: names on the hub."""

LABELS = "google/vit-base-patch16-224"
"""Tells what is in a picture: 87M parameters, Apache 2.0, ImageNet's thousand words."""

CAPTIONS = "microsoft/git-base"
"""Writes captions: 177M parameters, MIT. The others that came into question have their weights only as a pickle."""

"""How large a picture is once it is laid out for a model, without a pixel of it."""

from models.vision.decoding.contract import View


def resized(view: View, width: int, height: int) -> tuple[int, int]:
    """Give width and height of a picture once it is resized for a view.

    The rounding is that of `transformers.image_transforms.get_resize_output_image_size`.

    Args:
        view: how it is laid out.
        width, height: of the picture, at least 1.
    """
    if not view.shortest_edge:
        return view.width, view.height
    longer = int(view.shortest_edge * max(width, height) / min(width, height))
    return (view.shortest_edge, longer) if width <= height else (longer, view.shortest_edge)


def shape(view: View, width: int, height: int) -> tuple[int, int, int]:
    """Give the shape [height, width, 3] that a view of a picture of that size has."""
    if view.crop:
        return *view.crop, 3
    across, down = resized(view, width, height)
    return down, across, 3


def preview_size(longest_edge: int, width: int, height: int) -> tuple[int, int]:
    """Give width and height of a preview; nothing is enlarged."""
    share = min(1.0, longest_edge / max(width, height))
    return max(1, round(width * share)), max(1, round(height * share))

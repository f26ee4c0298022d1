"""Sizes as people read them."""


def in_words(size: int) -> str:
    """Write a number of bytes with its unit, in powers of 1000 as the hub does: 308 MB."""
    if size < 1_000:
        return f"{size} bytes"
    units = (("TB", 10**12), ("GB", 10**9), ("MB", 10**6), ("kB", 10**3))
    unit, scale = next((unit, scale) for unit, scale in units if size >= 0.9995 * scale)
    scaled = size / scale
    return f"{scaled:.1f} {unit}" if scaled < 9.95 else f"{scaled:,.0f} {unit}"


def parameters_in_words(parameters: int) -> str:
    """Write how many parameters a model has, as its makers do: 77M."""
    for scale, unit in ((10**9, "B"), (10**6, "M"), (10**3, "k")):
        if parameters >= scale:
            scaled = parameters / scale
            return f"{scaled:.1f}{unit}" if scaled < 9.95 else f"{scaled:.0f}{unit}"
    return str(parameters)

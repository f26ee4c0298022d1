"""Text as it can be stored and sent: JSON can name halves of characters, and no encoding can write them."""


def sound(text: object, longest: int = 2_000) -> str:
    """Give a value as text of so many characters at the most, with a question mark for what is none."""
    return str(text)[:longest].encode(errors="replace").decode()

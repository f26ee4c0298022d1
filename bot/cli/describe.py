"""The command that says what is in pictures."""

import os
import re
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.output import AsJson, leave, print_json, print_markdown, progress

if TYPE_CHECKING:
    from bot.picture_words import Look
    from bot.settings import Settings
    from models.vision import ImageModel

_AT_ONCE = 16
"""Pictures looked at side by side: as many as are labelled together."""


def describe(
    paths: Annotated[
        list[Path],
        # One that cannot be read is refused like any other, and the rest is looked at.
        typer.Argument(metavar="PATH…", help="Pictures, and folders of them.", show_default=False, readable=False),
    ],
    labels: Annotated[int, typer.Option("--labels", min=1, max=1_000, help="Labels of each, at the most.")] = 5,
    model: Annotated[
        str, typer.Option("--model", metavar="NAME", help="What labels: a name or folder. Unset: what is in use.")
    ] = "",
    captions: Annotated[
        str, typer.Option("--captions", metavar="NAME", help="What captions: a name or folder. Unset: what is in use.")
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Say what is in pictures: a caption, the likeliest labels, and what the files themselves tell.

    With --json one line for each file. Nothing is kept, and nothing leaves this machine. Exit status 0: at least one
    could be looked at; 1: none could.
    """
    import asyncio

    from bot import logs
    from bot.describers import make_describer, require_usable
    from bot.settings import load

    settings = load().settings
    logs.set_up(settings.log.model_copy(update={"level": "warning"}) if settings.log.level == "info" else settings.log)
    if model:
        require_usable(settings, "images", model)
    if captions:
        require_usable(settings, "captions", captions)
    describer = make_describer(settings, labels=model, captions=captions)
    leave(asyncio.run(_describe(describer, paths, labels, settings, as_json)))


async def _describe(
    model: "ImageModel", paths: Sequence[Path], labels: int, settings: "Settings", as_json: bool
) -> int:
    from bot.picture_words import missing

    files = list(_files(paths))
    if not files:
        sys.stderr.write("There are no files to look at; hidden ones are left out.\n")
    at_once = min(_AT_ONCE, settings.images.queue)
    read, told = 0, set[str]()
    try:
        with progress("looking", len(files)) as advance:
            async for file, look in _looks(model, files, labels, settings.attachments.megabytes, at_once):
                read += look.description is not None
                _tell(file, look, labels, settings, as_json)
                advance()
                for sentence in missing([look]):
                    if sentence not in told:
                        told.add(sentence)
                        sys.stderr.write(f"Note: {sentence}\n")
    finally:
        await model.close()
    return 0 if read else 1


async def _looks(
    model: "ImageModel", files: Sequence[Path], labels: int, megabytes: int, at_once: int
) -> "AsyncIterator[tuple[Path, Look]]":
    """Look at some files side by side, and give what came of each in their order."""
    import asyncio
    from collections import deque

    waiting: deque[tuple[Path, asyncio.Task[Look]]] = deque()
    try:
        for file in files:
            waiting.append((file, asyncio.create_task(_look(model, file, labels, megabytes))))
            if len(waiting) == at_once:
                first, task = waiting.popleft()
                yield first, await task
        while waiting:
            first, task = waiting.popleft()
            yield first, await task
    finally:
        for _, task in waiting:
            task.cancel()


async def _look(model: "ImageModel", file: Path, labels: int, megabytes: int) -> "Look":
    import asyncio

    from bot.picture_words import Look
    from models.errors import ModelError
    from models.vision.files import content_of

    try:
        content = await asyncio.to_thread(content_of, file, megabytes)
        description = await model.describe(content, labels)
    except ModelError as error:
        return Look(file.name, refusal=error.message, fix=error.fix)
    return Look(file.name, description, description.caption or "")


def _files(paths: Sequence[Path]) -> Iterator[Path]:
    """Give the files that are named, and all in the folders that are."""
    from models.vision.files import files_in

    for path in paths:
        yield from files_in(path) if os.path.isdir(path) else (path,)  # noqa: PTH112 - that of a path may raise


def _tell(file: Path, look: "Look", labels: int, settings: "Settings", as_json: bool) -> None:
    from bot.picture_words import description_of, in_words

    if as_json:
        print_json({"path": str(file), **description_of(look)})
        return
    told = in_words([look], settings.images.threshold, labels)
    sys.stdout.write(f"{_printable(file)}\n")
    print_markdown(f"{told if sys.stdout.isatty() else _bare(told)}\n")


def _bare(text: str) -> str:
    """Give what `in_words` wrote without its marks, for a file or another program."""
    return re.sub(r"\\([^\w\s])|\*\*", r"\1", text)


def _printable(file: Path) -> str:
    """Give a path without the signs that would break its line, or that a terminal would obey."""
    return "".join(sign if sign.isprintable() else "�" for sign in str(file))

"""The capability that says what is in pictures."""

import asyncio
import contextlib
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import Any

import structlog

from bot.adapter import Adapter
from bot.attachments import fetch, name_of
from bot.errors import AttachmentError, NotSetUpError, PicturesUnavailableError
from bot.generators import IN_HOUSE
from bot.messages import Attachment, IncomingMessage, Place, Reply, Sight
from bot.picture_words import (
    Look,
    Seen,
    described_by,
    document,
    gist,
    gists,
    in_words,
    missing,
    refused,
    topic,
)
from bot.seen_pictures import SeenPictures, sight_of
from bot.settings.tree import ImageSettings, Looking
from models.errors import ModelError, PictureError
from models.generation import Generator
from models.generation.chain import Account
from models.vision import ImageDescription, ImageModel

log = structlog.get_logger(__name__)

UNASKED = "What is in this picture?"
"""The question of somebody who shows a picture without a word."""

_FILES_AT_ONCE = 8
"""Files held in memory side by side, of all messages."""

_WAKING_SECONDS = 120.0

_TRANSLATION_SECONDS = 10.0

_PREVIEW = 1_024
"""Longest edge, in pixels, of what is shown to a generator that sees."""

_SUFFIXES = frozenset(
    {".png", ".apng", ".jpg", ".jpeg", ".jpe", ".jfif", ".gif", ".webp", ".bmp", ".tif", ".tiff", ".avif", ".heic"}
    | {".heif"}
)

_ASKS_TO_DESCRIBE = re.compile(
    r"(please\s+|can you\s+|could you\s+)?(describe|caption|alt[- ]?text( for)?|what(['\u2019]s| is| does| do you)?"
    r"( see| is)?( in| on)?( shown( in| on)?)?)"
    r"(\s+(this|that|it|the|these|those|here|my)\b)?(\s+(picture|image|photo|pic|screenshot|file)s?)?"
    r"(\s+(show|here|please|about))?\s*[?.!]*",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Shown:
    """The pictures that came with a question.

    Attributes:
        looks: what came of looking at each.
        sights: how they are remembered.
        topic: what they show, in words to search by; may be empty.
        gist: the same in a sentence or two, as CommonMark.
        documents: the same for machines.
        previews: of each that could be looked at, what is said of it and itself, for generators that see; the latter
            is empty where none does.
    """

    looks: tuple[Look, ...]
    sights: tuple[Sight, ...]
    topic: str
    gist: str
    documents: list[dict[str, Any]]
    previews: tuple[tuple[str, bytes], ...]


class Describing:
    """The capability.

    Args:
        model: looks at pictures.
        seen: the pictures of before.
        adapter_of: gives the adapter of a platform.
        link: gives the address of a message in a place.
        settings: how it is done.
        megabytes: the largest file that is fetched, in MiB.
        translator: translates captions; None where none does.
        translates: whether it may do so in a place.
        sees: whether a generator in a place's chain is shown the pictures themselves.
    """

    def __init__(
        self,
        model: ImageModel,
        seen: SeenPictures,
        adapter_of: Callable[[str], Adapter],
        link: Callable[[Place, str], Awaitable[str]],
        settings: ImageSettings,
        megabytes: int,
        translator: Generator | None,
        translates: Callable[[Place], bool],
        sees: Callable[[Place], bool],
    ) -> None:
        self._model = model
        self._seen = seen
        self._adapter_of = adapter_of
        self._link = link
        self._settings = settings
        self._megabytes = megabytes
        self._translator = translator
        self._translates = translates
        self._sees = sees
        self._room = asyncio.Semaphore(_FILES_AT_ONCE)

    def is_asked(self, message: IncomingMessage) -> bool:
        """Whether a message asks for nothing but a description: by command, in words, or by showing without a word."""
        asks_no_more = is_wordless(message.text) or bool(_ASKS_TO_DESCRIBE.fullmatch(message.text))
        return asks_no_more and (message.command == "describe" or bool(self.pictures(message)))

    def pictures(self, message: IncomingMessage) -> tuple[Attachment, ...]:
        """Give the files of a message that may be pictures, where pictures are looked at.

        By command all are; else those that look like pictures from outside, or all where there are no words.
        """
        looking = looking_in(message.place, self._settings)
        asked = message.command == "describe" or bool(_ASKS_TO_DESCRIBE.fullmatch(message.text))
        if looking == "off" or (looking == "on request" and not asked):
            return ()
        if message.command == "describe" or is_wordless(message.text):
            return message.attachments
        return tuple(one for one in message.attachments if _looks_like_a_picture(one))

    def passed_over(self, message: IncomingMessage) -> str:
        """Say that the pictures of a question were not looked at, where they were not; empty where there are none."""
        if self.pictures(message) or not any(map(_looks_like_a_picture, message.attachments)):
            return ""
        return "I did not look at the picture: here I look at none, or only when I am asked to."

    def unseen(self, message: IncomingMessage) -> str:
        """Say that the pictures beside a description of symptoms were not looked at; empty where there are none."""
        if not any(map(_looks_like_a_picture, message.attachments)):
            return ""
        return "I did not look at the picture: symptoms I judge by words alone."

    def require_wanted(self, message: IncomingMessage) -> None:
        """See that there is something to describe, and that it may be described there.

        Raises:
            NotSetUpError: pictures are not looked at in that place, or only on request.
            AttachmentError: no file came.
        """
        looking = looking_in(message.place, self._settings)
        if looking == "off":
            raise NotSetUpError("I look at no pictures here.", "The settings images.looking and images.places say so.")
        adapter = self._adapter_of(message.place.platform)
        if not adapter.limits.files:
            raise AttachmentError("No files can be sent here.", "`preceptor describe PATH` looks at pictures.")
        if not message.attachments:
            raise AttachmentError(
                "I see no picture with your message.",
                'Send one in a message to me; beside it you may write a question, or "describe:".',
            )
        if not self.pictures(message):
            raise NotSetUpError(
                "I look at pictures here only when I am asked to.",
                f'Write "describe:" beside it, or use {adapter.spelled("describe")}.',
            )

    @property
    def waking(self) -> bool:
        """Whether a model has to be loaded first, which takes seconds."""
        return self._model.waking

    async def wake(self) -> None:
        """Wait until the models are loaded, or cannot be, but no longer than a slow machine needs."""
        with contextlib.suppress(TimeoutError, ModelError):
            async with asyncio.timeout(_WAKING_SECONDS):
                await self._model.ready()

    async def describe(self, message: IncomingMessage, account: Account, *, in_house: bool = False) -> Reply:
        """Say what is in the pictures of a message.

        Args:
            message: what they came with.
            account: on whose account captions are translated.
            in_house: whether only a generator on this machine may do so.

        Raises:
            NotSetUpError: pictures are not looked at in that place.
            AttachmentError: none came, or none could be looked at.
            PicturesUnavailableError: too many wait, or a model broke off.
        """
        self.require_wanted(message)
        looks, sights = await self._looks(message, account, 0, in_house)
        return self._told(message, looks, sights)

    async def show(self, message: IncomingMessage, account: Account, *, in_house: bool = False) -> Shown:
        """Look at the pictures that came with a question; takes and raises what `describe` does."""
        sees = self._sees(message.place)
        looks, sights = await self._looks(message, account, _PREVIEW if sees else 0, in_house)
        threshold = self._settings.threshold
        known = [look for look in looks if look.description]
        return Shown(
            tuple(looks),
            sights,
            " ".join(filter(None, (topic(look, threshold) for look in known))),
            gists(looks, threshold),
            self._documents(looks),
            tuple((gist(look, threshold), look.description.preview if look.description else b"") for look in known),
        )

    def unanswered(self, message: IncomingMessage, shown: Shown) -> Reply:
        """Tell what is in the pictures where nothing is known that would answer the question about them."""
        reply = self._told(message, shown.looks, shown.sights)
        return replace(reply, text=f"{reply.text}\n\nMy knowledge base has nothing that answers your question.")

    async def _looks(
        self, message: IncomingMessage, account: Account, preview: int, in_house: bool
    ) -> tuple[list[Look], tuple[Sight, ...]]:
        """Look at all pictures side by side, and give those that can be remembered as well."""
        files = self.pictures(message)
        if len(files) > self._settings.most:
            raise AttachmentError(
                f"These are {len(files)} files; I look at {self._settings.most} of one message at the most.",
                "Send fewer at once; the setting images.most holds the limit.",
            )
        found = await self._found(message, files, preview)
        if not any(look.description for look in found):
            raise AttachmentError(*refused(found), self._documents(found))
        language = self._language(message.place)
        may_leave = not in_house or self._settings.translator in IN_HOUSE
        if language and may_leave and self._translates(message.place):
            found = await asyncio.gather(*(self._translated(look, language, account) for look in found))
        return await self._recognised(message, found)

    async def _found(self, message: IncomingMessage, files: Sequence[Attachment], preview: int) -> list[Look]:
        looking = [asyncio.create_task(self._look(message, file, preview)) for file in files]
        try:
            return list(await asyncio.gather(*looking))
        except ModelError as error:
            raise PicturesUnavailableError(error.message, error.fix) from error
        finally:
            for task in looking:
                task.cancel()

    async def _look(self, message: IncomingMessage, file: Attachment, preview: int) -> Look:
        """Look at one file; one that cannot be looked at says why, and the others are described all the same."""
        name = name_of(file)
        try:
            async with self._room:
                content = await fetch(self._adapter_of(message.place.platform), file, self._megabytes)
                description = await self._model.describe(content, self._settings.labels, preview)
        except AttachmentError as error:
            return Look(name, refusal=error.sentence, fix=error.fix)
        except PictureError as error:
            return Look(name, refusal=error.message, fix=error.fix)
        return Look(name, description, description.caption or "")

    async def _translated(self, look: Look, language: str, account: Account) -> Look:
        """Translate a caption; where that fails it stays as it is, which its reader sees."""
        translator, name = self._translator, self._settings.translator
        if translator is None or not look.caption or not await account.allows(name):
            return look
        try:
            async with asyncio.timeout(_TRANSLATION_SECONDS):
                caption = await translator.translate(
                    look.caption, language, lambda usage: account.charge(name, translator.name, usage)
                )
        except (ModelError, TimeoutError) as error:
            log.warning("caption not translated", by=name, because=str(error))
            return look
        return replace(look, caption=caption)

    async def _recognised(
        self, message: IncomingMessage, looks: Sequence[Look]
    ) -> tuple[list[Look], tuple[Sight, ...]]:
        if not self._settings.seen_before:
            return list(looks), ()
        sights = [_sight(look.description) for look in looks]
        recognised = [
            replace(look, seen=await self._seen_before(message, sight)) if sight else look
            for look, sight in zip(looks, sights, strict=True)
        ]
        return recognised, tuple(filter(None, sights))

    async def _seen_before(self, message: IncomingMessage, sight: Sight) -> Seen | None:
        open_threads = self._adapter_of(message.place.platform).limits.open_threads
        found = await self._seen.earlier(message, sight, open_threads=open_threads)
        if found is None:
            return None
        return Seen(found.at, await self._link(found.place, found.shown_as) if found.shown_as else "")

    def _told(self, message: IncomingMessage, looks: Sequence[Look], sights: tuple[Sight, ...]) -> Reply:
        threshold = self._settings.threshold
        models = described_by(looks)
        looked = f"Looked at on this machine, by {' and '.join(models)}." if models else ""
        return Reply(
            in_words(looks, threshold, self._settings.labels),
            outcome="answered",
            note=" ".join(filter(None, (*missing(looks), looked))),
            question=message.text or UNASKED,
            confidence=max((one.labels[0].score for one in _known(looks) if one.labels), default=0.0),
            generator=models[0] if models else "",
            capability="picture",
            sights=sights,
            data={"pictures": self._documents(looks)},
        )

    def _documents(self, looks: Sequence[Look]) -> list[dict[str, Any]]:
        return [document(look, self._settings.threshold) for look in looks]

    def _language(self, place: Place) -> str:
        languages = self._settings.languages
        return next((languages[name] for name in place.names if name in languages), self._settings.language)


def looking_in(place: Place, settings: ImageSettings) -> Looking:
    """Give which pictures are looked at in a place."""
    return next((settings.places[name] for name in place.names if name in settings.places), settings.looking)


def is_wordless(text: str) -> bool:
    """Whether nothing is said: there is no text, or one of signs alone, such as an emoji."""
    return not any(character.isalnum() for character in text)


def _known(looks: Sequence[Look]) -> list[ImageDescription]:
    return [look.description for look in looks if look.description]


def _sight(description: ImageDescription | None) -> Sight | None:
    if description is None or description.embedding is None:
        return None
    return sight_of(description.embedding, description.labelled_by)


def _looks_like_a_picture(file: Attachment) -> bool:
    """Whether its name or what its platform says of it is a picture's; what it is its content tells later."""
    return file.media_type.startswith("image/") or PurePosixPath(file.name.lower()).suffix in _SUFFIXES

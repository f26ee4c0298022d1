"""Remembers pictures by their embeddings, and tells where one was shown before to those who may see it there."""

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, and_, or_, select

from bot.database import Database
from bot.delivery import question_key
from bot.messages import IncomingMessage, Place, Reply, Sight
from bot.tables import messages, pictures
from models.vision.contract import Embedding

_MOST = 5_000
"""Earlier pictures of a channel that one is compared with, the latest ones."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """Where and when a picture was shown before; `shown_as` is the platform's name of the message, or empty."""

    place: Place
    shown_as: str
    at: datetime


def sight_of(embedding: Embedding, model: str) -> Sight:
    """Give a picture as it is remembered.

    Args:
        embedding: L2-normalised, shaped [width].
        model: who made it; those of different models have nothing in common.
    """
    return Sight(model, base64.b64encode(embedding.astype("<f2").tobytes()).decode("ascii"))


class SeenPictures:
    """The pictures of places that keep what is said.

    Args:
        database: where they are kept.
        likeness: cosine from which on two count as the same, 0 to 1.
    """

    def __init__(self, database: Database, likeness: float) -> None:
        self._database = database
        self._likeness = likeness

    async def earlier(self, message: IncomingMessage, sight: Sight, *, open_threads: bool) -> Sighting | None:
        """Give where a picture was first shown, of the places that all who read the answer may see; None for nowhere.

        These are the message's own thread or channel, and the channel above its thread. What somebody showed the bot
        alone is told to that person alone, and only where the answer is for nobody else either. Another's question
        about the very same message tells of no other time.

        Args:
            message: what it came with now.
            sight: the picture.
            open_threads: whether all who see a channel see its threads, too.
        """
        embedding = _embedding(sight)
        if embedding is None:
            return None
        threads = () if open_threads else (pictures.c.thread.in_({"", message.place.thread}),)
        shown_to_all = pictures.c.is_private.is_(False)
        own = and_(pictures.c.is_private, pictures.c.person_id == message.person_id)
        query = (
            select(pictures)
            .join(messages, messages.c.id == pictures.c.message_id)
            .where(pictures.c.channel_id == message.place.channel_id, pictures.c.model == sight.model, *threads)
            .where(or_(shown_to_all, own) if is_private(message) else shown_to_all)
            # An edited message, or one that is answered again after a crash, has not shown its own pictures before.
            .where(messages.c.inbox_key.is_distinct_from(question_key(message)))
            .where(pictures.c.shown_as.not_in({message.about, message.message_id} - {""}))
            .order_by(pictures.c.at.desc(), pictures.c.number)
            .limit(_MOST)
        )
        return await self._database.read(lambda connection: self._first(connection, query, embedding))

    def _first(self, connection: Connection, query: Any, embedding: NDArray[np.float32]) -> Sighting | None:  # noqa: ANN401 - SQLAlchemy's select of a table has no better type
        rows = [row for row in connection.execute(query) if len(row.embedding) == 2 * len(embedding)]
        if not rows:
            return None
        kept = np.frombuffer(b"".join(row.embedding for row in rows), "<f2").reshape(len(rows), -1)
        alike = np.flatnonzero(kept.astype(np.float32) @ embedding >= self._likeness)
        if not len(alike):
            return None
        row = min((rows[one] for one in alike.tolist()), key=lambda row: row.at)
        return Sighting(Place.of_id(f"{row.channel_id}/{row.thread}"), row.shown_as, row.at)


def is_private(message: IncomingMessage) -> bool:
    """Whether nobody but the author is shown what a message brings, and the answer to it.

    A place without channels is everybody's, and nobody sees there what another one writes.
    """
    return message.private or not message.place.channel


def rows_of(message: IncomingMessage, reply: Reply, answer_id: int) -> list[dict[str, Any]]:
    """Give the rows that remember the pictures a reply tells of."""
    return [
        {
            "message_id": answer_id,
            "number": number,
            "person_id": message.person_id,
            "channel_id": message.place.channel_id,
            "thread": message.place.thread,
            "shown_as": message.about or message.message_id,
            "is_private": is_private(message) or reply.ephemeral,
            "model": sight.model,
            "embedding": base64.b64decode(sight.embedding),
            "at": message.received_at,
        }
        for number, sight in enumerate(reply.sights, start=1)
    ]


def _embedding(sight: Sight) -> NDArray[np.float32] | None:
    try:
        values = np.frombuffer(base64.b64decode(sight.embedding, validate=True), "<f2").astype(np.float32)
    except (binascii.Error, ValueError):
        return None
    return values if len(values) else None


def sights_of(embeddings: Sequence[tuple[Embedding | None, str]]) -> tuple[Sight, ...]:
    """Give what is remembered of some pictures, each with its model; those without an embedding are not."""
    return tuple(sight_of(embedding, model) for embedding, model in embeddings if embedding is not None)

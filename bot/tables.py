"""The database's tables. Names of people and places are the platforms' own, so that rows can be read by eye."""

from datetime import UTC, datetime

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    text,
)


class UtcDateTime(TypeDecorator[datetime]):
    """A moment in UTC; SQLite has no time zones, so they are taken off and put on here."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Convert to UTC and drop the zone."""
        return None if value is None else value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Say that it is UTC."""
        return None if value is None else value.replace(tzinfo=UTC)


metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

workspaces = Table(
    "workspaces",
    metadata,
    Column("id", String, primary_key=True),  # platform/workspace
    Column("platform", String, nullable=False),
    Column("external_id", String, nullable=False),
)

places = Table(
    "places",
    metadata,
    Column("id", String, primary_key=True),  # platform/workspace/channel/thread
    Column("workspace_id", ForeignKey("workspaces.id", ondelete="CASCADE"), nullable=False),
    Column("channel", String, nullable=False),
    Column("thread", String, nullable=False),
)

people = Table(
    "people",
    metadata,
    Column("id", String, primary_key=True),  # platform:id
    Column("platform", String, nullable=False),
    Column("external_id", String, nullable=False),
    Column("name", String, nullable=False),
)

conversations = Table(
    "conversations",
    metadata,
    Column("id", String, primary_key=True),
    Column("place_id", ForeignKey("places.id", ondelete="CASCADE"), nullable=False),
    Column("person_id", ForeignKey("people.id", ondelete="CASCADE"), nullable=False),
    Column("started_at", UtcDateTime, nullable=False),
    Column("last_at", UtcDateTime, nullable=False),
    Column("title", String, nullable=False, server_default=""),  # what its owner calls it; empty: its first question
    Index(None, "person_id", "place_id", "last_at"),
    Index(None, "place_id"),
)

messages = Table(
    "messages",
    metadata,
    Column("id", Integer, primary_key=True),  # grows with time: the order within a conversation
    Column("conversation_id", ForeignKey("conversations.id", ondelete="CASCADE"), nullable=False),
    Column("inbox_key", String),  # the event that it was asked with, or that it answers
    Column("role", String, CheckConstraint("role IN ('question', 'answer')", "role"), nullable=False),
    Column("text", Text, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("outcome", String),
    Column("generator", String),
    Column("confidence", Float),
    Column("elapsed_ms", Float),
    Column("capability", String, nullable=False, server_default="answer"),  # see bot.messages
    Index(None, "conversation_id"),
    Index(None, "inbox_key"),
    # Answers alone, with all that the statistics want of them.
    Index(
        "ix_messages_answers",
        "generator",
        "at",
        "conversation_id",
        "elapsed_ms",
        sqlite_where=text("generator IS NOT NULL"),
    ),
    Index("ix_messages_declined", "id", sqlite_where=text("outcome = 'declined'")),  # what could not be answered
)

citations = Table(
    "citations",
    metadata,
    Column("message_id", ForeignKey("messages.id", ondelete="CASCADE"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("title", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("location", Text, nullable=False),
    Column("url", Text, nullable=False),
    Column("score", Float, nullable=False),
)

pictures = Table(
    "pictures",
    metadata,
    Column("message_id", ForeignKey("messages.id", ondelete="CASCADE"), primary_key=True),  # the answer about it
    Column("number", Integer, primary_key=True),  # among the pictures of one message, from 1
    Column("person_id", String, nullable=False),  # who showed it
    Column("channel_id", String, nullable=False),  # platform/workspace/channel
    Column("thread", String, nullable=False),
    Column("shown_as", String, nullable=False),  # the platform's name of the message it came with; may be empty
    Column("is_private", Boolean, nullable=False),  # whether nobody but that person was shown it
    Column("model", String, nullable=False),  # whose embedding it is
    Column("embedding", LargeBinary, nullable=False),  # float16, little-endian
    Column("at", UtcDateTime, nullable=False),
    Index("ix_pictures_channel_id", "channel_id", "model", "at"),
)

feedback = Table(
    "feedback",
    metadata,
    Column("message_id", ForeignKey("messages.id", ondelete="CASCADE"), primary_key=True),  # the answer
    Column("person_id", String, primary_key=True),  # who judged it: not always who had asked
    Column("verdict", Integer, CheckConstraint("verdict IN (-1, 1)", "verdict"), nullable=False),
    Column("comment", Text, nullable=False, server_default=""),  # in the person's own words
    Column("at", UtcDateTime, nullable=False),
    Index(None, "person_id"),
)

escalations = Table(
    "escalations",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("message_id", ForeignKey("messages.id", ondelete="CASCADE"), nullable=False, unique=True),  # the answer
    Column("inbox_key", String, nullable=False),  # the event that asked for a person: its reply called them
    Column("person_id", String, nullable=False),  # who asked for one
    Column("asked_at", UtcDateTime, nullable=False),
    Column("solved_at", UtcDateTime),  # while it is empty the conversation waits
    Column("solved_by", String),
    Index(None, "inbox_key"),
    Index(None, "person_id"),
)

channel_people = Table(
    "channel_people",
    metadata,
    Column("channel_id", String, primary_key=True),  # platform/workspace/channel
    Column("mention", String, primary_key=True),  # user:ID, role:ID or group:ID: who is called when a person is wanted
)

kept_values = Table(
    "kept_values",
    metadata,
    Column("name", String, primary_key=True),  # platform/name
    Column("value", Text, nullable=False),
)

generation_usage = Table(
    "generation_usage",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("day", String, nullable=False),  # UTC, as 2026-03-14: budgets are a day's
    Column("at", UtcDateTime, nullable=False),
    Column("workspace_id", String, nullable=False),
    Column("conversation_id", String, nullable=False),  # emptied when the conversation is forgotten
    Column("generator", String, nullable=False),  # its name in the settings
    Column("model", String, nullable=False),
    Column("input_tokens", Integer, nullable=False),
    Column("output_tokens", Integer, nullable=False),
    Column("cost", Float, nullable=False),
    Index(None, "generator", "day"),
    Index(None, "conversation_id"),
)

inbox = Table(
    "inbox",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("key", String, nullable=False, unique=True),
    Column("platform", String, nullable=False),
    Column("person_id", String, nullable=False),
    Column("place_id", String, nullable=False, server_default=""),
    Column("message_id", String, nullable=False, server_default=""),  # the platform's name for it, to refer to
    Column("payload", Text),  # the message; emptied when it is answered, so that its text is kept once
    Column("received_at", UtcDateTime, nullable=False),
    Column("is_open", Boolean, nullable=False),
    Column("outcome", String),
    Column("lane", String, nullable=False, server_default=""),  # what it keeps its order with: see bot.dispatcher
    Column("claimed_by", String, nullable=False, server_default=""),  # the process that answers it: see bot.leases
    Index("ix_inbox_open_lane", "lane", sqlite_where=text("is_open")),
    Index("ix_inbox_open_claimed_by", "claimed_by", sqlite_where=text("is_open")),
    Index("ix_inbox_open_person_id", "person_id", sqlite_where=text("is_open")),
    Index(None, "received_at"),
    Index(None, "place_id"),
    Index(None, "person_id"),
    Index(None, "platform", "outcome", "received_at"),  # for the statistics
)

outbox = Table(
    "outbox",
    metadata,
    Column("idempotency_key", String, primary_key=True),
    Column("inbox_key", ForeignKey("inbox.key", ondelete="CASCADE"), nullable=False),
    Column("answers", String),  # the inbox key of what it answers: for an edited question, that of the first form
    Column("part", Integer, nullable=False, server_default="0"),
    Column("payload", Text),  # the part; emptied when it is sent, and empty while the answer still grows
    Column("sent_id", String),  # the platform's name for what stands there; where it is not sent yet, it is edited
    Column("is_sent", Boolean, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Index(None, "inbox_key"),
    Index(None, "answers"),
    Index(None, "sent_id"),
    Index(None, "is_sent"),
)

undelivered = Table(
    "undelivered",
    metadata,
    Column("inbox_key", ForeignKey("inbox.key", ondelete="CASCADE"), primary_key=True),  # whose reply was given up
    Column("since", UtcDateTime, nullable=False),
    Column("reason", String, nullable=False),
    Column("retried_at", UtcDateTime),  # when an admin had it tried again; then it has that long anew
)

pruned_events = Table(
    "pruned_events",
    metadata,
    Column("platform", String, primary_key=True),
    Column("outcome", String, primary_key=True),
    Column("number", Integer, nullable=False),  # of events that are not in the inbox any more
)

postings = Table(
    "postings",
    metadata,
    Column("message_id", ForeignKey("messages.id", ondelete="CASCADE"), primary_key=True),  # the answer
    Column("command", String, primary_key=True),  # by which its asker posted it, or a part of it, for everybody
    Column("inbox_key", String, nullable=False),
)

processes = Table(
    "processes",
    metadata,
    Column("id", String, primary_key=True),
    Column("leased_until", Float, nullable=False),  # seconds of the machine's monotonic clock: see bot.leases
    Column("started_at", UtcDateTime, nullable=False),
)

access_rules = Table(
    "access_rules",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("effect", String, CheckConstraint("effect IN ('allow', 'deny')", "effect"), nullable=False),
    Column("who", String, nullable=False),  # empty: everybody
    Column("place", String, nullable=False),  # empty: everywhere
    Column("command", String, nullable=False),  # empty: everything that is neither for admins nor one's own
    Column("by", String, nullable=False),  # who made the rule
    Column("at", UtcDateTime, nullable=False),
    sqlite_autoincrement=True,  # who takes back a rule by its number must not hit a newer one
)

pairing_codes = Table(
    "pairing_codes",
    metadata,
    Column("digest", String, primary_key=True),  # SHA-256 of the code
    Column("platform", String, nullable=False),
    Column("by", String, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
)

paired_people = Table(
    "paired_people",
    metadata,
    Column("person_id", String, primary_key=True),
    Column("by", String, nullable=False),  # who had made the code
    Column("at", UtcDateTime, nullable=False),
)

audit = Table(
    "audit",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at", UtcDateTime, nullable=False),
    Column("person_id", String, nullable=False),  # emptied when the person is forgotten
    Column("place_id", String, nullable=False),
    Column("action", String, nullable=False),
    Column("argument", Text, nullable=False),  # what was typed behind it; see Audit.forget_statements
    Column("outcome", String, nullable=False),
    Index(None, "at"),
    Index(None, "person_id"),
)

sessions = Table(
    "sessions",
    metadata,
    Column("digest", String, primary_key=True),  # SHA-256 of the token, in hexadecimal
    Column("key_digest", String, nullable=False),  # SHA-256 of the key that opened it; empty for a guest's
    Column("person", String, nullable=False),  # the author's id over HTTP
    Column("expires_at", UtcDateTime, nullable=False),
    Index(None, "expires_at"),
    sqlite_with_rowid=False,
)

rate_limits = Table(
    "rate_limits",
    metadata,
    Column("name", String, primary_key=True),  # channel or workspace by its id, a person by a digest: see bot.limits
    Column("full_again_at", Float, nullable=False),  # Unix seconds
    sqlite_with_rowid=False,
)

place_settings = Table(
    "place_settings",
    metadata,
    Column("place", String, primary_key=True),  # one of bot.messages.Place.names
    Column("name", String, primary_key=True),
    Column("value", String, nullable=False),
    Column("by", String, nullable=False),
    Column("at", UtcDateTime, nullable=False),
)

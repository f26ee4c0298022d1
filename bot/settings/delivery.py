"""The settings of delivery: how much is done at once, how long it is tried, and what of it is remembered."""

from pydantic import Field

from bot.settings.section import ChannelName, Positive, Section


class DispatchSettings(Section):
    """How much is done at once."""

    workers: Positive = Field(32, description="Conversations answered side by side.")
    queue: Positive = Field(1_000, description="Messages that may wait; beyond it the asker is told at once.")
    channel_queue: Positive = Field(100, description="Messages of one channel that may wait.")
    inference_threads: Positive = Field(
        1, description="Threads that search and infer; Python code runs in one at a time, so more help models only."
    )
    retry_seconds: float = Field(
        60.0, gt=0, le=3600, description="How long after a failed delivery it is tried again; then ever more rarely."
    )
    shutdown_seconds: float = Field(10.0, gt=0, le=300, description="How long a stop waits for what is being answered.")
    lease_seconds: float = Field(
        15.0, ge=1, le=600, description="How long a process may be silent before another one takes up what it left."
    )


class DeliverySettings(Section):
    """How long a reply is tried to be brought, and how long what came in is remembered."""

    finish_hours: float = Field(
        24.0, gt=0, description="What was asked before a stop is answered after it, if no older; else apologised for."
    )
    deadline_hours: float = Field(
        24.0, gt=0, description="How long after the question its reply is tried to be sent; then it is given up."
    )
    undelivered_days: Positive = Field(
        7, description="How long a reply that was given up is kept for `preceptor delivery retry`."
    )
    keys_days: int = Field(
        14,
        ge=7,
        description="How long an event's key is kept, by which its repeats are known; platforms repeat for hours.",
    )


class CatchUpSettings(Section):
    """Messages that were missed while the bot was down, and are looked up after a start."""

    minutes: int = Field(60, ge=0, le=1_440, description="The oldest message that is still answered; 0: none is.")
    messages: Positive = Field(50, le=1_000, description="The most that are read in one channel.")
    channels: tuple[ChannelName, ...] = Field(
        (),
        description="Channels that are looked through besides those where something was asked within a week, as"
        " discord/81384788765712384/381870553235193857.",
    )

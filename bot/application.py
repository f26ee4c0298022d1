"""Wires the rooms together and runs them: settings in, a bot that answers out."""

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from importlib.metadata import entry_points
from typing import cast

import structlog

from bot import database_file, tracing
from bot.about import About
from bot.access import Access
from bot.adapter import Adapter, AdapterSetup
from bot.admin_commands import Parts, admin_commands
from bot.answering import Answering
from bot.asking import Asking
from bot.audit import Audit
from bot.channel_people import ChannelPeople
from bot.choices import Choices
from bot.classifiers import is_heavy, make_diagnoser
from bot.cleaning_jobs import cleaning
from bot.commands import Command, Commands
from bot.conversation_desk import ConversationDesk
from bot.conversation_list import ConversationList
from bot.conversations import Conversations
from bot.database import Database
from bot.describers import make_describer
from bot.describing import Describing
from bot.diagnosing import Diagnosing
from bot.dispatcher import Dispatcher
from bot.errors import AdapterError
from bot.escalations import Escalations
from bot.export import Export
from bot.feedback import Feedback
from bot.forgetting import Forgetting
from bot.generators import budgets, expected, make_chain, make_translator, order, seeing, translates, warmed_up
from bot.knowledge_desk import KnowledgeDesk, knowledge_base
from bot.library_desk import library_desk
from bot.limits import Limits
from bot.live_figures import LiveFigures, LiveSources
from bot.log_counts import counted
from bot.loop_lag import LoopLag
from bot.messages import IncomingMessage, Place
from bot.metrics import Metrics
from bot.personal_data import PersonalData
from bot.place_settings import PlaceSettings
from bot.postings import Postings
from bot.process_figures import ProcessFigures
from bot.records import PlatformRecords
from bot.schedule import nightly
from bot.seen_pictures import SeenPictures
from bot.settings import Settings
from bot.settings.section import FrontDoor
from bot.stages import Stages
from bot.usage import UsageLedger
from models.errors import ModelError
from models.watching import watched_by

log = structlog.get_logger(__name__)

_PROBLEMS_LOGGED = 3

_ADAPTERS = "preceptor.adapters"
"""The entry-point group in which front doors are found by name."""


def front_doors(settings: Settings) -> list[str]:
    """Name the adapters that are switched on: every `FrontDoor` of the settings is the section of one."""
    sections = {name: getattr(settings, name) for name in type(settings).model_fields}
    doors = {name: one for name, one in sections.items() if isinstance(one, FrontDoor) and one.enabled}
    return [name for name, one in doors.items() if not one.through or one.through in doors]


class Application:
    """One running Preceptor. Use `running` to start and stop it."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._threads = ThreadPoolExecutor(settings.dispatch.inference_threads, thread_name_prefix="inference")
        self._database = Database(
            settings.database_file,
            synchronous=settings.database.synchronous,
            busy_seconds=settings.database.busy_seconds,
        )
        self.metrics = Metrics()
        self._stages = Stages(self.metrics)
        self.knowledge = knowledge_base(settings, self._stages.reloaded)
        self.place_settings = PlaceSettings(self._database, settings)
        self.cleaning = cleaning(self._database, settings, self.place_settings)
        conversations = Conversations(self._database, timedelta(minutes=settings.conversations.idle_minutes))
        self._reading_thread = ThreadPoolExecutor(1, thread_name_prefix="knowledge")
        self._desk = KnowledgeDesk(self.knowledge, self._reading_thread)
        self._library = library_desk(settings, self.knowledge, self._desk)
        self._chain = make_chain(settings, self._threads, self.metrics.attempted)
        self._diagnoser = make_diagnoser(settings)
        self._describer = make_describer(settings)
        self._translator = make_translator(settings, self._threads, self._chain)
        self._usage = UsageLedger(self._database, budgets(settings), expected(settings), self.metrics.charged)
        self._loop_lag = LoopLag(self.metrics.lagged)
        self._adapters: dict[str, Adapter] = {}
        self.access = Access(settings.access, self._database, self._roles, self._spelled)
        self.dispatcher = Dispatcher(
            settings,
            self._database,
            conversations,
            self._commands(conversations),
            Asking(
                settings,
                conversations,
                Answering(
                    self.knowledge,
                    self._chain,
                    order(settings),
                    settings.answers,
                    self._threads,
                    seeing(settings),
                    self._stages,
                ),
                Diagnosing(self._diagnoser, settings.diagnosis),
                self._describing(),
                self._usage,
                self.place_settings,
                self.access,
                self._stages,
            ),
            self.access,
            Limits(settings.limits, self.access.is_admin),
            self._stages,
        )
        live = LiveFigures(self._database, self._live_sources())
        self.metrics.show_live(live, live.refresh)
        self._waiting_for = "the database"

    def _live_sources(self) -> LiveSources:
        return LiveSources(
            self._adapters,
            self._chain.states,
            answering=lambda: self.dispatcher.line.taken,
            passages=lambda: self.knowledge.passages,
        )

    def _describing(self) -> Describing:
        images, names, in_order = self._settings.images, seeing(self._settings), order(self._settings)
        return Describing(
            self._describer,
            SeenPictures(self._database, images.likeness),
            self._adapters.__getitem__,
            self._link,
            images,
            self._settings.attachments.megabytes,
            self._translator,
            translates(self._settings),
            lambda place: bool(names.intersection(in_order(place))),
        )

    def _commands(self, conversations: Conversations) -> Commands:
        access, people = self.access, ChannelPeople(self._database)
        escalations = Escalations(self._database, people, access, self._link)
        feedback = Feedback(self._database, escalations.buttons)
        postings = Postings(self._database, conversations)
        personal = self._personal_data(conversations, access)
        talks = ConversationDesk(ConversationList(self._database), conversations, feedback)
        others = (
            Command("forget", "Delete what you asked and what I answered.", personal.forget),
            Command("export", "Give you all I keep about you.", personal.export),
            *admin_commands(self._parts(people)),
            Command("share", "", postings.share),
            Command("alt_text", "", postings.alt_text),
            Command("feedback", "", feedback.give),
            Command("about", "", self._about().tell),
            Command("conversations", "", talks.list),
            Command("conversation", "", talks.show),
            Command("rename", "", talks.rename),
            Command("person", "", escalations.ask),
            Command("solved", "", escalations.solve),
            *self._library.commands(),
        )
        return Commands(access, conversations, self._desk, others, escalations.buttons, self._spelled)

    def _parts(self, people: ChannelPeople) -> Parts:
        return Parts(
            self._settings,
            self._database,
            self.access,
            people,
            self.place_settings,
            ProcessFigures(self._chain, self._usage, self._loop_lag, self.cleaning),
            self._diagnoser,
            self._describer,
            self._adapters,
            answering=lambda: self.dispatcher.line.taken,
        )

    def _about(self) -> About:
        settings, threads = self._settings, self._threads
        choices = Choices(self.knowledge, order(settings), threads)
        return About(settings, self.access, self.place_settings, choices, self.knowledge, threads)

    def _personal_data(self, conversations: Conversations, access: Access) -> PersonalData:
        return PersonalData(
            Forgetting(self._database, Audit.forget_statements),
            Export(self._database, self._library.kept_of),
            conversations,
            access,
            Audit(self._database, self._settings.access.audit_days),
            self._spelled,
            self._library.forget,
        )

    async def _roles(self, message: IncomingMessage) -> frozenset[str]:
        return await self._adapters[message.place.platform].roles(message)

    def _spelled(self, place: Place, command: str) -> str:
        return self._adapters[place.platform].spelled(command)

    async def _link(self, place: Place, message_id: str) -> str:
        try:
            return await self._adapters[place.platform].link(place, message_id)
        # Whatever keeps a platform from telling an address, the message goes out without it.
        except Exception:
            log.warning("address not known", platform=place.platform, exc_info=True)
            return ""

    def ready(self) -> str:
        """Say what is still waited for before questions are answered; empty when nothing is."""
        return self._waiting_for

    def adapter(self, name: str, **options: object) -> Adapter:
        """Make the front door of that name.

        Raises:
            AdapterError: none is installed under that name.
        """
        found = entry_points(group=_ADAPTERS, name=name)
        if not found:
            raise AdapterError(f"There is no adapter named {name}.", "Install Preceptor anew: `make run`.")
        make = cast("Callable[[AdapterSetup], Adapter]", next(iter(found)).load())
        records = PlatformRecords(name, self._database, self.knowledge, self._threads, self.access)
        return make(
            AdapterSetup(
                self._settings,
                self.dispatcher.inquire,
                self.ready,
                options,
                records,
                self._webhooks,
                self._addresses,
                self.metrics,
            )
        )

    def _webhooks(self) -> dict[str, object]:
        return {path: app for adapter in self._adapters.values() for path, app in adapter.webhooks.items()}

    def _addresses(self) -> dict[str, str]:
        return {name: adapter.address for name, adapter in self._adapters.items() if adapter.address}

    @contextlib.asynccontextmanager
    async def running(self, adapters: Sequence[Adapter], *, stays: bool = False) -> AsyncIterator[None]:
        """Start everything, and stop it in the reverse order; the body runs in between.

        Where it `stays`, for days, what is kept no longer is deleted every night.

        Raises:
            PreceptorError: something could not be started; what had been is stopped again.
        """
        async with contextlib.AsyncExitStack() as stack:
            for threads in (self._threads, self._reading_thread):
                stack.callback(threads.shutdown, wait=False, cancel_futures=True)
            stack.enter_context(counted(self.metrics.logged))
            stack.enter_context(watched_by(self.metrics))
            await stack.enter_async_context(tracing.written(self._stages))
            copy = await asyncio.to_thread(database_file.upgrade, self._settings.database_file)
            if copy:
                log.info("database upgraded", backup=str(copy))
            await self._database.open()
            stack.push_async_callback(self._database.close)
            await self.place_settings.load()
            stack.push_async_callback(_ended, asyncio.create_task(self.place_settings.follow(), name="places"))
            stack.push_async_callback(self._usage.written)
            stack.push_async_callback(self._chain.close)
            stack.push_async_callback(self._diagnoser.close)
            stack.push_async_callback(self._describer.close)
            if self._translator:
                stack.push_async_callback(self._translator.close)
            stack.push_async_callback(_ended, asyncio.create_task(self._loop_lag.measure(), name="loop lag"))
            self._adapters |= {adapter.name: adapter for adapter in adapters}
            self.dispatcher.connect(self._adapters)
            await self.dispatcher.join()
            stack.push_async_callback(self.dispatcher.leave)
            self._waiting_for = "the knowledge base"
            for adapter in adapters:
                await adapter.start(self.dispatcher.accept)
                stack.push_async_callback(adapter.stop)
            stack.push_async_callback(self.dispatcher.drain)
            await self._open_knowledge()
            stack.push_async_callback(_ended, asyncio.create_task(self._desk.follow(), name="index"))
            await self.dispatcher.open()
            if stays:
                await stack.enter_async_context(nightly(self.cleaning, self._settings.privacy.cleaning_hour))
            self._waiting_for = ""
            warming = asyncio.create_task(self._warm_up(), name="warming up")
            stack.push_async_callback(_ended, warming)
            try:
                yield
            finally:
                self._waiting_for = "the end: it is stopping"

    async def _warm_up(self) -> None:
        await self._chain.warm_up(warmed_up(self._settings))
        if self._settings.diagnosis.enabled and is_heavy(self._settings):
            # Where it cannot be loaded the floor is; where that cannot either, whoever needs it hears why.
            with contextlib.suppress(ModelError):
                await self._diagnoser.ready()
        if self._settings.images.warm_up:
            await self._describer.ready()

    async def _open_knowledge(self) -> None:
        report = await self._desk.open()
        if report.rebuilt_because:
            log.info(
                "knowledge base built",
                because=report.rebuilt_because,
                passages=report.passages,
                files=report.files,
                elapsed_ms=round(report.elapsed_ms),
            )
        for problem in report.problems[:_PROBLEMS_LOGGED]:
            log.warning("knowledge problem", problem=str(problem))
        if len(report.problems) > _PROBLEMS_LOGGED:
            log.warning("more knowledge problems", number=len(report.problems), see="preceptor knowledge check PATH")

    async def run(
        self,
        adapters: Sequence[Adapter],
        when_ready: Callable[[], None] = lambda: None,
        interrupted: int = 0,
        *,
        stays: bool = False,
    ) -> int:
        """Run until a front door closes by itself, and give its exit status; `interrupted` after SIGINT or SIGTERM."""
        async with stopped_by_signals(), self.running(adapters, stays=stays):
            when_ready()
            return await _first_closed(adapters)
        log.info("stopped")
        return interrupted


@contextlib.asynccontextmanager
async def stopped_by_signals() -> AsyncIterator[None]:
    """Leave the body, cleanly, when SIGINT or SIGTERM arrives; a second one ends the process as ever."""
    loop, body = asyncio.get_running_loop(), asyncio.current_task()
    asked = False

    def _stop() -> None:
        nonlocal asked
        asked = True
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)
        if body is not None:
            body.cancel()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, _stop)
    try:
        yield
    except asyncio.CancelledError:
        if not asked:
            raise
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)


async def _ended(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def _first_closed(adapters: Sequence[Adapter]) -> int:
    """Wait for the first door to close; its owner's stop ends the others."""
    waiting = [asyncio.create_task(adapter.closed()) for adapter in adapters]
    try:
        done, _ = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        return max(task.result() for task in done)
    finally:
        for task in waiting:
            task.cancel()

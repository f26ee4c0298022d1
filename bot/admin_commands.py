"""The commands for admins, and how somebody pairs with them: those of the chats, and those that only the API has."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

from bot import loaded_models
from bot.access import Access
from bot.access_changes import AccessChanges
from bot.adapter import Adapter
from bot.audit import Audit
from bot.channel_people import ChannelPeople
from bot.commands import Command
from bot.database import Database
from bot.known_people import KnownPeople
from bot.messages import IncomingMessage
from bot.pairing import Pairing
from bot.place_settings import PlaceSettings
from bot.place_settings_desk import PlaceSettingsDesk
from bot.places_desk import PlacesDesk
from bot.process_figures import ProcessFigures
from bot.questions import Questions
from bot.reports import Reports
from bot.retention import Retention
from bot.settings import Settings
from bot.statistics import Statistics
from bot.status import Sources, Status
from bot.undelivered import Undelivered, UndeliveredDesk
from models.diagnosis.diagnosing import Diagnoser
from models.vision.describing import Describer


@dataclass(frozen=True, slots=True)
class Parts:
    """What the commands are made of.

    Attributes:
        settings: all of them.
        database: the one in use.
        access: who may do what.
        people: who is called where a person is wanted.
        places: what holds where.
        figures: tells of the process: the loop's lag, the generators' states, the last cleaning.
        diagnoser: judges symptoms.
        describer: looks at pictures.
        adapters: the front doors by name.
        answering: says how many messages are answered now.
    """

    settings: Settings
    database: Database
    access: Access
    people: ChannelPeople
    places: PlaceSettings
    figures: ProcessFigures
    diagnoser: Diagnoser
    describer: Describer
    adapters: Mapping[str, Adapter]
    answering: Callable[[], int]


def admin_commands(parts: Parts) -> tuple[Command, ...]:
    """Make the commands."""
    since = datetime.now(UTC)
    statistics = Statistics(parts.database, since, parts.figures.of)
    settings = PlaceSettingsDesk(parts.places, parts.access)
    delivery = UndeliveredDesk(Undelivered(parts.database), parts.access)
    pairing = Pairing(parts.database, parts.access)
    rules = AccessChanges(parts.access, pairing, Audit(parts.database, parts.settings.access.audit_days))
    called = "Who is called here when somebody asks for a person."
    return (
        Command("stats", "How I am doing.", statistics.tell, admin=True),
        Command("settings", "What holds here.", settings.show_or_set, admin=True),
        Command("delivery", "Replies that could not be delivered.", delivery.show_or_retry, admin=True),
        Command("people", called, parts.people.show_or_set, admin=True),
        Command("pair", "Write to me directly: with a code that an admin gave you.", pairing.pair),
        Command("access", "Who may do what, and where.", rules.show_or_change, admin=True),
        Command("audit", "Who used the admins' commands.", rules.tell_audit, admin=True),
        Command("statistics", "", statistics.tell_days, admin=True, is_noted=_never),
        Command("undelivered", "", delivery.show, admin=True, is_noted=_never),
        Command("rules", "", rules.tell_rules, admin=True, is_noted=_never),
        Command("uses", "", rules.tell_audit, admin=True, is_noted=_never),
        *_of_pages(parts, since),
    )


def _of_pages(parts: Parts, since: datetime) -> tuple[Command, ...]:
    status = Status(parts.database, parts.settings.data_directory, since, _sources(parts))
    reports = Reports(parts.settings.reports_directory, parts.settings.models_directory)
    hour = parts.settings.privacy.cleaning_hour
    places = PlacesDesk(
        parts.places, parts.access, parts.figures.cleaning, Retention(parts.database, parts.places), hour
    )
    return (
        Command("status", "", status.tell, admin=True, is_noted=_never),
        Command("questions", "", Questions(parts.database).tell, admin=True),
        Command("known_people", "", KnownPeople(parts.database, parts.access).tell, admin=True),
        Command("places", "", places.tell_places, admin=True, is_noted=_never),
        Command("set_place", "", places.set_place, admin=True),
        Command("retention", "", places.tell_retention, admin=True, is_noted=_never),
        Command("clean", "", places.clean, admin=True),
        Command("reports", "", reports.tell, admin=True, is_noted=_never),
        Command("report", "", reports.find, admin=True, is_noted=_never),
    )


def _sources(parts: Parts) -> Sources:
    return Sources(
        parts.adapters,
        parts.figures.of,
        parts.answering,
        partial(loaded_models.models, parts.settings, parts.figures.chain, parts.diagnoser, parts.describer),
        partial(loaded_models.generators, parts.settings),
    )


def _never(message: IncomingMessage) -> bool:
    """Say that the audit is spared: a page looks again and again, at nothing that people said."""
    return False

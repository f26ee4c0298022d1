"""The library for admins: files handed in, looked at beforehand and taken back; answers taught; a search explained."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from functools import partial
from typing import Any

from bot.commands import Command
from bot.errors import KnowledgeUnavailableError, LibraryRefusedError, NotInLibraryError
from bot.knowledge_desk import KnowledgeDesk, library, report_in_words, what_is_read
from bot.messages import IncomingMessage, Reply
from bot.question_text import clean
from bot.reload_progress import watching
from bot.settings import Settings
from bot.staging import Staging
from knowledge import Hit, KnowledgeBase, KnowledgeError, KnowledgeOptions, Library
from knowledge.errors import LibraryRefusedError as Refused
from knowledge.errors import NothingToLoadError
from knowledge.index.matching import matched
from knowledge.library import Edit
from knowledge.library.answers import answer_id
from knowledge.library.preview import preview
from knowledge.reports import FileReport, ReloadReport, Watch

__all__ = ["LibraryDesk", "answer_id", "library_desk"]

_MOST_HITS = 50


class LibraryDesk:
    """Does what its commands say; every change reloads the knowledge base, or is taken back.

    Args:
        library: what is changed.
        knowledge: what reads it.
        desk: has the thread in which all of that happens.
        staging: where files that are handed in lie meanwhile.
        options: how passages are made.
        threshold: the confidence below which the bot declines, where the settings give one.
    """

    def __init__(
        self,
        library: Library,
        knowledge: KnowledgeBase,
        desk: KnowledgeDesk,
        staging: Staging,
        options: KnowledgeOptions,
        threshold: float | None,
    ) -> None:
        self._library = library
        self._knowledge = knowledge
        self._desk = desk
        self._staging = staging
        self._options = options
        self._threshold = threshold
        self._deeds: Mapping[str, Callable[[IncomingMessage, str, Watch], Mapping[str, Any]]] = {
            "": self._files,
            "may": lambda message, rest, watch: {},
            "versions": self._versions,
            "preview": self._preview,
            "add": self._add,
            "delete": self._delete,
            "undo": self._undo,
        }

    def commands(self) -> tuple[Command, ...]:
        """Give the commands, which nobody types: pages send them."""
        return (
            Command("library", "", self.keep, admin=True, is_noted=_changes),
            Command("teach", "", self.teach, admin=True, is_noted=_changes),
            Command("explain", "", self.explain, admin=True, is_noted=lambda _: False),
        )

    async def keep(self, message: IncomingMessage) -> Reply:
        """Show the files (no words) or the `versions`; `preview` or `add` what came along; `delete NAME`; `undo [ID]`.

        Raises:
            LibraryRefusedError: what was handed in cannot be taken.
            NotInLibraryError: there is no such thing in it.
            KnowledgeUnavailableError: the knowledge base cannot be loaded so; the library is as it was.
        """
        word, _, rest = message.text.partition(" ")
        deed = self._deeds.get(word)
        if deed is None:
            raise LibraryRefusedError("That is nothing to do with the library.", "GET /docs shows what there is.")
        return await self._reply(partial(deed, message, rest, watching()))

    async def teach(self, message: IncomingMessage) -> Reply:
        """Show the taught answers (no words), `add ID` one of the form, or `delete ID`. Raises what `keep` does."""
        word, _, rest = message.text.partition(" ")
        if not word:
            return await self._reply(lambda: {"answers": [asdict(one) for one in self._library.answers()]})
        return await self._reply(partial(self._teach, message, word, rest, watching()))

    async def explain(self, message: IncomingMessage) -> Reply:
        """Search for `q` of the form, and say why what is found stands where it does.

        Raises:
            KnowledgeUnavailableError: it cannot be searched.
        """
        question, limit = clean(message.form.get("q", "")), int(message.form.get("limit", "10"))
        return await self._reply(partial(self._found, question, min(limit, _MOST_HITS)))

    async def forget(self, person_id: str) -> None:
        """Take a person's id out of the versions that they made.

        Raises:
            KnowledgeUnavailableError: the library's folder cannot be written.
        """
        await self._desk.off_the_loop(lambda: self._library.forget(person_id))

    async def kept_of(self, person_id: str) -> Mapping[str, Any]:
        """Give what the versions tell of a person. Raises what `forget` does."""
        versions = await self._desk.off_the_loop(self._library.versions)
        theirs = [{"at": one.at, "action": one.action} for one in reversed(versions) if one.by == person_id]
        return {"library_changes": theirs} if theirs else {}

    async def _reply(self, work: Callable[[], Mapping[str, Any]]) -> Reply:
        data = await self._desk.off_the_loop(work)
        return Reply(str(data.get("text", "")), ephemeral=True, data={**data})

    def _files(self, message: IncomingMessage, rest: str, watch: Watch) -> Mapping[str, Any]:
        changed = {file.name: file.changed_at for file in self._library.files()}
        read = self._knowledge.files()
        files = [_described(file, changed.get(file.name, "")) for file in read]
        told = {problem for file in read for problem in file.problems}
        problems = [asdict(one) for one in self._knowledge.problems() if one not in told]
        return {"files": files, "version": self._knowledge.statistics().version, "problems": problems}

    def _versions(self, message: IncomingMessage, rest: str, watch: Watch) -> Mapping[str, Any]:
        return {"versions": [asdict(version) for version in self._library.versions()]}

    def _preview(self, message: IncomingMessage, rest: str, watch: Watch) -> Mapping[str, Any]:
        files = self._staging.files(message.attachments)
        there = {file.name: file.path for file in self._library.files()}
        # Names that would be refused are refused here, too.
        self._library.adding(files).make(there, self._library.path)
        return asdict(preview(files, there, self._options))

    def _add(self, message: IncomingMessage, rest: str, watch: Watch) -> Mapping[str, Any]:
        return self._changed(self._library.adding(self._staging.files(message.attachments)), message, watch)

    def _delete(self, message: IncomingMessage, rest: str, watch: Watch) -> Mapping[str, Any]:
        if rest in {file.name for file in self._knowledge.files()} - {file.name for file in self._library.files()}:
            raise LibraryRefusedError(
                "That file is not in the library, but in a source that the settings name.",
                "Delete it where it lies, then reload.",
            )
        return self._changed(self._library.deleting(rest), message, watch)

    def _undo(self, message: IncomingMessage, rest: str, watch: Watch) -> Mapping[str, Any]:
        if rest and not (rest.isascii() and rest.isdecimal()):
            raise NotInLibraryError("There is no such version.", "Look at the list of versions.")
        return self._changed(self._library.going_back(int(rest) if rest else None), message, watch)

    def _teach(self, message: IncomingMessage, word: str, rest: str, watch: Watch) -> Mapping[str, Any]:
        if word == "delete":
            return self._changed(self._library.untaught(rest), message, watch)
        question, answer, title = (clean(message.form.get(name, "")) for name in ("question", "answer", "title"))
        taught = self._library.teaching(question, answer, title)
        return {"id": answer_id(question), **self._changed(taught, message, watch)}

    def _changed(self, edit: Edit, message: IncomingMessage, watch: Watch) -> dict[str, Any]:
        with self._library.changed(edit, message.person_id) as version:
            report = self._reloaded(watch)
        return {**asdict(report), "version_id": version.id, "text": report_in_words(report)}

    def _reloaded(self, watch: Watch) -> ReloadReport:
        try:
            return self._knowledge.reload(watch)
        except NothingToLoadError as error:
            sentence = "Nothing would be left to answer from, so everything is as it was."
            raise Refused(sentence, "Add other files first.") from error
        except KnowledgeError as error:
            raise KnowledgeUnavailableError(f"{error.message} The library is as it was.", error.fix) from error

    def _found(self, question: str, limit: int) -> Mapping[str, Any]:
        threshold = self._knowledge.threshold if self._threshold is None else self._threshold
        hits = self._knowledge.search(question, limit) if question else []
        return {"hits": [_explained(question, hit) for hit in hits], "threshold": threshold}


def _changes(message: IncomingMessage) -> bool:
    return message.text.partition(" ")[0] in ("add", "delete", "undo")


def _described(file: FileReport, changed_at: str) -> dict[str, Any]:
    return asdict(replace(file, changed_at=changed_at) if file.is_managed and changed_at else file)


def _explained(question: str, hit: Hit) -> dict[str, Any]:
    passage = hit.passage
    return {
        "title": passage.question or passage.title,
        "text": passage.text,
        "source": passage.source,
        "location": passage.location,
        "url": passage.url,
        "score": round(hit.score, 4),
        "confidence": round(hit.confidence, 4),
        "coverage": round(hit.coverage, 4),
        "matched": [list(span) for span in matched(question, passage.text)],
        "terms": [{"word": term.query_word, "term": term.term, "weight": round(term.weight, 4)} for term in hit.terms],
    }


def library_desk(settings: Settings, knowledge: KnowledgeBase, desk: KnowledgeDesk) -> LibraryDesk:
    """Make the desk that the settings describe."""
    _, options = what_is_read(settings.knowledge)
    staging = Staging(settings.staging_directory)
    return LibraryDesk(library(settings), knowledge, desk, staging, options, settings.answers.threshold)

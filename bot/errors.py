"""Everything that can go wrong, as one tree; each error knows the sentence its reader sees.

PreceptorError                     error
├── SettingsError                  settings_invalid
├── QuestionError                  question_invalid
│   ├── QuestionEmptyError         question_empty
│   ├── QuestionTooLongError       question_too_long
│   └── ChoiceUnknownError         choice_unknown
├── CommandUnknownError            command_unknown
├── NotAllowedError                not_allowed
├── TooManyError                   too_many
├── OverloadedError                overloaded
│   └── StoppingError              stopping
├── ConversationNotFoundError      conversation_not_found
├── NotFoundError                  not_found
├── KnowledgeUnavailableError      knowledge_unavailable
├── LibraryRefusedError            library_refused
├── NotInLibraryError              not_in_library
├── DiagnosisUnavailableError      diagnosis_unavailable
├── PicturesUnavailableError       pictures_unavailable
├── StorageError                   storage_failed
│   ├── StorageBusyError           storage_busy
│   ├── StorageRefusedError        storage_failed
│   ├── ClaimLostError             storage_failed
│   ├── DatabaseNewerError         database_newer
│   └── DatabaseDamagedError       database_damaged
├── AttachmentError                attachment_refused
├── NotSetUpError                  not_set_up
├── AdapterError                   adapter_failed
│   └── AddressInUseError          address_in_use
├── DeliveryError                  delivery_failed
│   ├── DeliveryRefusedError       delivery_refused
│   └── RateLimitedError           rate_limited
└── InternalError                  internal_error
"""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar


class PreceptorError(Exception):
    """The root. `sentence` says what is wrong, `fix` what to do about it; neither holds a secret."""

    code: ClassVar[str] = "error"

    def __init__(self, sentence: str, fix: str = "") -> None:
        super().__init__(f"{sentence} {fix}".strip())
        self.sentence = sentence
        self.fix = fix

    def after(self, first: str) -> "PreceptorError":
        """Give the same error with something that is to be read first."""
        return type(self)(f"{first}\n\n{self.sentence}", self.fix)


class SettingsError(PreceptorError):
    """A setting is unknown, misspelt or out of range."""

    code = "settings_invalid"


class QuestionError(PreceptorError):
    """What was asked cannot be a question."""

    code = "question_invalid"


class QuestionEmptyError(QuestionError):
    """There is no letter and no digit in it."""

    code = "question_empty"


class QuestionTooLongError(QuestionError):
    """It is longer than the setting allows."""

    code = "question_too_long"


class ChoiceUnknownError(QuestionError):
    """What is to answer, or to be answered from, is none of what there is."""

    code = "choice_unknown"


class CommandUnknownError(PreceptorError):
    """It looks like a command, and there is none of that name."""

    code = "command_unknown"


class NotAllowedError(PreceptorError):
    """This person may not do this here."""

    code = "not_allowed"


class TooManyError(PreceptorError):
    """Somebody asks more than the limits let; `seconds` from now one more may pass."""

    code = "too_many"

    def __init__(self, sentence: str, fix: str = "", seconds: float = 0.0) -> None:
        super().__init__(sentence, fix)
        self.seconds = seconds


class OverloadedError(PreceptorError):
    """As much is waiting as may wait."""

    code = "overloaded"


class StoppingError(OverloadedError):
    """Nothing more is accepted: the process is about to end."""

    code = "stopping"


class ConversationNotFoundError(PreceptorError):
    """No such conversation, or not one this person may see: the two are not told apart."""

    code = "conversation_not_found"


class NotFoundError(PreceptorError):
    """What is named is not there."""

    code = "not_found"


class KnowledgeUnavailableError(PreceptorError):
    """The knowledge base cannot be loaded or searched."""

    code = "knowledge_unavailable"


class LibraryRefusedError(PreceptorError):
    """What was handed in for the library cannot be taken; the library is as it was."""

    code = "library_refused"


class NotInLibraryError(PreceptorError):
    """The library has no such file, answer or version."""

    code = "not_in_library"


class DiagnosisUnavailableError(PreceptorError):
    """The classifier of symptoms cannot be loaded, or as much waits for it as may."""

    code = "diagnosis_unavailable"


class PicturesUnavailableError(PreceptorError):
    """What looks at pictures cannot do so now: too many wait, or a model broke off."""

    code = "pictures_unavailable"


class StorageError(PreceptorError):
    """The database cannot do what it was asked."""

    code = "storage_failed"


class StorageBusyError(StorageError):
    """Another process holds the database's lock for longer than we wait."""

    code = "storage_busy"


class StorageRefusedError(StorageError):
    """A row breaks a rule of the tables."""


class ClaimLostError(StorageError):
    """Another process has taken up what this one was at: nothing of it is written or sent any more."""


class DatabaseNewerError(StorageError):
    """The database was written by a newer version of Preceptor."""

    code = "database_newer"


class DatabaseDamagedError(StorageError):
    """The file is no database, or its integrity check fails."""

    code = "database_damaged"


class AttachmentError(PreceptorError):
    """A file that came with a message is too large, of the wrong kind or cannot be fetched.

    `pictures` says the same of each file for machines, where several came.
    """

    code = "attachment_refused"

    def __init__(self, sentence: str, fix: str = "", pictures: Sequence[Mapping[str, Any]] = ()) -> None:
        super().__init__(sentence, fix)
        self.pictures = tuple(pictures)

    def after(self, first: str) -> "AttachmentError":
        """Give the same error with something that is to be read first."""
        return AttachmentError(f"{first}\n\n{self.sentence}", self.fix, self.pictures)


class NotSetUpError(PreceptorError):
    """A capability is there in name, and nothing that does it is installed or configured."""

    code = "not_set_up"


class AdapterError(PreceptorError):
    """A front door cannot open."""

    code = "adapter_failed"


class AddressInUseError(AdapterError):
    """Another program listens where we were told to listen."""

    code = "address_in_use"


class DeliveryError(PreceptorError):
    """A reply could not be brought to its platform."""

    code = "delivery_failed"


class DeliveryRefusedError(DeliveryError):
    """The platform will not take it, however often it is tried: no permission, no such channel, message gone."""

    code = "delivery_refused"


class RateLimitedError(DeliveryError):
    """The platform wants to be left alone for `seconds`."""

    code = "rate_limited"

    def __init__(self, seconds: float) -> None:
        super().__init__(f"The platform takes nothing for {seconds:g} s.")
        self.seconds = seconds


class InternalError(PreceptorError):
    """A defect of ours; the log has the traceback under the same number."""

    code = "internal_error"


ASKERS_DOING = (
    QuestionError,
    CommandUnknownError,
    NotAllowedError,
    TooManyError,
    ConversationNotFoundError,
    NotFoundError,
    LibraryRefusedError,
    NotInLibraryError,
    AttachmentError,
    NotSetUpError,
)
"""Errors that the asker can mend; all others are ours or the operator's."""

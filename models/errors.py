"""What can go wrong with models: each error carries the sentence its reader sees, and the fix.

ModelError
├── ModelMissingError             it is not on this machine: never pulled, misspelt, or gated; the fix says which
├── ModelUnusableError            what lies there is no model, is incomplete, damaged, or only a pickle
├── ModelTooLargeError            it needs more memory, or more disk, than is free; the message has both figures
├── ModelExtraError               a library of an optional extra is not installed
├── TrainingError                 the data or the options cannot train anything; names file, line and field
├── EvaluationError               the data or the options cannot evaluate anything; names file, line and field
├── PictureError                  a file is no picture, damaged, or larger than is looked at; the message says which
└── GenerationError               a generator gave up an answer
    ├── GeneratorUnreachableError it cannot be reached, is overloaded, or broke off
    ├── GeneratorRefusedError     it will not serve us as we are set up: wrong key, unknown model, malformed request
    ├── GeneratorBusyError        as much waits for it as may wait
    ├── GeneratorSlowError        it did not begin, or did not end, in time
    ├── AnswerBlockedError        it will not answer this question: its safety rules
    └── AnswerUnusableError       what it wrote is empty or garbage
"""


class ModelError(Exception):
    """Root of everything this package raises on purpose.

    Attributes:
        message: what is wrong, one sentence for the person who reads it; holds no secret and no text of a user's.
        fix: what to do about it, one sentence.
    """

    def __init__(self, message: str, fix: str) -> None:
        super().__init__(message, fix)
        self.message = message
        self.fix = fix

    def __str__(self) -> str:
        return f"{self.message} {self.fix}".strip()


class ModelMissingError(ModelError):
    """It is not on this machine: never pulled, misspelt, or gated; the fix says which."""


class ModelUnusableError(ModelError):
    """What lies there is no model, is incomplete or damaged, or has its weights only as a pickle."""


class ModelTooLargeError(ModelError):
    """It needs more memory, or more disk, than is free; the message has both figures."""


class ModelExtraError(ModelError):
    """A library of an optional extra is not installed."""


class TrainingError(ModelError):
    """The data or the options cannot train anything; names file, line and field."""


class EvaluationError(ModelError):
    """The data or the options cannot evaluate anything; names file, line and field."""


class PictureError(ModelError):
    """A file is no picture, damaged, or larger than is looked at; the message says which, and does not name it."""


class GenerationError(ModelError):
    """A generator gave up an answer; the next one in the chain takes over."""


class GeneratorUnreachableError(GenerationError):
    """It cannot be reached, is overloaded, or broke off in the middle."""


class GeneratorRefusedError(GenerationError):
    """It will not serve us as we are set up: a wrong or expired key, an unknown model, a malformed request."""


class GeneratorBusyError(GenerationError):
    """As much waits for it as may wait."""


class GeneratorSlowError(GenerationError):
    """It did not begin, or did not end, in time."""


class AnswerBlockedError(GenerationError):
    """It will not answer this question: its maker's safety rules, or those that are set."""


class AnswerUnusableError(GenerationError):
    """What it wrote is empty or garbage."""

"""Prompts as tokens: one text for models trained on instructions, a chat in the model's own template for the others."""

from collections.abc import Callable, Sequence

from models.errors import ModelUnusableError
from models.generation.contract import GroundingPassage, Turn
from models.generation.engines.contract import RenderTranslation
from models.generation.engines.vocabulary import Vocabulary
from models.generation.fitting import Render
from models.generation.prompting import ChatMessage, chat, instruction
from models.generation.translation import in_chat, in_instruction

Message = dict[str, str]
Template = Callable[[list[Message]], str]
"""Writes messages (``role``, ``content``) as the model was trained on them."""


def instructed(vocabulary: Vocabulary) -> Render:
    """Write prompts for a model that was trained on instructions, or on nothing but text."""

    def _render(question: str, passages: Sequence[GroundingPassage], history: Sequence[Turn]) -> list[int]:
        return vocabulary.encode(instruction(*vocabulary.disarmed(question, passages, history)))

    return _render


def chatted(vocabulary: Vocabulary, template: Template, name: str) -> Render:
    """Write prompts for a model that has a chat template.

    Raises:
        ModelUnusableError: the template takes no chat of ours.
    """
    # Seen once, with a chat of every role: some templates (Gemma's) refuse a system message.
    folds = _refuses_system(template, name)

    def _render(question: str, passages: Sequence[GroundingPassage], history: Sequence[Turn]) -> list[int]:
        messages = chat(*vocabulary.disarmed(question, passages, history))
        # The template writes the special tokens itself.
        return vocabulary.encode(template(_plain(_folded(messages) if folds else messages)), special=False)

    return _render


def instructed_translation(vocabulary: Vocabulary) -> RenderTranslation:
    """Ask a model for translations that was trained on instructions, or on nothing but text."""

    def _render(text: str, language: str) -> list[int]:
        return vocabulary.encode(in_instruction(vocabulary.without_markers(text), language))

    return _render


def chatted_translation(vocabulary: Vocabulary, template: Template, name: str) -> RenderTranslation:
    """Ask a model for translations that has a chat template.

    Raises:
        ModelUnusableError: the template takes no chat of ours.
    """
    folds = _refuses_system(template, name)

    def _render(text: str, language: str) -> list[int]:
        messages = in_chat(vocabulary.without_markers(text), language)
        return vocabulary.encode(template(_plain(_folded(messages) if folds else messages)), special=False)

    return _render


def _refuses_system(template: Template, name: str) -> bool:
    from jinja2 import TemplateError

    # Its maker's own code, which may go wrong in whatever way code does.
    failures = (TemplateError, TypeError, ValueError, ArithmeticError, LookupError, RecursionError)
    messages = chat("?", [GroundingPassage(1, ".")], [Turn("?", ".")])
    try:
        written = template(_plain(messages))
    except failures:
        written = ""
    if messages[0].text in written:
        return False
    try:
        template(_plain(_folded(messages)))
    except failures as error:
        raise ModelUnusableError(
            f"{name}'s chat template takes no chat of a user and an assistant ({error}).", "Choose a chat model."
        ) from None
    return True


def _folded(messages: Sequence[ChatMessage]) -> list[ChatMessage]:
    """The chat with the system's message at the head of the user's first."""
    system, first, *others = messages
    return [ChatMessage("user", f"{system.text}\n\n{first.text}"), *others]


def _plain(messages: Sequence[ChatMessage]) -> list[Message]:
    return [{"role": message.role, "content": message.text} for message in messages]

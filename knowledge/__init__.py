"""The knowledge base: documents become passages, passages are found again."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from knowledge.errors import KnowledgeError as KnowledgeError
    from knowledge.hits import Hit as Hit
    from knowledge.knowledge_base import KnowledgeBase as KnowledgeBase
    from knowledge.library import Library as Library
    from knowledge.loaders import LoadLimits as LoadLimits
    from knowledge.passages import Document as Document
    from knowledge.passages import Passage as Passage
    from knowledge.passages import Problem as Problem
    from knowledge.reports import KnowledgeStatistics as KnowledgeStatistics
    from knowledge.reports import Progress as Progress
    from knowledge.reports import ReloadReport as ReloadReport
    from knowledge.storage.survey import KnowledgeOptions as KnowledgeOptions

# Loaded when first asked for: who only catches a KnowledgeError need not wait for numpy.
_HOMES = {
    "Document": "passages",
    "Hit": "hits",
    "KnowledgeBase": "knowledge_base",
    "KnowledgeError": "errors",
    "KnowledgeOptions": "storage.survey",
    "KnowledgeStatistics": "reports",
    "Library": "library",
    "LoadLimits": "loaders",
    "Passage": "passages",
    "Problem": "passages",
    "Progress": "reports",
    "ReloadReport": "reports",
}

__all__ = list(_HOMES)


def __getattr__(name: str) -> Any:  # noqa: ANN401 - whatever the name stands for
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)

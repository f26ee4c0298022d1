"""Gives the questions of an evaluation the passages to answer from: of their own context, or by search as in life."""

import json
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from bot.knowledge_desk import knowledge_base, what_is_read
from bot.settings import Settings
from knowledge import Document, Hit, KnowledgeBase, Passage
from models.errors import EvaluationError
from models.evaluation.squad import Sample
from models.generation import GroundingPassage


def with_passages(samples: Sequence[Sample], settings: Settings, everything: Sequence[Sample] = ()) -> list[Sample]:
    """Give every sample its passages; one for which nothing is found, as in life, keeps none.

    Args:
        samples: what will be asked. A context is cut as the knowledge base cuts; who has none is looked up in the
            knowledge base.
        settings: how passages are cut, how many an answer may rest on, and from which confidence on.
        everything: when not empty, the contexts of all of these make one knowledge base for the time, and every
            sample is looked up in it.

    Raises:
        EvaluationError: none of `everything` has a context.
        KnowledgeError: the knowledge base cannot be opened.
    """
    if everything:
        with _temporary_knowledge(everything, settings) as knowledge:
            return [_looked_up(sample, knowledge, settings) for sample in samples]
    if all(sample.context for sample in samples):
        return [_cut(sample, settings) for sample in samples]
    knowledge = knowledge_base(settings)
    knowledge.open()
    try:
        return [_cut(one, settings) if one.context else _looked_up(one, knowledge, settings) for one in samples]
    finally:
        knowledge.close()


@contextmanager
def _temporary_knowledge(samples: Sequence[Sample], settings: Settings) -> Iterator[KnowledgeBase]:
    contexts = dict.fromkeys((sample.title, sample.context) for sample in samples if sample.context)
    if not contexts:
        raise EvaluationError(
            "There is nothing to search in: no question has a context.",
            "Leave --retrieve out: questions without a context are looked up in your knowledge base.",
        )
    _, options = what_is_read(settings.knowledge)
    with tempfile.TemporaryDirectory(prefix="preceptor-evaluation-") as name:
        lines = (json.dumps({"title": title, "context": context}) for title, context in contexts)
        source = Path(name, "contexts.jsonl")
        source.write_text("\n".join(lines) + "\n", encoding="utf-8")
        knowledge = KnowledgeBase([source], Path(name, "index"), options)
        knowledge.open()
        try:
            yield knowledge
        finally:
            knowledge.close()


def _looked_up(sample: Sample, knowledge: KnowledgeBase, settings: Settings) -> Sample:
    hits = knowledge.search(sample.question, settings.answers.passages)
    threshold = knowledge.threshold if settings.answers.threshold is None else settings.answers.threshold
    if not hits or hits[0].confidence < threshold:
        return sample
    return replace(sample, passages=_numbered(hits))


def _numbered(hits: Sequence[Hit]) -> tuple[GroundingPassage, ...]:
    return tuple(
        GroundingPassage(number, hit.passage.text, hit.passage.title, hit.score, hit.passage.question)
        for number, hit in enumerate(hits, start=1)
    )


def _cut(sample: Sample, settings: Settings) -> Sample:
    from knowledge.cutting import cut

    document = Document(sample.context, source="", location="", title=sample.title)
    passages = cut(document, settings.knowledge.passage_length, settings.knowledge.passage_overlap)
    fitting = _best(sample.question, passages, settings.answers.passages)
    numbered = (GroundingPassage(at, passage.text, passage.title) for at, passage in enumerate(fitting, start=1))
    return replace(sample, passages=tuple(numbered))


def _best(question: str, passages: Sequence[Passage], most: int) -> Sequence[Passage]:
    """Give those of a long context that fit the question best, best first; a short one stays as it is."""
    if len(passages) <= most:
        return passages
    from knowledge.index.tfidf import Fields, TfidfIndex, TfidfOptions

    index = TfidfIndex.fit((Fields(passage.title, passage.text) for passage in passages), TfidfOptions())
    found = [match.document for match in index.search(question, most)]
    return [passages[at] for at in dict.fromkeys([*found, *range(most)])][:most]

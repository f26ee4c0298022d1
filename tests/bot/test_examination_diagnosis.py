"""What doctor says of the classifier of symptoms."""

from pathlib import Path

from bot.examination.diagnosis import examine
from bot.examination.findings import Examined, Finding
from bot.settings import Settings


def _found(settings: Settings, **diagnosis: object) -> Finding:
    section = settings.diagnosis.model_copy(update=diagnosis)
    (finding,) = examine(Examined(settings.model_copy(update={"diagnosis": section})))
    return finding


def test_the_floor_is_in_order(settings: Settings) -> None:
    found = _found(settings)
    assert (found.verdict, "judged by floor, which knows 24 conditions" in found.meaning) == ("ok", True)


def test_a_model_that_is_not_there_is_named_with_its_fix(settings: Settings, tmp_path: Path) -> None:
    found = _found(settings, model=str(tmp_path / "nowhere"))
    assert found.verdict == "failed"
    assert "nowhere" in found.meaning
    assert "the floor judges" in found.meaning
    assert found.fix


def test_switched_off_nothing_is_loaded(settings: Settings) -> None:
    assert "switched off" in _found(settings, enabled=False).meaning

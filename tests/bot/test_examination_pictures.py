"""What doctor says of what looks at pictures."""

from pathlib import Path

import pytest
from picture_gallery import VIT_TINY

from bot.examination.findings import Examined, Finding
from bot.examination.pictures import examine
from bot.settings import Settings


def _found(settings: Settings, **sections: object) -> dict[str, Finding]:
    changed = Settings(**(settings.model_dump() | sections))  # type: ignore[arg-type]
    return {finding.name: finding for finding in examine(Examined(changed))}


@pytest.fixture
def no_models(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))


@pytest.mark.usefixtures("no_models")
def test_a_machine_without_models_is_in_order_and_told_how_to_get_them(settings: Settings) -> None:
    found = _found(settings, models={})
    assert {finding.verdict for finding in found.values()} == {"ok"}
    assert "process of its own" in found["pictures: decoding"].meaning
    assert "make images" in found["pictures: labels"].meaning
    assert "make images" in found["pictures: captions"].meaning


@pytest.mark.skipif(not VIT_TINY.is_dir(), reason="needs ../shared/models/vit-tiny-patch16-224")
def test_a_model_that_is_here_is_named(settings: Settings) -> None:
    found = _found(settings, models={"images": {"labels": str(VIT_TINY), "captions": "floor"}})
    assert "vit-tiny-patch16-224 (vit)" in found["pictures: labels"].meaning
    assert "none are wanted" in found["pictures: captions"].meaning


def test_a_model_that_is_named_and_not_here_is_a_fault(settings: Settings, tmp_path: Path) -> None:
    found = _found(settings, models={"images": {"labels": str(tmp_path / "nowhere"), "captions": "floor"}})
    assert found["pictures: labels"].verdict == "failed"
    assert "nowhere" in found["pictures: labels"].meaning
    assert found["pictures: labels"].fix


def test_switched_off_nothing_is_started(settings: Settings) -> None:
    (finding,) = _found(settings, images={"looking": "off"}).values()
    assert "switched off" in finding.meaning

"""The examination of who writes answers, against servers on this machine."""

from collections.abc import AsyncIterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from bot.examination import Examined, Finding
from bot.examination.generators import examine
from bot.settings import Settings
from tests.models.loopback_gemini import MODEL, LoopbackGemini
from tests.models.loopback_openai import LoopbackOpenAI
from tests.models.model_folders import model_files, write

KEY = "AIzaSyD-this_is_no_real_key_0123456789ab"


@pytest.fixture
async def gemini() -> AsyncIterator[LoopbackGemini]:
    async with LoopbackGemini(key=KEY, models=[MODEL]) as server:
        yield server


async def found(folder: Path, **sections: dict[str, Any]) -> dict[str, Finding]:
    settings = Settings(data_directory=folder, **sections)
    findings = {finding.name: finding async for finding in examine(Examined(settings))}
    assert KEY not in str(findings)
    return findings


async def test_without_a_model_answers_quote_the_knowledge_base(tmp_path: Path) -> None:
    findings = await found(tmp_path)
    assert [(one.name, one.verdict) for one in findings.values()] == [("generators", "ok")]
    assert "no model is asked" in findings["generators"].meaning


async def test_a_key_and_a_model_that_gemini_knows_are_in_order(tmp_path: Path, gemini: LoopbackGemini) -> None:
    section = {"key": KEY, "model": MODEL, "base_url": gemini.base_url}
    findings = await found(tmp_path, generation={"chain": ("gemini",)}, gemini=section)
    assert findings["generators"].meaning == "Asked in this order: gemini, extractive."
    assert findings["generator gemini"].verdict == "ok"
    assert "hidden" in findings["generator gemini"].meaning
    assert not gemini.asked


@pytest.mark.parametrize(
    ("wrong", "meaning", "fix"), [({"key": "AIza-wrong"}, "key is wrong", "key"), ({"model": "x"}, "no model", "model")]
)
async def test_a_key_or_a_model_that_gemini_does_not_know_is_named(
    tmp_path: Path, gemini: LoopbackGemini, wrong: dict[str, str], meaning: str, fix: str
) -> None:
    section = {"key": KEY, "model": MODEL, "base_url": gemini.base_url} | wrong
    finding = (await found(tmp_path, generation={"chain": ("gemini",)}, gemini=section))["generator gemini"]
    assert finding.verdict == "failed"
    assert meaning in finding.meaning
    assert f"gemini.{fix}" in finding.fix


async def test_a_server_of_one_place_alone_is_examined_too(tmp_path: Path) -> None:
    async with LoopbackOpenAI(models=["qwen3"]) as server:
        section = {"model": "llama3.2", "base_url": server.base_url}
        findings = await found(tmp_path, generation={"places": {"slack": ("openai",)}}, openai=section)
        assert "1 place with another order" in findings["generators"].meaning
        assert findings["generator openai"].verdict == "failed"
        assert "it has 'qwen3'" in findings["generator openai"].meaning
        server.models.append("llama3.2")
        findings = await found(tmp_path, generation={"places": {"slack": ("openai",)}}, openai=section)
    assert findings["generator openai"].verdict == "ok"
    assert "as they are" in findings["generator openai"].meaning


async def test_who_translates_captions_alone_is_examined_and_where_pictures_go_is_said(
    tmp_path: Path, gemini: LoopbackGemini
) -> None:
    section = {"key": KEY, "model": MODEL, "base_url": gemini.base_url, "pictures": True}
    findings = await found(tmp_path, images={"translator": "gemini"}, gemini=section)
    assert findings["generator gemini"].verdict == "ok"
    assert "Pictures go there, too." in findings["generator gemini"].meaning
    assert "no model is asked" in findings["generators"].meaning


async def test_a_server_that_is_not_there_could_not_be_checked(tmp_path: Path) -> None:
    section = {"model": "llama3.2", "base_url": "http://127.0.0.1:9/v1"}
    finding = (await found(tmp_path, generation={"chain": ("openai",)}, openai=section))["generator openai"]
    assert finding.verdict == "unknown"
    assert "http://127.0.0.1:9" in finding.meaning


@pytest.mark.skipif(find_spec("torch") is None, reason="needs the extra preceptor[models]")
async def test_a_local_model_that_is_here_and_fits_is_in_order(tmp_path: Path) -> None:
    folder = write(tmp_path / "tiny", model_files())
    findings = await found(
        tmp_path, generation={"chain": ("local",)}, local={"model": str(folder), "execution": "torch"}
    )
    assert findings["generator local"].verdict == "ok"
    assert "as float32, run by torch" in findings["generator local"].meaning


async def test_a_folder_that_is_no_model_is_named(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    section = {"model": str(tmp_path / "empty")}
    finding = (await found(tmp_path, generation={"chain": ("local",)}, local=section))["generator local"]
    assert finding.verdict == "failed"
    assert "empty" in finding.meaning


async def test_a_local_model_that_is_not_here_is_named_with_the_command_that_gets_it(tmp_path: Path) -> None:
    section = {"model": "google/flan-t5-nowhere"}
    finding = (await found(tmp_path, generation={"chain": ("local",)}, local=section))["generator local"]
    assert finding.verdict == "failed"
    assert "google/flan-t5-nowhere" in finding.meaning + finding.fix


async def test_a_verifier_that_is_not_here_is_told(settings: Settings) -> None:
    generation = settings.generation.model_copy(update={"verifier": "nobody/has-it"})
    examined = Examined(settings.model_copy(update={"generation": generation}))
    finding = {finding.name: finding async for finding in examine(examined)}["verifier"]
    assert finding.verdict == "failed"
    assert "preceptor models pull nobody/has-it" in finding.fix


async def test_a_names_model_that_is_not_here_is_told_with_the_way_to_get_it(
    tmp_path: Path, gemini: LoopbackGemini
) -> None:
    section = {"key": KEY, "model": MODEL, "base_url": gemini.base_url}
    sections = {"generation": {"chain": ("gemini",)}, "gemini": section}
    findings = await found(tmp_path, **sections, privacy={"names_model": "dslim/bert-base-NER"})
    assert findings["names model"].verdict == "failed"
    assert "preceptor models pull dslim/bert-base-NER" in findings["names model"].fix
    assert "names of people" in findings["generator gemini"].meaning
    folder = write(
        tmp_path / "ner", model_files({"model_type": "bert", "architectures": ["BertForTokenClassification"]})
    )
    findings = await found(tmp_path, **sections, privacy={"names_model": str(folder)})
    assert findings["names model"].verdict == "ok"

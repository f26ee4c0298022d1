"""Settings: precedence, origins, and what is said of a wrong one."""

from collections.abc import Callable
from pathlib import Path

import pytest

from bot.application import front_doors
from bot.errors import SettingsError
from bot.settings import every_setting, load

Environment = Callable[..., None]


@pytest.fixture(autouse=True)
def _empty(environment: Environment) -> None:
    """Run in an empty working directory."""


def test_without_any_source_the_defaults_hold() -> None:
    settings = load().settings
    assert settings.http.host == "127.0.0.1"
    assert settings.knowledge.sources == ("starter",)
    assert settings.database_file == Path.cwd() / "data" / "preceptor.sqlite3"


def test_the_environment_beats_the_file_and_dotenv_beats_the_environment(environment: Environment) -> None:
    Path("preceptor.toml").write_text("[http]\nport = 1\nhost = '::1'\n[answers]\npassages = 7\n")
    environment(PRECEPTOR_HTTP__PORT="2", PRECEPTOR_HTTP__BODY_KILOBYTES="9")
    Path(".env").write_text("PRECEPTOR_HTTP__PORT=3\nSOMETHING_ELSE=4\n")
    loaded = load()
    assert (loaded.settings.http.port, loaded.settings.http.host) == (3, "::1")
    assert (loaded.settings.http.body_kilobytes, loaded.settings.answers.passages) == (9, 7)
    assert loaded.origins["http.port"].endswith(".env (PRECEPTOR_HTTP__PORT)")
    assert loaded.origins["http.body_kilobytes"] == "environment (PRECEPTOR_HTTP__BODY_KILOBYTES)"
    assert loaded.origins["answers.passages"].endswith("preceptor.toml:5")


@pytest.mark.parametrize("text", ['["starter", "docs"]', "starter, docs"])
def test_a_list_in_the_environment_is_json_or_words_between_commas(environment: Environment, text: str) -> None:
    environment(PRECEPTOR_KNOWLEDGE__SOURCES=text)
    assert load().settings.knowledge.sources == ("starter", str(Path.cwd() / "docs"))


@pytest.mark.parametrize(
    ("toml", "said"),
    [
        ("[http]\nprot = 1\n", "http.prot is no setting (set in {file}:2). Did you mean http.port?"),
        ("[htpp]\nport = 1\n", "Did you mean http.port?"),
        ("[http]\nport = 'many'\n", "http.port (set in {file}:2): Input should be a valid integer"),
        ("[http]\nport = 70000\n", "less than or equal to 65535"),
        ("[http]\nuser_keys = ['short']\n", "at least 16 characters"),
        ("[http\n", "is not valid TOML"),
        ("http = 3\n", "http (set in {file}:1)"),
    ],
)
def test_a_wrong_line_of_the_file_is_named_with_its_fix(toml: str, said: str) -> None:
    Path("preceptor.toml").write_text(toml)
    with pytest.raises(SettingsError) as raised:
        load()
    assert said.format(file=Path.cwd() / "preceptor.toml") in str(raised.value)


def test_a_misspelt_variable_is_named_with_the_right_one(environment: Environment) -> None:
    environment(PRECEPTOR_HTTP__PROT="1")
    with pytest.raises(SettingsError, match=r"Did you mean PRECEPTOR_HTTP__PORT\?"):
        load()


def test_a_misspelt_line_of_dotenv_is_named_with_the_right_one() -> None:
    Path(".env").write_text("PRECEPTOR_HTTP__PROT=1\n")
    with pytest.raises(SettingsError, match=r"Did you mean PRECEPTOR_HTTP__PORT\?"):
        load()


def test_a_named_settings_file_that_is_missing_is_an_error(environment: Environment) -> None:
    environment(PRECEPTOR_SETTINGS="nowhere.toml")
    with pytest.raises(SettingsError, match="does not exist"):
        load()


def test_relative_paths_count_from_the_settings_file(environment: Environment, tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc" / "bot.toml").write_text("data_directory = 'state'\n[knowledge]\nsources = ['docs']\n")
    environment(PRECEPTOR_SETTINGS="etc/bot.toml")
    settings = load().settings
    assert settings.data_directory == tmp_path / "etc" / "state"
    assert settings.knowledge.sources == (str(tmp_path / "etc" / "docs"),)


def test_the_value_of_a_key_is_in_no_error_and_no_listing(environment: Environment) -> None:
    environment(PRECEPTOR_HTTP__ADMIN_KEYS="hunter2-hunter2-hunter2", PRECEPTOR_HTTP__PORT="99999")
    with pytest.raises(SettingsError) as raised:
        load()
    assert "hunter2" not in str(raised.value)
    environment(PRECEPTOR_HTTP__PORT="1")
    assert "hunter2" not in str(load().settings)


def test_every_setting_says_what_it_means() -> None:
    assert all(meaning for _, meaning in every_setting())


def test_the_example_file_holds_every_setting_at_its_default() -> None:
    example = Path(__file__).parents[2] / "preceptor.example.toml"
    lines = example.read_text(encoding="utf-8").splitlines()
    active = "\n".join(
        line.removeprefix("# ") if " = " in line else line for line in lines if not line.startswith("##")
    )
    Path("preceptor.toml").write_text(active)
    loaded = load()
    optional = {
        "answers.threshold",
        "discord.shards",
        "gemini.temperature",
        "gemini.thinking_budget",
        "openai.temperature",
        "generation.places",
        "images.languages",
        "images.places",
        "limits.places",
        "openai.redact",
        "privacy.redact",
        "privacy.retention",
    }
    assert {key for key, _ in every_setting()} - optional == set(loaded.origins) - optional
    Path("preceptor.toml").unlink()
    assert loaded.settings == load().settings


def test_a_token_that_was_copied_with_a_line_break_behind_it_is_taken(environment: Environment) -> None:
    environment(PRECEPTOR_DISCORD__TOKEN=" abc.def.ghi\n")
    assert load().settings.discord.token.get_secret_value() == "abc.def.ghi"


@pytest.mark.parametrize("token", ["ab\ncd", "ab cd", "ab\tcd", "ab\x07cd"])
def test_a_token_with_a_break_within_is_refused_without_being_told(environment: Environment, token: str) -> None:
    environment(PRECEPTOR_DISCORD__TOKEN=token)
    with pytest.raises(SettingsError, match=r"discord\.token.*blank or a line break") as raised:
        load()
    assert "cd" not in str(raised.value).replace("discord", "")


def test_with_the_defaults_the_http_api_is_the_only_front_door() -> None:
    assert front_doors(load().settings) == ["http"]

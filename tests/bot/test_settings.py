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
        ("[htpp]\nport = 1\n", "Did you mean http?"),
        ("[http]\nport = 'many'\n", "http.port (set in {file}:2): Input should be a valid integer"),
        ("[http]\nport = 70000\n", "less than or equal to 65535"),
        ("[http]\nuser_keys = ['short']\n", "at least 16 characters"),
        ("[http\n", "is not valid TOML"),
        ("http = 3\n", "http (set in {file}:1): it must be a table"),
        ("[acess]\nadmins = []\n", "acess is no setting (set in {file}:2). Did you mean access?"),
        ("[access]\nallow = [\n{ were = ['slack'] },\n]\n", "{file}:2, entry 1). Did you mean access.allow.where?"),
        ("[[access.deny]]\n[[access.deny]]\nwaht = ['ask']\n", "{file}:1, entry 2). Did you mean access.deny.what?"),
        ("[[access.deny]]\nxyzzy = 1\n", "{file}:1, entry 1). There are who, where, what."),
        ("[[access.deny]]\nwhat = ['aks']\n", "access.deny.what (set in {file}:1, entry 1): 'aks' is no command"),
        ("[access]\nallow = ['all']\n", "access.allow (set in {file}:2, entry 1): it must be a table"),
        ("[conversations]\nnot_kept = 3\n", "conversations.not_kept (set in {file}:2): it must be a list"),
        ("[limits]\nplaces = { 'slack/T1' = 3 }\n", "limits.places.slack/T1 (set in {file}:2): it must be a table"),
        ("[limits.places]\n'slack/T1' = { person = 3 }\n", "{file}:2). Did you mean limits.places.slack/T1.person_"),
        ("access.direct_messages = 'pair'\n", "(set in {file}:1): 'pair' is none of on, off, pairing"),
        ("[access.direct_messages]\nslack = 'of'\n", "(set in {file}:2): 'of' is none of on, off, pairing"),
        ("[access]\ndirect_messages = { discord = 'off', slak = 'on' }\n", "{file}:2): 'slak' has no direct messages"),
        ("[access]\ndirect_messages = { http = 'off' }\n", "there are those of discord and slack"),
    ],
)
def test_a_wrong_line_of_the_file_is_named_with_its_fix(toml: str, said: str) -> None:
    Path("preceptor.toml").write_text(toml)
    with pytest.raises(SettingsError) as raised:
        load()
    assert said.format(file=Path.cwd() / "preceptor.toml") in str(raised.value)


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ("discord/#general", "'#general' is no id of a server"),
        ("discord/81384788765712384/general", "'general' is no id of a channel"),
        ("slack/t012ab3cd", "'t012ab3cd' is no id of a workspace"),
        ("slack/012", "'012' is no id of a workspace"),
        ("slack/xyz", "'xyz' is no id of a workspace"),
        ("slack/C012AB3CD", "'C012AB3CD' is no id of a workspace (T… or E…); write it as slack/T012AB3CD/C012AB3CD"),
        ("slack/T012AB3CD/C012AB3CD/1.2/3", "there is nothing below slack/T012AB3CD/C012AB3CD/1.2"),
        ("http/x", "there is nothing below http"),
        ("Slack", "did you mean slack"),
        ("moon", "is no platform: console, discord, http, slack."),
        ("direct", "does not count here"),
        ("slack/T012AB3CD/direct", "does not count here"),
        ("discord/81384788765712384/category:81384788765712384", "does not count here"),
    ],
)
@pytest.mark.parametrize("toml", ["conversations.not_kept = ['{}']", "privacy.retention = {{ '{}' = 7 }}"])
def test_a_place_that_cannot_be_is_refused_so_that_nothing_is_kept_by_mistake(toml: str, place: str, said: str) -> None:
    Path("preceptor.toml").write_text(toml.format(place))
    with pytest.raises(SettingsError) as raised:
        load()
    assert said in str(raised.value)
    assert f"(set in {Path.cwd() / 'preceptor.toml'}:1" in str(raised.value)


def test_all_places_that_can_be_are_taken() -> None:
    server, channel = "1574160986401669121", "381870553235193857"
    of_discord = ["discord", "discord/", f"discord//{channel}", f"discord/{server}", f"discord/{server}/{channel}"]
    of_slack = ["slack", "slack/T012AB3CD", "slack/E012AB3CD/G012AB3CD", "slack/T012AB3CD/D012AB3CD/1355517523.000005"]
    places = [*of_discord, f"discord/{server}/{channel}/{server}", *of_slack, "http", "console"]
    Path("preceptor.toml").write_text(f"conversations.not_kept = {places}\n")
    assert load().settings.conversations.not_kept == tuple(places)


@pytest.mark.parametrize("place", ["discord", "slack/T012AB3CD", "http"])
def test_what_is_looked_through_for_missed_messages_is_a_channel(place: str) -> None:
    Path("preceptor.toml").write_text(f"catch_up.channels = ['{place}']\n")
    with pytest.raises(SettingsError, match="names no channel; one is written as discord/"):
        load()


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

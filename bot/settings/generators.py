"""The settings of the generators: who writes the answers, with which model, key and budget."""

from typing import Literal, Self

from pydantic import Field, SecretStr, model_validator

from bot.settings.section import PlaceName, Positive, Section, Token, WebAddress

GeneratorName = Literal["local", "gemini", "openai", "extractive"]


class GenerationSettings(Section):
    """Who writes the answers, in which order, and what is done with what they write."""

    chain: tuple[GeneratorName, ...] = Field(
        ("extractive",),
        description="Who writes answers: local, gemini, openai. The next one takes over; extractive is always last.",
    )
    places: dict[PlaceName, tuple[GeneratorName, ...]] = Field(
        {},
        description='Another chain for a platform, workspace or channel, as "slack/T012AB3CD/C012AB3CD" = ["local"].',
    )
    first_token_seconds: float = Field(10.0, gt=0, le=600, description="How long a generator may take to begin.")
    seconds: float = Field(25.0, gt=0, le=600, description="How long all generators together may take.")
    failures: Positive = Field(3, description="Failures in a row after which a generator is left alone for a while.")
    pause_seconds: float = Field(60.0, gt=0, le=86_400, description="How long; then one question tries it again.")
    uncited: Literal["label", "withhold"] = Field(
        "label",
        description='An answer that rests on no passage says "not from the knowledge base", or is not given.',
    )
    verifier: str = Field(
        "", description="An NLI or embedding model, by name or folder, that checks written sentences, too."
    )


class LocalSettings(Section):
    """The local model (transformers)."""

    model: str = Field(
        "", description="By hub name or folder; unset: what `preceptor models use` chose, else google/flan-t5-small."
    )
    revision: str = Field("", description="The commit of the hub's model to use; unset: what was pulled.")
    execution: Literal["auto", "ctranslate2", "torch"] = Field(
        "auto", description="auto: ctranslate2 for the T5 family where it is installed, torch otherwise."
    )
    precision: Literal["auto", "float32", "bfloat16", "int8"] = Field(
        "auto", description="auto: int8 with ctranslate2, float32 with torch; bfloat16 is torch's, int8 ctranslate2's."
    )
    max_tokens: Positive = Field(160, description="Tokens in the longest answer.")
    batch: Positive = Field(16, description="Answers written together at the most.")
    batch_wait_ms: float = Field(4.0, ge=0, le=1_000, description="How long the first one waits for others.")
    queue: Positive = Field(
        64, description="Questions that may wait for the model; beyond it the next generator answers."
    )
    threads: int = Field(0, ge=0, le=1_024, description="Threads that compute; 0: one for each core.")
    warm_up: bool = Field(True, description="Whether the model is loaded at the start, in the background.")


class BudgetSettings(Section):
    """What a generator may take a day (UTC); over it, the next in the chain answers. 0 is no bound."""

    tokens: int = Field(0, ge=0, description="Tokens a day, read and written, over all workspaces.")
    cost: float = Field(0.0, ge=0, description="Cost a day over all workspaces, in the prices' currency.")
    workspace_tokens: int = Field(0, ge=0, description="Tokens a day for each workspace.")
    workspace_cost: float = Field(0.0, ge=0, description="Cost a day for each workspace.")


class _ServedSettings(Section):
    """What generators behind a key or a server have in common."""

    temperature: float | None = Field(
        None, ge=0, le=2, description="0: always the likeliest word; unset: the model's own default."
    )
    max_tokens: Positive = Field(1_024, description="Tokens in the longest answer.")
    window: int = Field(16_000, ge=512, description="Tokens the prompt may have.")
    timeout_seconds: float = Field(20.0, gt=0, le=600, description="How long the server may keep silent.")
    retries: int = Field(2, ge=0, le=10, description="How often it is asked again when it is overloaded.")
    input_price: float = Field(0.0, ge=0, description="Price of a million tokens read.")
    output_price: float = Field(0.0, ge=0, description="Price of a million tokens written.")
    proxy: WebAddress = Field("", description="HTTP proxy, as http://host:port.")
    pictures: bool = Field(
        False,
        description="Whether the pictures of a question are sent, not only what models here say of them. Nothing in a"
        " picture can be hidden, whatever redact says.",
    )
    budget: BudgetSettings = BudgetSettings()

    @model_validator(mode="after")
    def _cost_has_prices(self) -> Self:
        if (self.budget.cost or self.budget.workspace_cost) and not (self.input_price or self.output_price):
            raise ValueError("a budget of cost needs input_price and output_price, or it never binds")
        return self


class GeminiSettings(_ServedSettings):
    """Google's Gemini API."""

    key: Token = Field(SecretStr(""), description="The API key, from Google AI Studio.")
    model: str = Field("gemini-3.5-flash-lite", description="The model's name.")
    base_url: WebAddress = Field(
        "https://generativelanguage.googleapis.com", description="The API, or a gateway before it."
    )
    api_version: str = Field("v1beta", description="The API's version.")
    thinking_level: Literal["", "minimal", "low", "medium", "high"] = Field(
        "", description="How much the model thinks, from Gemini 3 on; empty: its own default."
    )
    thinking_budget: int | None = Field(
        None, ge=-1, description="For Gemini 2.5: tokens it may think, 0 none, -1 as it likes; unset: its default."
    )
    redact: bool = Field(True, description="Whether e-mail addresses, numbers and the like are hidden from it.")
    safety: Literal["default", "none", "few", "some", "most"] = Field(
        "default", description="How much is blocked as harmful, by the API's own thresholds."
    )


class OpenAISettings(_ServedSettings):
    """Any server that speaks OpenAI's protocol: Ollama, vLLM, llama.cpp, OpenAI."""

    key: Token = Field(SecretStr(""), description="The API key; local servers need none.")
    model: str = Field("", description="The model's name on that server.")
    base_url: WebAddress = Field("http://127.0.0.1:11434/v1", description="The server, with /v1.")
    redact: bool | None = Field(
        None, description="The same as gemini.redact; unset: unless the server is on this machine."
    )

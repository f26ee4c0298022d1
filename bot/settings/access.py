"""The settings of access: who may do what, where."""

import json
from itertools import product
from typing import Annotated, Literal, get_args

from pydantic import AfterValidator, Field, field_validator

from bot.access_policy import direct_messages
from bot.access_rules import Effect, Rule, known_person, known_role, known_what, known_where, known_who
from bot.settings.section import Section

DirectMessages = Literal["on", "off", "pairing"]
_MODES = get_args(DirectMessages)


class RuleSettings(Section):
    """Rules for each of `who` in each place of `where` for each command of `what`; left out: all there are."""

    who: tuple[Annotated[str, AfterValidator(known_who)], ...] = Field(("",), min_length=1)
    where: tuple[Annotated[str, AfterValidator(known_where)], ...] = Field(("",), min_length=1)
    what: tuple[Annotated[str, AfterValidator(known_what)], ...] = Field(("",), min_length=1)

    def rules(self, effect: Effect) -> tuple[Rule, ...]:
        """Give them one by one."""
        return tuple(Rule(effect, *words) for words in product(self.who, self.where, self.what))


class AccessSettings(Section):
    """Who may ask, and who may do more than ask."""

    admins: tuple[Annotated[str, AfterValidator(known_person)], ...] = Field(
        (), description='People who may use admin commands, as "platform:id".'
    )
    admin_roles: tuple[Annotated[str, AfterValidator(known_role)], ...] = Field(
        (),
        description=(
            "Roles whose holders may use admin commands: discord:owner, discord:manage_server, discord:role:ID,"
            " slack:admin, slack:owner, slack:group:ID; with @ID behind it, of that server or workspace alone."
        ),
    )
    allow: tuple[RuleSettings, ...] = Field(
        (),
        description='Who may do what where, as { who = ["discord:role:ID"], where = ["discord/ID"], what = ["ask"] };'
        " a place that one speaks of is closed to all others. See docs/access.md.",
    )
    deny: tuple[RuleSettings, ...] = Field((), description="Who may not, in the same form; it wins over every allow.")
    direct_messages: DirectMessages | dict[Literal["discord", "slack"], DirectMessages] = Field(
        "on",
        description="on, off, or pairing: who writes directly needs a code from an admin. Or by platform, as"
        ' { discord = "off" }.',
    )
    audit_days: int = Field(365, ge=1, le=36_500, description="How long it is kept who used which admin command.")

    @field_validator("direct_messages", mode="before")
    @classmethod
    def _known_direct_messages(cls, value: object) -> object:
        if isinstance(value, str) and value.lstrip().startswith("{"):
            value = _table(value)
        modes = value if isinstance(value, dict) else {"": value}
        for platform, mode in modes.items():
            if mode not in _MODES:
                raise ValueError(f"{mode!r} is none of {', '.join(_MODES)}")
            if isinstance(value, dict) and platform not in ("discord", "slack"):
                raise ValueError(f"{platform!r} has no direct messages; there are those of discord and slack")
        return value

    @property
    def rules(self) -> tuple[Rule, ...]:
        """All rules that stand in the settings."""
        modes = self.direct_messages if isinstance(self.direct_messages, dict) else {"": self.direct_messages}
        of_modes = (rule for platform, mode in modes.items() for rule in direct_messages(platform, mode))
        allowing = (rule for one in self.allow for rule in one.rules("allow"))
        denying = (rule for one in self.deny for rule in one.rules("deny"))
        return (*of_modes, *denying, *allowing)

    @property
    def roles_named(self) -> frozenset[str]:
        """All whose roles must be asked for: those of admins, and those that rules name."""
        return frozenset((*self.admin_roles, *(rule.who for rule in self.rules)))


def _table(text: str) -> object:
    """Read the table of direct messages, as an environment variable has it.

    Raises:
        ValueError: it is none.
    """
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise ValueError('it must be on, off, pairing, or JSON as {"discord": "off"}') from error

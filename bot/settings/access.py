"""The settings of access: who may do what, where."""

from pydantic import Field

from bot.settings.section import Section


class AccessSettings(Section):
    """Who may ask, and who may do more than ask."""

    admins: tuple[str, ...] = Field((), description='People who may use admin commands, as "platform:id".')
    admin_roles: tuple[str, ...] = Field(
        (),
        description=(
            "Roles whose holders may use admin commands: discord:manage_server, discord:role:ID, slack:admin,"
            " slack:owner, slack:group:ID; with @ID behind it, of that server or workspace alone."
        ),
    )

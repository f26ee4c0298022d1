"""Who may do what: the rules, pairing by codes, and the record of what admins did."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from adapters.web import notices, session, trouble
from adapters.web.figures import counted, moment
from adapters.web.quiet import quiet
from adapters.web.rendering import harmless, plain
from adapters.web.tables import table
from bot.access_rules import ADMIN_COMMANDS, EVERYTHING, OPEN_COMMANDS, OWN_COMMANDS

_COMMANDS = (EVERYTHING, *OPEN_COMMANDS, *OWN_COMMANDS, *ADMIN_COMMANDS)

_WHO: Mapping[str, str] = {
    "Everyone": "everyone",
    "Who has paired with a code": "paired",
    "A Discord server’s owner": "discord:owner",
    "Who manages a Discord server": "discord:manage_server",
    "A Slack workspace’s owners": "slack:owner",
    "A Slack workspace’s admins": "slack:admin",
    "A person or role, by id": "",
}

_WHERE: Mapping[str, str] = {
    "Everywhere": "everywhere",
    "In direct messages": "direct",
    "On Discord": "discord",
    "On Slack": "slack",
    "Over HTTP and on these pages": "http",
    "In one place, by id": "",
}

_ENTRIES = 50

_CODE = "pairing_code"
"""Where the last code that was made lies: it is shown to nobody else, and not again once the page is left."""

_Document = Mapping[str, Any]


def show() -> None:
    """Show the rules of access, and change them."""
    st.header("Who may do what", anchor=False)
    document = session.api().get("/v1/access")
    named = [*document["admins"], *document["admin_roles"]]
    if named:
        quiet(f"Admins by the settings: {', '.join(named)}; and who has an admin’s key.")
    _rules(document)
    _add()
    _remove([rule for rule in document["rules"] if rule["number"]], document["unreadable"])
    _pairing(document)


def _rules(document: _Document) -> None:
    rows = [
        [str(rule["number"]) if rule["number"] else "settings", rule["rule"], rule["by"] or "–"]
        for rule in document["rules"]
    ]
    rows += [[str(number), "cannot be read, so it denies: remove it", "–"] for number in document["unreadable"]]
    if not rows:
        st.info("The rules would be listed here. There is none: everybody may ask, wherever the bot is.")
        return
    st.html(
        table(
            "Deny wins; a place that an allow rule speaks of is closed to all others", ("Rule", "It says", "By"), rows
        )
    )


def _add() -> None:
    with st.expander("Add a rule", icon=":material/add:"):
        effect = st.radio(
            "It", ("deny", "allow"), format_func=lambda it: {"deny": "denies", "allow": "allows"}[it], horizontal=True
        )
        who = _chosen("Whom", _WHO, "discord:80351110224678912, slack:U012AB3CD, discord:role:ID, slack:group:ID")
        where = _chosen("Where", _WHERE, "discord/SERVER, discord/SERVER/CHANNEL, slack/TEAM/CHANNEL")
        what = st.selectbox("What", _COMMANDS, help="“Everything” is what is neither for admins nor one’s own data.")
        change = f"{effect} {who or '…'} in {where or '…'} to {what}"
        st.code(change, language=None)
        if st.button("Add this rule", disabled=not (who and where), key="add_rule"):
            _change(change, f"From now on: {change}.")


def _chosen(label: str, choices: Mapping[str, str], form: str) -> str:
    """Have one of several chosen, or an id written; empty as long as there is none."""
    name = st.selectbox(label, tuple(choices), index=None, placeholder="Choose")
    if name is None or choices[name]:
        return choices.get(name or "", "")
    written = (st.text_input(f"{label}: the id", placeholder=form, help=plain(form, 300)) or "").strip()
    # A blank would end the word, and begin another part of the rule.
    return "" if len(written.split()) != 1 else written


def _remove(rules: list[_Document], unreadable: list[int]) -> None:
    words = {str(rule["number"]): rule["rule"] for rule in rules} | {str(one): "cannot be read" for one in unreadable}
    if not words:
        return
    with st.expander("Remove a rule", icon=":material/remove:"):
        number = st.selectbox(
            "Rule to remove", tuple(words), index=None, format_func=lambda one: harmless(f"{one}: {words[one]}")
        )
        if st.button("Remove it", disabled=not number, key="remove_rule"):
            _change(f"remove {number}", f"Rule {number} no longer holds.")


def _pairing(document: _Document) -> None:
    with st.expander("Pairing by codes", icon=":material/key:"):
        quiet("A code makes one person “paired”, whom rules can let in: they write it to the bot in a direct message.")
        paired = document["paired"]
        if paired:
            rows = [[one["id"], moment(one["at"]), one["by"]] for one in paired]
            st.html(table(f"Paired: {len(paired):,}", ("Who", "Since", "By a code of"), rows))
        open_codes = document["codes"]
        if open_codes:
            quiet(f"{counted(open_codes, 'code')} not used yet.")
        if st.button("Make a code", key="pair"):
            with trouble.told():
                st.session_state[_CODE] = session.api().send("POST", "/v1/access", {"change": "pair"})
        if made := st.session_state.get(_CODE):
            st.write(f"Until {moment(made['expires_at'])}, for one person:")
            st.code(f"pair {made['code']}", language=None)
        if paired:
            person = st.selectbox("Whose pairing ends", [one["id"] for one in paired], index=None)
            if st.button("End it", disabled=not person, key="unpair"):
                _change(f"unpair {person}", f"{person} is no longer paired.")


def _change(change: str, told: str) -> None:
    with trouble.told():
        session.api().send("POST", "/v1/access", {"change": change})
        notices.leave(told)
        st.rerun()


def audit() -> None:
    """Show which admin commands were used."""
    st.header("What admins did", anchor=False)
    entries = session.api().get("/v1/audit", limit=_ENTRIES)["entries"]
    if not entries:
        quiet("Every use of an admin’s command would be listed here. There is none yet.")
        return
    rows = [
        [
            moment(entry["at"]),
            entry["person_id"] or "somebody forgotten",
            entry["place_id"].rstrip("/"),
            f"{entry['action']} {entry['argument']}".strip(),
            entry["outcome"],
        ]
        for entry in entries
    ]
    st.html(table(f"The last {counted(len(rows), 'use')}", ("When", "Who", "Where", "What", "How it ended"), rows))

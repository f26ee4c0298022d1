"""The visitor's way to the API: the one client that all share, under the session that their browser showed."""

import functools

import httpx
import streamlit as st

from adapters.web import api as web_api
from adapters.web.page_settings import COOKIE, PageSettings, of_this_process, token_in


def config() -> PageSettings:
    """Give what the pages are called, where the API is, and what else the pages were told."""
    return of_this_process()


def api() -> web_api.Api:
    """Give the API as the visitor may use it; without a session, or with what is none, as anybody may."""
    return web_api.Api(config().api, token_in(st.context.cookies.get(COOKIE)), _client())


@functools.cache
def _client() -> httpx.Client:
    return web_api.client()

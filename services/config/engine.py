"""Rows of settings: one table of settings.toml for each context that has some."""

import json
from collections.abc import Callable
from hashlib import sha256
from typing import Any, Final

import msgspec

from schemas.messages.control import SettingsLoaded
from services.config.rows import Row
from streams.routing import settings as routing
from streams.shard.settings import CONTEXT, EngineSettings

__all__ = ["SETTINGS", "SettingsRow"]

# By context: what reads its settings, raising msgspec.MsgspecError or ValueError.
SETTINGS: Final[dict[str, Callable[[str], Any]]] = {
    CONTEXT: EngineSettings.parse,
    routing.CONTEXT: routing.RoutingSettings.parse,
}


class SettingsRow(Row):
    context: str
    content: dict[str, Any]

    def messages(self) -> tuple[Any, ...]:
        parse = SETTINGS.get(self.context)
        if parse is None:
            raise ValueError(
                f"no context {self.context}: settings of {', '.join(sorted(SETTINGS))}"
            )
        content = json.dumps(self.content, sort_keys=True, separators=(",", ":"))
        try:
            parse(content)
        except msgspec.MsgspecError as error:
            raise ValueError(str(error)) from error
        digest = sha256(content.encode()).hexdigest()
        return (SettingsLoaded(context=self.context, content=content, sha256=digest),)

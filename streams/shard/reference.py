"""Reference data in force, folded from control.commands records."""

from typing import Any

import msgspec

from schemas.messages.control import (
    AccountDefined,
    CrossingDeclared,
    InstrumentDefined,
    SettingsLoaded,
    VenueDefined,
    VolumeCurveDefined,
)
from schemas.messages.core import RejectReason as R
from streams.core.errors import DecodeError
from streams.core.market import Instrument, Venue
from streams.netting.commands import Crossing
from streams.shard.settings import CONTEXT, EngineSettings

__all__ = ["CONTROL_MESSAGES", "ReferenceView"]

CONTROL_MESSAGES = (
    AccountDefined,
    CrossingDeclared,
    InstrumentDefined,
    SettingsLoaded,
    VenueDefined,
    VolumeCurveDefined,
)


class ReferenceView(msgspec.Struct):
    """What the newest definitions say. `version` counts the messages applied."""

    version: int = 0
    instruments: dict[str, Instrument] = {}
    venues: dict[str, Venue] = {}
    accounts: dict[str, AccountDefined] = {}
    crossings: dict[str, Crossing] = {}  # by tenant, those in force only
    curves: dict[str, VolumeCurveDefined] = {}
    settings: EngineSettings = EngineSettings()

    def is_account_known(self, account_id: str, tenant: str) -> bool:
        account = self.accounts.get(account_id)
        return account is not None and account.is_enabled and account.tenant == tenant

    def apply(self, message: Any) -> None:
        """Apply one definition; another context's settings only count as a version.

        Raises: DecodeError when it would make a price or a quantity that does not add up.
        """
        _check(message)
        match message:
            case InstrumentDefined():
                self.instruments[message.instrument_id] = _instrument(message)
            case VenueDefined():
                self.venues[message.venue_id] = _venue(message)
            case AccountDefined():
                self.accounts[message.account_id] = message
            case CrossingDeclared():
                self._declare(message)
            case VolumeCurveDefined():
                self.curves[message.instrument_id] = message
            case SettingsLoaded() if message.context == CONTEXT:
                self.settings = _settings(message)
            case _:
                pass
        self.version += 1

    def _declare(self, message: CrossingDeclared) -> None:
        if not message.is_allowed:
            self.crossings.pop(message.tenant, None)
            return
        self.crossings[message.tenant] = Crossing(
            declaration_id=message.declaration_id,
            quote_age_max_ns=message.quote_age_max_ns,
            spread_max_bps=message.spread_max_bps,
        )


def _check(message: Any) -> None:
    match message:
        case InstrumentDefined():
            _positive(R.PRICE_NOT_POSITIVE, "tick_e9", message.tick_e9)
            _positive(R.QUANTITY_NOT_POSITIVE, "lot", message.lot)
            _positive(R.QUANTITY_NOT_POSITIVE, "quantity_scale", message.quantity_scale)
            if message.tick_e9 % 2:
                raise DecodeError(R.PRICE_OFF_TICK, "tick_e9", str(message.tick_e9), "even")
            if message.tick_e9 * message.lot % message.quantity_scale:
                bound = f"tick_e9 times lot a multiple of {message.quantity_scale}"
                raise DecodeError(R.QUANTITY_NOT_A_LOT_MULTIPLE, "lot", str(message.lot), bound)
            if message.session_close_ns <= message.session_open_ns:
                bound = f"after session_open_ns {message.session_open_ns}"
                close_ns = str(message.session_close_ns)
                raise DecodeError(R.END_NOT_AFTER_START, "session_close_ns", close_ns, bound)
        case VolumeCurveDefined():
            _positive(R.END_NOT_AFTER_START, "bin_ns", message.bin_ns)
        case _:
            pass


def _positive(reason: R, field: str, value: int) -> None:
    if value <= 0:
        raise DecodeError(reason, field, str(value), "at least 1")


def _settings(message: SettingsLoaded) -> EngineSettings:
    try:
        return EngineSettings.parse(message.content)
    except msgspec.MsgspecError as error:
        bound = "settings of the engine as JSON"
        raise DecodeError(R.BODY_UNDECODABLE, "content", str(error), bound) from error


def _instrument(message: InstrumentDefined) -> Instrument:
    return Instrument(
        instrument_id=message.instrument_id,
        currency=message.currency,
        tick_e9=message.tick_e9,
        lot=message.lot,
        quantity_scale=message.quantity_scale,
        maximum_quantity=message.maximum_quantity,
        session_open_ns=message.session_open_ns,
        session_close_ns=message.session_close_ns,
        trade_date=message.trade_date,
    )


def _venue(message: VenueDefined) -> Venue:
    return Venue(
        venue_id=message.venue_id,
        kind=message.kind,
        taker_fee_e9=message.taker_fee_e9,
        maker_fee_e9=message.maker_fee_e9,
        taker_fee_ppm=message.taker_fee_ppm,
        maker_fee_ppm=message.maker_fee_ppm,
        minimum_quantity=message.minimum_quantity,
        latency_ns=message.latency_ns,
    )

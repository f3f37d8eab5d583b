"""Rows of who trades: clients, desks, accounts."""

from typing import Any

from schemas.messages.control import AccountDefined, ClientDefined, DeskDefined
from services.config.rows import DatedRow

__all__ = ["AccountRow", "ClientRow", "DeskRow"]


class ClientRow(DatedRow):
    client_id: str
    tenant: str
    name: str = ""
    is_enabled: bool = True
    is_cross_allowed: bool = True
    legal_entity_id: str = ""

    def messages(self) -> tuple[Any, ...]:
        return (
            ClientDefined(
                client_id=self.client_id,
                tenant=self.tenant,
                name=self.name or self.client_id,
                is_enabled=self.is_enabled,
                is_cross_allowed=self.is_cross_allowed,
                legal_entity_id=self.legal_entity_id,
                effective_ns=self.effective_ns,
            ),
        )


class DeskRow(DatedRow):
    desk_id: str
    tenant: str
    name: str = ""
    is_enabled: bool = True

    def messages(self) -> tuple[Any, ...]:
        return (
            DeskDefined(
                desk_id=self.desk_id,
                tenant=self.tenant,
                name=self.name or self.desk_id,
                is_enabled=self.is_enabled,
                effective_ns=self.effective_ns,
            ),
        )


class AccountRow(DatedRow):
    account_id: str
    client_id: str
    tenant: str
    owner_id: str = ""
    desk_ids: tuple[str, ...] = ()
    is_enabled: bool = True
    is_house: bool = False
    is_cross_allowed: bool = True
    is_short_sale_allowed: bool = True

    def messages(self) -> tuple[Any, ...]:
        return (
            AccountDefined(
                account_id=self.account_id,
                client_id=self.client_id,
                tenant=self.tenant,
                is_enabled=self.is_enabled,
                owner_id=self.owner_id,
                desk_ids=self.desk_ids,
                is_house=self.is_house,
                is_cross_allowed=self.is_cross_allowed,
                is_short_sale_allowed=self.is_short_sale_allowed,
                effective_ns=self.effective_ns,
            ),
        )

    @classmethod
    def parse_text(cls, fields: dict[str, str]) -> dict[str, Any]:
        """Cells of desk_ids hold ids with semicolons between them."""
        found: dict[str, Any] = dict(fields)
        if "desk_ids" in found:
            found["desk_ids"] = [part for part in found["desk_ids"].split(";") if part]
        return found

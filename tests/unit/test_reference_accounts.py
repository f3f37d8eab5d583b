"""Who an account is: owner, client, desks; registers bind only tenants that keep them."""

from streams.core import topics
from streams.core.market import Account
from tests.support.builders import account_defined
from tests.support.calendars import client_defined, desk_defined
from tests.support.shard_host import ListHost, trading_host


def who(host: ListHost, tenant: str = "T1") -> Account | None:
    return host.app._knows.account("A1", tenant)


def test_without_registers_every_client_and_desk_is_known() -> None:
    host = trading_host()
    account = who(host)
    assert account is not None
    assert (account.owner_id, account.is_client_known, account.is_client_enabled) == (
        "A1", True, True,
    )  # fmt: skip
    assert host.app._knows.is_desk_known("ANY", "T1")


def test_an_account_of_another_tenant_is_unknown() -> None:
    assert who(trading_host(), "T2") is None


def test_a_register_of_clients_makes_the_others_unknown() -> None:
    host = trading_host(client_defined("C2"))
    account = who(host)
    assert account is not None
    assert not account.is_client_known
    host.send(topics.CONTROL_COMMANDS, client_defined("C1", is_enabled=False))
    account = who(host)
    assert account is not None
    assert (account.is_client_known, account.is_client_enabled) == (True, False)


def test_a_client_of_another_tenant_does_not_count() -> None:
    host = trading_host(client_defined("C1", tenant="T2"), client_defined("C3"))
    account = who(host)
    assert account is not None
    assert not account.is_client_known


def test_consent_to_cross_needs_the_account_and_its_client() -> None:
    for account_says, client_says in ((True, True), (True, False), (False, True)):
        host = trading_host(
            account_defined("A1", is_cross_allowed=account_says),
            client_defined("C1", is_cross_allowed=client_says),
        )
        account = who(host)
        assert account is not None
        assert account.is_cross_allowed == (account_says and client_says)


def test_a_register_of_desks_makes_the_others_unknown() -> None:
    host = trading_host(desk_defined("D1"), desk_defined("D2", is_enabled=False))
    knows = host.app._knows
    assert [knows.is_desk_known(desk, "T1") for desk in ("D1", "D2", "D3")] == [True, False, False]
    assert knows.is_desk_known("D3", "T2")

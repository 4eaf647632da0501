"""People in a recipient's pool: everybody with the address, and nobody else."""

from connected_systems import EDSGER, GRACE, Pool, System, alone, an_ask, registered
from consent_center.domain.recipient import TaskState, Verb


@alone("memory cognito")
def test_everybody_in_a_pool_with_the_address_is_disabled_corrected_and_nobody_else(system: System) -> None:
    connector, users = system.connector(), system.extra["pool"].users

    connector.ask(an_ask(Verb.RESTRICT))
    connector.ask(an_ask(Verb.CORRECT, corrections={"address": EDSGER}))

    assert [user["Enabled"] for user in users.values()] == [False, True, False]
    assert [user["email"] for user in users.values()] == [EDSGER, GRACE, EDSGER]
    # Nobody has confirmed it to us, and a pool believes what it is told.
    assert "email_verified" not in users["u-1"]


@alone("memory cognito")
def test_whoever_was_disabled_by_a_restriction_is_enabled_by_its_end(system: System) -> None:
    connector, users = system.connector(), system.extra["pool"].users

    connector.ask(an_ask(Verb.RESTRICT))
    assert [user["Enabled"] for user in users.values()] == [False, True, False]
    connector.ask(an_ask(Verb.LIFT))

    assert [user["Enabled"] for user in users.values()] == [True, True, True]


def test_a_pool_that_finds_more_than_was_asked_for_loses_nobody_else() -> None:
    pool = Pool()
    pool.add("u-2", GRACE)
    pool._ListUsers = lambda _: {  # type: ignore[method-assign]
        "Users": [{"Username": "u-2", "Attributes": [{"Name": "email", "Value": GRACE}]}]
    }

    connector = registered({"kind": "cognito", "user_pool": "x"}, lambda _: pool)()

    assert connector.ask(an_ask(Verb.ERASE)).state is TaskState.NOTHING_HELD
    assert "u-2" in pool.users

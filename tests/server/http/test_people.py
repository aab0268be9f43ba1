"""Callers are told who they are."""

from aos.errors import AosError
from aos_server.identity.authenticate import Credentials
from aos_server.identity.caller import Caller
from tests.server.http.world import TOKENS, People, asking, told


class Levels(People):
    """A token says level 3; asked now, it is 5, if anybody can be asked."""

    asked = True

    async def identify(self, given: Credentials, *, live: bool) -> Caller:
        if live and not self.asked:
            raise AosError("auth_unavailable", "out of reach")
        return TOKENS["engineer"]._replace(level=5 if live else 3, live=live)


def test_the_level_is_that_of_now_and_else_that_of_the_token() -> None:
    people = Levels()
    with asking(identity=people) as client:
        now = client.get("/api/v1/whoami").json()
        assert (now["schema"], now["subject"], now["tenant_id"]) == ("aos.whoami/1", "engineer", "acme")
        assert (now["level"], now["live"]) == (5, True)
        people.asked = False
        then = client.get("/api/v1/whoami").json()
        assert (then["level"], then["live"]) == (3, False)


def test_a_machine_is_one_and_a_stranger_is_told_nothing() -> None:
    with asking("robot") as client:
        assert client.get("/api/v1/whoami").json()["scopes"] == ["read"]
    with asking("stranger") as client:
        assert told(client.get("/api/v1/whoami"))["code"] == "unauthenticated"

"""Callers are told who they are."""

from aos.errors import AosError
from aos_server.http.handlers.people import LoginAt
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


def test_who_knows_the_address_alone_is_told_where_to_log_in() -> None:
    path = "/.well-known/oauth-protected-resource"
    with asking(None, login=LoginAt("https://id.example", "aos")) as client:
        found = client.get(path).json()
        assert (found["resource"], found["aos_audience"]) == (str(client.base_url).rstrip("/"), "aos")
        assert found["authorization_servers"] == ["https://id.example"]
        away = client.get(path, headers={"Host": "aos.example:8443"}).json()
        assert away["resource"] == "https://aos.example:8443"
        assert told(client.get(path, headers={"Host": 'a"b/..'}))["code"] == "bad_value"
        refused = client.get("/api/v1/whoami")
        assert (
            refused.headers["www-authenticate"] == f'Bearer resource_metadata="{client.base_url.join(path)}"'
        )
        nowhere = client.get("/api/v1/whoami", headers={"Host": 'a"b/..'})
        assert (nowhere.status_code, nowhere.headers["www-authenticate"]) == (401, "Bearer")
    with asking(None) as client:
        assert told(client.get(path))["code"] == "not_found"

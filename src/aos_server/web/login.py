"""In and out: with an OpenID provider, or in development as one of the sample people."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import NamedTuple

from aos.errors import AosError
from aos_server.http.answers import Answer
from aos_server.http.endpoint import Call
from aos_server.http.gate import Identifies
from aos_server.identity.authenticate import Credentials
from aos_server.identity.browsers.login import CodeFlow, Granted
from aos_server.identity.browsers.sessions import is_cookie, new_cookie
from aos_server.identity.strangers import Strangers
from aos_server.services.sessions import LONGEST, Sessions
from aos_server.web.forms import Came, LoginQuery, Logout, SignIn, is_next
from aos_server.web.render import go, html
from aos_server.web.site import LOGIN_S, Site

__all__ = ["SOURCE", "Login", "SamplePeople"]

SOURCE = b"x-aos-source"
"""The header in which a page has the address of its client; what a client sends by that name is thrown away."""


class SamplePeople(NamedTuple):
    """Those of development: their levels by name, and who gives one of them a token for a tenant."""

    levels: Mapping[str, int]
    token: Callable[[str, str], str]


class Login:
    """The pages of it. `flow` None: nobody logs in but `sample` people, in development."""

    def __init__(
        self,
        sessions: Sessions,
        identity: Identifies,
        site: Site,
        flow: CodeFlow | None,
        sample: SamplePeople | None = None,
    ) -> None:
        self._sessions = sessions
        self._identity = identity
        self._site = site
        self._flow = flow
        self._sample = sample
        self._strangers = Strangers()

    async def begin(self, call: Call) -> Answer:
        """Off to the provider; in development, a choice of people."""
        asked: LoginQuery = call.query
        if self._flow is None:
            people = self._sample.levels.items() if self._sample else ()
            return html("login", people=people, next=asked.next)
        cookie = new_cookie()
        return go(
            await self._flow.address(cookie), self._site.given("login", f"{cookie}.{asked.next}", LOGIN_S)
        )

    async def came_back(self, call: Call) -> Answer:
        """Back from the provider: the code becomes a token, and that a session."""
        answer: Came = call.query
        cookie, _, following = self._site.cookie(call.headers, "login").partition(".")
        flow = self._flow
        if flow is None or not is_cookie(cookie):
            raise AosError(
                "login_failed", "this browser has begun no login, or too long ago", fix="Log in again."
            )
        said = {key: value for key, value in answer.model_dump().items() if value is not None}

        async def redeemed() -> Granted:
            try:
                return await flow.redeem(cookie, said)
            except AosError as error:
                if error.code == "login_failed":
                    raise AosError("unauthenticated", error.detail) from error
                raise

        source = call.headers.get(SOURCE, b"").decode("latin-1")
        try:
            granted = await self._strangers.ask(f"{answer.code} {answer.state}", source, redeemed)
            return await self._opened(
                granted.token, granted.life, following if is_next(following) else "/inbox", granted.subject
            )
        except AosError as error:
            if error.code != "unauthenticated":
                raise
            fix = "Log in again."
            raise AosError("login_failed", error.detail, findings=error.findings, fix=fix) from None

    async def sign_in(self, call: Call) -> Answer:
        """As one of the sample people."""
        form: SignIn = call.body
        if self._sample is None:
            raise AosError("not_found", "there is nothing at this address")
        if form.user not in self._sample.levels:
            raise AosError("login_failed", "there is no such sample user")
        return await self._opened(self._sample.token(form.user, form.tenant), LONGEST, form.next, form.user)

    async def log_out(self, call: Call) -> Answer:
        """The end of the session, or of all that the caller has."""
        form: Logout = call.body
        cookie = self._site.cookie(call.headers, "session")
        ended = await self._sessions.end(call.caller, cookie, everywhere=form.everywhere is not None)
        return html("ended", 200, self._site.given("session", "", 0), ended=ended)

    async def _opened(self, token: str, life: timedelta, following: str, subject: str) -> Answer:
        """A session for this token, whoever `Identity` says that it is from."""
        caller = await self._identity.identify(Credentials(token=token), live=False)
        if caller.kind != "human":
            raise AosError("authorization_denied", "a machine can't log in here; people do")
        if caller.principal.subject != subject:
            raise AosError("login_failed", "the access token is somebody else's than the login")
        cookie = await self._sessions.open(caller, token, life)
        return go(following, self._site.given("session", cookie, int(LONGEST.total_seconds())))

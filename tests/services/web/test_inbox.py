"""The inbox as people use it: a real login, a look, a decision; and what is refused, of which nothing must be left."""

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from html import unescape

import httpx
import pytest

from aos_server.services.requests.create import Desk
from aos_server.services.terms import NewTerms, set_terms
from tests.server.browser import Browser, Form
from tests.services.oidc.provider import OPAQUE
from tests.services.requests.requesting import ask, audited, run, status
from tests.services.web.conftest import World

LogIn = Callable[[str], Browser]
Browse = Callable[[], Browser]
ACTS = {"approved": "approve", "rejected": "reject"}
ENDS = {"approved": "request.approved", "rejected": "request.rejected"}
MISSING = "0b44a8bd-8e6a-4c4e-9b9b-0f6a3b6ad1c1"


def test_somebody_logs_in_looks_and_says_yes_which_counts_once(world: World, log_in: LogIn) -> None:
    request = world.ask()
    tim = log_in("tim")
    page = tim.get("/inbox")
    assert f'href="/inbox/{request}"' in page.text
    card = tim.get(f"/inbox/{request}")
    for shown in ("notes.txt", "fs_read", "0 of 1 of level 3", "ann", "only reads", "succeed"):
        assert shown in card.text
    assert "typed" not in card.text  # it only reads: no word to be typed
    form = tim.form(request, "approve")
    answers = [tim.send(request, "approve", form, reason="it is fine") for _ in range(2)]
    for answer in answers:
        assert (answer.status_code, answer.url.path) == (200, f"/inbox/{request}")
        assert "You said <strong>approve</strong> at level 3" in answer.text
    assert status(world.base, request) == "approved"
    made, decided = audited(world.base, request)
    assert (made[0], decided) == ("request.created", ("request.approved", "tim", None))
    assert world.base.rows(
        f"SELECT approver_issuer, approver_subject FROM request_decisions WHERE request_id = '{request}'"
    ) == [(world.provider.url, "tim")]
    assert f'href="/inbox/{request}"' in tim.get("/inbox?view=decided").text
    assert f'href="/inbox/{request}"' not in tim.get("/inbox").text
    assert world.base.unaudited() == []


def test_no_page_is_kept_framed_or_runs_anything(world: World, log_in: LogIn) -> None:
    tim, request = log_in("tim"), world.ask()
    pages = ["/inbox", f"/inbox/{request}", f"/inbox/{request}/steps", f"/inbox/{MISSING}", "/inbox/nothing"]
    for answer in map(tim.get, pages):
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["referrer-policy"] == "same-origin"
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        assert "<script" not in answer.text
    document = tim.get(f"/inbox/{request}/document")
    assert document.headers["content-disposition"].startswith("attachment")
    assert document.json()["schema"] == "aos.request/1"


def test_a_form_that_is_not_from_here_changes_nothing(world: World, log_in: LogIn, browse: Browse) -> None:
    request, tim, eve = world.ask(), log_in("tim"), log_in("eve")
    form, theirs = tim.form(request, "approve"), eve.form(request, "approve")["token"]
    before = audited(world.base, request)
    ours, elsewhere = tim.ours, {"Origin": "http://evil.example"}
    tries: list[tuple[dict[str, str], dict[str, str | None]]] = [
        (ours, {"token": ""}),
        (ours, {"token": None}),
        (ours, {"token": theirs}),
        ({}, {}),
        (elsewhere, {}),
        ({**ours, "Origin": "null"}, {}),
        ({**ours, "Origin": "http://127.0.0.1:1"}, {}),
        ({**ours, "Sec-Fetch-Site": "cross-site"}, {}),
    ]
    for act in ("approve", "reject", "escalate"):
        for headers, changed in tries:
            answer = tim.send(request, act, form, headers, reason="because", **changed)
            assert answer.status_code == 403
    # A token in a header of the browser's own is none; nor is a session without a form of its own.
    stranger = browse()
    answer = stranger.client.post(
        f"/inbox/{request}/approve", data=form, headers={**ours, "Authorization": "Bearer x"}
    )
    assert answer.status_code == 401
    assert audited(world.base, request) == before
    assert status(world.base, request) == "pending"


def test_what_has_changed_since_it_was_looked_at_is_not_decided(world: World, log_in: LogIn) -> None:
    request, eve, bob = world.ask(level=4), log_in("eve"), log_in("bob")
    form = eve.form(request, "approve")
    word = form["digest"].removeprefix("sha256:")[:6]
    stale = eve.send(request, "approve", form, typed=word, digest="sha256:" + "0" * 64)
    assert stale.status_code == 409
    assert "digest of what is asked for" in stale.text
    untyped = eve.send(request, "approve", form, typed="yes")
    assert "Not confirmed" in untyped.text
    assert bob.decide(request, "approve", typed=word).status_code == 200
    moved = eve.send(request, "approve", form, typed=word)
    assert moved.status_code == 409
    assert '<th scope="row">approvals</th><td>0</td><td>1</td>' in moved.text
    assert status(world.base, request) == "pending"
    assert [one[:2] for one in audited(world.base, request) if one[0] == "request.voted"] == [
        ("request.voted", "bob")
    ]
    fresh = Form(moved.text).found[f"/inbox/{request}/approve"]
    assert eve.send(request, "approve", fresh, typed=word).status_code == 200
    assert status(world.base, request) == "approved"
    late = bob.send(request, "reject", {**fresh, "token": bob_token(bob)}, reason="too late", typed=None)
    assert late.status_code == 409
    assert "Already decided" in late.text
    assert status(world.base, request) == "approved"


def bob_token(browser: Browser) -> str:
    return Form(browser.get("/inbox").text).found["/inbox/logout"]["token"]


def test_a_yes_that_could_not_be_used_is_not_given(world: World, log_in: LogIn) -> None:
    """What the rules would not let through by now: looked at, then forbidden, then approved."""
    request, tim = world.ask(by="kim"), log_in("tim")
    form = tim.form(request, "approve")

    async def forbid(desk: Desk, forbidden: bool) -> None:
        await set_terms(desk.database, world.person("eve"), NewTerms(permissions={"fs_read": not forbidden}))

    run(world.base, lambda desk: forbid(desk, True), 2)
    refused = tim.send(request, "approve", form)
    assert refused.status_code == 409
    assert "policy_stricter" in refused.text
    assert status(world.base, request) == "pending"
    run(world.base, lambda desk: forbid(desk, False), 2)
    assert tim.send(request, "approve", form).status_code == 200
    assert status(world.base, request) == "approved"


def test_who_may_not_is_told_why_and_who_may(world: World, log_in: LogIn) -> None:
    request = world.ask(by="ann", level=4)
    ann, tim, leo, eve = map(log_in, ("ann", "tim", "leo", "eve"))
    form = eve.form(request, "approve")
    for browser, why in ((ann, "their own request"), (tim, "this takes level 4; you act at level 3")):
        card = browser.get(f"/inbox/{request}").text
        assert why in card
        assert "manager, policy_admin, director" in card or "owner, admin, manager" in card
        assert f"/inbox/{request}/approve" not in Form(card).found
        sent = {**form, "token": bob_token(browser), "typed": form["digest"][7:13]}
        answer = browser.send(request, "approve", sent)
        assert answer.status_code == 403
        assert why in answer.text
    answer = leo.send(request, "approve", {**form, "token": bob_token(leo)})
    assert (answer.status_code, "this takes level 2" in answer.text) == (403, True)
    assert status(world.base, request) == "pending"
    assert [one[1:] for one in audited(world.base, request)[1:]] == [
        ("ann", "authorization_denied"),
        ("tim", "authorization_denied"),
        ("leo", "authorization_denied"),
    ]


def test_another_tenants_request_looks_like_a_missing_one(world: World, log_in: LogIn) -> None:
    theirs, eve = world.ask(tenant="evil"), log_in("eve")

    def without_id(answer: httpx.Response) -> str:
        return answer.text.replace(answer.headers["x-request-id"], "ID")

    for path in ("", "/steps", "/document"):
        pages = [eve.get(f"/inbox/{one}{path}") for one in (theirs, MISSING)]
        assert [page.status_code for page in pages] == [404, 404]
        assert len({without_id(page) for page in pages}) == 1
    form = eve.form(world.ask(), "approve")
    for one in (theirs, MISSING):
        assert eve.send(one, "approve", form).status_code == 404
    assert status(world.base, theirs) == "pending"


def test_people_and_programs_race_and_one_of_them_decides(world: World, log_in: LogIn) -> None:
    """On the web and over the API at once; each request has one end, told to all in the same way."""
    tim, eve = log_in("tim"), log_in("eve")
    token = world.provider.person("bob", OPAQUE)["access_token"]
    with ThreadPoolExecutor(6) as pool, httpx.Client(base_url=world.url, timeout=60) as api:
        for _ in range(4):
            request = world.ask()
            yes, no = tim.form(request, "approve"), eve.form(request, "reject")
            bearer = {"Authorization": f"Bearer {token}"}
            acts = [
                pool.submit(tim.send, request, "approve", yes),
                pool.submit(eve.send, request, "reject", no, reason="no"),
                pool.submit(api.post, f"/api/v1/policy/requests/{request}/approve", json={}, headers=bearer),
                pool.submit(tim.send, request, "approve", yes),
            ]
            answers = [act.result() for act in acts]
            ended = status(world.base, request)
            decisions = world.base.rows(
                f"SELECT decision FROM request_decisions WHERE request_id = '{request}'"
            )
            ends = [one[0] for one in audited(world.base, request) if one[0] in ENDS.values()]
            # On a machine that is busy all of them may have been told to come back.
            assert (decisions, ends) == (
                ([], []) if ended == "pending" else ([(ACTS[ended],)], [ENDS[ended]])
            )
            assert {answer.status_code for answer in answers} <= {200, 409, 503}


def test_a_session_ends_where_its_right_does(world: World, log_in: LogIn, browse: Browse) -> None:
    request, tim, bob = world.ask(), log_in("tim"), log_in("bob")
    form, theirs = tim.form(request, "approve"), bob.form(request, "approve")
    # Somebody took a role away: the very next decision says so.
    world.roles.held["tim"] = "developer"
    lowered = tim.send(request, "approve", form)
    assert lowered.status_code == 403
    assert "this takes level 3; you act at level 2" in lowered.text
    # Nobody can say what they may do.
    world.roles.down = True
    gone = tim.send(request, "approve", form)
    assert (gone.status_code, gone.headers["retry-after"]) == (503, "2")
    assert "Nothing was decided" in gone.text
    assert tim.get(f"/inbox/{request}").status_code == 200  # which is told with what the token says
    world.roles.down = False
    # Logged out: the cookie that somebody kept opens nothing.
    kept = bob.client.cookies["aos_session"]
    out = bob.client.post("/inbox/logout", data={"token": theirs["token"], "key": "k"}, headers=bob.ours)
    assert "You are logged out" in out.text
    thief = browse()
    thief.client.cookies.set("aos_session", kept)
    assert thief.send(request, "approve", theirs).status_code == 401
    assert status(world.base, request) == "pending"


def test_a_session_that_is_over_decides_nothing(world: World, log_in: LogIn) -> None:
    request, eve = world.ask(), log_in("eve")
    form = eve.form(request, "approve")
    world.base.server.execute(
        "UPDATE sessions SET created_at = created_at - interval '2 h', "
        "expires_at = expires_at - interval '2 h'",
        world.base.name,
    )
    answer = eve.send(request, "approve", form)
    assert answer.status_code == 401
    assert "Nothing was decided" in answer.text
    assert status(world.base, request) == "pending"


@pytest.mark.parametrize(
    ("query", "cookie"),
    [
        ("code=x&state=y", ""),
        ("code=x&state=y", "a" * 43 + "./inbox"),
        ("state=y", "a" * 43 + "./inbox"),
        ("code=x", "short"),
    ],
)
def test_nobody_is_logged_in_who_did_not_begin_it(world: World, query: str, cookie: str) -> None:
    with httpx.Client(base_url=world.url, timeout=60) as client:
        jar = {"Cookie": f"aos_login={cookie}"} if cookie else {}
        answer = client.get(f"/inbox/callback?{query}", headers=jar)
    assert answer.status_code == 401
    assert "set-cookie" not in answer.headers


def test_a_login_leads_back_to_a_page_of_the_inbox_and_nowhere_else(world: World, browse: Browse) -> None:
    request = world.ask()
    assert browse().log_in("tim", f"/inbox/{request}").get("/inbox").status_code == 200
    with httpx.Client(base_url=world.url, timeout=60) as client:
        for elsewhere in (
            "//evil.example",
            "https://evil.example",
            "/inbox/../x",
            "/inboxes",
            "/inbox\\@evil",
        ):
            assert client.get("/inbox/login", params={"next": elsewhere}).status_code == 422
        begun = client.get("/inbox/login")
        assert begun.headers["location"].startswith(f"{world.provider.url}/")
        assert "code_challenge_method=S256" in begun.headers["location"]
        given = begun.headers["set-cookie"]
    assert "HttpOnly" in given
    assert "SameSite=Lax" in given


def test_what_a_crowd_asks_for_comes_in_pages_the_most_urgent_first(world: World, log_in: LogIn) -> None:
    async def crowd(desk: Desk) -> list[str]:
        zoe = world.person("zoe")
        return [await ask(desk, zoe, expires_in=timedelta(hours=30 - hour)) for hour in range(22)]

    made, eve = run(world.base, crowd, 2), log_in("eve")
    found, following = list[str](), "/inbox?view=open"
    while following:
        page = eve.get(following).text
        found += [one for one in re.findall(r'href="/inbox/([0-9a-f-]{36})"', page) if one in made]
        more = re.search(r'rel="next" href="([^"]+)"', page)
        following = unescape(more[1]) if more else ""
    assert found == made[::-1]


def test_the_api_names_the_page(world: World) -> None:
    request = world.ask()
    token = world.provider.person("bob", OPAQUE)["access_token"]
    asked = httpx.get(
        f"{world.url}/api/v1/policy/requests/{request}", headers={"Authorization": f"Bearer {token}"}
    )
    assert asked.json()["inbox_url"] == f"{world.url}/inbox/{request}"

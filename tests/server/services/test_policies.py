"""Versions of a tenant's rules over HTTP, on a real database: pushed, listed, activated, and decided by."""

import re
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from aos.policy.rules import default_policy
from tests.cli.process import aos
from tests.cli.schemas import faults
from tests.server.http.world import told
from tests.server.processes import aos_server

VERSIONS, ACTIVE = "/api/v1/policy/versions", "/api/v1/policy/active"
REPLAY, REQUESTS = "/api/v1/policy/replay", "/api/v1/policy/requests"
ANY = "permit (principal, action, resource);"
SHIPPED = default_policy().digest


class Person:
    """Somebody of the tenant `default`."""

    def __init__(self, client: httpx.Client, token: str) -> None:
        self.client, self.headers = client, {"Authorization": f"Bearer {token}"}

    def post(self, path: str, key: str | None = None, **body: Any) -> httpx.Response:
        headers = self.headers | ({"Idempotency-Key": key} if key else {})
        return self.client.post(path, json=body, headers=headers)

    def get(self, path: str, **query: str) -> Any:
        return self.client.get(path, params=query, headers=self.headers).json()

    def push(self, *texts: str, **more: Any) -> httpx.Response:
        return self.post(VERSIONS, files={f"{i}.cedar": text for i, text in enumerate(texts)}, **more)

    def activate(self, version: int, **more: Any) -> httpx.Response:
        return self.post(f"{VERSIONS}/{version}/activate", **{"if_active": self.active(), **more})

    def active(self) -> str:
        digest: str = self.get(ACTIVE)["policy_digest"]
        return digest

    def decides(self) -> tuple[str, str]:
        found = self.post("/api/v1/policy/eval", skill_id="fs_read", payload={"path": "a.txt"}).json()
        return found["decision"], found["policy_version"]

    def entries(self) -> list[Any]:
        entries: list[Any] = self.get("/api/v1/audit", limit="200")["entries"]
        return entries


@pytest.fixture(scope="module")
def people() -> Iterator[dict[str, Person]]:
    env = {"RATE_LIMIT_ENABLED": "false"}
    with (
        aos_server("dev", "--port", "0", env=env) as served,
        httpx.Client(base_url=served.url, timeout=60) as client,
    ):
        tokens = re.findall(r"^([A-Z0-9_]+)=(\S+)$", served.said, re.MULTILINE)
        yield {name.lower(): Person(client, token) for name, token in tokens}


@pytest.fixture
def manager(people: dict[str, Person]) -> Person:
    """Level 4; what ships is active."""
    manager = people["manager1"]
    assert manager.activate(0).status_code == 200
    return manager


def rule(name: str) -> str:
    return f'@id("{name}") {ANY}'


def test_what_ships_holds_until_something_is_activated(manager: Person) -> None:
    assert manager.decides() == ("allow", SHIPPED)
    shipped = manager.get(f"{VERSIONS}/0")
    assert (shipped["policy_digest"], list(shipped["files"])) == (SHIPPED, ["default.cedar"])


def test_a_version_is_pushed_activated_and_decided_by(manager: Person) -> None:
    nothing = '@id("nothing") forbid (principal, action, resource); // 🙂'
    pushed = manager.push(nothing, message="stop\n")
    receipt = pushed.json()
    assert (pushed.status_code, manager.decides()) == (201, ("allow", SHIPPED))
    answer = manager.activate(receipt["version"], why="an incident").json()
    assert answer["before"]["policy_digest"] == SHIPPED
    assert manager.decides() == ("deny", receipt["policy_digest"])
    active = manager.get(ACTIVE)
    assert (active["version"], active["activated_by"], active["why"]) == (
        receipt["version"],
        "manager1",
        "an incident",
    )
    shown = manager.get(f"{VERSIONS}/{receipt['version']}")
    assert (shown["files"], shown["message"], shown["pushed_by"]) == (
        {"0.cedar": nothing},
        "stop\n",
        "manager1",
    )
    activated, pushing = manager.entries()[:2]
    assert (activated["action"], pushing["action"]) == ("policy.activated", "policy.pushed")
    assert activated["object"] == pushing["object"] == f"policy/{receipt['version']}"
    assert activated["details"]["before"] == answer["before"]


def test_the_same_text_is_one_version_however_often(manager: Person) -> None:
    with ThreadPoolExecutor(8) as pool:
        pushed = list(pool.map(lambda _: manager.push(rule("same")), range(64)))
    assert Counter(answer.status_code for answer in pushed) == {201: 1, 200: 63}
    (version,) = {answer.json()["version"] for answer in pushed}
    said = [entry for entry in manager.entries() if entry["object"] == f"policy/{version}"]
    assert len(said) == 1
    again = manager.push(f"{rule('same')} // a comment").json()
    assert again["version"] > version
    assert again["policy_digest"] == pushed[0].json()["policy_digest"]


def test_different_texts_at_once_are_numbered_without_gaps(manager: Person) -> None:
    before = manager.get(VERSIONS)["versions"][0]["version"]
    with ThreadPoolExecutor(8) as pool:
        pushed = list(pool.map(lambda n: manager.push(rule(f"n{n}")), range(16)))
    assert {answer.status_code for answer in pushed} == {201}
    assert sorted(answer.json()["version"] for answer in pushed) == list(range(before + 1, before + 17))
    page = manager.get(VERSIONS, limit="10")
    rest = manager.get(VERSIONS, limit="200", cursor=page["next"])
    numbers = [one["version"] for one in (*page["versions"], *rest["versions"])]
    assert numbers == list(range(before + 16, 0, -1))
    assert (rest["next"], page["active"]) == (None, 0)


def test_of_many_who_saw_the_same_one_activates(manager: Person) -> None:
    versions = [manager.push(rule(f"race{n}")).json()["version"] for n in range(8)]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda one: manager.activate(one, if_active=SHIPPED), versions))
    assert Counter(answer.status_code for answer in answers) == {200: 1, 409: 7}
    assert {told(answer)["code"] for answer in answers if answer.status_code == 409} == {"policy_conflict"}
    (won,) = (answer.json() for answer in answers if answer.status_code == 200)
    assert manager.get(ACTIVE)["version"] == won["version"]


def test_a_key_gives_the_same_answer_and_one_activation(manager: Person) -> None:
    version = manager.push(rule("key")).json()["version"]
    seen = manager.active()
    first, again = (manager.activate(version, if_active=seen, key="once") for _ in range(2))
    assert (first.status_code, again.status_code) == (200, 200)
    assert first.json() == again.json()
    other = told(manager.activate(version, if_active=seen, key="once", why="other"))
    assert other["code"] == "idempotency_mismatch"


def test_everything_that_is_wrong_is_said_and_nothing_kept(manager: Person) -> None:
    before = manager.get(VERSIONS)
    problem = told(
        manager.push("permit (principal);", "allow;", f"{ANY}\npermit (principal, action, resource is Foo);")
    )
    assert (problem["status"], problem["code"]) == (422, "invalid_policy")
    assert {error["pointer"] for error in problem["errors"]} == {"/0.cedar", "/1.cedar", "/2.cedar"}
    assert manager.get(VERSIONS) == before


def test_a_skill_that_the_catalog_does_not_have_is_a_warning(manager: Person) -> None:
    call = 'resource == Aos::Skill::"htp_call"'
    inside = '{ resource == Aos::Skill::"own_skill" }'
    said = f'@id("a") permit (principal, action, {call}); @id("b") permit (principal, action, resource) when {inside};'
    warnings = manager.push(said).json()["warnings"]
    assert [(one["rule"], one["suggestion"]) for one in warnings] == [("a", "http_call"), ("b", None)]


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"files": {}},
        {"files": {"a.cedar": ANY, "../b": ANY}},
        {"files": {"a\n.cedar": ANY}},
        {"files": {"a.cedar": "// \x00"}},
        {"files": {"a.cedar": 5}},
        {"files": {f"{i}.cedar": ANY for i in range(101)}},
        {"files": {"a.cedar": ANY}, "message": "x" * 4097},
        {"files": {"a.cedar": ANY}, "message": "\x00"},
        {"files": {"a.cedar": ANY}, "level": 5},
        {"files": {"a.cedar": ANY}, "approver_id": "manager1"},
        {"files": {"a.cedar": ANY}, "version": 7},
        {"files": {"a.cedar": ANY}, "status": "active"},
    ],
)
def test_what_is_no_push_is_refused(manager: Person, wrong: dict[str, Any]) -> None:
    before = manager.get(VERSIONS)
    assert told(manager.post(VERSIONS, **wrong))["code"] == "invalid_request"
    assert manager.get(VERSIONS) == before


def test_too_much_is_not_read(manager: Person) -> None:
    files = {"a.cedar": "//" + "x" * 256 * 1024}
    # A connection of its own: it is closed, since what is left of the body is not read.
    answer = httpx.post(
        f"{manager.client.base_url}{VERSIONS}", json={"files": files}, headers=manager.headers
    )
    assert told(answer)["code"] == "too_large"


def test_who_may_push_and_activate_rules(manager: Person, people: dict[str, Person]) -> None:
    version = manager.push(rule("who")).json()["version"]
    for name in ("low_level_user", "dev", "user123"):
        for answer in (people[name].push(rule(name)), people[name].activate(version)):
            assert (answer.status_code, told(answer)["code"]) == (403, "authorization_denied")
        assert people[name].get(f"{VERSIONS}/{version}")["version"] == version
    foreign = told(manager.push(rule("foreign"), tenant_id="other"))
    assert (foreign["status"], foreign["code"]) == (403, "authorization_denied")
    assert people["owner1"].activate(version).status_code == 200


def test_another_tenants_version_is_no_version(manager: Person) -> None:
    version = manager.push(rule("mine")).json()["version"]
    assert manager.activate(version).status_code == 200
    ask = {"tenant_id": "other"}
    client = manager.client
    assert client.get(VERSIONS, params=ask).json()["count"] == 0
    assert client.get(ACTIVE, params=ask).json()["policy_digest"] == SHIPPED
    for missing in (str(version), "999", "-1", "x", "1" * 40, "%00"):
        problem = told(client.get(f"{VERSIONS}/{missing}", params=ask))
        assert (problem["status"], problem["code"]) == (404, "not_found")
    assert told(manager.activate(999))["code"] == "not_found"


def test_on_the_command_line(manager: Person, tmp_path: Path) -> None:
    env = {"HOME": str(tmp_path), "AOS_KEYRING": "off"}
    url = str(manager.client.base_url)

    def ask(*words: str, status: int = 0, stdin: bytes = b"") -> Any:
        done = aos(*words, "--json", env=env, stdin=stdin)
        assert (done.status, faults(done.document)) == (status, [])
        return done.document

    token = manager.headers["Authorization"].removeprefix("Bearer ")
    ask("login", "--server", url, "--token-stdin", stdin=token.encode())
    rules = tmp_path / "rules"
    rules.mkdir()
    (rules / "a.cedar").write_text(f'@id("x\x1b[2J") {ANY}')
    (rules / "b.cedar").write_text('forbid (principal, action, resource == Aos::Skill::"email_snd");')
    compared = ask("policy", "diff", str(rules))
    assert (len(compared["added"]), len(compared["removed"]), compared["before"]["name"]) == (
        2,
        8,
        "version 0",
    )
    receipt = ask("policy", "push", str(rules), "--message", "try\x1b[2J")
    assert receipt["warnings"][0]["suggestion"] == "email_send"
    version = str(receipt["version"])
    listed = ask("policy", "list", "--limit", "1")
    assert (listed["versions"][0]["message"], listed["active"]) == ("try\x1b[2J", 0)
    assert (
        ask("policy", "activate", version, "--if-active", "sha256:" + "0" * 64, status=9)["code"]
        == "policy_conflict"
    )
    assert ask("policy", "activate", version, "--why", "a try")["before"]["version"] == 0
    assert ask("policy", "diff", "0", version)["lines"]
    assert ask("policy", "show")["files"]["a.cedar"] == (rules / "a.cedar").read_text()
    mail = '[{"skill": "email_send", "params": {"to": ["a@b.example"], "subject": "s", "body": "b"}}]'
    decided = ask("policy", "eval", "--plan", mail, "--server", url)
    assert (decided["decision"], decided["policy_version"]) == ("allow", receipt["policy_digest"])
    (rules / "a.cedar").write_bytes(b"\xff")
    assert ask("policy", "push", str(rules), status=2)["errors"][0]["code"] == "not_utf8"
    assert ask("policy", "push", str(rules), str(rules), status=2)["code"] == "invalid_policy"
    for words in (["list"], ["show", version], ["diff", "0", version]):
        shown = aos("policy", *words, env=env)
        assert (shown.status, b"\x1b" in shown.out) == (0, False)


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"files": {"a.cedar": ANY}, "version": 1},
        {"files": {}},
        {"version": -1},
        {"version": 0, "window_s": 0},
        {"version": 0, "limit": 5_001},
        {"version": 0, "against": "active"},
        {"version": 0, "else": 1},
    ],
)
def test_what_is_no_replay_is_refused(manager: Person, wrong: dict[str, Any]) -> None:
    assert told(manager.post(REPLAY, **wrong))["code"] == "invalid_request"


def test_who_may_try_rules(people: dict[str, Person]) -> None:
    """Whoever may ask what the rules decide. They see what of their tenant everybody sees; nothing is kept."""
    assert people["low_level_user"].post(REPLAY, version=0).status_code == 200
    problem = told(people["low_level_user"].post(REPLAY, version=0, tenant_id="acme"))
    assert problem["code"] == "authorization_denied"
    assert people["low_level_user"].client.post(REPLAY, json={"version": 999}).status_code == 404
    wrong = told(people["low_level_user"].post(REPLAY, files={"a.cedar": "permit (", "b.cedar": "x;"}))
    assert (wrong["code"], [error["pointer"] for error in wrong["errors"]]) == (
        "invalid_policy",
        ["/a.cedar", "/b.cedar"],
    )


def test_as_many_rules_as_there_may_be_are_answered_in_time(manager: Person) -> None:
    conditions = " && ".join(f"context.steps > {i}" for i in range(5))
    rules = [f"permit (principal, action, resource) when {{ {conditions} }};" for _ in range(1_000)]
    manager.post(
        REQUESTS, skill_id="fs_read", policy_type="cost", payload={"path": "a"}, requested_by="manager1"
    )
    answer = manager.post(REPLAY, files={"a.cedar": "\n".join(rules)})
    assert answer.status_code == 200, answer.text
    assert answer.json()["changes"]["newly_denied"] == answer.json()["determined"] > 0


def test_rules_are_tried_on_the_command_line(manager: Person, tmp_path: Path) -> None:
    url = str(manager.client.base_url)
    token = manager.headers["Authorization"].removeprefix("Bearer ")
    env = {"HOME": str(tmp_path), "AOS_KEYRING": "off"}
    assert aos("login", "--server", url, "--token-stdin", env=env, stdin=token.encode()).status == 0
    made = manager.post(
        REQUESTS,
        skill_id="fs_write",
        policy_type="resource",
        payload={"path": "a", "content": "b"},
        requested_by="manager1",
        justification="x\x1b[2J",
    )
    assert made.status_code == 201
    (tmp_path / "rules.cedar").write_text(f'@id("x\x1b[2J") {ANY}')
    words = ("policy", "replay", str(tmp_path / "rules.cedar"), "--server", url)
    done = aos(*words, "--limit", "1", "--since", "1h", "--json", env=env)
    assert (done.status, faults(done.document), done.document["server"]) == (3, [], url)
    assert done.document["transitions"][0]["groups"][0]["examples"][0]["id"] == made.json()["request_id"]
    shown = aos(*words, "--fail-on", "none", env=env)
    assert (shown.status, b"\x1b" in shown.out, "nobody has decided" in shown.text) == (0, False, True)
    version = manager.push(f"// {tmp_path}\n{ANY}").json()["version"]
    assert aos("policy", "replay", str(version), "--against", "0", "--server", url, env=env).status == 3
    for wrong in (["--plans", "x"], ["--rows", "x"], ["--agent", "x"]):
        assert aos(*words, *wrong, env=env).status == 2
    assert aos("policy", "replay", "nowhere", "--server", url, env=env).status == 2
    assert aos("policy", "replay", "0", "--limit", "1", env=env).status == 2

"""The inbox of `aos-server dev`: as one of the sample people, in any tenant, and from this machine alone."""

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import httpx
import pytest

from tests.server.browser import Browser
from tests.server.processes import Served, aos_server

ASKED = {
    "policy_type": "cost",
    "skill_id": "test_skill",
    "tenant_id": "test_tenant",
    "requested_by": "user123",
    "justification": "Testing RBAC flow",
}


@pytest.fixture(scope="module")
def dev() -> Iterator[Served]:
    with aos_server("dev", "--port", "0") as served:
        yield served


def as_one(dev: Served, user: str, **form: Any) -> Browser:
    browser = Browser(dev.url)
    sent = {"user": user, "tenant": "test_tenant", "next": "/inbox", **form}
    answer = browser.client.post("/inbox/login", data=sent, headers=browser.ours)
    assert answer.status_code == 200, answer.text
    return browser


def test_a_request_of_the_api_is_decided_on_by_a_sample_person(dev: Served) -> None:
    assert f"{dev.url}/inbox" in dev.said
    request = httpx.post(f"{dev.url}/api/v1/policy/requests", json=ASKED, timeout=60).json()["request_id"]
    asker, manager, elsewhere = (
        as_one(dev, "user123"),
        as_one(dev, "manager1"),
        as_one(dev, "manager1", tenant="other"),
    )
    with closing(asker.client), closing(manager.client), closing(elsewhere.client):
        assert "their own request" in asker.get(f"/inbox/{request}").text
        assert elsewhere.get(f"/inbox/{request}").status_code == 404
        card = manager.get(f"/inbox/{request}").text
        assert "nobody can say what it does" in card
        form = manager.form(request, "approve")
        assert "Not confirmed" in manager.send(request, "approve", form).text  # nobody could foresee it
        done = manager.send(request, "approve", form, typed=form["digest"].removeprefix("sha256:")[:6])
        assert "You said <strong>approve</strong>" in done.text
    shown = httpx.get(f"{dev.url}/api/v1/policy/requests/{request}", timeout=60).json()
    assert shown["status"] == "approved"
    assert shown["decisions"][0]["approver_id"] == "manager1"


def test_it_is_open_to_pages_and_names_of_this_machine_alone(dev: Served) -> None:
    form = {"user": "owner1", "tenant": "default", "next": "/inbox"}
    with httpx.Client(base_url=dev.url, timeout=60) as client:
        for headers in (
            {},
            {"Origin": "http://evil.example"},
            {"Origin": "http://localhost:1"},
            {"Origin": dev.url, "Sec-Fetch-Site": "cross-site"},
            {"Origin": "http://evil.example", "Host": "evil.example"},
        ):
            refused = client.post("/inbox/login", data=form, headers=headers)
            assert (refused.status_code, "set-cookie" in refused.headers) == (403, False)
        assert client.get("/inbox", headers={"Host": "evil.example"}).status_code == 403
        nobody = client.post("/inbox/login", data={**form, "user": "mallory"}, headers={"Origin": dev.url})
        assert nobody.status_code == 401
        assert client.get("/inbox").headers["location"] == "/inbox/login?next=/inbox"

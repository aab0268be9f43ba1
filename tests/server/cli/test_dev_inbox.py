"""The inbox of `aos-server dev`."""

from contextlib import closing

import httpx

from tests.server.browser import Browser
from tests.server.processes import aos_server

ASKED = {"policy_type": "cost", "skill_id": "test_skill", "tenant_id": "t1", "requested_by": "user123"}


def test_in_the_inbox_sample_people_decide_on_requests_of_the_api() -> None:
    """Without a provider, in any tenant, also on what nobody can foresee; from pages of this server alone."""
    with aos_server("dev", "--port", "0") as dev:
        assert f"{dev.url}/inbox" in dev.said
        request = httpx.post(f"{dev.url}/api/v1/policy/requests", json=ASKED, timeout=60).json()["request_id"]
        browser = Browser(dev.url)
        with closing(browser.client):
            decide(browser, request)
        shown = httpx.get(f"{dev.url}/api/v1/policy/requests/{request}", timeout=60).json()
        assert (shown["status"], shown["decisions"][0]["approver_id"]) == ("approved", "manager1")


def decide(browser: Browser, request: str) -> None:
    for headers in (
        {},
        {"Origin": "http://localhost:1"},
        {**browser.ours, "Sec-Fetch-Site": "cross-site"},
    ):
        refused = browser.client.post("/inbox/login", data={"user": "owner1"}, headers=headers)
        assert (refused.status_code, refused.headers.get("set-cookie")) == (403, None)
    for user, tenant, told in (
        ("user123", "t1", "their own request"),
        ("manager1", "t2", "there is no such request"),
        ("manager1", "t1", "nobody can say what it does"),
    ):
        browser.client.post("/inbox/login", data={"user": user, "tenant": tenant}, headers=browser.ours)
        assert told in browser.get(f"/inbox/{request}").text
    form = browser.form(request, "approve")
    assert "Not confirmed" in browser.send(request, "approve", form).text
    browser.send(request, "approve", {**form, "typed": form["digest"][7:13]})

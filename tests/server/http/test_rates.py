"""Requests are counted by tenant, subject and class; what is left is told in every answer."""

import httpx

from aos_server.limits.rates import Rates
from tests.server.http.world import asking, told

EVAL = "/api/v1/policy/eval"


def test_seventy_in_a_row_are_sixty_too_many_for_ten() -> None:
    with asking(token=None, trusting=True, rates=Rates()) as client:
        asked = {"skill_id": "test", "tenant_id": "rate_test", "payload": {}}
        answers = [client.post(EVAL, json=asked) for _ in range(70)]
        statuses = [answer.status_code for answer in answers]
        assert statuses[:60] == [200] * 60
        assert statuses.count(429) >= 5  # one a second comes back, and a slow machine may take a few
        refused = next(answer for answer in answers if answer.status_code == 429)
        problem = told(refused)
        assert (problem["code"], problem["retryable"]) == ("rate_limited", True)
        assert int(refused.headers["retry-after"]) >= 1
        assert refused.headers["ratelimit-policy"] == '"evaluate";q=60;w=60'
        assert answers[0].headers["ratelimit"].startswith('"evaluate";r=59;')
        # Neither other people, nor other tenants, nor other classes are touched by it.
        assert client.post(EVAL, json={**asked, "tenant_id": "other"}).status_code == 200
        assert client.get("/api/v1/runtime/skills").status_code == 200
        assert _as(client, "engineer").status_code == 200


def _as(client: httpx.Client, token: str) -> httpx.Response:
    asked = {"skill_id": "test", "payload": {}}
    return client.post(EVAL, json=asked, headers={"Authorization": f"Bearer {token}"})

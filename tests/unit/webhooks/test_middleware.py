"""The middleware in front of a Starlette application: verified messages, each once."""

import asyncio
from datetime import UTC, datetime

import httpx
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from aos.webhooks import new_secret, sign
from aos.webhooks.middleware import VerifiedWebhooks

SECRET = new_secret()


class Receiver:
    """An application that answers `status` and remembers what reached it."""

    def __init__(self) -> None:
        self.status = 200
        self.received: list[tuple[str, bytes]] = []
        self.hold = asyncio.Event()
        self.hold.set()
        guard = Middleware(VerifiedWebhooks, secrets=lambda: [SECRET])
        self.app = Starlette(routes=[Route("/hook", self.take, methods=["POST"], middleware=[guard])])

    async def take(self, request: Request) -> Response:
        self.received.append((request.scope["webhook_id"], await request.body()))
        await self.hold.wait()
        if not self.status:
            raise RuntimeError("broken")
        return Response(status_code=self.status)

    async def post(self, message_id: str = "msg_1", body: bytes = b"{}", **headers: str) -> httpx.Response:
        signed = sign([SECRET], message_id, datetime.now(UTC), body)
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://receiver") as client:
            return await client.post("/hook", content=body, headers={**signed, **headers})


def test_a_signed_message_reaches_the_application_once():
    async def scenario() -> None:
        receiver = Receiver()
        assert [(await receiver.post()).status_code for _ in range(3)] == [200, 204, 204]
        assert receiver.received == [("msg_1", b"{}")]

    asyncio.run(scenario())


@pytest.mark.parametrize("status", [500, 404, 302, 0])
def test_what_the_application_did_not_take_comes_again(status):
    async def scenario() -> None:
        receiver = Receiver()
        receiver.status = status
        assert (await receiver.post()).status_code == (status or 500)
        receiver.status = 200
        assert (await receiver.post()).status_code == 200
        assert len(receiver.received) == 2

    asyncio.run(scenario())


def test_while_it_is_at_work_the_next_try_waits_its_turn():
    async def scenario() -> None:
        receiver = Receiver()
        receiver.hold.clear()
        first = asyncio.create_task(receiver.post())
        while not receiver.received:
            await asyncio.sleep(0.01)
        second = await asyncio.wait_for(receiver.post(), 10)
        receiver.hold.set()
        assert (second.status_code, (await first).status_code) == (409, 200)
        assert len(receiver.received) == 1

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("headers", "body", "status", "code"),
    [
        ({"webhook-id": "msg_2"}, b"{}", 401, "webhook_forged"),
        ({"webhook-id": ""}, b"{}", 400, "webhook_malformed"),
        ({"webhook-timestamp": "1"}, b"{}", 401, "webhook_forged"),
        ({}, b"x" * 300_000, 413, "too_large"),
    ],
)
def test_anything_else_is_a_problem_and_reaches_nobody(headers, body, status, code):
    async def scenario() -> None:
        receiver = Receiver()
        answer = await receiver.post("msg_1", body, **headers)
        assert (answer.status_code, answer.json()["code"]) == (status, code)
        assert answer.headers["content-type"] == "application/problem+json"
        assert receiver.received == []

    asyncio.run(scenario())

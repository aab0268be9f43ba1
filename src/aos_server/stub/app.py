"""The routes of the auth service of development."""

import hmac

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from aos_server.identity.roles import level_of
from aos_server.stub.provider import StubProvider
from aos_server.stub.users import USERS

__all__ = ["create_stub"]


def create_stub(provider: StubProvider, api_key: str) -> Starlette:
    """The service. `api_key` is what it wants to see as bearer token from whoever asks for roles."""

    async def roles(request: Request) -> JSONResponse:
        given = request.headers.get("authorization", "")
        if not hmac.compare_digest(given.encode(), f"Bearer {api_key}".encode()):
            return JSONResponse({"error": "invalid_token"}, 401, {"WWW-Authenticate": "Bearer"})
        tenant = request.query_params.get("tenant_id")
        if not tenant:
            return JSONResponse({"error": "invalid_request"}, 400)
        user = request.path_params["user_id"]
        if user not in USERS:
            return JSONResponse({"error": "unknown_user"}, 404)
        held = USERS[user]
        return JSONResponse(
            {
                "user_id": user,
                "roles": list(held),
                "max_approval_level": level_of(held),
                "tenant_id": tenant,
            }
        )

    async def metadata(_: Request) -> JSONResponse:
        return JSONResponse(provider.metadata())

    async def keys(_: Request) -> JSONResponse:
        return JSONResponse(provider.keys())

    return Starlette(
        routes=[
            Route("/api/v1/users/{user_id:path}/roles", roles),
            Route("/.well-known/openid-configuration", metadata),
            Route("/jwks", keys),
        ]
    )

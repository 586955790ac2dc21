"""What only Vertex has: the token desk for service accounts."""

from aiohttp import web


async def token(request: web.Request) -> web.Response:
    """Return an access token to any service account: the credential file of a test names this address."""
    return web.json_response(
        {"access_token": "simulated-access-token", "expires_in": 3600, "token_type": "Bearer"}
    )

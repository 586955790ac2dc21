"""Links to stored images that work for an hour, for whoever has one, and say nothing else.

A link is signed with a secret of the home, so nothing is stored for it. An answer that is kept holds
placeholders; whoever is given it gets links that are fresh.
"""

import asyncio
import base64
import hashlib
import hmac
import re
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Final
from urllib.parse import quote

from keeprate.domain.errors import NotFound
from keeprate.gateway.desk import Desk
from keeprate.gateway.exchange import Answer, Request
from keeprate.gateway.identity import Caller
from keeprate.safety.home_secrets import home_secret
from keeprate.safety.secrets import Secret

LASTS: Final = timedelta(hours=1)
SECRET_FILE: Final = "links.secret"  # noqa: S105 (the name of a file)
PATH: Final = "/v1/images/files/{workspace}/{name}"
_PLACEHOLDER: Final = re.compile(rb"keeprate-image:([0-9a-f]{64}\.[a-z]+)")
_NAME: Final = re.compile(r"([0-9a-f]{64})\.[a-z]+\Z")
_MIME: Final = {"png": "image/png", "jpg": "image/jpeg", "webp": "image/webp"}


def placeholder(sha256: str, extension: str) -> str:
    """Return what stands in a kept answer where a link will."""
    return f"keeprate-image:{sha256}.{extension}"


class Links:
    """Makes links and serves what they lead to."""

    def __init__(self, desk: Desk) -> None:
        """Sign with the secret of the desk's home."""
        self._desk = desk
        self._secret: Secret | None = None

    async def filled(self, request: Request, workspace: str, slices: AsyncIterator[bytes]) -> bytes:
        """Return a body without image bytes, each placeholder in it replaced by a link."""
        body = b"".join([data async for data in slices])
        secret = await self._own_secret(self._desk.house.settings.home)
        ends = int((self._desk.means.till.clock.now() + LASTS).timestamp())
        base = base_url(request, self._desk.base_url)

        def link(found: re.Match[bytes]) -> bytes:
            name = found[1].decode()
            path = PATH.format(workspace=quote(workspace, safe=""), name=name)
            return f"{base}{path}?expires={ends}&signature={signed(secret, workspace, name, ends)}".encode()

        return _PLACEHOLDER.sub(link, body)

    async def serve(self, request: Request, caller: Caller) -> Answer:
        """Answer with the image of a link that is whole and not too old.

        Raises:
            NotFound: It is neither; or the image is no longer in the store.
        """
        del caller
        workspace, name = request.parts["workspace"], request.parts["name"]
        expires, signature = request.asked("expires") or "", request.asked("signature") or ""
        found = _NAME.match(name)
        secret = await self._own_secret(self._desk.house.settings.home)
        ends = int(expires) if expires.isdecimal() and len(expires) <= 12 else 0
        left_s = ends - int(self._desk.means.till.clock.now().timestamp())
        is_ours = hmac.compare_digest(signed(secret, workspace, name, ends).encode(), signature.encode())
        if found is None or not is_ours or left_s <= 0:
            raise _no_link()
        content = await self._desk.means.till.assets.read(workspace, found[1])
        headers = (
            ("x-content-type-options", "nosniff"),
            ("content-disposition", f'inline; filename="{name}"'),
            ("content-security-policy", "default-src 'none'; sandbox"),
            ("cache-control", f"private, max-age={left_s}, immutable"),
            ("referrer-policy", "no-referrer"),
        )
        return Answer(headers=headers, content_type=_MIME[name.rpartition(".")[2]], body=content)

    async def _own_secret(self, home: Path) -> Secret:
        if self._secret is None:
            self._secret = await asyncio.to_thread(home_secret, home, SECRET_FILE)
        return self._secret


def base_url(request: Request, usual: str) -> str:
    """Return the address this client reached us under."""
    host = request.headers.get("host")
    if host is None or re.fullmatch(r"[A-Za-z0-9.:\[\]_-]{1,255}", host) is None:
        return usual
    return f"{request.scope.get('scheme', 'http')}://{host}"


def signed(secret: Secret, workspace: str, name: str, ends: int) -> str:
    """Return the signature of a link to `name` that ends at `ends`, in seconds of Unix time."""
    text = f"{len(workspace)}:{workspace}/{name}?{ends}".encode()
    digest = hmac.new(secret.reveal().encode(), text, hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def _no_link() -> NotFound:
    # One sentence for all: a stranger learns nothing about what is stored.
    return NotFound("this link is broken or too old", field="path", remedy="ask for the image again")

"""What every test may ask for, and what no test may ever find in its environment."""

import os
import socket
import uuid
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

from tests.postgres_server import PostgresServer, running_postgres
from tests.trust_counts import full

# Credentials and addresses that would make a test reach, and pay, the real thing. They are taken away
# before any module of ours is imported, so that child processes do not inherit them either.
AMBIENT = (
    "GEMINI_API_KEY",
    "GOOGLE_API_KEY",
    "GOOGLE_GEMINI_BASE_URL",
    "GOOGLE_VERTEX_BASE_URL",
    "GOOGLE_APPLICATION_CREDENTIALS",
    "GOOGLE_GENAI_USE_VERTEXAI",
    "GOOGLE_GENAI_USE_ENTERPRISE",
    "GOOGLE_CLOUD_PROJECT",
    "GOOGLE_CLOUD_LOCATION",
    "GOOGLE_CLOUD_QUOTA_PROJECT",
    "CLOUDSDK_CONFIG",
    "OPENAI_API_KEY",
    "OPENAI_BASE_URL",
)
# The trust switches belong to the runner, not to the product.
OURS_TO_KEEP = ("KEEPRATE_TRUST", "KEEPRATE_LIVE")


def _forget_the_owner() -> None:
    for name in list(os.environ):
        ours = name.startswith("KEEPRATE_") and not name.startswith(OURS_TO_KEEP)
        if name in AMBIENT or ours:
            del os.environ[name]


_forget_the_owner()
# Some containers set it; without compiled files every child process of a test starts a second later.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)


# Quick runs try the same examples everywhere, so a red run is red for everyone; the long run explores.
hypothesis.settings.register_profile("quick", deadline=None, derandomize=True, database=None)
hypothesis.settings.register_profile("full", deadline=None, print_blob=True)
hypothesis.settings.load_profile("full" if full() else "quick")


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Run coroutine tests on asyncio, the one loop the product runs on."""
    return "asyncio"


@pytest.fixture(autouse=True)
def _a_home_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Give each test an empty home and folder, so that none reads the owner's ledger, `.env` or `keeprate.toml`."""
    home = tmp_path / "home"
    monkeypatch.setenv("KEEPRATE_HOME", str(home))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "xdg"))
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.chdir(tmp_path)


@pytest.fixture(autouse=True)
def _loopback_only(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a test reach this machine and nothing else; tests/live is the exception."""
    if request.node.get_closest_marker("live") is not None:
        return
    for method in ("connect", "connect_ex"):
        monkeypatch.setattr(socket.socket, method, _guarded(getattr(socket.socket, method)))


def _guarded(method):
    def connect(self: socket.socket, address):
        if self.family in {socket.AF_INET, socket.AF_INET6}:
            host = str(address[0])
            if not (host.startswith("127.") or host in {"::1", "localhost"}):
                message = f"a test tried to reach {host}: only loopback is allowed"
                raise AssertionError(message)
        return method(self, address)

    return connect


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """One PostgreSQL per test process, started when the first test asks for it."""
    with running_postgres() as server:
        yield server


@pytest.fixture
def postgres_url(postgres_server: PostgresServer) -> Iterator[str]:
    """The address of an empty PostgreSQL database of this test's own."""
    name = f"t{uuid.uuid4().hex}"
    yield postgres_server.create(name)
    postgres_server.drop(name)

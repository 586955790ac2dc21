"""`keeprate serve`: the gateway, for applications that speak OpenAI's or Google's dialect."""

import json
import sys
from dataclasses import replace
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import Final

from keeprate.cli.flags import EVERYWHERE, Everywhere
from keeprate.cli.output import Facts, Screen
from keeprate.cli.running import settings_for
from keeprate.domain.errors import ConfigError

# The server and what it stands on come with an extra, and take longer to load than `--help` to print.
SERVER: Final = "keeprate.gateway.server"
_NEEDED: Final = ("uvicorn", "fastapi", "python_multipart")


def serve(
    *,
    host: str = "127.0.0.1",
    port: int = 8787,
    grace: float = 30.0,
    yes: bool = False,
    everywhere: Everywhere = EVERYWHERE,
) -> int:
    """Serve the gateway: change an application's base URL to it, and nothing else.

    Ends on SIGTERM or Ctrl-C: new work is refused at once, calls that cost money are finished.

    Parameters
    ----------
    host
        Address to listen on. Any but this machine's own needs an admin key first.
    port
        0 takes any free one.
    grace
        Seconds to wait at the end for requests that cost nothing.
    yes
        Agree to the first purchase with real money without being asked.
    """
    settings = settings_for(everywhere)
    server = _server()
    screen = Screen(everywhere)

    def tell(url: str) -> None:
        _tell(screen, url)

    place = server.Place(host=host, port=port, grace_s=grace)
    server.serve(
        replace(settings, assume_yes=settings.assume_yes or yes),
        place,
        ready=tell,
        progress=screen.tell if everywhere.verbose else _silent,
    )
    return 0


def _server() -> ModuleType:
    missing = [name for name in _NEEDED if find_spec(name) is None]
    if missing:
        raise ConfigError(
            f"the gateway needs {', '.join(missing)}",
            field="extra",
            value="serve",
            remedy="install it with: pip install 'keeprate[serve]'",
        )
    return import_module(SERVER)


def _tell(screen: Screen, url: str) -> None:
    urls = {"openai": f"{url}/v1", "gemini": url, "vertex": url, "api": f"{url}/api"}
    if screen.as_json:
        sys.stdout.write(json.dumps({"ready": True, "url": url, "base_urls": urls}) + "\n")
        sys.stdout.flush()
        return
    screen.show(
        Facts(
            ("OpenAI", f"{urls['openai']}   base_url of OpenAI(…), or OPENAI_BASE_URL"),
            ("Gemini", f"{urls['gemini']}   HttpOptions(base_url=…), or GOOGLE_GEMINI_BASE_URL"),
            ("Vertex", f"{urls['vertex']}   the same with vertexai=True, or GOOGLE_VERTEX_BASE_URL"),
            ("Keeprate", f"{urls['api']}/openapi.json"),
        ),
        "\nCtrl-C ends it; calls that cost money are finished first.",
    )
    sys.stdout.flush()


def _silent(sentence: str) -> None:
    del sentence

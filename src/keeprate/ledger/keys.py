"""API keys of our own: shown once, kept as a hash, told apart from a typing error by a checksum."""

import hashlib
import secrets
import string
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from msgspec.json import decode, encode
from sqlalchemy import Connection, insert, select, update

from keeprate.database.schema import alarms, keys
from keeprate.domain.errors import InvalidValue, NotFound
from keeprate.domain.money import display
from keeprate.domain.scopes import Scope
from keeprate.domain.terms import PLAIN_TERMS, Grant, KeyTerms
from keeprate.ledger.moments import micros, moment
from keeprate.ledger.rows import AnyRow

PREFIX: Final = "kr_"
ALPHABET: Final = string.digits + string.ascii_letters
RANDOM_LENGTH: Final = 32  # 190 bits
CHECK_LENGTH: Final = 6  # 62^6 holds a CRC-32
SHOWN_LENGTH: Final = len(PREFIX) + 6


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRecord:
    """What is known of a key. `prefix` is enough to recognise it and too little to use it."""

    id: str
    workspace: str
    name: str
    prefix: str
    created_at: datetime
    revoked_at: datetime | None
    terms: KeyTerms = PLAIN_TERMS
    suspended_at: datetime | None = None
    suspended_why: str | None = None

    @property
    def is_revoked(self) -> bool:
        """Return whether the key was ended for good."""
        return self.revoked_at is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """Something about a key that a person should look into."""

    id: str
    workspace: str
    kind: str
    key: str | None
    message: str
    raised_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class NewKey:
    """A key just made: the only time its secret is seen."""

    record: KeyRecord
    secret: str


def key_as_json(record: KeyRecord) -> Mapping[str, object]:
    """Return what may be told of a key: everything but the key."""
    terms = record.terms
    cap = terms.user_cap
    return {
        "id": record.id,
        "name": record.name,
        "workspace": record.workspace,
        "prefix": record.prefix,
        "scopes": sorted(terms.grants),
        "plan": terms.plan,
        "models": sorted(terms.models),
        "reserved": {rule.model: sorted(rule.purposes) for rule in terms.reserved},
        "largest_size": terms.largest_size,
        "per_minute": terms.per_minute,
        "policy": terms.policy,
        "purpose": terms.purpose,
        "user_cap_usd": None if cap is None else display(cap.limit),
        "user_cap_window": None if cap is None else str(cap.window),
        "cache": terms.cache,
        "single_flight": terms.single_flight,
        "created_at": record.created_at.isoformat(),
        "expires_at": _iso(terms.expires_at),
        "revoked_at": _iso(record.revoked_at),
        "suspended_at": _iso(record.suspended_at),
        "suspended_why": record.suspended_why,
    }


def _iso(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()


def new_secret() -> str:
    """Return a fresh key with its checksum at the end."""
    drawn = "".join(secrets.choice(ALPHABET) for _ in range(RANDOM_LENGTH))
    return PREFIX + drawn + _checksum(drawn)


def is_well_formed(secret: str) -> bool:
    """Return whether `secret` could be a key of ours: wrong ones need no look into the database."""
    drawn, check = secret[len(PREFIX) : -CHECK_LENGTH], secret[-CHECK_LENGTH:]
    return secret.startswith(PREFIX) and len(drawn) == RANDOM_LENGTH and _checksum(drawn) == check


def create_key(
    connection: Connection, scope: Scope, name: str, at: datetime, *, terms: KeyTerms = PLAIN_TERMS
) -> NewKey:
    """Make a key called `name` on `terms`.

    Raises:
        InvalidValue: The name is empty.
    """
    if not name.strip():
        raise InvalidValue(
            "a key needs a name", field="name", value=name, remedy="say what or whom it is for"
        )
    secret = new_secret()
    record = KeyRecord(
        id=f"key_{secrets.token_hex(6)}",
        workspace=scope.workspace,
        name=name.strip(),
        prefix=secret[:SHOWN_LENGTH],
        created_at=at,
        revoked_at=None,
        terms=terms,
    )
    row = {
        "workspace_id": record.workspace,
        "id": record.id,
        "name": record.name,
        "prefix": record.prefix,
        "secret_sha256": _hashed(secret),
        "created_us": micros(at),
        "terms_json": encode(terms).decode(),
    }
    connection.execute(insert(keys), [row])
    return NewKey(record=record, secret=secret)


def keys_of(connection: Connection, scope: Scope) -> Sequence[KeyRecord]:
    """Return the workspace's keys, oldest first, revoked ones too."""
    asked = select(keys).where(keys.c.workspace_id == scope.workspace)
    return [_record(row) for row in connection.execute(asked.order_by(keys.c.created_us, keys.c.id))]


def key_of_secret(connection: Connection, secret: str) -> KeyRecord | None:
    """Return the living key that `secret` is, or None. The secret itself never meets the database."""
    if not is_well_formed(secret):
        return None
    asked = select(keys).where(keys.c.secret_sha256 == _hashed(secret), keys.c.revoked_us.is_(None))
    row = connection.execute(asked).one_or_none()
    return None if row is None else _record(row)


def has_keys(connection: Connection, at: datetime | None = None, *, granting: Grant | None = None) -> bool:
    """Return whether any workspace ever had a key; with `granting`, whether one that lives at `at` grants that."""
    if granting is None:
        return connection.execute(select(keys.c.id).limit(1)).one_or_none() is not None
    living = [_record(row) for row in connection.execute(select(keys).where(keys.c.revoked_us.is_(None)))]
    return any(
        granting in key.terms.grants
        and (at is None or key.terms.expires_at is None or key.terms.expires_at > at)
        for key in living
    )


def suspend_key(connection: Connection, alarm: Alarm) -> bool:
    """Suspend the key an alarm is about and keep the alarm; False where it was suspended already."""
    still = (
        (keys.c.workspace_id == alarm.workspace) & (keys.c.id == alarm.key) & keys.c.suspended_us.is_(None)
    )
    held = update(keys).where(still).values(suspended_us=micros(alarm.raised_at), suspended_why=alarm.message)
    if connection.execute(held).rowcount == 0:
        return False
    row = {
        "workspace_id": alarm.workspace,
        "id": alarm.id,
        "kind": alarm.kind,
        "api_key": alarm.key,
        "message": alarm.message,
        "raised_us": micros(alarm.raised_at),
    }
    connection.execute(insert(alarms), [row])
    return True


def resume_key(connection: Connection, scope: Scope, key_id: str) -> KeyRecord:
    """Let a suspended key go on.

    Raises:
        NotFound: No such key in the workspace.
    """
    here = (keys.c.workspace_id == scope.workspace) & (keys.c.id == key_id)
    connection.execute(update(keys).where(here).values(suspended_us=None, suspended_why=None))
    return _named(connection, scope, key_id)


def alarms_of(connection: Connection, scope: Scope) -> Sequence[Alarm]:
    """Return the workspace's alarms, newest first."""
    asked = select(alarms).where(alarms.c.workspace_id == scope.workspace).order_by(alarms.c.raised_us.desc())
    return [
        Alarm(
            id=row.id,
            workspace=row.workspace_id,
            kind=row.kind,
            key=row.api_key,
            message=row.message,
            raised_at=moment(row.raised_us),
        )
        for row in connection.execute(asked)
    ]


def revoke_key(connection: Connection, scope: Scope, key_id: str, at: datetime) -> KeyRecord:
    """Revoke a key for good; revoking it again changes nothing.

    Raises:
        NotFound: No such key in the workspace.
    """
    here = (keys.c.workspace_id == scope.workspace) & (keys.c.id == key_id)
    still = keys.c.revoked_us.is_(None)
    connection.execute(update(keys).where(here, still).values(revoked_us=micros(at)))
    return _named(connection, scope, key_id)


def _named(connection: Connection, scope: Scope, key_id: str) -> KeyRecord:
    here = (keys.c.workspace_id == scope.workspace) & (keys.c.id == key_id)
    row = connection.execute(select(keys).where(here)).one_or_none()
    if row is None:
        raise NotFound(
            f"no key {key_id!r}", field="key", value=key_id, remedy="list them with `keeprate keys`"
        )
    return _record(row)


def _record(row: AnyRow) -> KeyRecord:
    return KeyRecord(
        id=row.id,
        workspace=row.workspace_id,
        name=row.name,
        prefix=row.prefix,
        created_at=moment(row.created_us),
        revoked_at=None if row.revoked_us is None else moment(row.revoked_us),
        terms=decode(row.terms_json, type=KeyTerms),
        suspended_at=None if row.suspended_us is None else moment(row.suspended_us),
        suspended_why=row.suspended_why,
    )


def _hashed(secret: str) -> str:
    # A plain hash is enough: there is nothing to guess in 190 random bits.
    return hashlib.sha256(secret.encode()).hexdigest()


def _checksum(drawn: str) -> str:
    number, digits = zlib.crc32(drawn.encode()), ""
    for _ in range(CHECK_LENGTH):
        number, digit = divmod(number, len(ALPHABET))
        digits += ALPHABET[digit]
    return digits

"""Keys, plans and alarms of a workspace."""

from dataclasses import fields
from typing import Annotated

import msgspec
from fastapi import Path

from keeprate.gateway.api import asked, telling, told
from keeprate.gateway.api.asking import Asks
from keeprate.gateway.desk import Desk
from keeprate.gateway.identity import Caller
from keeprate.ledger.keys import key_as_json
from keeprate.library.accounts import Accounts
from keeprate.library.front import accounts_of
from keeprate.workflows.plans import TermsAsked

KeyId = Annotated[asked.Id, Path()]


class Keyring:
    """The endpoints of those who administer."""

    def __init__(self, desk: Desk) -> None:
        """Work at `desk`."""
        self._desk = desk

    def _accounts(self, caller: Caller) -> Accounts:
        return accounts_of(self._desk.house, caller.scope)

    async def keys(self, caller: Asks) -> told.Keys:
        """List the keys of the workspace, revoked ones too."""
        return told.Keys(keys=[telling.key(record) for record in await self._accounts(caller).keys()])

    async def create_key(self, body: asked.KeyAsked, caller: Asks) -> told.KeyMade:
        """Make a key. `key` in the answer is shown this once; only its fingerprint is kept."""
        given = {one.name: getattr(body, one.name) for one in fields(TermsAsked)}
        words = {name: _words(value) for name, value in given.items()}
        made = await self._accounts(caller).create_key(body.name, TermsAsked(**words))  # type: ignore[arg-type]
        return told.KeyMade.model_validate({**key_as_json(made.record), "key": made.secret})

    async def revoke_key(self, key_id: KeyId, caller: Asks) -> told.KeyTold:
        """End a key for good. What it bought stays on record."""
        return telling.key(await self._accounts(caller).revoke_key(key_id))

    async def resume_key(self, key_id: KeyId, caller: Asks) -> told.KeyTold:
        """Let a key go on that an alarm suspended."""
        return telling.key(await self._accounts(caller).resume_key(key_id))

    async def plans(self, caller: Asks) -> told.Plans:
        """List the plans a key can be made on."""
        return told.Plans.model_validate_json(msgspec.json.encode({"plans": self._accounts(caller).plans()}))

    async def alarms(self, caller: Asks) -> told.Alarms:
        """List alarms, newest first."""
        found = await self._accounts(caller).alarms()
        return told.Alarms(
            alarms=[
                told.AlarmTold(
                    id=one.id,
                    kind=one.kind,
                    key=one.key,
                    message=one.message,
                    raised_at=one.raised_at.isoformat(),
                )
                for one in found
            ]
        )


def _words(value: object) -> object:
    """Return enumerations as the words they are: the library takes what a person types."""
    if isinstance(value, tuple):
        return tuple(str(one) for one in value)  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
    return str(value) if isinstance(value, str) else value

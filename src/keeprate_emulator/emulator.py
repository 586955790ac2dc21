"""The emulator as one value: everything that a call may touch."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from keeprate_emulator.bill import Bill
from keeprate_emulator.clock import Clock
from keeprate_emulator.conversations import Conversations
from keeprate_emulator.drawing.studio import DrawMode, Studio
from keeprate_emulator.faults import FaultBook
from keeprate_emulator.flaws import Profile, profiles
from keeprate_emulator.luck import LuckBook
from keeprate_emulator.shelf import Shelf
from keeprate_emulator.truths import Truths


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the program was started with."""

    state: Path
    day: date | None = None
    draw: DrawMode = "full"
    seed: int = 7
    profile: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Emulator:
    """The parts. Bill, truths, files and conversations lie in the state folder; faults and luck are of this run."""

    settings: Settings
    clock: Clock
    bill: Bill
    truths: Truths
    shelf: Shelf
    conversations: Conversations
    faults: FaultBook
    luck: LuckBook
    studio: Studio
    profiles: Mapping[str, Profile]

    @classmethod
    def started(cls, settings: Settings) -> "Emulator":
        """Open the state folder and take up where the last run stopped."""
        settings.state.mkdir(parents=True, exist_ok=True)
        bill = Bill(settings.state)
        luck = LuckBook(settings.seed)
        for row in bill.rows():
            luck.next(row.request_hash)
        return cls(
            settings=settings,
            clock=Clock(settings.day),
            bill=bill,
            truths=Truths(settings.state),
            shelf=Shelf(settings.state / "files"),
            conversations=Conversations(settings.state / "interactions"),
            faults=FaultBook(),
            luck=luck,
            studio=Studio(settings.draw),
            profiles=profiles(settings.profile),
        )

    def reset(self) -> None:
        """Return to the first morning: no bill, no faults, no files, the day as started with."""
        for part in (self.bill, self.truths, self.shelf, self.conversations, self.faults, self.luck):
            part.clear()
        self.clock.set(self.settings.day)

    def close(self) -> None:
        """Close files and let the studio go."""
        self.studio.close()
        self.bill.close()
        self.truths.close()

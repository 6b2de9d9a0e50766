"""A zone: a part of the data lake with its own readers, writers, key and lifetime."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from secure_ml_constructs.errors import Problems
from secure_ml_constructs.key_uses import KeyClass

_NAME = re.compile(r"[a-z][a-z0-9-]{0,29}")
_PREFIX = re.compile(r"(?:[A-Za-z0-9!_.'()=-]+/)+")


class LockMode(StrEnum):
    """How an S3 Object Lock may be lifted: by named roles (governance) or by nobody (compliance)."""

    GOVERNANCE = "GOVERNANCE"
    COMPLIANCE = "COMPLIANCE"


@dataclass(frozen=True, kw_only=True)
class DatasetLock:
    """Object Lock for a zone: a dataset that must stay as it was.

    Attributes:
        mode: Governance, or compliance where not even an administrator may erase.
        days: How long each version stays, in days.
    """

    mode: LockMode = LockMode.GOVERNANCE
    days: int


@dataclass(frozen=True, kw_only=True)
class Zone:
    """A zone of the lake.

    Attributes:
        name: Lower-case letters, digits and hyphens.
        prefix: Where it lies in its bucket, with a slash at the end. Default: the name.
        key_class: `DATA` or `MODEL`: which key encrypts it. Zones of different keys have different buckets.
        personal_data: Whether it may hold personal data; such a zone takes no compliance lock, since a
            person's records must stay erasable.
        expire_days: Days after which objects expire. Default: never.
        archive_days: Days after which objects move to Glacier Instant Retrieval. Default: never.
        old_version_days: Days that an overwritten or deleted version stays recoverable, at least 7.
        lock: Object Lock; the zone then has a bucket of its own. Default: none.
    """

    name: str
    prefix: str = ""
    key_class: KeyClass = KeyClass.DATA
    personal_data: bool = False
    expire_days: int | None = None
    archive_days: int | None = None
    old_version_days: int = 90
    lock: DatasetLock | None = None

    @property
    def path(self) -> str:
        """The prefix, with its slash."""
        return self.prefix or f"{self.name}/"

    @property
    def bucket(self) -> str:
        """The name of the bucket within the lake that holds the zone."""
        return f"{self.name}-locked" if self.lock else str(self.key_class)


DEFAULT_ZONES = (
    Zone(name="raw", personal_data=True, archive_days=180),
    Zone(name="curated", personal_data=True),
    Zone(name="features", personal_data=True),
    Zone(name="models", key_class=KeyClass.MODEL),
    Zone(name="output", personal_data=True, expire_days=365),
)


def check_zones(problems: Problems, zones: Sequence[Zone]) -> None:
    """Record what is wrong with a list of zones.

    Args:
        problems: Where to record.
        zones: What the caller gave.
    """
    if not zones:
        problems.add("zones", zones, "A lake needs a zone.", "Leave the argument out for the usual five.")
    for index, zone in enumerate(zones):
        _check_zone(problems, f"zones[{index}]", zone)
    for index, zone in enumerate(zones):
        for other in zones[:index]:
            if zone.name == other.name:
                problems.add(f"zones[{index}].name", zone.name, "Two zones have this name.", "Rename one.")
            elif zone.bucket == other.bucket and (
                zone.path.startswith(other.path) or other.path.startswith(zone.path)
            ):
                problems.add(
                    f"zones[{index}].prefix",
                    zone.path,
                    f"One of this prefix and {other.path!r} of zone {other.name!r} holds the other: a grant "
                    "on the one would open both.",
                    "Give the zones prefixes apart.",
                )


def _check_zone(problems: Problems, at: str, zone: Zone) -> None:
    if not _NAME.fullmatch(zone.name):
        problems.add(
            f"{at}.name",
            zone.name,
            "A zone's name has 1 to 30 lower-case letters, digits and hyphens, and starts with a letter.",
            "Write for instance 'curated'.",
        )
    if zone.prefix and (not _PREFIX.fullmatch(zone.prefix) or len(zone.prefix) > 512):
        problems.add(
            f"{at}.prefix",
            zone.prefix,
            "A prefix ends with a slash, starts with none, and holds no wildcard.",
            "Write for instance 'curated/'.",
        )
    if zone.key_class not in (KeyClass.DATA, KeyClass.MODEL):
        problems.add(
            f"{at}.key_class",
            zone.key_class,
            "The lake holds data and models.",
            "Write KeyClass.DATA or KeyClass.MODEL.",
        )
    for name in ("expire_days", "archive_days", "old_version_days"):
        days = getattr(zone, name)
        if days is not None and not 1 <= days <= 36_500:
            problems.add(
                f"{at}.{name}", days, "S3 counts 1 day to 100 years here.", "Write a number of days."
            )
        elif name == "old_version_days" and days < 7:
            problems.add(
                f"{at}.{name}", days, "A deletion is often noticed after days.", "Write 7 or more, or 90."
            )
    if (
        zone.expire_days is not None
        and zone.archive_days is not None
        and zone.archive_days >= zone.expire_days
    ):
        problems.add(
            f"{at}.archive_days",
            zone.archive_days,
            f"The objects expire after {zone.expire_days} days already.",
            "Archive earlier, or not at all.",
        )
    if zone.lock is None:
        return
    if not 1 <= zone.lock.days <= 36_500:
        problems.add(f"{at}.lock.days", zone.lock.days, "S3 locks for 1 day to 100 years.", "Write a number.")
    if zone.lock.mode is LockMode.COMPLIANCE and zone.personal_data:
        problems.add(
            f"{at}.lock.mode",
            zone.lock.mode.value,
            "Under a compliance lock nobody could erase a person's records.",
            "Write LockMode.GOVERNANCE, or keep personal data out of this zone.",
        )

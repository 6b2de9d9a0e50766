"""When a model is looked at, and over which hours."""

from __future__ import annotations

from dataclasses import dataclass

from secure_ml_constructs.errors import Problems

__all__ = ["Schedule"]

# Windows that fit into a day of UTC, so that none spans two folders of captures.
_LENGTHS = (1, 2, 3, 4, 6, 8, 12, 24)
# SageMaker writes captures some minutes after the request.
_MINUTE = 20


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """When a model is looked at: made by `daily`, `hourly` or `every`.

    A run judges the last whole window, in UTC: the day before, or so many hours of the day.

    Args:
        hours: The length of a window, and the time between two runs, in hours.
        hour: The hour of the first run of the day, 0 to 23 UTC.

    Raises:
        ConfigurationError: More often than hourly, windows that a day can't be parted into, no hour of a day.

    Example:
        >>> Schedule.every(hours=6).cron
        'cron(20 0/6 * * ? *)'
        >>> Schedule.daily(hour=2).cron
        'cron(20 2 * * ? *)'
    """

    hours: int
    hour: int = 0

    def __post_init__(self) -> None:
        problems = Problems()
        if self.hours not in _LENGTHS:
            reason = (
                "A window is an hour at the least: captures lie in folders by the hour."
                if self.hours < 1
                else "A day can't be parted into windows of this length."
            )
            problems.add("hours", self.hours, reason, f"Write one of {', '.join(map(str, _LENGTHS))}.")
        elif not 0 <= self.hour < 24:
            problems.add("hour", self.hour, "No hour of a day.", "Write 0 to 23, in UTC.")
        elif self.hours < 24 and self.hour:
            reason = "Windows begin at midnight."
            problems.add("hour", self.hour, reason, "Leave it out, or use daily(hour=...).")
        problems.raise_if_any("Schedule")

    @classmethod
    def daily(cls, *, hour: int = 2) -> Schedule:
        """Look once a day at the day before.

        Args:
            hour: When, 0 to 23 UTC. Default: 2.
        """
        return cls(hours=24, hour=hour)

    @classmethod
    def hourly(cls) -> Schedule:
        """Look every hour at the hour before."""
        return cls(hours=1)

    @classmethod
    def every(cls, *, hours: int) -> Schedule:
        """Look every so many hours at the hours before.

        Args:
            hours: 1, 2, 3, 4, 6, 8, 12 or 24.
        """
        return cls(hours=hours)

    @property
    def cron(self) -> str:
        """When it runs, as EventBridge and SageMaker write it, in UTC."""
        if self.hours == 24:
            return f"cron({_MINUTE} {self.hour} * * ? *)"
        return f"cron({_MINUTE} 0/{self.hours} * * ? *)"

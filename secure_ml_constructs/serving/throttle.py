"""How often a client may ask."""

from __future__ import annotations

from dataclasses import dataclass

from secure_ml_constructs.errors import Problems

__all__ = ["Throttle"]

# Amazon API Gateway Developer Guide, "Amazon API Gateway quotas": requests a second of an account in a
# region, and the burst that goes with it. In some newer regions it is a quarter of this.
_ACCOUNT_RATE = 10_000
_ACCOUNT_BURST = 5_000
_SECONDS_A_DAY = 86_400


@dataclass(frozen=True, kw_only=True)
class Throttle:
    """What each client of a door may ask, and with it all of them.

    Ensures:
        G3: a rate, a burst and a quota for each client.
        G12: what a day of requests can cost is known beforehand.

    Args:
        rate: Requests a second of each client, 1 to 10,000, which is the whole account's. Default: 50.
        burst: Requests at once of each client, 1 to 5,000, likewise. Default: 100.
        daily_quota: Requests a day of each client. Default: 50,000.

    Raises:
        ConfigurationError: More than the account has, or a quota that the rate can't reach.

    Example:
        >>> Throttle(rate=5, burst=10, daily_quota=20_000).of_all(clients=3)
        (15, 30)
    """

    rate: int = 50
    burst: int = 100
    daily_quota: int = 50_000

    def __post_init__(self) -> None:
        problems = Problems()
        for name, most in (("rate", _ACCOUNT_RATE), ("burst", _ACCOUNT_BURST)):
            value = getattr(self, name)
            if not 1 <= value <= most:
                problems.add(
                    name,
                    value,
                    f"Not between 1 and {most:,}, which is what all APIs of an account in a region share.",
                    f"Write {most:,} or less, or less still, so that one client does not use it up.",
                )
        most = min(max(self.rate, 1), _ACCOUNT_RATE) * _SECONDS_A_DAY
        if not 1 <= self.daily_quota <= most:
            problems.add(
                "daily_quota",
                self.daily_quota,
                f"Not between 1 and the {most:,} requests that a day of this rate has.",
                "Write what a client needs in a day; a quota that is never reached stops nobody.",
            )
        problems.raise_if_any("Throttle")

    def of_all(self, *, clients: int) -> tuple[int, int]:
        """Give the rate and burst of all clients together, within the account's.

        Args:
            clients: How many there are.
        """
        return min(self.rate * clients, _ACCOUNT_RATE), min(self.burst * clients, _ACCOUNT_BURST)

"""How long CloudWatch Logs keeps a log."""

from __future__ import annotations

from secure_ml_constructs.errors import Problems

# Amazon CloudWatch Logs API: PutRetentionPolicy.
RETENTION_DAYS = (
    *(1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731),
    *(1096, 1827, 2192, 2557, 2922, 3288, 3653),
)


def check_retention(problems: Problems, argument: str, days: int) -> None:
    """Record a retention that CloudWatch Logs does not know."""
    if days not in RETENTION_DAYS:
        longer = next((known for known in RETENTION_DAYS if known > days), RETENTION_DAYS[-1])
        fix = f"Write {longer}, or another of {', '.join(map(str, RETENTION_DAYS))}."
        problems.add(argument, days, "CloudWatch Logs keeps logs for certain numbers of days only.", fix)

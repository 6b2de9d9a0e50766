"""Whether people have a home folder that all their apps share, and what becomes of it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class StudioHome:
    """Where people's files lie: made by `volumes` or `efs`.

    Ensures:
        S5: no file system that outlives the domain and holds the VPC, or one that is cleared away with it.

    Attributes:
        file_system: Whether SageMaker makes an EFS file system for the domain.

    Example:
        >>> StudioHome.volumes().file_system
        False
    """

    file_system: bool

    @classmethod
    def volumes(cls) -> StudioHome:
        """Each space has a volume of its own, and nothing else is kept."""
        return cls(False)

    @classmethod
    def efs(cls) -> StudioHome:
        """SageMaker makes an EFS file system with a folder for each person, mounted in each of their apps.

        It is created with the domain and can't be taken away from it. When a domain is destroyed, its mount
        targets and groups are cleared away; the files themselves stay, as a file system that holds no VPC.
        """
        return cls(True)

"""One customer key per class of data."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

from aws_cdk import RemovalPolicy
from aws_cdk import aws_kms as kms
from constructs import Construct

from secure_ml_constructs._cdk import child_path, imported_key, key_arn
from secure_ml_constructs.errors import Problems
from secure_ml_constructs.key_uses import KeyClass, key_policy
from secure_ml_constructs.perimeter import DataPerimeter

__all__ = ["EnvironmentKeys", "KeyClass"]


class EnvironmentKeys(Construct):
    """Customer keys for data, models, logs, secrets and workspaces, each with its own policy.

    Ensures:
        E1: a customer key per class, rotated; administrators and users apart; use by the environment's role
            path, through named services, and by named AWS services under conditions on our account.
        E3: the keys that every other construct encrypts with.
        X8: keys are retained, and a deletion waits for 30 days.

    Args:
        scope: The parent construct.
        id: The construct's id.
        perimeter: Who administers, deploys and uses.
        existing: Keys of yours that take the place of a new one, by class. Their policies stay yours:
            `key_policy(key_class, perimeter)` gives what they must hold. Default: none.
        rotation_days: Days between rotations, 90 to 365. Default: 365.

    Raises:
        ConfigurationError: An AWS-managed alias as a key, or rotation days out of range.

    Example:
        >>> keys = EnvironmentKeys(stack, "Keys", perimeter=perimeter)
        >>> key_arn = keys.data.key_arn
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        perimeter: DataPerimeter,
        existing: Mapping[KeyClass, kms.IKey] | None = None,
        rotation_days: int = 365,
    ) -> None:
        existing = dict(existing or {})
        problems = Problems()
        arns = {
            key_class: refuse_aws_managed(problems, f"existing[{key_class}]", key)
            for key_class, key in existing.items()
        }
        if not 90 <= rotation_days <= 365:
            reason = (
                "KMS rotates every 90 days at the most often, and auditors ask for once a year at the least."
            )
            problems.add("rotation_days", rotation_days, reason, "Write 90 to 365.")
        problems.raise_if_any(child_path(scope, id))
        super().__init__(scope, id)
        self.perimeter = perimeter
        self._existing = existing
        self._arns = arns
        for key_class in KeyClass:
            if key_class in existing:
                continue
            made = kms.CfnKey(
                self,
                key_class.capitalize(),
                description=f"Secure ML environment: {key_class}",
                enable_key_rotation=True,
                rotation_period_in_days=rotation_days,
                pending_window_in_days=30,
                key_policy=key_policy(key_class, perimeter),
            )
            made.apply_removal_policy(RemovalPolicy.RETAIN)
            self._arns[key_class] = made.attr_arn

    def arn(self, key_class: KeyClass) -> str:
        """Give the ARN of the key for one class of data."""
        return self._arns[key_class]

    @cached_property
    def data(self) -> kms.IKey:
        """The key of the data lake's zones."""
        return self._key(KeyClass.DATA)

    @cached_property
    def model(self) -> kms.IKey:
        """The key of model artifacts, images and endpoint volumes."""
        return self._key(KeyClass.MODEL)

    @cached_property
    def logs(self) -> kms.IKey:
        """The key of log groups, the trail, the archive, topics and queues."""
        return self._key(KeyClass.LOGS)

    @cached_property
    def secrets(self) -> kms.IKey:
        """The key of secrets and parameters."""
        return self._key(KeyClass.SECRETS)

    @cached_property
    def workspace(self) -> kms.IKey:
        """The key of Studio and notebook storage."""
        return self._key(KeyClass.WORKSPACE)

    def _key(self, key_class: KeyClass) -> kms.IKey:
        # As an imported key: a grant then stands on the role alone, and the key stack never learns of roles
        # that are made after it.
        if key_class in self._existing:
            return self._existing[key_class]
        return imported_key(self, f"{key_class.capitalize()}Key", self._arns[key_class])


def refuse_aws_managed(problems: Problems, argument: str, key: kms.IKey) -> str:
    """Give a key's ARN, and record a problem where it is known to be one that AWS manages.

    Args:
        problems: Where to record.
        argument: The argument's name.
        key: What the caller gave.
    """
    arn = key_arn(key)
    if "alias/aws/" in arn:
        problems.add(
            argument,
            arn,
            "An AWS-managed key has a policy that nobody can tighten or revoke.",
            "Give a customer key, for instance kms.Key.from_key_arn(...).",
        )
    return arn

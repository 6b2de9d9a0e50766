"""A secret that is read from inside, by those it is for, and changes by itself."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from aws_cdk import RemovalPolicy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from secure_ml_constructs._acknowledge import acknowledge, standard_packs
from secure_ml_constructs._cdk import child_path, key_arn
from secure_ml_constructs.errors import Problems
from secure_ml_constructs.identity.secret_rotation import EXCLUDED, SecretRotation
from secure_ml_constructs.keys import refuse_aws_managed
from secure_ml_constructs.perimeter import DataPerimeter
from secure_ml_constructs.policy import Document, deny, document

_READING = ("secretsmanager:BatchGetSecretValue", "secretsmanager:GetSecretValue")
_WRITING = ("secretsmanager:PutSecretValue", "secretsmanager:UpdateSecretVersionStage")
# What changes who may read it, or has it lost.
_ADMINISTRATION = (
    "secretsmanager:CancelRotateSecret",
    "secretsmanager:DeleteResourcePolicy",
    "secretsmanager:DeleteSecret",
    "secretsmanager:PutResourcePolicy",
    "secretsmanager:RemoveRegionsFromReplication",
    "secretsmanager:ReplicateSecretToRegions",
    "secretsmanager:RotateSecret",
    "secretsmanager:StopReplicationToReplica",
    "secretsmanager:UpdateSecret",
)
# What the packs call a secret that nothing rotates.
_NOT_ROTATED = (
    "AwsSolutions::AwsSolutions-SMG4",
    "SecureMl::SecretRotated",
    *standard_packs("SecretsManagerRotationEnabled"),
)


@dataclass(frozen=True, kw_only=True)
class Rotation:
    """How often a secret changes, and by what.

    Args:
        by: What changes it.
        days: Days between two changes, 1 to 90. Default: 30.

    Example:
        >>> Rotation(by=rotation, days=7).days
        7
    """

    by: SecretRotation
    days: int = 30


class ManagedSecret(Construct):
    """A secret under the environment's key, rotated, and read by named roles from its endpoints only.

    The resource policy holds Denies only: what a role may do stands on the role (`grant_read`). The value is
    made by Secrets Manager and never stands in a template.

    Ensures:
        I8: under the customer key, rotated, read by the roles that are named, from the endpoints.
        E3: no AWS-managed key.

    Args:
        scope: The parent construct.
        id: The construct's id.
        perimeter: Who is trusted, and the exceptions.
        key: The key of the secrets (`EnvironmentKeys.secrets`).
        endpoints: Ids of the VPC endpoints for Secrets Manager (`SecureVpc.endpoint_ids["secretsmanager"]`).
        rotation: How it changes; None only where another system keeps the value, which `reason` has to say.
        readers: ARNs of the roles that may read it, with wildcards. Default: every role of the environment.
        fields: Further fields, such as a user's name: the secret is then an object with these and `password`.
            Default: none; the secret is the password.
        unrotated_because: Why it does not change by itself; at least 40 characters.

    Raises:
        ConfigurationError: No rotation and no reason, no endpoint, an AWS-managed key, days out of range,
            a field called `password`.

    Example:
        >>> secret = ManagedSecret(
        ...     stack, "Registry", perimeter=perimeter, key=keys.secrets,
        ...     endpoints=["vpce-0a1b2c3d4e5f60718"], rotation=Rotation(by=rotation),
        ... )
        >>> secret.grant_read(role)
    """

    #: The secret's ARN.
    secret_arn: str

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        perimeter: DataPerimeter,
        key: kms.IKey,
        endpoints: Sequence[str],
        rotation: Rotation | None,
        readers: Sequence[str] = (),
        fields: Mapping[str, str] | None = None,
        unrotated_because: str = "",
    ) -> None:
        problems = Problems()
        arn = refuse_aws_managed(problems, "key", key)
        if isinstance(endpoints, str) or not endpoints:
            problems.add(
                "endpoints",
                endpoints,
                "Without an endpoint nobody could read it.",
                "Give a list, for instance [vpc.endpoint_ids['secretsmanager']].",
            )
        if isinstance(readers, str):
            problems.add("readers", readers, "One string where a list belongs.", f"Write [{readers!r}].")
        if rotation is None and len(unrotated_because) < 40:
            problems.add(
                "rotation",
                None,
                "A secret that never changes is known to everyone who ever saw it.",
                "Give Rotation(by=...), or say in unrotated_because what changes it instead.",
            )
        if rotation is not None and unrotated_because:
            problems.add(
                "unrotated_because", unrotated_because, "It is rotated.", "Leave one of the two out."
            )
        if rotation is not None and not 1 <= rotation.days <= 90:
            problems.add(
                "rotation.days",
                rotation.days,
                "Auditors ask for a change in 90 days at the longest.",
                "Write 1 to 90.",
            )
        if fields and "password" in fields:
            problems.add(
                "fields.password", fields["password"], "It is the field that is made.", "Leave it out."
            )
        problems.raise_if_any(child_path(scope, id))
        super().__init__(scope, id)
        self._key_arn = arn
        secret = secretsmanager.CfnSecret(
            self,
            "Resource",
            description=unrotated_because or None,
            kms_key_id=key_arn(key),
            generate_secret_string=_generated(fields),
        )
        secret.apply_removal_policy(RemovalPolicy.RETAIN)
        self.secret_arn = secret.ref
        secretsmanager.CfnResourcePolicy(
            self,
            "Policy",
            secret_id=self.secret_arn,
            block_public_policy=True,
            resource_policy=self._policy(perimeter, endpoints, readers, rotation),
        ).apply_removal_policy(RemovalPolicy.RETAIN)
        if rotation is not None:
            schedule = secretsmanager.CfnRotationSchedule(
                self,
                "Rotation",
                secret_id=self.secret_arn,
                rotation_lambda_arn=rotation.by.function_arn,
                rotation_rules=secretsmanager.CfnRotationSchedule.RotationRulesProperty(
                    automatically_after_days=rotation.days
                ),
            )
            for needed in rotation.by.ready:
                schedule.add_resource_dependency(needed)
        else:
            acknowledge(secret, _NOT_ROTATED, unrotated_because)

    @staticmethod
    def _policy(
        perimeter: DataPerimeter,
        endpoints: Sequence[str],
        readers: Sequence[str],
        rotation: Rotation | None,
    ) -> Document:
        rotating = (rotation.by.role_arn,) if rotation else ()
        reading = (*(readers or (perimeter.environment_roles,)), *perimeter.break_glass_roles, *rotating)
        return document(
            [
                perimeter.deny_outsiders("secretsmanager:*", "*"),
                perimeter.deny_foreign_networks(_READING, "*", endpoints=endpoints),
                perimeter.deny_foreign_networks(
                    _WRITING,
                    "*",
                    endpoints=endpoints,
                    also=perimeter.administering,
                    sid="DenyForeignWriting",
                ),
                deny("DenyReading", _READING, condition=perimeter.not_roles(reading)),
                deny(
                    "DenyWriting",
                    _WRITING,
                    condition=perimeter.not_roles((*perimeter.administering, *rotating)),
                ),
                perimeter.deny_administration(_ADMINISTRATION, "*"),
            ]
        )

    @cached_property
    def secret(self) -> secretsmanager.ISecret:
        """The secret, by its whole ARN."""
        return secretsmanager.Secret.from_secret_complete_arn(self, "Imported", self.secret_arn)

    def grant_read(self, role: iam.IRole) -> None:
        """Let a role read the secret. (I8)

        Args:
            role: A role among `readers`; others are denied whatever they are granted.
        """
        statements = [
            iam.PolicyStatement(
                actions=["secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue"],
                resources=[self.secret_arn],
            ),
            iam.PolicyStatement(actions=["kms:Decrypt"], resources=[self._key_arn]),
        ]
        scope = role if isinstance(role, Construct) else self
        iam.ManagedPolicy(scope, f"Reads{self.node.addr[-8:]}", roles=[role], statements=statements)


def _generated(fields: Mapping[str, str] | None) -> secretsmanager.CfnSecret.GenerateSecretStringProperty:
    return secretsmanager.CfnSecret.GenerateSecretStringProperty(
        password_length=40,
        exclude_characters=EXCLUDED,
        secret_string_template=json.dumps(dict(fields)) if fields else None,
        generate_string_key="password" if fields else None,
    )

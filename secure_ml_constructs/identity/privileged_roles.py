"""The roles that stand outside the teams: auditor, administrator, break-glass."""

from __future__ import annotations

import re
from collections.abc import Sequence

from aws_cdk import Duration
from aws_cdk import aws_iam as iam
from constructs import Construct

from secure_ml_constructs._acknowledge import BOUNDARY, LOOKING
from secure_ml_constructs._cdk import child_path
from secure_ml_constructs.audit import AuditQueries
from secure_ml_constructs.errors import Problems
from secure_ml_constructs.identity.personas import Persona
from secure_ml_constructs.identity.privileged_policies import (
    LOOK,
    administrator_statements,
    auditor_statements,
    emergency_statements,
    privileged_boundary,
)
from secure_ml_constructs.identity.sign_in import SignIn
from secure_ml_constructs.identity.wildcards import accept_wildcards
from secure_ml_constructs.network import MlNetwork
from secure_ml_constructs.perimeter import DataPerimeter
from secure_ml_constructs.policy import Statement, document

__all__ = ["PrivilegedRoles"]

# A pattern that names all below one path.
_BELOW = re.compile(
    r"arn:(?:aws[a-z-]*|\$\{AWS::Partition\}):iam::(?:\d{12}|\$\{AWS::AccountId\}):"
    r"role(?P<path>/(?:[\w+=,.@-]+/)+)\*",
    re.ASCII,
)
_SESSION_HOURS = {Persona.AUDITOR: 4, Persona.ADMINISTRATOR: 4, Persona.BREAK_GLASS: 1}
_WHY = {
    Persona.AUDITOR: "An auditor reads the settings of whatever there is, and no contents; what has its name "
    "only after deployment can't be listed.",
    Persona.ADMINISTRATOR: "Settings are read of whatever there is. Keys, buckets and secrets are this "
    "account's, by a condition; their policies name this role and say what it may do, and it uses none.",
    Persona.BREAK_GLASS: "An emergency may be about anything in this account, which a condition names for "
    "all but settings. The trail records each use, and the role changes neither trail nor logs.",
}


class PrivilegedRoles(Construct):
    """An auditor, an administrator and a break-glass role, whom people come to with a second factor.

    The perimeter names administrators and break-glass roles by the path that they lie under, and so do the
    policies of keys, buckets and secrets. The auditor lies among the environment's roles, since only those
    read the log archive; it reads settings from anywhere, and logs by the environment's endpoints only.

    Ensures:
        I1: an auditor who reads no data, an administrator who uses none.
        I3: a boundary on each: none of them changes identities, trails or logs.
        I5: people sign in by a provider or by the roles of IAM Identity Center.
        I6: destructive and administrative acts are for named roles with a second factor.
        I9: the person's name may be set as source identity.
        D4: versions are destroyed by the administrator and break-glass only.

    Args:
        scope: The parent construct.
        id: The construct's id.
        perimeter: Names administrators and break-glass roles by a path, each:
            `arn:${AWS::Partition}:iam::${AWS::AccountId}:role/ml-administration/*`.
        network: By whose endpoints the auditor asks for logs.
        sign_in: Who may come, and how a second factor is known.
        emergency: Who may come to break-glass. Default: `sign_in`.
        queries: The trail's saved queries, which the auditor may run. Default: none.

    Raises:
        ConfigurationError: A perimeter that names no path for administrators or break-glass roles, or one
            within the environment's own.

    Example:
        >>> roles = PrivilegedRoles(
        ...     stack, "Privileged", perimeter=watched_perimeter, network=vpc, sign_in=sign_in
        ... )
    """

    #: Reads every setting, and the trail's answers.
    auditor: iam.IRole
    #: Configures keys, buckets and secrets, and uses none of them.
    administrator: iam.IRole
    #: For emergencies; reaches data and secrets from anywhere.
    break_glass: iam.IRole

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        perimeter: DataPerimeter,
        network: MlNetwork,
        sign_in: SignIn,
        emergency: SignIn | None = None,
        queries: AuditQueries | None = None,
    ) -> None:
        problems = Problems()
        administration = _path(problems, perimeter, "administrators", "ml-administration")
        emergencies = _path(problems, perimeter, "break_glass_roles", "ml-emergency")
        problems.raise_if_any(child_path(scope, id))
        super().__init__(scope, id)
        self.perimeter = perimeter
        limit = privileged_boundary()
        boundary = self._policy("Boundary", limit, BOUNDARY)
        self._boundary = iam.ManagedPolicy.from_managed_policy_arn(self, "BoundaryImported", boundary.ref)
        self.auditor = self._role(
            Persona.AUDITOR,
            f"{perimeter.role_path}{Persona.AUDITOR}/",
            sign_in,
            auditor_statements(perimeter, network.deferred_endpoint_ids),
        )
        self.administrator = self._role(
            Persona.ADMINISTRATOR, administration, sign_in, administrator_statements()
        )
        self.break_glass = self._role(
            Persona.BREAK_GLASS, emergencies, emergency or sign_in, emergency_statements()
        )
        if queries:
            queries.grant_run(self.auditor)

    def _role(
        self, persona: Persona, path: str, sign_in: SignIn, statements: Sequence[Statement]
    ) -> iam.IRole:
        title = "".join(part.capitalize() for part in persona.split("-"))
        policy = self._policy(f"{title}Policy", statements, _WHY[persona])
        role = iam.Role(
            self,
            title,
            assumed_by=iam.AccountRootPrincipal(),
            description=f"The environment's {persona}",
            path=path,
            managed_policies=[
                iam.ManagedPolicy.from_managed_policy_arn(self, f"{title}Imported", policy.ref)
            ],
            max_session_duration=Duration.hours(_SESSION_HOURS[persona]),
            permissions_boundary=self._boundary,
        )
        resource = role.node.default_child
        assert isinstance(resource, iam.CfnRole)
        resource.assume_role_policy_document = sign_in.trust()
        return role

    def _policy(self, id: str, statements: Sequence[Statement], why: str) -> iam.CfnManagedPolicy:
        looks = {} if why is BOUNDARY else dict.fromkeys(LOOK, LOOKING)
        made = iam.CfnManagedPolicy(
            self, id, path=self.perimeter.role_path, policy_document=document(statements)
        )
        accept_wildcards(made, statements, resources={"*": why}, actions={"": why, **looks})
        return made


def _path(problems: Problems, perimeter: DataPerimeter, argument: str, example: str) -> str:
    """Give the path that the perimeter names some roles by, and record where it names none."""
    patterns: tuple[str, ...] = getattr(perimeter, argument)
    for pattern in patterns:
        match = _BELOW.fullmatch(pattern)
        if match and not match["path"].startswith(perimeter.role_path):
            return match["path"]
    problems.add(
        f"perimeter.{argument}",
        patterns,
        "No pattern names all roles below one path outside the environment's own, so that the policies of "
        "keys and buckets would not know the role that is made here.",
        f"Add 'arn:${{AWS::Partition}}:iam::${{AWS::AccountId}}:role/{example}/*' to it.",
    )
    return "/"

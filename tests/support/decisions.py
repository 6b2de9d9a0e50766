"""Policies asked as decisions: one request, the policies that stand in its way, allowed or not.

The answers come from an independent policy simulator (npm, a tool of the tests only).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.support.node import NodeProcess

Policy = Mapping[str, Any]
Context = Mapping[str, str | list[str] | None]

# The simulator's data has no keys of the form kms:EncryptionContext:<name>. A tag of the principal is text
# under a free name as well, and stands for it on both sides.
_ENCRYPTION_CONTEXT = re.compile(r"kms:EncryptionContext:([\w:-]+)")


@dataclass(frozen=True, kw_only=True)
class Request:
    """One request to AWS.

    `principal` is a role ARN (with its path), a service principal or None for an anonymous caller. What
    follows from principal and resource (accounts, ARNs, transport) is filled in; `context` adds and
    overrides, and takes a key out with None.
    """

    principal: str | None
    action: str
    resource: str
    context: Context = field(default_factory=dict)
    resource_account: str = "111122223333"
    organization: str | None = None

    def simulation(self) -> dict[str, Any]:
        context: dict[str, Any] = {
            "aws:SecureTransport": "true",
            "aws:ViaAWSService": "false",
            "aws:PrincipalIsAWSService": "false",
            "aws:ResourceAccount": self.resource_account,
        }
        if self.organization:
            context["aws:ResourceOrgID"] = self.organization
        if self.principal is not None and self.principal.startswith("arn:"):
            context["aws:PrincipalArn"] = self.principal
            context["aws:PrincipalAccount"] = self.principal.split(":")[4]
            if self.organization:
                context["aws:PrincipalOrgID"] = self.organization
        elif self.principal is not None:
            context["aws:PrincipalIsAWSService"] = "true"
            context["aws:PrincipalServiceName"] = self.principal
        context.update(self.context)
        return {
            "principal": self.principal if self.principal is not None else {"type": "Anonymous"},
            "action": self.action,
            "resource": {"resource": self.resource, "accountId": self.resource_account},
            "contextVariables": {key: value for key, value in context.items() if value is not None},
        }


@dataclass(frozen=True)
class Decision:
    """What the simulator answered."""

    result: str
    analysis: Mapping[str, Any]

    @property
    def allowed(self) -> bool:
        return self.result == "Allowed"

    @property
    def denied_explicitly(self) -> bool:
        return self.result == "ExplicitlyDenied"

    def __repr__(self) -> str:
        return f"Decision({self.result})"


class Simulator(NodeProcess):
    """The simulator's process; requests go in and decisions come out, one a line."""

    def __init__(self) -> None:
        super().__init__("simulate.mjs")

    def decide(
        self,
        request: Request,
        *,
        identity: Sequence[Policy] = (),
        resource_policy: Policy | None = None,
        endpoint_policies: Sequence[Policy] = (),
        boundary: Sequence[Policy] = (),
        scp: Sequence[Policy] = (),
        rcp: Sequence[Policy] = (),
        ignore: Sequence[str] = (),
    ) -> Decision:
        """Decide one request.

        A context key that the simulator ignores makes the answer worthless, so it is an error, save for keys
        named in `ignore` (keys that are filled in for every request and that the action does not know).
        """

        def named(policies: Sequence[Policy]) -> list[dict[str, Any]]:
            return [{"name": str(index), "policy": dict(policy)} for index, policy in enumerate(policies)]

        simulation: dict[str, Any] = {
            "request": request.simulation(),
            "identityPolicies": named(identity),
            "serviceControlPolicies": [{"orgIdentifier": "ou", "policies": named(scp)}] if scp else [],
            "resourceControlPolicies": [{"orgIdentifier": "ou", "policies": named(rcp)}] if rcp else [],
        }
        if resource_policy is not None:
            simulation["resourcePolicy"] = dict(resource_policy)
        if endpoint_policies:
            simulation["vpcEndpointPolicies"] = named(endpoint_policies)
        if boundary:
            simulation["permissionBoundaryPolicies"] = named(boundary)
        question = _ENCRYPTION_CONTEXT.sub(
            lambda match: f"aws:PrincipalTag/context-{match.group(1).replace(':', '-')}",
            json.dumps(simulation),
        )
        answer = self.ask(question)
        assert "error" not in answer, json.dumps(answer["error"], indent=1)
        lost = {key.lower() for key in answer["ignored"]}
        lost -= {key.lower() for key in ignore}
        assert not lost, f"the simulator ignored {sorted(lost)} for {request.action}"
        return Decision(answer["result"], answer.get("analysis") or {})


ALLOW_ALL: Policy = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}],
}


def identity(*actions: str, resource: str = "*") -> Policy:
    """An identity policy that allows these actions: what a role was given elsewhere."""
    return {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": list(actions), "Resource": resource}],
    }

"""What a team's people may do in Studio: work in their own spaces, on the machines that are allowed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from secure_ml_constructs._acknowledge import TEAM_NAMES
from secure_ml_constructs.policy import Condition, Statement, allow, deny
from secure_ml_constructs.studio.sign_in import deny_sign_in

if TYPE_CHECKING:
    from secure_ml_constructs.studio.domain import SecureStudioDomain

_CHANGE = (
    *("sagemaker:CreateApp", "sagemaker:DeleteApp", "sagemaker:CreateSpace", "sagemaker:UpdateSpace"),
    "sagemaker:DeleteSpace",
)
_LOOK = ("sagemaker:DescribeApp", "sagemaker:DescribeSpace", "sagemaker:DescribeUserProfile")
# Whoever may change a profile gives himself another role; a session on the instance goes past the app.
_OTHERS = (*_CHANGE, *_LOOK, "sagemaker:StartSession", "sagemaker:UpdateUserProfile")
_KINDS = ("app", "space", "user-profile")


def person_statements(studio: SecureStudioDomain, team: str) -> Iterator[Statement]:
    """Give what somebody of a team may do in Studio, and what nobody may whatever else is granted. (S2)

    Args:
        studio: The domain.
        team: The team's name.
    """
    mine = [studio.arn(kind, f"{team}-*") for kind in _KINDS]
    # Studio sends who works and in whose space; a person's own are those of that very profile. (Amazon
    # SageMaker AI Developer Guide: AWS managed policy AmazonSageMakerFullAccess)
    own: Condition = {
        "ArnLike": {
            "sagemaker:OwnerUserProfileArn": studio.arn("user-profile", "${sagemaker:UserProfileName}")
        },
        "StringEquals": {"sagemaker:SpaceSharingType": "Private"},
    }
    yield allow("LookAtDomain", "sagemaker:DescribeDomain", studio.domain_arn)
    yield allow("LookAtWorkspaces", _LOOK, mine)
    apps = _apps(studio, team)
    yield allow("RunOwnApps", ("sagemaker:CreateApp", "sagemaker:DeleteApp"), apps, condition=own)
    yield allow("ChangeOwnSpaces", "sagemaker:UpdateSpace", studio.arn("space", f"{team}-*"), condition=own)
    tagging: Condition = {"StringEquals": {"sagemaker:TaggingAction": "CreateApp"}}
    yield allow("TagNewApps", "sagemaker:AddTags", apps, condition=tagging)
    others = deny("OtherTeams", _OTHERS, mine, principal=None)
    others["NotResource"] = others.pop("Resource")
    yield others
    machines = [*studio.apps.instance_types, "system"]
    yield deny(
        "OtherMachines",
        ("sagemaker:CreateApp", "sagemaker:CreateSpace", "sagemaker:UpdateSpace"),
        principal=None,
        condition={"ForAnyValue:StringNotLike": {"sagemaker:InstanceTypes": machines}},
    )
    yield deny_sign_in(studio.auth, studio.perimeter, studio.sign_in_endpoint_ids)


def wildcards(studio: SecureStudioDomain, team: str) -> dict[str, str]:
    """Give the resources with a wildcard of these statements, each with its reason."""
    named = [*(studio.arn(kind, f"{team}-*") for kind in _KINDS), *_apps(studio, team)]
    return dict.fromkeys(named, TEAM_NAMES)


def _apps(studio: SecureStudioDomain, team: str) -> Sequence[str]:
    # The reference writes the kind of an app as the API does, and messages of SageMaker in small letters.
    names = dict.fromkeys(name for each in studio.apps.types for name in (each.value, each.value.lower()))
    return [studio.arn("app", f"{team}-*/{name}/*") for name in names]

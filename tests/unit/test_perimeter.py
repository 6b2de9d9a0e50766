"""DataPerimeter: each exception and each Deny, what it stops and what still works."""

from __future__ import annotations

from typing import Any

import pytest

from secure_ml_constructs.errors import ConfigurationError
from secure_ml_constructs.perimeter import (
    BUCKET_ADMINISTRATION,
    LISTING_ACTIONS,
    OBJECT_ACTIONS,
    VERSION_DESTRUCTION,
    AwsOwnedResource,
    DataPerimeter,
    PerimeterException,
)
from secure_ml_constructs.perimeter_entries import DEFAULT_AWS_OWNED, DEFAULT_EXCEPTIONS, FORWARDED_CALLS
from secure_ml_constructs.policy import Statement, allow, document
from tests.support.decisions import ALLOW_ALL, Context, Decision, Request, Simulator
from tests.support.templates import ACCOUNT, REGION, World

ORGANIZATION = "o-a1b2c3d4e5"
IAM = f"arn:aws:iam::{ACCOUNT}:role"
ADMINISTRATOR = f"{IAM}/ml-platform-admin"
BREAK_GLASS = f"{IAM}/ml-break-glass"
DEPLOYING = f"{IAM}/cdk-hnb659fds-cfn-exec-role-{ACCOUNT}-{REGION}"
SCIENTIST = f"{IAM}/secure-ml/scientist"
BUCKET = "arn:aws:s3:::lake"
FOREIGN = "999988887777"
ENDPOINT = "vpce-0a1b2c3d4e5f60718"
INSIDE = {"aws:SourceVpce": ENDPOINT}

PERIMETER = DataPerimeter(administrators=(ADMINISTRATOR,), break_glass_roles=(BREAK_GLASS,))
ORGANIZED = DataPerimeter(organization=ORGANIZATION, administrators=(ADMINISTRATOR,))
WORLD = World({"Stack": {"Resources": {}}})


def resolved(statements: list[Statement]) -> Any:
    return WORLD.resolve("Stack", document(statements))


@pytest.fixture(scope="session")
def ask_bucket(simulator: Simulator) -> Any:
    def ask(
        statements: list[Statement],
        principal: str,
        action: str,
        context: Context | None = None,
        organization: str | None = None,
    ) -> Decision:
        of_bucket = action in (*LISTING_ACTIONS, "s3:PutBucketPolicy", "s3:PutBucketVersioning")
        request = Request(
            principal=principal,
            action=action,
            resource=BUCKET if of_bucket else f"{BUCKET}/raw/x",
            context=context or {},
            organization=organization,
        )
        return simulator.decide(request, identity=(ALLOW_ALL,), resource_policy=resolved(statements))

    return ask


# -- the network ---------------------------------------------------------------------------------------

NETWORK = [PERIMETER.deny_foreign_networks(OBJECT_ACTIONS, [f"{BUCKET}/*"], endpoints=[ENDPOINT])]


def test_the_endpoint_is_the_only_way_in(ask_bucket: Any) -> None:
    assert ask_bucket(NETWORK, SCIENTIST, "s3:GetObject", INSIDE).allowed
    assert ask_bucket(NETWORK, SCIENTIST, "s3:GetObject", {"aws:SourceVpce": "vpce-other"}).denied_explicitly
    assert ask_bucket(NETWORK, SCIENTIST, "s3:GetObject").denied_explicitly
    # A key that a service leaves out altogether must not open the door.
    absent = {"aws:ViaAWSService": None, "aws:PrincipalIsAWSService": None}
    assert ask_bucket(NETWORK, SCIENTIST, "s3:GetObject", absent).denied_explicitly


@pytest.mark.parametrize("exception", PERIMETER.all_exceptions(), ids=lambda exception: exception.name)
def test_every_exception_lets_its_own_through_and_is_needed(
    ask_bucket: Any, exception: PerimeterException
) -> None:
    """Taken out of the perimeter, an exception no longer holds: none stands for nothing."""
    if exception.context_key:
        principal, context = SCIENTIST, {exception.context_key: "true"}
    else:
        pattern = str(WORLD.resolve("Stack", {"Fn::Sub": exception.principals[0]}))
        principal, context = pattern.replace("*", "one"), {}
    assert ask_bucket(NETWORK, principal, "s3:GetObject", context).allowed
    if exception in PERIMETER.exceptions:
        kept = tuple(other for other in PERIMETER.exceptions if other != exception)
        smaller = DataPerimeter(exceptions=kept)
        without = [smaller.deny_foreign_networks(OBJECT_ACTIONS, [f"{BUCKET}/*"], endpoints=[ENDPOINT])]
        assert ask_bucket(without, principal, "s3:GetObject", context).denied_explicitly


def test_a_private_api_is_closed_to_other_endpoints_for_everybody(simulator: Simulator) -> None:
    api = f"arn:aws:execute-api:{REGION}:{ACCOUNT}:a1b2c3d4e5/live/POST/json"
    closed = [PERIMETER.deny_other_endpoints("execute-api:Invoke", api, endpoints=[ENDPOINT])]
    statements = [*closed, allow("Callers", "execute-api:Invoke", api, principal="*")]

    def ask(principal: str | None, context: Context) -> Decision:
        request = Request(principal=principal, action="execute-api:Invoke", resource=api, context=context)
        return simulator.decide(
            request, identity=(ALLOW_ALL,) if principal else (), resource_policy=resolved(statements)
        )

    for principal in (SCIENTIST, BREAK_GLASS, None):
        assert ask(principal, INSIDE).allowed
        assert ask(principal, {"aws:SourceVpce": "vpce-other"}).denied_explicitly
        assert ask(principal, {}).denied_explicitly


def test_object_actions_are_all_that_s3_has() -> None:
    """An action on objects that S3 brings tomorrow fails this test until the list holds it."""
    from fnmatch import fnmatchcase

    from policy_sentry.querying.actions import get_actions_for_service, get_actions_matching_arn_type

    on_objects = set(get_actions_matching_arn_type("s3", "object"))
    missed = {
        action
        for action in on_objects
        if not any(fnmatchcase(action, pattern) for pattern in (*OBJECT_ACTIONS, *VERSION_DESTRUCTION))
    }
    assert missed == set()
    every = get_actions_for_service("s3")
    for pattern in (*OBJECT_ACTIONS, *LISTING_ACTIONS, *BUCKET_ADMINISTRATION, *VERSION_DESTRUCTION):
        assert any(fnmatchcase(action, pattern) for action in every), f"{pattern} names no action"


# -- identity, administration, destruction, transport --------------------------------------------------


def test_outsiders_are_those_of_no_trusted_account_or_organization(ask_bucket: Any) -> None:
    foreign = f"arn:aws:iam::{FOREIGN}:role/stranger"
    by_account = [PERIMETER.deny_outsiders("s3:*", [BUCKET, f"{BUCKET}/*"])]
    assert ask_bucket(by_account, SCIENTIST, "s3:GetObject").allowed
    assert ask_bucket(by_account, foreign, "s3:GetObject").denied_explicitly
    by_organization = [ORGANIZED.deny_outsiders("s3:*", [BUCKET, f"{BUCKET}/*"])]
    assert ask_bucket(by_organization, SCIENTIST, "s3:GetObject", organization=ORGANIZATION).allowed
    other = ask_bucket(by_organization, foreign, "s3:GetObject", organization="o-zzzzzzzzzz")
    assert other.denied_explicitly
    assert ask_bucket(by_organization, foreign, "s3:GetObject").denied_explicitly


def test_a_service_principal_is_no_outsider(simulator: Simulator) -> None:
    """Log delivery has no account and no organization; its Allow stands in the bucket's own policy."""
    own = {
        "Sid": "Delivery",
        "Effect": "Allow",
        "Principal": {"Service": "delivery.logs.amazonaws.com"},
        "Action": "s3:PutObject",
        "Resource": f"{BUCKET}/*",
        "Condition": {"StringEquals": {"aws:SourceAccount": ACCOUNT}},
    }
    for perimeter in (PERIMETER, ORGANIZED):
        policy = resolved(
            [
                own,
                perimeter.deny_outsiders("s3:*", [BUCKET, f"{BUCKET}/*"]),
                perimeter.deny_foreign_networks(OBJECT_ACTIONS, [f"{BUCKET}/*"], endpoints=[ENDPOINT]),
                perimeter.deny_administration(BUCKET_ADMINISTRATION, [BUCKET]),
            ]
        )
        for account, expected in ((ACCOUNT, True), (FOREIGN, False)):
            request = Request(
                principal="delivery.logs.amazonaws.com",
                action="s3:PutObject",
                resource=f"{BUCKET}/raw/x",
                context={"aws:SourceAccount": account},
            )
            assert simulator.decide(request, resource_policy=policy).allowed is expected


def test_a_perimeter_without_named_roles_still_denies(ask_bucket: Any) -> None:
    bare = DataPerimeter()
    assert ask_bucket(
        [bare.deny_destruction(VERSION_DESTRUCTION, [BUCKET, f"{BUCKET}/*"])],
        DEPLOYING,
        "s3:DeleteObjectVersion",
    ).denied_explicitly
    assert ask_bucket(
        [bare.deny_administration(BUCKET_ADMINISTRATION, [BUCKET])], DEPLOYING, "s3:PutBucketPolicy"
    ).allowed


# -- endpoint policies ---------------------------------------------------------------------------------


@pytest.mark.parametrize("perimeter", [PERIMETER, ORGANIZED], ids=["account", "organization"])
def test_an_endpoint_leads_our_principals_to_our_resources(
    simulator: Simulator, perimeter: DataPerimeter
) -> None:
    policy = WORLD.resolve("Stack", perimeter.endpoint_policy("s3"))
    organization = perimeter.organization

    def ask(principal: str, owner: str, *, ours: bool = True, bucket: str = "lake") -> bool:
        request = Request(
            principal=principal,
            action="s3:GetObject",
            resource=f"arn:aws:s3:::{bucket}/x",
            resource_account=owner,
            organization=organization,
            context={} if ours or not organization else {"aws:ResourceOrgID": "o-zzzzzzzzzz"},
        )
        everyone = {"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}]}
        return simulator.decide(
            request,
            identity=(ALLOW_ALL,),
            resource_policy={"Version": "2012-10-17", **everyone},
            endpoint_policies=(policy,),
        ).allowed

    assert ask(SCIENTIST, ACCOUNT)
    assert not ask(SCIENTIST, FOREIGN, ours=False), "data would leave to a stranger's bucket"
    jumpstart = f"jumpstart-cache-prod-{REGION}"
    assert ask(SCIENTIST, FOREIGN, ours=False, bucket=jumpstart)


def test_image_layers_come_through_whoever_signed_them(simulator: Simulator) -> None:
    policy = WORLD.resolve("Stack", PERIMETER.endpoint_policy("s3"))
    for action, expected in (("s3:GetObject", True), ("s3:PutObject", False)):
        request = Request(
            principal=f"arn:aws:iam::{FOREIGN}:role/ecr",
            action=action,
            resource=f"arn:aws:s3:::prod-{REGION}-starport-layer-bucket/layer",
            resource_account=FOREIGN,
        )
        decision = simulator.decide(request, identity=(ALLOW_ALL,), endpoint_policies=(policy,))
        assert decision.allowed is expected


def test_private_apis_are_reached_without_an_iam_identity(simulator: Simulator) -> None:
    api = f"arn:aws:execute-api:{REGION}:{ACCOUNT}:abc123"
    policy = WORLD.resolve(
        "Stack", PERIMETER.endpoint_policy("execute-api", anonymous_resources=[f"{api}/*"])
    )
    by_token = {"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}]}
    for resource, expected in ((f"{api}/prod/POST/predict", True), (f"{api[:-6]}zzz999/prod/POST/x", False)):
        request = Request(principal=None, action="execute-api:Invoke", resource=resource)
        decision = simulator.decide(
            request,
            resource_policy={"Version": "2012-10-17", **by_token},
            endpoint_policies=(policy,),
        )
        assert decision.allowed is expected


# -- role trust ----------------------------------------------------------------------------------------


def test_a_service_takes_on_a_role_for_our_account_only(simulator: Simulator) -> None:
    trust = WORLD.resolve(
        "Stack",
        PERIMETER.service_trust(
            "sagemaker.amazonaws.com", source_arn="arn:${AWS::Partition}:sagemaker:*:${AWS::AccountId}:*"
        ),
    )
    ours: dict[str, str | list[str] | None] = {
        "aws:SourceAccount": ACCOUNT,
        "aws:SourceArn": f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:training-job/x",
    }
    theirs = {key: str(value).replace(ACCOUNT, FOREIGN) for key, value in ours.items()}
    for service, context, expected in (
        ("sagemaker.amazonaws.com", ours, True),
        ("sagemaker.amazonaws.com", theirs, False),
        ("sagemaker.amazonaws.com", {}, False),
        ("lambda.amazonaws.com", ours, False),
    ):
        request = Request(principal=service, action="sts:AssumeRole", resource=SCIENTIST, context=context)
        assert simulator.decide(request, resource_policy=trust).allowed is expected


# -- values --------------------------------------------------------------------------------------------


def test_every_entry_has_a_reason_with_its_source() -> None:
    for entry in (*DEFAULT_EXCEPTIONS, *DEFAULT_AWS_OWNED):
        assert entry.reason.rstrip().endswith(")"), entry.name
    assert len({owned.name for owned in DEFAULT_AWS_OWNED}) == len(DEFAULT_AWS_OWNED)
    assert all(isinstance(owned, AwsOwnedResource) for owned in DEFAULT_AWS_OWNED)


def test_a_perimeter_is_a_value() -> None:
    assert DataPerimeter(accounts=("111122223333",)) == DataPerimeter(accounts=("111122223333",))
    assert PERIMETER.endpoint_policy("s3") == PERIMETER.endpoint_policy("s3")
    assert PERIMETER.environment_roles.endswith(":role/secure-ml/*")


@pytest.mark.parametrize(
    ("arguments", "argument"),
    [
        ({"organization": "my-company"}, "organization"),
        ({"organization": "o-ABC"}, "organization"),
        ({"accounts": ("1111-2222-3333",)}, "accounts[0]"),
        ({"role_path": "secure-ml"}, "role_path"),
        ({"role_path": "/"}, "role_path"),
        ({"break_glass_roles": ("emergency",)}, "break_glass_roles[0]"),
        ({"break_glass_roles": ("arn:aws:iam::111122223333:user/root",)}, "break_glass_roles[0]"),
        ({"administrators": ("arn:aws:iam::*:role/admin",)}, "administrators[0]"),
        ({"administrators": ("arn:aws:iam::111122223333:role/*",)}, "administrators[0]"),
        ({"administrators": "arn:aws:iam::111122223333:role/admin"}, "administrators"),
        ({"deploying_roles": ()}, "deploying_roles"),
        (
            {"exceptions": (PerimeterException(name="x", reason="because"),)},
            "exceptions[0].reason",
        ),
        (
            {
                "exceptions": (
                    PerimeterException(name="x", reason=FORWARDED_CALLS.reason, context_key="aws:CalledVia"),
                )
            },
            "exceptions[0].context_key",
        ),
    ],
)
def test_a_wrong_perimeter_is_refused(arguments: dict[str, Any], argument: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        DataPerimeter(**arguments)
    assert argument in [problem.argument for problem in caught.value.problems]
    assert all(problem.fix for problem in caught.value.problems)

"""OrganizationGuardrails as documents, files and resources."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from policy_sentry.querying.actions import get_actions_for_service

from secure_ml_constructs.errors import ConfigurationError
from secure_ml_constructs.identity import OrganizationGuardrails, OrganizationPolicies, SageMakerGuardrails
from secure_ml_constructs.identity.guardrails import PolicyType
from secure_ml_constructs.identity.guardrails.placeholders import for_organization
from secure_ml_constructs.perimeter import DataPerimeter
from tests.support.compliance import findings
from tests.support.templates import World, new_app, synth
from tests.unit.identity.guardrails.work import GROUPS, GUARDRAILS, KEY, PERIMETER, SUBNETS

ENDPOINTS = tuple(f"vpce-0a1b2c3d4e5f607{number:02d}" for number in range(22))
BEDROCK = "arn:aws:bedrock:eu-central-1:111122223333:guardrail/hu1dlsv9wy1d:1"
FULL = OrganizationGuardrails(
    perimeter=PERIMETER,
    regions=("eu-central-1", "eu-west-1"),
    endpoints=ENDPOINTS,
    sign_in_ranges=("203.0.113.0/24", "2001:db8::/48"),
    sagemaker=GUARDRAILS,
    bedrock_guardrails={"eu-central-1": BEDROCK},
)
SMALL = OrganizationGuardrails(perimeter=PERIMETER, regions=("eu-central-1",))


@pytest.mark.parametrize("guardrails", [SMALL, FULL], ids=["default", "full"])
def test_every_policy_is_within_its_size(guardrails: OrganizationGuardrails) -> None:
    for policy in guardrails.policies():
        assert len(policy.text) <= policy.type.size, policy.name
        assert json.loads(policy.text) == policy.content
    assert len(guardrails.scps()) == (6 if guardrails.sagemaker else 3)
    assert len(guardrails.rcps()) == 1


def test_the_sizes_are_those_of_aws() -> None:
    """Quotas and service limits for AWS Organizations."""
    assert PolicyType.SERVICE_CONTROL.size == PolicyType.RESOURCE_CONTROL.size == 5120
    assert PolicyType.AI_OPT_OUT.size == 2500


def test_nothing_of_the_account_is_in_what_is_attached_to_a_unit() -> None:
    text = "".join(policy.text for policy in SMALL.policies())
    assert not re.search(r"\d{12}", text)
    assert "Fn::" not in text
    assert "AWS::" not in text
    assert "arn:aws:" not in text


@pytest.mark.parametrize("document", [*FULL.scps(), *FULL.rcps()])
def test_the_language_is_what_organizations_take(document: Any) -> None:
    """SCP syntax: wildcards at the end of an action. RCP syntax: Deny only, for everyone, no action `*`."""
    for statement in document["Statement"]:
        assert statement["Effect"] == "Deny"
        actions = statement.get("Action", statement.get("NotAction"))
        for action in [actions] if isinstance(actions, str) else actions:
            assert action == "*" or re.fullmatch(r"[a-z0-9-]+:[A-Za-z0-9]*\*?", action), action
        if document in FULL.rcps():
            assert statement["Principal"] == "*"
            assert "*" not in statement["Action"]
        else:
            assert "Principal" not in statement


@pytest.mark.parametrize("document", [*SMALL.scps(), *SMALL.rcps()])
def test_every_action_is_one_that_there_is(document: Any) -> None:
    newer = {"sagemaker:CallWithBearerToken", "bedrock:CallWithBearerToken", "ec2:DeleteVpcBlockPublic*"}
    unknown = []
    for statement in document["Statement"]:
        actions = statement.get("Action", statement.get("NotAction"))
        for action in [actions] if isinstance(actions, str) else actions:
            service, _, name = action.partition(":")
            if action == "*" or action in newer:
                continue
            known = get_actions_for_service(service)
            pattern = re.escape(name).replace(r"\*", ".*")
            if not any(re.fullmatch(f"{service}:{pattern}", each) for each in known):
                unknown.append(action)
    assert unknown == []


def test_the_other_types() -> None:
    contents = {policy.type: policy.content for policy in FULL.policies()}
    opt_out = contents[PolicyType.AI_OPT_OUT]["services"]
    assert opt_out["default"]["opt_out_policy"]["@@assign"] == "optOut"
    # No account below may say otherwise, for no service.
    child = "@@operators_allowed_for_child_policies"
    assert opt_out[child] == opt_out["default"][child] == ["@@none"]
    assert opt_out["default"]["opt_out_policy"][child] == ["@@none"]
    assert contents[PolicyType.S3] == {
        "s3_attributes": {"public_access_block_configuration": {"@@assign": "all"}}
    }
    inference = contents[PolicyType.BEDROCK]["bedrock"]["guardrail_inference"]
    assert inference["eu-central-1"]["environment"]["identifier"] == {"@@assign": BEDROCK}
    assert PolicyType.BEDROCK not in {policy.type for policy in SMALL.policies()}


def test_the_types_are_those_of_organizations() -> None:
    import botocore.session

    model = botocore.session.get_session().get_service_model("organizations")
    assert {str(each) for each in PolicyType} <= set(model.shape_for("PolicyType").enum)


def test_files(tmp_path: Path) -> None:
    written = FULL.write(tmp_path / "policies")
    names = {path.relative_to(tmp_path / "policies").as_posix() for path in written}
    assert "service_control_policy/accounts-1.json" in names
    assert "resource_control_policy/resources.json" in names
    assert "aiservices_opt_out_policy/ai-opt-out.json" in names
    for path in written:
        assert path.stat().st_size <= 5120
        json.loads(path.read_text())
    # The same bytes each time.
    first = {path: path.read_bytes() for path in written}
    assert {path: path.read_bytes() for path in FULL.write(tmp_path / "policies")} == first


def test_placeholders() -> None:
    regions = ("eu-central-1", "eu-west-1")
    role = {"Fn::Sub": "arn:${AWS::Partition}:iam::${AWS::AccountId}:role/d-${AWS::AccountId}-${AWS::Region}"}
    spelled = [f"arn:*:iam::*:role/d-${{aws:PrincipalAccount}}-{region}" for region in regions]
    assert for_organization(role, regions) == spelled
    assert for_organization({"a": [role, "x"]}, regions) == {"a": [*spelled, "x"]}
    assert for_organization({"Fn::Sub": "${AWS::AccountId}"}, regions) == "${aws:PrincipalAccount}"
    assert for_organization("arn:aws:s3:::x", regions) == "arn:aws:s3:::x"


@pytest.mark.parametrize(
    ("changes", "argument"),
    [
        ({"perimeter": DataPerimeter()}, "perimeter.organization"),
        ({"regions": ()}, "regions"),
        (
            {"perimeter": DataPerimeter(organization="o-a1b2c3d4e5"), "sagemaker": GUARDRAILS},
            "sagemaker.perimeter",
        ),
        ({"regions": ("Frankfurt",)}, "regions[0]"),
        ({"regions": "eu-central-1"}, "regions"),
        ({"endpoints": ("vpc-0a1b2c3d4e5f60718",)}, "endpoints[0]"),
        ({"sign_in_ranges": ("203.0.113.0/24",)}, "sign_in_ranges"),
        ({"sign_in_ranges": "203.0.113.0/24", "endpoints": ENDPOINTS}, "sign_in_ranges"),
        ({"sign_in_ranges": ("0.0.0.0/0",), "endpoints": ENDPOINTS}, "sign_in_ranges[0]"),
        ({"sign_in_ranges": ("10.0.0.0/16",), "endpoints": ENDPOINTS}, "sign_in_ranges[0]"),
        ({"sign_in_ranges": ("office",), "endpoints": ENDPOINTS}, "sign_in_ranges[0]"),
        ({"bedrock_guardrails": {"eu-west-1": BEDROCK}}, "bedrock_guardrails[eu-west-1]"),
        (
            {"bedrock_guardrails": {"eu-central-1": f"{BEDROCK[:-1]}DRAFT"}},
            "bedrock_guardrails[eu-central-1]",
        ),
    ],
)
def test_bad_input_is_refused(changes: dict[str, Any], argument: str) -> None:
    with pytest.raises(ConfigurationError) as error:
        OrganizationGuardrails(**{"perimeter": PERIMETER, "regions": ("eu-central-1",), **changes})
    assert [problem.argument for problem in error.value.problems] == [argument]


def test_what_only_deployment_knows_is_neither_written_nor_proved(tmp_path: Path) -> None:
    token = cdk.Fn.import_value("Subnet")
    work = SageMakerGuardrails(
        perimeter=PERIMETER, subnets=(token, SUBNETS[0]), security_groups=GROUPS, keys=(KEY,)
    )
    guardrails = OrganizationGuardrails(perimeter=PERIMETER, regions=("eu-central-1",), sagemaker=work)
    for use in (guardrails.trust, lambda: guardrails.write(tmp_path)):
        with pytest.raises(ConfigurationError) as error:
            use()
        assert [problem.argument for problem in error.value.problems] == ["sagemaker.subnets[0]"]
    assert list(tmp_path.iterdir()) == []


# -- as resources --------------------------------------------------------------------------------------


def build(app: cdk.App) -> OrganizationPolicies:
    stack = cdk.Stack(app, "Organization")
    return OrganizationPolicies(stack, "Guardrails", guardrails=SMALL, targets=("ou-ab12-0a1b2c3d",))


def build_full(app: cdk.App) -> OrganizationPolicies:
    return OrganizationPolicies(
        cdk.Stack(app, "Organization"),
        "Guardrails",
        guardrails=FULL,
        targets=("r-ab12", "ou-ab12-0a1b2c3d"),
        work_targets=("111122223333",),
    )


@pytest.fixture(scope="session")
def world() -> World:
    app = new_app()
    build_full(app)
    return World(synth(app))


def test_the_template_is_as_it_was(snapshot_template: Callable[[Any], None]) -> None:
    app = new_app()
    build(app)
    snapshot_template(synth(app)["Organization"])


def test_each_policy_is_a_resource_that_stays(world: World) -> None:
    assert len(list(world.resources())) == len(FULL.policies())
    for policy in FULL.policies():
        (resource,) = (e for e in world.resources() if e.properties["Name"].endswith(f"-{policy.name}"))
        assert resource.type == "AWS::Organizations::Policy"
        assert resource.properties["Type"] == str(policy.type)
        assert resource.properties["Content"] == policy.content
        assert resource.raw["DeletionPolicy"] == resource.raw["UpdateReplacePolicy"] == "Retain"
        work = policy.name.startswith("sagemaker")
        targets = ["111122223333"] if work else ["r-ab12", "ou-ab12-0a1b2c3d"]
        assert resource.properties["TargetIds"] == targets


def test_logical_ids_stay(world: World) -> None:
    """Another id is another policy, and for a while none."""
    assert {each.logical_id for each in world.resources()} == {
        "GuardrailsAccounts13F23B8AD",
        "GuardrailsAccounts211FD4BB7",
        "GuardrailsAccounts30619E721",
        "GuardrailsAiOptOut33F20CCA",
        "GuardrailsBedrockGuardrails449008D4",
        "GuardrailsResources11B14630",
        "GuardrailsS3PublicAccess5A4CB91C",
        "GuardrailsSagemaker18E9B418C",
        "GuardrailsSagemaker26B5B9E2A",
        "GuardrailsSagemaker3ECD7B37A",
    }


@pytest.mark.parametrize("make", [build, build_full], ids=["default", "full"])
def test_the_packs_find_nothing(make: Callable[[cdk.App], Any]) -> None:
    assert findings(make) == []


@pytest.mark.parametrize(
    ("changes", "argument"),
    [
        ({"targets": ()}, "targets"),
        ({"targets": "r-ab12"}, "targets"),
        ({"targets": ("my-unit",)}, "targets[0]"),
        ({"work_targets": ("my-account",)}, "work_targets[0]"),
        # Five policies and AWS's own on one unit.
        ({"guardrails": FULL}, "targets"),
    ],
)
def test_bad_targets_are_refused(changes: dict[str, Any], argument: str) -> None:
    given: dict[str, Any] = {"guardrails": SMALL, "targets": ("ou-ab12-0a1b2c3d",), **changes}
    with pytest.raises(ConfigurationError) as error:
        OrganizationPolicies(cdk.Stack(), "Guardrails", **given)
    assert [problem.argument for problem in error.value.problems] == [argument]


def test_ids_are_there_for_other_stacks() -> None:
    stack = cdk.Stack()
    made = OrganizationPolicies(stack, "Guardrails", guardrails=SMALL, targets=("r-ab12",))
    assert set(made.ids) == {policy.name for policy in SMALL.policies()}
    assert set(stack.resolve(made.ids["resources"])) == {"Fn::GetAtt"}

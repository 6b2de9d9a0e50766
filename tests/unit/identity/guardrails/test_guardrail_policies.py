"""GuardrailPolicies: what is synthesized, and that the rule packs find nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_iam as iam

from secure_ml_constructs.enforcement import trust_of
from secure_ml_constructs.errors import ConfigurationError
from secure_ml_constructs.identity import GuardrailPolicies, SageMakerGuardrails, WorkLimits
from secure_ml_constructs.keys import EnvironmentKeys
from secure_ml_constructs.network import SecureVpc
from secure_ml_constructs.policy import allow, document
from secure_ml_constructs.verification.proofs.environment import ask
from secure_ml_constructs.verification.proofs.questions import Verdict
from secure_ml_constructs.verification.templates import load
from tests.support.compliance import findings
from tests.support.templates import World, new_app, synth
from tests.unit.identity.guardrails.work import DOCUMENTS, GROUPS, GUARDRAILS, PERIMETER, SUBNETS

pytestmark = pytest.mark.slow

IN_ENVIRONMENT = "arn:${AWS::Partition}:iam::${AWS::AccountId}:role/secure-ml"


def build(app: cdk.App) -> GuardrailPolicies:
    return GuardrailPolicies(cdk.Stack(app, "Guardrails"), "Guardrails", guardrails=GUARDRAILS)


def build_full(app: cdk.App) -> GuardrailPolicies:
    """Every option, with what only deployment knows."""
    keys = EnvironmentKeys(cdk.Stack(app, "Keys"), "Keys", perimeter=PERIMETER)
    vpc = SecureVpc(cdk.Stack(app, "Network"), "Vpc", perimeter=PERIMETER, logs_key=keys.logs)
    guardrails = SageMakerGuardrails(
        perimeter=PERIMETER,
        subnets=vpc.isolated_subnet_ids,
        security_groups=GROUPS,
        keys=(keys.data.key_arn, keys.model.key_arn, keys.workspace.key_arn),
        limits=WorkLimits(
            instance_types=("ml.m5.*", "ml.g5.*"),
            run_time_seconds=7200,
            file_systems=("fs-0a1b2c3d4e5f60718",),
        ),
        pipeline_roles=(f"{IN_ENVIRONMENT}/pipeline",),
        approving_roles=(f"{IN_ENVIRONMENT}/approver",),
    )
    return GuardrailPolicies(cdk.Stack(app, "Guardrails"), "Guardrails", guardrails=guardrails)


@pytest.fixture(scope="session")
def world() -> World:
    app = new_app()
    build(app)
    return World(synth(app))


@pytest.fixture(scope="session")
def full() -> World:
    app = new_app()
    build_full(app)
    return World(synth(app))


def test_the_template_is_as_it_was(world: World, snapshot_template: Callable[[Any], None]) -> None:
    snapshot_template(world.templates["Guardrails"])


def test_the_policies_lie_under_the_environments_path(world: World) -> None:
    policies = list(world.resources("AWS::IAM::ManagedPolicy"))
    assert {each.properties["Path"] for each in policies} == {"/secure-ml/"}
    assert not any("ManagedPolicyName" in each.properties for each in policies)
    assert [each.properties["PolicyDocument"] for each in policies] == DOCUMENTS


def test_references_to_other_stacks_are_resolved(full: World) -> None:
    statements = {
        statement["Sid"]: statement
        for policy in full.resources("AWS::IAM::ManagedPolicy")
        for statement in policy.properties["PolicyDocument"]["Statement"]
    }
    subnets = statements["OtherSubnets"]["Condition"]["ForAnyValue:StringNotEquals"]["sagemaker:VpcSubnets"]
    assert set(subnets) == {full.ref(each) for each in full.resources("AWS::EC2::Subnet")}
    keys = statements["OtherVolumeKey1"]["Condition"]["StringNotEquals"]["sagemaker:VolumeKmsKey"]
    made = {full.arn(each) for each in full.resources("AWS::KMS::Key")}
    assert len(keys) == 3
    assert set(keys) < made


@pytest.mark.parametrize("make", [build, build_full], ids=["default", "full"])
def test_the_packs_find_nothing(make: Callable[[cdk.App], Any]) -> None:
    assert findings(make) == []


def test_more_than_a_role_can_carry_is_refused() -> None:
    keys = [f"arn:aws:kms:eu-west-1:111122223333:key/{number:036d}" for number in range(20)]
    many = SageMakerGuardrails(
        perimeter=PERIMETER,
        subnets=SUBNETS * 10,
        security_groups=GROUPS,
        keys=keys,
        limits=WorkLimits(instance_types=["ml.m5.xlarge", "ml.g5.xlarge"] * 50),
        pipeline_roles=[f"{IN_ENVIRONMENT}/{'pipeline' * 8}-{number}" for number in range(20)],
        approving_roles=[f"{IN_ENVIRONMENT}/{'approver' * 8}-{number}" for number in range(20)],
    )
    with pytest.raises(ConfigurationError, match="Guardrails: 1 problem"):
        GuardrailPolicies(cdk.Stack(), "Guardrails", guardrails=many)


def test_roles_carry_them_by_interface() -> None:
    stack = cdk.Stack()
    policies = GuardrailPolicies(stack, "Guardrails", guardrails=GUARDRAILS)
    assert [stack.resolve(each.managed_policy_arn) for each in policies.managed_policies] == [
        stack.resolve(arn) for arn in policies.arns
    ]


def answers(*, guarded: bool) -> dict[str, Verdict]:
    """Whether a scientist's session, stolen or in a job, can start work outside the guardrails."""
    app = new_app()
    policies = build_full(app)
    stack = cdk.Stack(app, "People")
    iam.CfnRole(
        stack,
        "Scientist",
        path="/secure-ml/",
        assume_role_policy_document=PERIMETER.service_trust("sagemaker.amazonaws.com"),
        managed_policy_arns=list(policies.arns) if guarded else [],
        policies=[
            iam.CfnRole.PolicyProperty(
                policy_name="Everything", policy_document=document([allow("Work", "sagemaker:*")])
            )
        ],
    )
    app.synth()
    templates = load([Path(app.outdir)]).templates
    asked = ("stolen-credentials/*/SageMaker work", "compromised-job/*/SageMaker work")
    return {each.question: each.verdict for each in ask(templates, trust_of(PERIMETER), questions=asked)}


def test_a_session_that_carries_them_is_proved_to_stay_inside() -> None:
    held, free = answers(guarded=True), answers(guarded=False)
    assert len(held) == 16
    assert set(held.values()) == {Verdict.PROVED}
    assert set(free.values()) == {Verdict.BROKEN}

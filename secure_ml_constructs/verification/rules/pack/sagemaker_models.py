"""Models, packages and the registry."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from secure_ml_constructs.verification.rules.outcome import Context, Fail, Outcome
from secure_ml_constructs.verification.rules.pack.shared import public_statements
from secure_ml_constructs.verification.rules.pack.vocabulary import (
    INSIDER,
    POISONING,
    PRESENT,
    SUPPLY_CHAIN,
    TAMPERING,
    THEFT,
    approved_bucket,
    customer_key,
    in_vpc,
    isolation,
    no_secrets,
    pinned_image,
)
from secure_ml_constructs.verification.rules.predicates import Equals, Items, Matches, absent_or
from secure_ml_constructs.verification.rules.requirements import At, Code, Every, When, values
from secure_ml_constructs.verification.rules.rule import ERROR, WARNING, Rule

_MODEL = "AWS::SageMaker::Model"
_PACKAGE = "AWS::SageMaker::ModelPackage"
_GROUP = "AWS::SageMaker::ModelPackageGroup"

_model = partial(Rule, resource_type=_MODEL)
_package = partial(Rule, resource_type=_PACKAGE)

_PRIVATE_REGISTRY_OFF = (
    "RepositoryAccessMode Vpc means a registry that you run in the VPC. An image in ECR is Platform, and the "
    "endpoints keep its way private; this rule would refuse every one."
)


def _from_registry(context: Context) -> Iterator[Outcome]:
    """Each container that carries model data comes from a model package."""
    containers = values(context, "Containers[*]") + values(context, "PrimaryContainer")
    packages = [
        context.graph.at(context.resource.template, container, ("ModelPackageName",))
        for _, container in containers
        if isinstance(container, dict)
    ]
    if not any(packages):
        yield Fail("names no ModelPackageName", "PrimaryContainer")


def _private_registry(path: str, id: str, number: int) -> Rule:
    return _model(
        id=id,
        requirement=When(
            At(path.removesuffix("[*]"), PRESENT),
            At(f"{path}.ImageConfig.RepositoryAccessMode", Equals("Vpc")),
        ),
        severity=WARNING,
        control="G1",
        threats=(SUPPLY_CHAIN,),
        title="A model's image is pulled from a registry in the VPC",
        why="An image that is pulled through the platform's network is seen by no control of the VPC.",
        fix="Set ImageConfig.RepositoryAccessMode to Vpc, with a registry in the VPC.",
        standards=(f"SageMaker.{number}",),
        off=_PRIVATE_REGISTRY_OFF,
    )


def _group_policy(context: Context) -> Iterator[Outcome]:
    yield from public_statements(context, "ModelPackageGroupPolicy", accounts=True)


RULES = (
    isolation(
        "SageMakerModelNetworkIsolation",
        _MODEL,
        "EnableNetworkIsolation",
        "A model",
        control="G1",
        standards=("SageMaker.5",),
    ),
    in_vpc("SageMakerModelInVpc", _MODEL, "VpcConfig", "A model", control="G1"),
    _model(
        id="SageMakerModelTwoSubnets",
        requirement=At("VpcConfig.Subnets", Items(2)),
        severity=WARNING,
        control="G8",
        threats=(TAMPERING,),
        title="A model has subnets in two zones",
        why="With one zone a single failure, or one exhausted subnet, stops the endpoint.",
        fix="Set VpcConfig.Subnets to subnets in two availability zones.",
    ),
    _private_registry("PrimaryContainer", "SageMakerModelPrivateRegistry", 16),
    _private_registry("Containers[*]", "SageMakerModelContainersPrivateRegistry", 19),
    pinned_image("SageMakerModelImagePinned", _MODEL, "PrimaryContainer.Image", "A model's image"),
    pinned_image("SageMakerModelContainerImagesPinned", _MODEL, "Containers[*].Image", "A model's image"),
    no_secrets("SageMakerModelNoSecrets", _MODEL, "PrimaryContainer.Environment", "A model"),
    no_secrets("SageMakerModelContainersNoSecrets", _MODEL, "Containers[*].Environment", "A model"),
    *(
        approved_bucket(
            id,
            _MODEL,
            path,
            "Model data",
            severity=ERROR,
            control="G1",
            threats=(TAMPERING, SUPPLY_CHAIN),
        )
        for id, path in (
            ("SageMakerModelDataBucket", "PrimaryContainer.ModelDataUrl"),
            ("SageMakerModelDataSourceBucket", "PrimaryContainer.ModelDataSource.S3DataSource.S3Uri"),
            ("SageMakerModelContainersDataBucket", "Containers[*].ModelDataUrl"),
            (
                "SageMakerModelContainersDataSourceBucket",
                "Containers[*].ModelDataSource.S3DataSource.S3Uri",
            ),
        )
    ),
    _model(
        id="SageMakerModelFromRegistry",
        requirement=Code(_from_registry),
        severity=WARNING,
        control="T4",
        threats=(TAMPERING, SUPPLY_CHAIN),
        title="A model comes from the model registry",
        why="A model that was never registered has no approval, no digest and nothing to roll back to.",
        fix="Name an approved version of the registry in ModelPackageName.",
    ),
    _model(
        id="SageMakerModelSingleTenant",
        requirement=Every(
            At("PrimaryContainer.Mode", absent_or("SingleModel")),
            At("Containers[*].Mode", absent_or("SingleModel")),
        ),
        severity=WARNING,
        control="G11",
        threats=(INSIDER, TAMPERING),
        title="A container serves one model",
        why="A multi-model container loads models of all callers into one process.",
        fix="Set Mode to SingleModel, or acknowledge it and bind callers by sagemaker:TargetModel.",
    ),
    Rule(
        id="SageMakerModelPackageGroupPolicy",
        resource_type=_GROUP,
        requirement=Code(_group_policy),
        severity=ERROR,
        control="T4",
        threats=(THEFT, TAMPERING),
        title="The registry is open to accounts of ours only",
        why="Whoever may write to the group decides what is deployed; whoever may read it has the models.",
        fix="Name principals of this account or of the setting trusted_accounts in ModelPackageGroupPolicy.",
    ),
    customer_key(
        "SageMakerModelPackageCustomerKey",
        _PACKAGE,
        "SecurityConfig.KmsKeyId",
        "The metadata of a model package is",
        severity=WARNING,
    ),
    _package(
        id="SageMakerModelPackageNotPreapproved",
        requirement=At("ModelApprovalStatus", absent_or("PendingManualApproval", "Rejected")),
        severity=ERROR,
        control="T4",
        threats=(TAMPERING, SUPPLY_CHAIN),
        title="A model package is not approved by the code that makes it",
        why="Whoever can change the template would approve a model, and no second person would look.",
        fix="Set ModelApprovalStatus to PendingManualApproval.",
    ),
    _package(
        id="SageMakerModelPackageImageDigest",
        requirement=At(
            "InferenceSpecification.Containers[*].ImageDigest", Matches(r"^sha256:|\$\{", "is no digest")
        ),
        severity=ERROR,
        control="T6",
        threats=(SUPPLY_CHAIN, TAMPERING),
        title="A model package records the digest of its image",
        why="Without it another image can stand under the name that was approved.",
        fix="Set ImageDigest of each container.",
    ),
    no_secrets(
        "SageMakerModelPackageNoSecrets",
        _PACKAGE,
        "InferenceSpecification.Containers[*].Environment",
        "A model package",
        severity=WARNING,
    ),
    approved_bucket(
        "SageMakerModelPackageDataBucket",
        _PACKAGE,
        "InferenceSpecification.Containers[*].ModelDataUrl",
        "The model data of a package",
        severity=ERROR,
        control="T4",
        threats=(TAMPERING, SUPPLY_CHAIN),
    ),
    _package(
        id="SageMakerModelPackageValidated",
        requirement=At("SkipModelValidation", absent_or("None")),
        severity=WARNING,
        control="T6",
        threats=(TAMPERING,),
        title="A model package is validated",
        why="A package that was not validated may not be what it says, and fails when it is deployed.",
        fix="Leave SkipModelValidation out.",
    ),
    *(
        Rule(
            id=id,
            resource_type=type_,
            requirement=At("CertifyForMarketplace", absent_or(False)),
            severity=WARNING,
            control="T4",
            threats=(THEFT,),
            title="Nothing is certified for the marketplace",
            why="What is certified for the marketplace is on its way out of the account.",
            fix="Leave CertifyForMarketplace out.",
        )
        for id, type_ in (
            ("SageMakerModelPackageNotForMarketplace", _PACKAGE),
            ("SageMakerAlgorithmNotForMarketplace", "AWS::SageMaker::Algorithm"),
        )
    ),
    Rule(
        id="SageMakerAlgorithmImageDigest",
        resource_type="AWS::SageMaker::Algorithm",
        requirement=At(
            "TrainingSpecification.TrainingImageDigest", Matches(r"^sha256:|\$\{", "is no digest")
        ),
        severity=WARNING,
        control="T2",
        threats=(SUPPLY_CHAIN, POISONING),
        title="An algorithm records the digest of its image",
        why="Without it another image can train under the same name.",
        fix="Set TrainingSpecification.TrainingImageDigest.",
    ),
    customer_key(
        "SageMakerModelCardCustomerKey",
        "AWS::SageMaker::ModelCard",
        "SecurityConfig.KmsKeyId",
        "A model card is",
        severity=WARNING,
    ),
)

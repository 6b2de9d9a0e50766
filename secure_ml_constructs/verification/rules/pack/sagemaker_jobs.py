"""Processing, features, clusters, tracking and people who label."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from secure_ml_constructs.verification.rules.networks import IsolatedSubnets, OurGroups, anywhere
from secure_ml_constructs.verification.rules.outcome import Context, Fail, Outcome, at
from secure_ml_constructs.verification.rules.pack.vocabulary import (
    HIJACK,
    INSIDER,
    PRESENT,
    SUPPLY_CHAIN,
    TAMPERING,
    THEFT,
    TRUE,
    approved_bucket,
    customer_key,
    in_vpc,
    instance_type,
    isolation,
    no_secrets,
    pinned_image,
    traffic_encryption,
)
from secure_ml_constructs.verification.rules.predicates import Equals, Matches, absent_or
from secure_ml_constructs.verification.rules.requirements import AnyOf, At, Code, values
from secure_ml_constructs.verification.rules.rule import ERROR, WARNING, Rule
from secure_ml_constructs.verification.rules.secrets import NoSecret

_JOB = "AWS::SageMaker::ProcessingJob"
_FEATURES = "AWS::SageMaker::FeatureGroup"
_CLUSTER = "AWS::SageMaker::Cluster"
_SERVER = "AWS::SageMaker::MlflowTrackingServer"
_MLFLOW = "AWS::SageMaker::MlflowApp"
_APP = "AWS::SageMaker::PartnerApp"
_WORKFORCE = "AWS::SageMaker::Workforce"

_cluster = partial(Rule, resource_type=_CLUSTER)
_workforce = partial(Rule, resource_type=_WORKFORCE)


def _named_addresses(context: Context) -> Iterator[Outcome]:
    found = values(context, "SourceIpConfig.Cidrs[*]")
    if not found:
        yield Fail("is not set, so that people can sign in from anywhere", "SourceIpConfig.Cidrs")
    for path, cidr in found:
        if anywhere(cidr):
            yield Fail(f"is {cidr}, which is everywhere", path)


def _override(context: Context) -> Iterator[Outcome]:
    """A group of a cluster that leaves the cluster's network leaves it for an isolated one."""
    predicates = (("Subnets", IsolatedSubnets()), ("SecurityGroupIds", OurGroups()))
    for groups in ("InstanceGroups", "RestrictedInstanceGroups"):
        for path, override in values(context, f"{groups}[*].OverrideVpcConfig"):
            if not isinstance(override, dict):
                continue
            for name, predicate in predicates:
                value = context.graph.at(context.resource.template, override, (name,))
                outcome = predicate.check(value, context)
                if outcome is not None:
                    yield at(outcome, f"{path}.{name}")


RULES = (
    isolation(
        "SageMakerProcessingJobNetworkIsolation",
        _JOB,
        "NetworkConfig.EnableNetworkIsolation",
        "A processing job",
    ),
    traffic_encryption(
        "SageMakerProcessingJobTrafficEncryption",
        _JOB,
        "NetworkConfig.EnableInterContainerTrafficEncryption",
        "A processing job",
    ),
    in_vpc("SageMakerProcessingJobInVpc", _JOB, "NetworkConfig.VpcConfig", "A processing job"),
    customer_key(
        "SageMakerProcessingJobVolumeKey",
        _JOB,
        "ProcessingResources.ClusterConfig.VolumeKmsKeyId",
        "The volume of a processing job is",
        control="T1",
    ),
    customer_key(
        "SageMakerProcessingJobOutputKey",
        _JOB,
        "ProcessingOutputConfig.KmsKeyId",
        "The output of a processing job is",
        control="T1",
        within="ProcessingOutputConfig",
    ),
    *(
        customer_key(
            f"SageMakerProcessingJob{source}Key",
            _JOB,
            f"ProcessingInputs[*].DatasetDefinition.{source}DatasetDefinition.KmsKeyId",
            f"What a processing job reads from {source} is",
            severity=WARNING,
            control="T1",
            within=f"ProcessingInputs[*].DatasetDefinition.{source}DatasetDefinition",
        )
        for source in ("Athena", "Redshift")
    ),
    pinned_image(
        "SageMakerProcessingJobImagePinned", _JOB, "AppSpecification.ImageUri", "A processing job's image"
    ),
    no_secrets("SageMakerProcessingJobNoSecrets", _JOB, "Environment", "A processing job"),
    Rule(
        id="SageMakerPipelineDefinitionPinned",
        resource_type="AWS::SageMaker::Pipeline",
        requirement=AnyOf(
            At("PipelineDefinition.PipelineDefinitionBody", PRESENT),
            At("PipelineDefinition.PipelineDefinitionS3Location.Version", PRESENT),
            At("PipelineDefinition.PipelineDefinitionS3Location.ETag", PRESENT),
        ),
        severity=WARNING,
        control="T1",
        threats=(TAMPERING, SUPPLY_CHAIN),
        title="A pipeline's definition in S3 is named by its version",
        why="Whoever can write the object would change what the pipeline does at the next deployment.",
        fix="Set PipelineDefinitionS3Location.Version or ETag.",
    ),
    approved_bucket(
        "SageMakerProjectTemplate",
        "AWS::SageMaker::Project",
        "TemplateProviderDetails[*].CfnTemplateProviderDetail.TemplateURL",
        "The template of a project",
        control="I11",
        threats=(SUPPLY_CHAIN,),
    ),
    customer_key(
        "SageMakerFeatureGroupOfflineKey",
        _FEATURES,
        "OfflineStoreConfig.S3StorageConfig.KmsKeyId",
        "An offline feature store is",
        severity=WARNING,
        standards=("SageMaker.17",),
        within="OfflineStoreConfig",
    ),
    customer_key(
        "SageMakerFeatureGroupOnlineKey",
        _FEATURES,
        "OnlineStoreConfig.SecurityConfig.KmsKeyId",
        "An online feature store is",
        severity=WARNING,
        standards=("SageMaker.18",),
        within="OnlineStoreConfig",
    ),
    approved_bucket(
        "SageMakerFeatureGroupBucket",
        _FEATURES,
        "OfflineStoreConfig.S3StorageConfig.S3Uri",
        "An offline feature store",
    ),
    Rule(
        id="SageMakerMlflowServerRegistration",
        resource_type=_SERVER,
        requirement=At("AutomaticModelRegistration", absent_or(False)),
        severity=WARNING,
        control="T5",
        threats=(TAMPERING,),
        title="MLflow registers no model by itself",
        why="Every experiment would fill the registry, past its gates.",
        fix="Leave AutomaticModelRegistration out.",
    ),
    Rule(
        id="SageMakerMlflowAppRegistration",
        resource_type=_MLFLOW,
        requirement=At("ModelRegistrationMode", absent_or("AutoModelRegistrationDisabled")),
        severity=WARNING,
        control="T5",
        threats=(TAMPERING,),
        title="MLflow registers no model by itself",
        why="Every experiment would fill the registry, past its gates.",
        fix="Set ModelRegistrationMode to AutoModelRegistrationDisabled.",
    ),
    *(
        approved_bucket(
            id,
            type_,
            "ArtifactStoreUri",
            "What MLflow stores",
            severity=ERROR,
            control="T5",
            threats=(INSIDER, THEFT),
        )
        for id, type_ in (("SageMakerMlflowServerBucket", _SERVER), ("SageMakerMlflowAppBucket", _MLFLOW))
    ),
    Rule(
        id="SageMakerMlflowServerVersion",
        resource_type=_SERVER,
        requirement=At("MlflowVersion", Matches(r"^([3-9]|\d\d)(\.|$)", "is an old version", absent=True)),
        severity=WARNING,
        control="T5",
        threats=(SUPPLY_CHAIN,),
        title="MLflow is of a version that gets fixes",
        why="Older versions have published holes that let a run read files of the server.",
        fix="Leave MlflowVersion out, or set it to 3.0 or newer.",
    ),
    in_vpc("SageMakerClusterInVpc", _CLUSTER, "VpcConfig", "A HyperPod cluster"),
    _cluster(
        id="SageMakerClusterGroupsInVpc",
        requirement=Code(_override),
        severity=WARNING,
        control="T1",
        threats=(INSIDER,),
        title="No group of a cluster leaves the isolated network",
        why="OverrideVpcConfig takes the place of the cluster's network for one group.",
        fix="Leave OverrideVpcConfig out, or name isolated subnets and groups of the environment.",
    ),
    *(
        customer_key(
            f"SageMakerCluster{name}VolumeKey",
            _CLUSTER,
            f"{groups}[*].InstanceStorageConfigs[*].EbsVolumeConfig.VolumeKmsKeyId",
            "The volumes of a HyperPod cluster are",
            control="T1",
        )
        for name, groups in (("", "InstanceGroups"), ("Restricted", "RestrictedInstanceGroups"))
    ),
    approved_bucket(
        "SageMakerClusterLifecycleBucket",
        _CLUSTER,
        "InstanceGroups[*].LifeCycleConfig.SourceS3Uri",
        "What a cluster runs on its nodes",
        severity=ERROR,
        control="T1",
        threats=(SUPPLY_CHAIN, HIJACK),
    ),
    instance_type("SageMakerClusterInstanceType", _CLUSTER, "InstanceGroups[*].InstanceType"),
    _cluster(
        id="SageMakerClusterPatched",
        requirement=AnyOf(
            At("InstanceGroups[*].AutoPatchConfig", PRESENT),
            At("InstanceGroups[*].ScheduledUpdateConfig", PRESENT),
        ),
        severity=WARNING,
        control="T1",
        threats=(HIJACK,),
        title="The nodes of a cluster are patched",
        why="A cluster lives for months, and so do the holes of its first day.",
        fix="Set AutoPatchConfig or ScheduledUpdateConfig for each group.",
    ),
    _cluster(
        id="SageMakerClusterSlurmSecret",
        requirement=AnyOf(
            At("Orchestrator.Slurm.AccountingDatabase", absent_or()),
            At("Orchestrator.Slurm.AccountingDatabase.SecretArn", PRESENT),
        ),
        severity=WARNING,
        control="I8",
        threats=(INSIDER,),
        title="The password of a cluster's accounting database is in Secrets Manager",
        why="Anywhere else it is readable to all who may describe the cluster.",
        fix="Set AccountingDatabase.SecretArn.",
    ),
    customer_key("SageMakerPartnerAppCustomerKey", _APP, "KmsKeyId", "A partner app is", severity=WARNING),
    Rule(
        id="SageMakerPartnerAppIdentity",
        resource_type=_APP,
        requirement=At("EnableIamSessionBasedIdentity", TRUE),
        severity=WARNING,
        control="I9",
        threats=(INSIDER,),
        title="A partner app knows who acts by the IAM session",
        why="Otherwise its log shows one identity for all.",
        fix="Set EnableIamSessionBasedIdentity to true.",
    ),
    _workforce(
        id="SageMakerWorkforceSourceAddresses",
        requirement=Code(_named_addresses, "Addresses are read as networks."),
        severity=ERROR,
        control="I5",
        threats=(INSIDER,),
        title="People who label sign in from named addresses",
        why="A stolen password opens the data to be labelled from anywhere.",
        fix="Set SourceIpConfig.Cidrs to the networks that they work from.",
    ),
    _workforce(
        id="SageMakerWorkforceInVpc",
        requirement=At("WorkforceVpcConfig.VpcId", PRESENT),
        severity=WARNING,
        control="N2",
        threats=(INSIDER,),
        title="The portal for labelling is reached through the VPC",
        why="Otherwise it is a public web page with the data on it.",
        fix="Set WorkforceVpcConfig.",
    ),
    _workforce(
        id="SageMakerWorkforceClientSecret",
        requirement=At("OidcConfig.ClientSecret", NoSecret(always=True)),
        severity=ERROR,
        control="E5",
        threats=(INSIDER,),
        title="The client secret of a workforce is not in the template",
        why="A template is read by many, and kept for years.",
        fix="Write {{resolve:secretsmanager:…}} for OidcConfig.ClientSecret.",
    ),
    Rule(
        id="SageMakerHumanTaskUiScripts",
        resource_type="AWS::SageMaker::HumanTaskUi",
        requirement=At(
            "UiTemplate.Content",
            Matches(
                r"<script[^>]+src\s*=\s*[\"']?(?:https?:)?//(?!assets\.crowd\.aws/)",
                "loads a script from elsewhere",
                absent=True,
                negate=True,
            ),
        ),
        severity=WARNING,
        control="E5",
        threats=(SUPPLY_CHAIN, INSIDER),
        title="The page for labelling loads no script from elsewhere",
        why="A script on the page sees all that is labelled.",
        fix="Load nothing but AWS's crowd-html-elements, or write the script into the page.",
    ),
    customer_key(
        "SageMakerDeviceFleetCustomerKey",
        "AWS::SageMaker::DeviceFleet",
        "OutputConfig.KmsKeyId",
        "What devices send is",
        severity=WARNING,
    ),
    Rule(
        id="SageMakerClusterNodeRecovery",
        resource_type=_CLUSTER,
        requirement=At("NodeRecovery", Equals("Automatic", absent=True)),
        severity=WARNING,
        control="T1",
        threats=(TAMPERING,),
        title="Faulty nodes of a cluster are replaced",
        why="A faulty node computes wrong gradients that nobody looks for.",
        fix="Set NodeRecovery to Automatic.",
    ),
)

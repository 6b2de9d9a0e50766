"""What `Ref` and `Fn::GetAtt` give, type by type, with made-up names for those that CloudFormation makes.

Sources: the "Return values" of each type in the AWS CloudFormation Template Reference; the forms of ARNs from
the Service Authorization Reference.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Form:
    """What a type of resource gives.

    Attributes:
        arn: Its ARN. `{name}` is its physical name (`{low}` in lower case, `{bare}` without the slash at its
            beginning), `{id}` its id, `{p}`, `{r}`, `{a}` and `{suffix}` are partition, region, account and
            domain of AWS, `{hex}` is a digest (of 17 digits where none are named), `{uuid}` one of the form
            of key ids; `{path}` is the path of what IAM has, and `{DatabaseName}` and its like properties.
        ref: What `Ref` gives: `name`, `id`, `arn`, or a form of its own.
        named: The property that gives it its physical name; None where it has none.
        id: The form of its id; its name where it has none.
        lower: Whether the names that CloudFormation makes are of lower case.
        others: The forms of other attributes.
    """

    arn: str
    ref: str = "name"
    named: str | None = None
    id: str = "{name}"
    lower: bool = False
    others: Mapping[str, str] = field(default_factory=dict)


def _arn(service: str, rest: str) -> str:
    return f"arn:{{p}}:{service}:{{r}}:{{a}}:{rest}"


def _ec2(kind: str, prefix: str, **others: str) -> Form:
    return Form(_arn("ec2", f"{kind}/{{id}}"), "id", id=f"{prefix}-{{hex}}", others=others)


def _glue(kind: str, named: str | None = "Name") -> Form:
    return Form(_arn("glue", f"{kind}/{{name}}"), named=named)


def _sagemaker(kind: str, named: str, ref: str = "arn", **others: str) -> Form:
    # SageMaker turns the names in its ARNs to lower case.
    return Form(_arn("sagemaker", f"{kind}/{{low}}"), ref, named, others=others)


FORMS: Mapping[str, Form] = {
    "AWS::S3::Bucket": Form(
        "arn:{p}:s3:::{name}",
        named="BucketName",
        lower=True,
        others={
            "DomainName": "{name}.s3.{suffix}",
            "RegionalDomainName": "{name}.s3.{r}.{suffix}",
            "DualStackDomainName": "{name}.s3.dualstack.{r}.{suffix}",
        },
    ),
    "AWS::S3::AccessPoint": Form(_arn("s3", "accesspoint/{name}"), named="Name", lower=True),
    "AWS::KMS::Key": Form(_arn("kms", "key/{id}"), "id", id="{uuid}"),
    "AWS::KMS::ReplicaKey": Form(_arn("kms", "key/{id}"), "id", id="mrk-{hex32}"),
    "AWS::KMS::Alias": Form(_arn("kms", "{name}"), named="AliasName"),
    "AWS::IAM::Role": Form(
        "arn:{p}:iam::{a}:role{path}{name}", named="RoleName", others={"RoleId": "AROA{hex16}"}
    ),
    "AWS::IAM::User": Form("arn:{p}:iam::{a}:user{path}{name}", named="UserName"),
    "AWS::IAM::Group": Form("arn:{p}:iam::{a}:group{path}{name}", named="GroupName"),
    "AWS::IAM::ManagedPolicy": Form(
        "arn:{p}:iam::{a}:policy{path}{name}", "arn", "ManagedPolicyName", others={"PolicyArn": "{arn}"}
    ),
    "AWS::IAM::InstanceProfile": Form(
        "arn:{p}:iam::{a}:instance-profile{path}{name}", named="InstanceProfileName"
    ),
    "AWS::IAM::SAMLProvider": Form("arn:{p}:iam::{a}:saml-provider/{name}", "arn", "Name"),
    "AWS::SecretsManager::Secret": Form(
        _arn("secretsmanager", "secret:{name}-{hex6}"), "arn", "Name", others={"Id": "{arn}"}
    ),
    "AWS::SNS::Topic": Form(_arn("sns", "{name}"), "arn", "TopicName"),
    "AWS::SQS::Queue": Form(
        _arn("sqs", "{name}"),
        "https://sqs.{r}.{suffix}/{a}/{name}",
        "QueueName",
        others={"QueueUrl": "https://sqs.{r}.{suffix}/{a}/{name}"},
    ),
    "AWS::ECR::Repository": Form(
        _arn("ecr", "repository/{name}"),
        named="RepositoryName",
        lower=True,
        others={"RepositoryUri": "{a}.dkr.ecr.{r}.{suffix}/{name}"},
    ),
    "AWS::Logs::LogGroup": Form(_arn("logs", "log-group:{name}:*"), named="LogGroupName"),
    "AWS::Lambda::Function": Form(_arn("lambda", "function:{name}"), named="FunctionName"),
    "AWS::Lambda::LayerVersion": Form(_arn("lambda", "layer:{name}:1"), "arn", "LayerName"),
    "AWS::CloudTrail::Trail": Form(_arn("cloudtrail", "trail/{name}"), named="TrailName"),
    "AWS::CloudTrail::EventDataStore": Form(_arn("cloudtrail", "eventdatastore/{uuid}"), "arn"),
    # The ARN that requests to the API are about, up to the API's id.
    "AWS::ApiGateway::RestApi": Form(
        _arn("execute-api", "{id}"),
        "id",
        id="{hex10}",
        others={"RestApiId": "{id}", "RootResourceId": "root{hex6}"},
    ),
    "AWS::ApiGateway::Resource": Form(
        _arn("apigateway", "{id}"), "id", id="{hex6}", others={"ResourceId": "{id}"}
    ),
    "AWS::ApiGatewayV2::Api": Form(_arn("execute-api", "{id}"), "id", id="{hex10}"),
    "AWS::SageMaker::Domain": Form(_arn("sagemaker", "domain/{id}"), "id", id="d-{hex12}"),
    "AWS::SageMaker::Model": _sagemaker("model", "ModelName"),
    "AWS::SageMaker::Endpoint": _sagemaker("endpoint", "EndpointName"),
    "AWS::SageMaker::EndpointConfig": _sagemaker("endpoint-config", "EndpointConfigName"),
    "AWS::SageMaker::InferenceComponent": _sagemaker("inference-component", "InferenceComponentName"),
    "AWS::SageMaker::Image": _sagemaker("image", "ImageName"),
    "AWS::SageMaker::NotebookInstance": _sagemaker("notebook-instance", "NotebookInstanceName"),
    "AWS::SageMaker::ModelPackageGroup": _sagemaker("model-package-group", "ModelPackageGroupName"),
    "AWS::SageMaker::MonitoringSchedule": _sagemaker("monitoring-schedule", "MonitoringScheduleName"),
    "AWS::SageMaker::Pipeline": _sagemaker("pipeline", "PipelineName", "name"),
    "AWS::SageMaker::FeatureGroup": _sagemaker("feature-group", "FeatureGroupName", "name"),
    "AWS::EFS::FileSystem": Form(_arn("elasticfilesystem", "file-system/{id}"), "id", id="fs-{hex}"),
    "AWS::EFS::AccessPoint": Form(_arn("elasticfilesystem", "access-point/{id}"), "id", id="fsap-{hex}"),
    "AWS::EC2::VPC": _ec2("vpc", "vpc", DefaultSecurityGroup="sg-{hex}", DefaultNetworkAcl="acl-{hex}"),
    "AWS::EC2::Subnet": _ec2("subnet", "subnet"),
    "AWS::EC2::SecurityGroup": _ec2("security-group", "sg", GroupId="sg-{hex}"),
    "AWS::EC2::VPCEndpoint": _ec2("vpc-endpoint", "vpce"),
    "AWS::EC2::RouteTable": _ec2("route-table", "rtb"),
    "AWS::EC2::NetworkAcl": _ec2("network-acl", "acl"),
    "AWS::EC2::InternetGateway": _ec2("internet-gateway", "igw"),
    "AWS::EC2::NatGateway": _ec2("natgateway", "nat"),
    "AWS::EC2::TransitGateway": _ec2("transit-gateway", "tgw"),
    "AWS::EC2::PrefixList": _ec2("prefix-list", "pl"),
    "AWS::EC2::FlowLog": _ec2("vpc-flow-log", "fl"),
    "AWS::EC2::Instance": _ec2("instance", "i"),
    "AWS::EC2::Volume": _ec2("volume", "vol"),
    "AWS::Glue::Database": Form(_arn("glue", "database/{name}"), named="DatabaseInput.Name"),
    "AWS::Glue::Table": Form(_arn("glue", "table/{DatabaseName}/{name}"), named="TableInput.Name"),
    "AWS::Glue::Job": _glue("job"),
    "AWS::Glue::Crawler": _glue("crawler"),
    "AWS::Glue::Connection": _glue("connection", "ConnectionInput.Name"),
    "AWS::Athena::WorkGroup": Form(_arn("athena", "workgroup/{name}"), named="Name"),
    "AWS::StepFunctions::StateMachine": Form(
        _arn("states", "stateMachine:{name}"), "arn", "StateMachineName"
    ),
    "AWS::Scheduler::ScheduleGroup": Form(_arn("scheduler", "schedule-group/{name}"), named="Name"),
    "AWS::Scheduler::Schedule": Form(_arn("scheduler", "schedule/{GroupName}/{name}"), named="Name"),
    "AWS::Events::Rule": Form(_arn("events", "rule/{name}"), named="Name"),
    "AWS::Events::EventBus": Form(_arn("events", "event-bus/{name}"), named="Name"),
    "AWS::DynamoDB::Table": Form(_arn("dynamodb", "table/{name}"), named="TableName"),
    "AWS::Kinesis::Stream": Form(_arn("kinesis", "stream/{name}"), named="Name"),
    "AWS::KinesisFirehose::DeliveryStream": Form(
        _arn("firehose", "deliverystream/{name}"), named="DeliveryStreamName"
    ),
    "AWS::CodeArtifact::Domain": Form(_arn("codeartifact", "domain/{name}"), "arn", "DomainName"),
    "AWS::CodeArtifact::Repository": Form(
        _arn("codeartifact", "repository/{DomainName}/{name}"), "arn", "RepositoryName"
    ),
    "AWS::CodeBuild::Project": Form(_arn("codebuild", "project/{name}"), named="Name"),
    "AWS::Cognito::UserPoolClient": Form(
        _arn("cognito-idp", "userpool/client/{id}"), "id", id="{hex26}", others={"ClientId": "{id}"}
    ),
    "AWS::Cognito::UserPool": Form(_arn("cognito-idp", "userpool/{id}"), "id", id="{r}_{hex9}"),
    "AWS::SSM::Parameter": Form(_arn("ssm", "parameter/{bare}"), named="Name"),
    "AWS::CloudWatch::Alarm": Form(_arn("cloudwatch", "alarm:{name}"), named="AlarmName"),
    "AWS::Backup::BackupVault": Form(_arn("backup", "backup-vault:{name}"), named="BackupVaultName"),
    "AWS::Bedrock::Guardrail": Form(_arn("bedrock", "guardrail/{id}"), "arn", id="{hex12}"),
    "AWS::GuardDuty::Detector": Form(_arn("guardduty", "detector/{id}"), "id", id="{hex32}"),
}

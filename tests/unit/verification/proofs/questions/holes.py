"""Holes: one thing changed in an environment in which nothing is broken, and the question that finds it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tests.unit.verification.proofs.questions.clinic import ACCOUNT, Clinic

FOREIGN = "444455556666"
ROOT = f"arn:aws:iam::{ACCOUNT}:root"
ANY_ROLE = f"arn:aws:iam::{ACCOUNT}:role/*"
OUR_ORG = {"StringEquals": {"aws:PrincipalOrgID": "o-abcdefghij"}}


@dataclass(frozen=True)
class Hole:
    """A hole.

    Attributes:
        question: The question that finds it.
        names: What the counter-example says of it.
        make: Makes it.
    """

    question: str
    names: str
    make: Callable[[Clinic], None]


HOLES: dict[str, Hole] = {}


def hole(question: str, names: str) -> Callable[[Callable[[Clinic], None]], None]:
    def keep(make: Callable[[Clinic], None]) -> None:
        HOLES[make.__name__] = Hole(question, names, make)

    return keep


def condition(clinic: Clinic, logical_id: str, sid: str, old: str, new: str) -> None:
    """Put another operator in an operator's place."""
    block = clinic.statement(logical_id, sid)["Condition"]
    block[new] = block.pop(old)


# -- the bucket ---------------------------------------------------------------------------------------


@hole("stolen-credentials/read/clinic/Data/raw", "ReadRaw")
def network_deny_dropped(clinic: Clinic) -> None:
    clinic.drop("DataPolicy", "Networks")


@hole("stolen-credentials/read/clinic/Data/raw", "clinic-Training")
def network_deny_spares_every_role(clinic: Clinic) -> None:
    clinic.statement("DataPolicy", "Networks")["Condition"]["ArnNotLikeIfExists"] = {
        "aws:PrincipalArn": ANY_ROLE
    }


@hole("stolen-credentials/read/clinic/Data/raw", "/raw/")
def network_deny_on_one_zone_only(clinic: Clinic) -> None:
    clinic.statement("DataPolicy", "Networks")["Resource"] = {"Fn::Sub": "${Data.Arn}/models/*"}


@hole("stolen-credentials/read/clinic/Data/raw", "s3:GetObject")
def network_deny_forgets_reading(clinic: Clinic) -> None:
    clinic.statement("DataPolicy", "Networks")["Action"] = ["s3:PutObject*", "s3:DeleteObject*"]


@hole("stolen-credentials/read/clinic/Data/raw", "s3:GetObject")
def network_deny_with_not_action(clinic: Clinic) -> None:
    statement = clinic.statement("DataPolicy", "Networks")
    statement["NotAction"] = statement.pop("Action")


@hole("stolen-credentials/read/clinic/Data/raw", "vpce-0badbadbadbadbad0")
def network_deny_knows_a_foreign_endpoint(clinic: Clinic) -> None:
    block = clinic.statement("DataPolicy", "Networks")["Condition"]["StringNotEqualsIfExists"]
    block["aws:SourceVpce"] = [block["aws:SourceVpce"], "vpce-0badbadbadbadbad0"]


@hole("stolen-credentials/read/clinic/Data/raw", "aws:sourcevpce=vpce-")
def network_deny_spares_every_endpoint(clinic: Clinic) -> None:
    clinic.statement("DataPolicy", "Networks")["Condition"]["StringNotLikeIfExists"] = {
        "aws:SourceVpce": "vpce-*"
    }
    del clinic.statement("DataPolicy", "Networks")["Condition"]["StringNotEqualsIfExists"]


@hole("stolen-credentials/read/clinic/Data/raw", "ReadRaw")
def network_deny_for_requests_with_an_endpoint_only(clinic: Clinic) -> None:
    clinic.statement("DataPolicy", "Networks")["Condition"]["Null"] = {"aws:SourceVpce": "false"}


@hole("stolen-credentials/read/clinic/Data/raw", "aws:sourceip=")
def network_deny_spares_addresses(clinic: Clinic) -> None:
    clinic.statement("DataPolicy", "Networks")["Condition"]["NotIpAddressIfExists"] = {
        "aws:SourceIp": "0.0.0.0/1"
    }


@hole("stolen-credentials/read/clinic/Data/raw", "athena:startqueryexecution")
def a_service_reads_for_a_stolen_role(clinic: Clinic) -> None:
    clinic.grant("Training", Action="athena:StartQueryExecution", Resource="*")
    clinic.statement("Boundary", "Work")["Action"].append("athena:*")


@hole("insider/delete/clinic/Data/raw", "s3:DeleteObjectVersion")
def version_deny_dropped(clinic: Clinic) -> None:
    clinic.drop("DataPolicy", "Versions")


@hole("insider/delete/clinic/Data/raw", f"arn:aws:iam::{ACCOUNT}:role/")
def version_deny_spares_too_many(clinic: Clinic) -> None:
    clinic.statement("DataPolicy", "Versions")["Condition"] = {"ArnNotLike": {"aws:PrincipalArn": ANY_ROLE}}


@hole("insider/delete/clinic/Data/raw", "s3:DeleteObjectVersion")
def version_deny_asks_for_mfa_without_if_exists(clinic: Clinic) -> None:
    clinic.statement("DataPolicy", "Versions")["Condition"] = {
        "Bool": {"aws:MultiFactorAuthPresent": "false"}
    }


@hole("insider/delete/clinic/Data/models", "models/")
def version_deny_on_one_zone_only(clinic: Clinic) -> None:
    clinic.statement("DataPolicy", "Versions")["Resource"] = {"Fn::Sub": "${Data.Arn}/raw/*"}


@hole("insider/open-up/clinic/Data (bucket)", "s3:")
def configuration_deny_dropped(clinic: Clinic) -> None:
    clinic.drop("DataPolicy", "Configuration")


@hole("insider/lose-versions/clinic/Data (bucket)", "s3:PutLifecycleConfiguration")
def configuration_deny_forgets_lifecycle(clinic: Clinic) -> None:
    clinic.statement("DataPolicy", "Configuration")["Action"].remove("s3:PutLifecycleConfiguration")


@hole("insider/lose-versions/clinic/Data (bucket)", "s3:PutBucketVersioning")
def configuration_deny_for_the_policy_only(clinic: Clinic) -> None:
    clinic.statement("DataPolicy", "Configuration")["Action"] = ["s3:PutBucketPolicy", "s3:DeleteBucket*"]


@hole("compromised-job/store-under-another-key/clinic/Data (bucket)", "server-side-encryption=")
def encryption_deny_dropped(clinic: Clinic) -> None:
    clinic.drop("DataPolicy", "OtherEncryption", "OtherKey")


@hole("compromised-job/store-under-another-key/clinic/Data (bucket)", "kms-key-id=")
def key_deny_dropped(clinic: Clinic) -> None:
    clinic.drop("DataPolicy", "OtherKey")


@hole("compromised-job/store-under-another-key/clinic/Data (bucket)", "server-side-encryption=aws:kms")
def key_deny_for_uploads_that_name_a_key(clinic: Clinic) -> None:
    clinic.statement("DataPolicy", "OtherKey")["Condition"]["Null"] = {
        "s3:x-amz-server-side-encryption-aws-kms-key-id": "false"
    }


@hole("compromised-job/store-under-another-key/clinic/Data (bucket)", "kms-key-id=arn:")
def key_deny_of_any_key_of_the_account(clinic: Clinic) -> None:
    clinic.statement("DataPolicy", "OtherKey")["Condition"] = {
        "StringNotLike": {"s3:x-amz-server-side-encryption-aws-kms-key-id": "arn:aws:kms:*"}
    }


@hole("compromised-job/read/clinic/Data/models", "s3:GetObject")
def glob_over_every_zone(clinic: Clinic) -> None:
    clinic.statement("Training", "ReadRaw")["Resource"] = {"Fn::Sub": "${Data.Arn}/*"}


@hole("compromised-job/read/clinic/Data/models", "ReadRaw")
def glob_over_every_bucket(clinic: Clinic) -> None:
    clinic.statement("Training", "ReadRaw")["Resource"] = "*"


@hole("compromised-job/write/clinic/Data/raw", "WriteModels")
def not_resource_in_a_grant(clinic: Clinic) -> None:
    statement = clinic.statement("Training", "WriteModels")
    statement["NotResource"] = {"Fn::Sub": "${Data.Arn}/secret/*"}
    del statement["Resource"]


@hole("compromised-job/write/clinic/Data/raw", "Hole")
def not_action_in_a_grant(clinic: Clinic) -> None:
    clinic.grant("Training", NotAction="iam:*", Resource="*")


@hole("outsider/delete/clinic/Data/raw", FOREIGN)
def another_account_let_in(clinic: Clinic) -> None:
    clinic.drop("DataPolicy", "Outsiders", "Versions", "Networks")
    clinic.grant(
        "DataPolicy",
        Principal={"AWS": f"arn:aws:iam::{FOREIGN}:root"},
        Action="s3:DeleteObjectVersion",
        Resource={"Fn::Sub": "${Data.Arn}/*"},
    )


@hole("outsider/read/clinic/Data/raw", "an anonymous caller")
def everybody_let_in_to_plain_objects(clinic: Clinic) -> None:
    clinic.drop("DataPolicy", "Outsiders", "Networks")
    del clinic["Data"]["BucketEncryption"]
    del clinic["Data"]["PublicAccessBlockConfiguration"]
    clinic.grant("DataPolicy", Principal="*", Action="s3:GetObject", Resource={"Fn::Sub": "${Data.Arn}/*"})


@hole("insider/read/clinic/Data/raw", "aws:viaawsservice=true")
def plain_objects_behind_a_service(clinic: Clinic) -> None:
    clinic["Data"]["BucketEncryption"] = {
        "ServerSideEncryptionConfiguration": [{"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]
    }


@hole("insider/delete/clinic/Data/raw", "s3:DeleteObject")
def versioning_off(clinic: Clinic) -> None:
    clinic["Data"]["VersioningConfiguration"] = {"Status": "Suspended"}


# -- the archive --------------------------------------------------------------------------------------


@hole("insider/delete/clinic/Archive", "s3:")
def archive_deny_dropped(clinic: Clinic) -> None:
    clinic.drop("ArchivePolicy", "Nobody")


@hole("insider/delete/clinic/Archive", "s3:DeleteObject")
def archive_deny_on_the_bucket_only(clinic: Clinic) -> None:
    clinic.statement("ArchivePolicy", "Nobody")["Resource"] = {"Fn::GetAtt": ["Archive", "Arn"]}


@hole("insider/delete/clinic/Archive", "s3:DeleteObject")
def archive_deny_misspelt(clinic: Clinic) -> None:
    clinic.statement("ArchivePolicy", "Nobody")["Action"] = ["s3:DeleteObjects", "s3:DeleteBucket*"]


@hole("insider/delete/clinic/Archive", "s3:BypassGovernanceRetention")
def archive_deny_forgets_the_bypass(clinic: Clinic) -> None:
    clinic.statement("ArchivePolicy", "Nobody")["Action"].remove("s3:BypassGovernanceRetention")


@hole("confused-deputy/write/clinic/Archive", "cloudtrail.amazonaws.com")
def anybodys_trail_writes(clinic: Clinic) -> None:
    del clinic.statement("ArchivePolicy", "TrailWrites")["Condition"]
    del clinic.statement("Key", "Trail")["Condition"]
    del clinic["Archive"]["BucketEncryption"]


# -- the key ------------------------------------------------------------------------------------------


@hole("stolen-credentials/use/clinic/Key", "kms:Decrypt")
def key_used_without_a_service(clinic: Clinic) -> None:
    del clinic.statement("Key", "Use")["Condition"]["StringEquals"]


@hole("stolen-credentials/use/clinic/Key", "kms:")
def key_condition_with_if_exists(clinic: Clinic) -> None:
    condition(clinic, "Key", "Use", "StringEquals", "StringEqualsIfExists")


@hole("insider/use-through-a-service/clinic/Key", "kms:")
def key_for_every_role(clinic: Clinic) -> None:
    clinic.statement("Key", "Use")["Condition"]["ArnLike"] = {"aws:PrincipalArn": ANY_ROLE}


@hole("insider/take-over/clinic/Key", "kms:PutKeyPolicy")
def key_administered_by_the_account(clinic: Clinic) -> None:
    del clinic.statement("Key", "Administer")["Condition"]


@hole("insider/use/clinic/Key", "kms:")
def default_key_policy(clinic: Clinic) -> None:
    del clinic["Key"]["KeyPolicy"]


@hole("outsider/use/clinic/Key", "kms:")
def key_for_everybody(clinic: Clinic) -> None:
    clinic.grant("Key", Principal={"AWS": "*"}, Action="kms:Decrypt", Resource="*")


@hole("outsider/use/clinic/Key", FOREIGN)
def key_for_another_account(clinic: Clinic) -> None:
    clinic.grant("Key", Principal={"AWS": FOREIGN}, Action="kms:Decrypt", Resource="*")


@hole("confused-deputy/use/clinic/Key", "logs.eu-west-1.amazonaws.com")
def key_for_anybodys_logs(clinic: Clinic) -> None:
    del clinic.statement("Key", "Logs")["Condition"]


@hole("confused-deputy/use/clinic/Key", "logs.eu-west-1.amazonaws.com")
def key_for_logs_with_if_exists(clinic: Clinic) -> None:
    condition(clinic, "Key", "Logs", "ArnLike", "ArnLikeIfExists")


@hole("confused-deputy/use/clinic/Key", "cloudtrail.amazonaws.com")
def key_for_any_trail(clinic: Clinic) -> None:
    clinic.statement("Key", "Trail")["Condition"] = {
        "ArnLike": {"aws:SourceArn": "arn:aws:cloudtrail:*:*:trail/*"}
    }


@hole("stolen-credentials/use/clinic/Key", "kms:CreateGrant")
def grants_for_anybody(clinic: Clinic) -> None:
    clinic.statement("Key", "Use")["Action"].append("kms:CreateGrant")
    del clinic.statement("Key", "Use")["Condition"]["StringEquals"]
    clinic.statement("Training", "Key")["Action"] = "kms:CreateGrant"


# -- roles --------------------------------------------------------------------------------------------


@hole("confused-deputy/assume/clinic/Training", "sagemaker.amazonaws.com")
def trust_without_a_source(clinic: Clinic) -> None:
    del clinic["Training"]["AssumeRolePolicyDocument"]["Statement"][0]["Condition"]


@hole("confused-deputy/assume/clinic/Training", "sagemaker.amazonaws.com")
def trust_with_if_exists(clinic: Clinic) -> None:
    trust = clinic["Training"]["AssumeRolePolicyDocument"]["Statement"][0]
    trust["Condition"] = {"StringEqualsIfExists": trust["Condition"]["StringEquals"]}


@hole("confused-deputy/assume/clinic/Training", "sagemaker.amazonaws.com")
def trust_for_any_source(clinic: Clinic) -> None:
    trust = clinic["Training"]["AssumeRolePolicyDocument"]["Statement"][0]
    trust["Condition"] = {"StringLike": {"aws:SourceAccount": "*"}}


@hole("outsider/assume/clinic/Training", FOREIGN)
def trust_in_another_account(clinic: Clinic) -> None:
    trust = clinic["Training"]["AssumeRolePolicyDocument"]["Statement"]
    trust.append(
        {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{FOREIGN}:root"}, "Action": "sts:AssumeRole"}
    )


@hole("outsider/assume/clinic/Training", "role/build")
def trust_in_a_role_of_another_account(clinic: Clinic) -> None:
    trust = clinic["Training"]["AssumeRolePolicyDocument"]["Statement"]
    build = {"AWS": f"arn:aws:iam::{FOREIGN}:role/build"}
    trust.append({"Effect": "Allow", "Principal": build, "Action": "sts:AssumeRole"})


@hole("outsider/assume/clinic/Training", "999988887777")
def trust_in_everybody(clinic: Clinic) -> None:
    trust = clinic["Training"]["AssumeRolePolicyDocument"]["Statement"]
    trust.append({"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"})


@hole("insider/assume/clinic/Training", "sts:AssumeRole")
def trust_in_the_whole_account(clinic: Clinic) -> None:
    trust = clinic["Training"]["AssumeRolePolicyDocument"]["Statement"]
    trust.append({"Effect": "Allow", "Principal": {"AWS": ROOT}, "Action": "sts:AssumeRole"})


@hole("compromised-job/assume/clinic/Stronger", "clinic-Training")
def a_job_that_assumes_a_stronger_role(clinic: Clinic) -> None:
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"AWS": ROOT},
                "Action": "sts:AssumeRole",
                "Condition": {"ArnLike": {"aws:PrincipalArn": f"arn:aws:iam::{ACCOUNT}:role/clinic/*"}},
            }
        ],
    }
    clinic.add("Stronger", "AWS::IAM::Role", Path="/clinic/", AssumeRolePolicyDocument=trust)
    clinic.grant("Training", Action="sts:*", Resource="*")
    clinic.statement("Boundary", "Work")["Action"].append("sts:*")


@hole("stolen-credentials/pass/clinic/Door", "iam:PassRole")
def a_role_that_passes_any(clinic: Clinic) -> None:
    clinic.grant("Training", Action="iam:PassRole", Resource="*")
    clinic.statement("Boundary", "Work")["Action"].append("iam:PassRole")


@hole("stolen-credentials/make-stronger/clinic/Training", "iam:DeleteRolePermissionsBoundary")
def a_role_that_drops_its_boundary(clinic: Clinic) -> None:
    clinic.grant("Training", Action="iam:DeleteRolePermissionsBoundary", Resource="*")
    clinic.statement("Boundary", "Work")["Action"].append("iam:*")


@hole("stolen-credentials/stop/clinic/Trail", "cloudtrail:StopLogging")
def a_role_without_boundary_that_stops_the_trail(clinic: Clinic) -> None:
    del clinic["Training"]["PermissionsBoundary"]
    clinic.grant("Training", Action="cloudtrail:*", Resource="*")


@hole("stolen-credentials/delete/clinic/Log", "logs:DeleteLog")
def a_role_that_deletes_logs(clinic: Clinic) -> None:
    clinic.grant("Training", Action="logs:Delete*", Resource="*")
    clinic.statement("Boundary", "Work")["Action"].append("logs:*")


# -- SageMaker work -----------------------------------------------------------------------------------


@hole("stolen-credentials/run-without-isolation/SageMaker work", "sagemaker:CreateTrainingJob")
def jobs_without_conditions(clinic: Clinic) -> None:
    clinic.grant("Training", Action="sagemaker:CreateTrainingJob", Resource="*")


@hole("compromised-job/run-without-isolation/SageMaker work", "sagemaker:CreateTrainingJob")
def isolation_with_if_exists(clinic: Clinic) -> None:
    isolated = {"BoolIfExists": {"sagemaker:NetworkIsolation": "true"}}
    clinic.grant("Training", Action="sagemaker:CreateTrainingJob", Resource="*", Condition=isolated)


@hole("compromised-job/run-outside-our-subnets/SageMaker work", "sagemaker:CreateTrainingJob")
def subnets_for_all_values(clinic: Clinic) -> None:
    subnets = {"ForAllValues:StringEquals": {"sagemaker:VpcSubnets": {"Ref": "Subnet"}}}
    clinic.grant("Training", Action="sagemaker:CreateTrainingJob", Resource="*", Condition=subnets)


@hole("compromised-job/run-without-our-key/SageMaker work", "sagemaker:volumekmskey=")
def any_key_will_do(clinic: Clinic) -> None:
    keyed = {"Null": {"sagemaker:VolumeKmsKey": "false"}}
    clinic.grant("Training", Action="sagemaker:CreateTransformJob", Resource="*", Condition=keyed)


@hole("compromised-job/run-as-root/SageMaker work", "sagemaker:CreateNotebookInstance")
def notebooks_with_root(clinic: Clinic) -> None:
    clinic.grant("Training", Action="sagemaker:Create*", Resource="*")


# -- endpoints ----------------------------------------------------------------------------------------


@hole("compromised-job/carry-data-out/clinic/S3Endpoint", "s3:PutObject")
def endpoint_with_the_default_policy(clinic: Clinic) -> None:
    del clinic["S3Endpoint"]["PolicyDocument"]


@hole("compromised-job/carry-data-out/clinic/RuntimeEndpoint", "sagemaker:InvokeEndpoint")
def interface_endpoint_left_open(clinic: Clinic) -> None:
    del clinic["RuntimeEndpoint"]["PolicyDocument"]


@hole("compromised-job/carry-data-out/clinic/S3Endpoint", "a job with every permission")
def endpoint_that_asks_for_our_principals_only(clinic: Clinic) -> None:
    clinic.statement("S3Endpoint", "Ours")["Condition"] = OUR_ORG


@hole("compromised-job/carry-data-out/clinic/S3Endpoint", "s3:PutObject")
def endpoint_condition_with_if_exists(clinic: Clinic) -> None:
    clinic.statement("S3Endpoint", "Ours")["Condition"] = {
        **OUR_ORG,
        "StringEqualsIfExists": {"aws:ResourceOrgID": "o-abcdefghij"},
    }


@hole("compromised-job/carry-data-out/clinic/S3Endpoint", "partner")
def endpoint_for_a_partners_bucket(clinic: Clinic) -> None:
    clinic.grant("S3Endpoint", Principal="*", Action="s3:*", Resource="arn:aws:s3:::partner-*")


@hole("compromised-job/carry-data-out/clinic/S3Endpoint", "Hole")
def endpoint_with_not_resource(clinic: Clinic) -> None:
    clinic.grant("S3Endpoint", Principal="*", Action="s3:*", NotResource="arn:aws:s3:::forbidden/*")


@hole("compromised-job/carry-data-out/clinic/S3Endpoint", FOREIGN)
def endpoint_for_another_account(clinic: Clinic) -> None:
    clinic.grant(
        "S3Endpoint",
        Principal="*",
        Action="s3:PutObject",
        Resource="*",
        Condition={"StringEquals": {"aws:ResourceAccount": FOREIGN}},
    )


# -- secrets, images, messages, models ----------------------------------------------------------------


@hole("insider/replace/clinic/Secret", "secretsmanager:")
def secret_deny_dropped(clinic: Clinic) -> None:
    clinic.remove("SecretPolicy")


@hole("insider/read/clinic/Secret", "secretsmanager:GetSecretValue")
def secret_under_the_managed_key(clinic: Clinic) -> None:
    clinic.remove("SecretPolicy")
    del clinic["Secret"]["KmsKeyId"]


@hole("stolen-credentials/read/clinic/Secret", "Secret of")
def secret_condition_with_if_exists(clinic: Clinic) -> None:
    condition(clinic, "Training", "Secret", "StringEquals", "StringEqualsIfExists")


@hole("outsider/pull/clinic/Images", FOREIGN)
def images_for_another_account(clinic: Clinic) -> None:
    clinic["Images"]["RepositoryPolicyText"]["Statement"] = [
        {
            "Sid": "Partner",
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:aws:iam::{FOREIGN}:root"},
            "Action": "ecr:BatchGetImage",
        }
    ]


@hole("insider/push/clinic/Images", "ecr:PutImage")
def images_deny_spares_every_role(clinic: Clinic) -> None:
    clinic.statement("Images", "Strangers")["Condition"] = {"ArnNotLike": {"aws:PrincipalArn": ANY_ROLE}}


@hole("outsider/pull/clinic/Packages", "codeartifact:ReadFromRepository")
def packages_for_another_account(clinic: Clinic) -> None:
    partner = {"AWS": f"arn:aws:iam::{FOREIGN}:root"}
    clinic.drop("Packages", "Strangers")
    clinic.grant("Packages", Principal=partner, Action="codeartifact:ReadFromRepository", Resource="*")


@hole("insider/push/clinic/Packages", "codeartifact:PublishPackageVersion")
def packages_deny_spares_every_role(clinic: Clinic) -> None:
    clinic.statement("Packages", "Strangers")["Condition"] = {"ArnNotLike": {"aws:PrincipalArn": ANY_ROLE}}


@hole("insider/let-in/clinic/Packages", "codeartifact:AssociateExternalConnection")
def packages_deny_forgets_where_they_come_from(clinic: Clinic) -> None:
    clinic.statement("Packages", "Strangers")["Action"] = [
        "codeartifact:ReadFromRepository",
        "codeartifact:PublishPackageVersion",
    ]


@hole("stolen-credentials/pull/clinic/Packages", "clinic-Training")
def packages_without_a_network_condition(clinic: Clinic) -> None:
    clinic.grant("Training", Action="codeartifact:ReadFromRepository", Resource="*")


@hole("compromised-job/pull/clinic/Packages", "codeartifact:ReadFromRepository")
def packages_for_a_job_by_wildcard(clinic: Clinic) -> None:
    statement = clinic.statement("Training", "Install")
    statement["Resource"] = {
        "Fn::Sub": "arn:${AWS::Partition}:codeartifact:${AWS::Region}:${AWS::AccountId}:*"
    }


@hole("compromised-job/sign-in/clinic/PackageDomain", "codeartifact:GetAuthorizationToken")
def package_tokens_for_a_job_by_wildcard(clinic: Clinic) -> None:
    clinic.statement("Training", "Token")["Resource"] = "*"


@hole("insider/regroup/clinic/PackageDomain", "codeartifact:UpdatePackageGroupOriginConfiguration")
def package_domain_without_a_policy(clinic: Clinic) -> None:
    del clinic["PackageDomain"]["PermissionsPolicyDocument"]


@hole("stolen-credentials/sign-in/clinic/PackageDomain", "codeartifact:GetAuthorizationToken")
def package_tokens_for_stolen_credentials(clinic: Clinic) -> None:
    clinic.grant("Training", Action="codeartifact:GetAuthorizationToken", Resource="*")


@hole("insider/forge/clinic/Topic", "sns:Publish")
def topic_deny_dropped(clinic: Clinic) -> None:
    clinic.drop("TopicPolicy", "Strangers")


@hole("outsider/listen/clinic/Topic", "sns:Subscribe")
def topic_for_everybody(clinic: Clinic) -> None:
    clinic.drop("TopicPolicy", "Strangers")
    clinic.grant("TopicPolicy", Principal="*", Action="sns:Subscribe", Resource="*")


@hole("confused-deputy/forge/clinic/Topic", "cloudwatch.amazonaws.com")
def topic_for_anybodys_alarms(clinic: Clinic) -> None:
    del clinic.statement("TopicPolicy", "Alarms")["Condition"]


@hole("outsider/empty/clinic/Queue", "sqs:")
def queue_for_everybody(clinic: Clinic) -> None:
    clinic.drop("QueuePolicy", "Strangers")
    clinic.grant("QueuePolicy", Principal="*", Action="sqs:*", Resource="*")


@hole("compromised-job/approve/clinic/Registry", "sagemaker:UpdateModelPackage")
def a_job_that_approves_models(clinic: Clinic) -> None:
    clinic.grant("Training", Action="sagemaker:UpdateModelPackage", Resource="*")


@hole("stolen-credentials/invoke-past-its-door/clinic/Serving", "sagemaker:InvokeEndpoint")
def an_endpoint_invoked_past_its_door(clinic: Clinic) -> None:
    clinic.grant("Training", Action="sagemaker:InvokeEndpoint", Resource="*")


# -- doors --------------------------------------------------------------------------------------------


@hole("outsider/call-without-authorization/clinic/Api", "execute-api:Invoke")
def a_method_without_authorization(clinic: Clinic) -> None:
    clinic["Predict"]["AuthorizationType"] = "NONE"


@hole("outsider/call-without-authorization/clinic/Api", "execute-api:Invoke")
def an_api_for_everybody(clinic: Clinic) -> None:
    clinic["Api"]["Policy"] = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "All",
                "Effect": "Allow",
                "Principal": "*",
                "Action": "execute-api:Invoke",
                "Resource": "execute-api:/*",
            }
        ],
    }


# -- network ------------------------------------------------------------------------------------------


def open_group(clinic: Clinic) -> None:
    clinic["JobGroup"]["SecurityGroupEgress"].append({"IpProtocol": "-1", "CidrIp": "0.0.0.0/0"})


@hole("compromised-job/reach-the-internet/clinic/Vpc", "0.0.0.0/1")
def a_stray_route(clinic: Clinic) -> None:
    open_group(clinic)
    clinic.add("Gateway", "AWS::EC2::InternetGateway")
    clinic.add(
        "Attached",
        "AWS::EC2::VPCGatewayAttachment",
        VpcId={"Ref": "Vpc"},
        InternetGatewayId={"Ref": "Gateway"},
    )
    clinic.add(
        "Stray",
        "AWS::EC2::Route",
        RouteTableId={"Ref": "Table"},
        DestinationCidrBlock="0.0.0.0/1",
        GatewayId={"Ref": "Gateway"},
    )


@hole("compromised-job/reach-the-internet/clinic/Vpc", "::/0")
def a_way_out_over_ipv6(clinic: Clinic) -> None:
    clinic["JobGroup"]["SecurityGroupEgress"].append({"IpProtocol": "-1", "CidrIpv6": "::/0"})
    clinic.add("Six", "AWS::EC2::VPCCidrBlock", VpcId={"Ref": "Vpc"}, AmazonProvidedIpv6CidrBlock=True)
    clinic["Subnet"]["Ipv6CidrBlock"] = "2001:db8::/64"
    clinic.add("Egress", "AWS::EC2::EgressOnlyInternetGateway", VpcId={"Ref": "Vpc"})
    clinic.add(
        "Out",
        "AWS::EC2::Route",
        RouteTableId={"Ref": "Table"},
        DestinationIpv6CidrBlock="::/0",
        EgressOnlyInternetGatewayId={"Ref": "Egress"},
    )


@hole("compromised-job/reach-another-network/clinic/Vpc", "10.9.0.0/16")
def a_peering(clinic: Clinic) -> None:
    open_group(clinic)
    clinic.add(
        "Peering", "AWS::EC2::VPCPeeringConnection", VpcId={"Ref": "Vpc"}, PeerVpcId="vpc-0123456789abcdef0"
    )
    clinic.add(
        "ToPeer",
        "AWS::EC2::Route",
        RouteTableId={"Ref": "Table"},
        DestinationCidrBlock="10.9.0.0/16",
        VpcPeeringConnectionId={"Ref": "Peering"},
    )


# -- guardrails with holes, given as an organization's policies: see test_holes.py ----------------------


@hole("confused-deputy/forge/clinic/Log", "delivery.logs.amazonaws.com")
def delivery_for_anybody(clinic: Clinic) -> None:
    statement = {
        "Sid": "Delivery",
        "Effect": "Allow",
        "Principal": {"Service": "delivery.logs.amazonaws.com"},
        "Action": "logs:PutLogEvents",
        "Resource": "*",
    }
    clinic["Log"]["ResourcePolicyDocument"] = {"Version": "2012-10-17", "Statement": [statement]}


@hole("insider/open-up/clinic/Topic", "sns:AddPermission")
def topic_deny_forgets_permissions(clinic: Clinic) -> None:
    clinic.statement("TopicPolicy", "Strangers")["Action"].remove("sns:AddPermission")

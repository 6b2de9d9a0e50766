"""The event sources whose network activity CloudTrail records: data with its source."""

from __future__ import annotations

# AWS CloudTrail: Logging network activity events, valid values of eventSource (2026): those that a machine
# learning environment has endpoints for.
_USED = (
    "athena.amazonaws.com",
    "bedrock.amazonaws.com",
    "cloudformation.amazonaws.com",
    "cloudtrail.amazonaws.com",
    "dynamodb.amazonaws.com",
    "ec2.amazonaws.com",
    "elasticfilesystem.amazonaws.com",
    "events.amazonaws.com",
    "glue.amazonaws.com",
    "kms.amazonaws.com",
    "lakeformation.amazonaws.com",
    "lambda.amazonaws.com",
    "monitoring.amazonaws.com",
    "s3.amazonaws.com",
    "sagemaker.amazonaws.com",
    "secretsmanager.amazonaws.com",
    "sns.amazonaws.com",
    "sqs.amazonaws.com",
    "ssm.amazonaws.com",
)
# The rest of that list: accepted when named.
_FURTHER = (
    "aco-automation.amazonaws.com",
    "appconfig.amazonaws.com",
    "application-signals.amazonaws.com",
    "appmesh.amazonaws.com",
    "b2bi.amazonaws.com",
    "backup-gateway.amazonaws.com",
    "bcm-data-exports.amazonaws.com",
    "bcm-pricing-calculator.amazonaws.com",
    "bedrock-agentcore.amazonaws.com",
    "billing.amazonaws.com",
    "cassandra.amazonaws.com",
    "ce.amazonaws.com",
    "cloudcontrolapi.amazonaws.com",
    "cloudhsm.amazonaws.com",
    "cloudoptimization.amazonaws.com",
    "codedeploy.amazonaws.com",
    "comprehend.amazonaws.com",
    "comprehendmedical.amazonaws.com",
    "config.amazonaws.com",
    "ds.amazonaws.com",
    "ecs.amazonaws.com",
    "elasticloadbalancing.amazonaws.com",
    "firehose.amazonaws.com",
    "frauddetector.amazonaws.com",
    "freetier.amazonaws.com",
    "fsx.amazonaws.com",
    "healthlake.amazonaws.com",
    "invoicing.amazonaws.com",
    "iot.amazonaws.com",
    "iotfleetwise.amazonaws.com",
    "iotsecuredtunneling.amazonaws.com",
    "license-manager.amazonaws.com",
    "lookoutequipment.amazonaws.com",
    "lookoutvision.amazonaws.com",
    "nova-act.amazonaws.com",
    "personalize.amazonaws.com",
    "qbusiness.amazonaws.com",
    "rds.amazonaws.com",
    "rekognition.amazonaws.com",
    "rolesanywhere.amazonaws.com",
    "scheduler.amazonaws.com",
    "servicediscovery.amazonaws.com",
    "ssm-contacts.amazonaws.com",
    "storagegateway.amazonaws.com",
    "swf.amazonaws.com",
    "textract.amazonaws.com",
    "transcribe.amazonaws.com",
    "transcribestreaming.amazonaws.com",
    "transform.amazonaws.com",
    "transform-agents.amazonaws.com",
    "transform-custom.amazonaws.com",
    "translate.amazonaws.com",
    "user-subscriptions.amazonaws.com",
    "verifiedpermissions.amazonaws.com",
    "voiceid.amazonaws.com",
    "workmail.amazonaws.com",
    "workmailmessageflow.amazonaws.com",
)
KNOWN_NETWORK_SOURCES = frozenset((*_USED, *_FURTHER))
# The page for China lists these; the first general release (2025) had these and S3, in commercial regions. A
# trail that names a source its partition does not know is refused as a whole.
_CHINA = (
    "cloudtrail.amazonaws.com",
    "ec2.amazonaws.com",
    "kms.amazonaws.com",
    "secretsmanager.amazonaws.com",
)
_GOVCLOUD = (*_CHINA, "s3.amazonaws.com")


def network_sources(region: str) -> tuple[str, ...]:
    """Give the event sources whose network activity is recorded by default.

    Args:
        region: The trail's region; a token counts as a commercial region.
    """
    if region.startswith("cn-"):
        return _CHINA
    if region.startswith("us-gov-"):
        return _GOVCLOUD
    return _USED

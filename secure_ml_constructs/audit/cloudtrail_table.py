"""How Athena reads CloudTrail's files: columns, formats and where the partitions lie."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from secure_ml_constructs._cdk import is_token
from secure_ml_constructs.errors import Problems

_ORGANIZATION = re.compile(r"o-[a-z0-9]{10,32}")
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_DAY = re.compile(r"\d{4}/\d{2}/\d{2}")
_ACCOUNT = re.compile(r"\d{12}")

# Amazon Athena: Query AWS CloudTrail logs, create a table with partition projection. sourceIdentity is in
# the records (AWS CloudTrail: userIdentity element) and not in that page's table.
_SESSION = (
    "struct<attributes:struct<mfaauthenticated:string,creationdate:string>,"
    "sessionissuer:struct<type:string,principalid:string,arn:string,accountid:string,username:string>,"
    "ec2roledelivery:string,sourceidentity:string,"
    "webidfederationdata:struct<federatedprovider:string,attributes:map<string,string>>>"
)
COLUMNS = {
    "eventversion": "string",
    "useridentity": (
        "struct<type:string,principalid:string,arn:string,accountid:string,invokedby:string,"
        f"accesskeyid:string,username:string,sessioncontext:{_SESSION}>"
    ),
    "eventtime": "string",
    "eventsource": "string",
    "eventname": "string",
    "awsregion": "string",
    "sourceipaddress": "string",
    "useragent": "string",
    "errorcode": "string",
    "errormessage": "string",
    "requestparameters": "string",
    "responseelements": "string",
    "additionaleventdata": "string",
    "requestid": "string",
    "eventid": "string",
    "readonly": "string",
    "resources": "array<struct<arn:string,accountid:string,type:string>>",
    "eventtype": "string",
    "apiversion": "string",
    "recipientaccountid": "string",
    "serviceeventdetails": "string",
    "sharedeventid": "string",
    "vpcendpointid": "string",
    "vpcendpointaccountid": "string",
    "eventcategory": "string",
    "tlsdetails": "struct<tlsversion:string,ciphersuite:string,clientprovidedhostheader:string>",
}
PARTITIONS = {"account": "string", "region": "string", "day": "string"}
INPUT_FORMAT = "com.amazon.emr.cloudtrail.CloudTrailInputFormat"
OUTPUT_FORMAT = "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat"
SERDE = "org.apache.hive.hcatalog.data.JsonSerDe"

# A trail of all regions writes wherever something was called, and where nothing should have been called is
# what an auditor looks for. A test compares the list with the CDK's.
REGIONS = (
    "af-south-1",
    "ap-east-1",
    "ap-east-2",
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-northeast-3",
    "ap-south-1",
    "ap-south-2",
    "ap-southeast-1",
    "ap-southeast-2",
    "ap-southeast-3",
    "ap-southeast-4",
    "ap-southeast-5",
    "ap-southeast-6",
    "ap-southeast-7",
    "ca-central-1",
    "ca-west-1",
    "cn-north-1",
    "cn-northwest-1",
    "eu-central-1",
    "eu-central-2",
    "eu-north-1",
    "eu-south-1",
    "eu-south-2",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "il-central-1",
    "me-central-1",
    "me-south-1",
    "mx-central-1",
    "sa-east-1",
    "us-east-1",
    "us-east-2",
    "us-gov-east-1",
    "us-gov-west-1",
    "us-west-1",
    "us-west-2",
)


@dataclass(frozen=True, kw_only=True)
class TrailLocation:
    """Where a trail's files lie.

    Attributes:
        bucket_name: The bucket.
        prefix: The trail's S3 key prefix, without slashes at its ends. Default: none.
        organization: The organization's id, where it is an organization trail: its files lie one folder
            deeper. Default: none.
        accounts: Ids of the accounts to query. Default: the environment's own.
        since: The first day to look at, `yyyy/MM/dd`. Default: `2026/01/01`.
        key_arn: The key that the files are under, where it is not the key of the results: one of the
            organization's. Default: the same key.
    """

    bucket_name: str
    prefix: str = ""
    organization: str | None = None
    accounts: tuple[str, ...] = ()
    since: str = "2026/01/01"
    key_arn: str | None = None

    def check(self, problems: Problems, argument: str = "location") -> None:
        """Record what is no location."""
        name = self.bucket_name
        if not is_token(name) and not _BUCKET.fullmatch(name):
            problems.add(
                f"{argument}.bucket_name",
                self.bucket_name,
                "This is no bucket's name.",
                "Write the name alone.",
            )
        if self.prefix != self.prefix.strip("/"):
            problems.add(
                f"{argument}.prefix",
                self.prefix,
                "The prefix has a slash at an end.",
                "Write for instance 'trails'.",
            )
        if self.organization is not None and not _ORGANIZATION.fullmatch(self.organization):
            problems.add(
                f"{argument}.organization",
                self.organization,
                "This is no AWS Organizations id.",
                "Write 'o-' and 10 to 32 lower-case letters or digits.",
            )
        for index, account in enumerate(self.accounts):
            if not is_token(account) and not _ACCOUNT.fullmatch(account):
                problems.add(
                    f"{argument}.accounts[{index}]", account, "This is no account id.", "Write the 12 digits."
                )
        if not _is_day(self.since):
            problems.add(
                f"{argument}.since", self.since, "This is no day.", "Write for instance '2026/01/31'."
            )

    def root(self) -> str:
        """Give the S3 address that holds the account folders."""
        folders = [self.bucket_name, self.prefix, "AWSLogs", self.organization or ""]
        return "s3://" + "/".join(folder for folder in folders if folder)

    def projection(self, folder: str) -> dict[str, str]:
        """Give the table parameters of partition projection; accounts may hold a placeholder.

        Args:
            folder: `CloudTrail`, or `CloudTrail-NetworkActivity` (AWS CloudTrail: Finding your CloudTrail log
                files).
        """
        return {
            "projection.enabled": "true",
            "projection.account.type": "enum",
            "projection.account.values": ",".join(self.accounts or ("${AWS::AccountId}",)),
            "projection.region.type": "enum",
            "projection.region.values": ",".join(REGIONS),
            "projection.day.type": "date",
            "projection.day.format": "yyyy/MM/dd",
            "projection.day.interval": "1",
            "projection.day.interval.unit": "DAYS",
            "projection.day.range": f"{self.since},NOW",
            # The placeholders are Athena's: what is filled in here is the rest.
            "storage.location.template": f"{self.root()}/${{account}}/{folder}/${{region}}/${{day}}",
        }


def _is_day(text: str) -> bool:
    try:
        datetime.strptime(text, "%Y/%m/%d")
    except ValueError:
        return False
    # strptime takes 2026/1/1 as well, and Athena's projection does not.
    return _DAY.fullmatch(text) is not None

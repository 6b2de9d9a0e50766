"""Reading ahead changes when the work is done, and nothing that is found."""

from typing import Any

from secure_ml_constructs.verification.rules import Engine, pack, prepare
from secure_ml_constructs.verification.templates import Templates

CONDITIONAL = {"Fn::If": ["Open", "*", {"AWS": {"Ref": "AWS::AccountId"}}]}


def body() -> dict[str, Any]:
    statements = [
        {"Effect": "Allow", "Principal": CONDITIONAL, "Action": "s3:*", "Resource": "*"},
        {"Effect": "Allow", "Principal": {"AWS": {"Ref": "Missing"}}, "Action": "s3:*", "Resource": "*"},
    ]
    policy = {"Bucket": {"Ref": "Bucket"}, "PolicyDocument": {"Statement": statements}}
    return {
        "Conditions": {"Open": {"Fn::Equals": [{"Ref": "AWS::Region"}, "us-east-1"]}},
        "Resources": {
            "Bucket": {"Type": "AWS::S3::Bucket"},
            "Policy": {"Type": "AWS::S3::BucketPolicy", "Properties": policy},
        },
    }


def test_what_is_found_stays_the_same() -> None:
    engine = Engine(pack())
    found = engine.check(Templates.of({"main": body()}))
    assert engine.check(prepare(Templates.of({"main": body()}))) == found
    outcomes = {finding.outcome for finding in found if finding.rule == "S3BucketPolicyNotPublic"}
    assert outcomes == {"fail", "unresolved"}

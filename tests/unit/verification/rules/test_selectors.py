"""What a trail records is read from whatever is written there."""

from typing import Any

import pytest

from secure_ml_constructs.verification.rules import check

UNKNOWN = {"Ref": "Missing"}
OBJECTS = [
    {"Field": "eventCategory", "Equals": ["Data"]},
    {"Field": "resources.type", "Equals": [{"Fn::Sub": "AWS::S3::Object"}]},
]


def found(fields: Any) -> set[str]:
    selectors = [{"FieldSelectors": fields}]
    trail = {"Type": "AWS::CloudTrail::Trail", "Properties": {"AdvancedEventSelectors": selectors}}
    return {finding.rule for finding in check({"main": {"Resources": {"Trail": trail}}})}


def test_what_is_recorded() -> None:
    assert "CloudTrailObjectEvents" not in found(OBJECTS)
    assert "CloudTrailObjectEvents" in found(OBJECTS[:1])


@pytest.mark.parametrize(
    "fields",
    [
        UNKNOWN,
        None,
        "text",
        [UNKNOWN, None, "text", []],
        [{"Field": UNKNOWN}, {"Equals": ["Data"]}],
        [{"Field": "resources.ARN", "Equals": UNKNOWN, "NotStartsWith": None, "StartsWith": 1}],
    ],
)
def test_what_is_no_selector_says_nothing(fields: Any) -> None:
    assert "CloudTrailManagementEvents" in found(fields)

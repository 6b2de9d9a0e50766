"""Policies of AWS Organizations that are no policy documents of IAM."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# AWS Organizations User Guide, "AI services opt-out policy syntax and examples": opted out of every service,
# and no account may opt in.
_FINAL = {"@@operators_allowed_for_child_policies": ["@@none"]}
AI_OPT_OUT: Mapping[str, Any] = {
    "services": {
        **_FINAL,
        "default": {**_FINAL, "opt_out_policy": {**_FINAL, "@@assign": "optOut"}},
    }
}
# The same, "Amazon S3 policy syntax and examples": all four settings of Block Public Access.
S3_NOT_PUBLIC: Mapping[str, Any] = {
    "s3_attributes": {"public_access_block_configuration": {"@@assign": "all"}}
}


def bedrock_policy(guardrails: Mapping[str, str]) -> dict[str, Any]:
    """Give a policy under which every call of every model passes a guardrail whole. (P2)

    AWS Organizations User Guide, "Amazon Bedrock policy syntax and examples".

    Args:
        guardrails: The version of a guardrail for each region.
    """
    everything = {"system": {"@@assign": "comprehensive"}, "messages": {"@@assign": "comprehensive"}}
    return {
        "bedrock": {
            "guardrail_inference": {
                region: {
                    "environment": {
                        "identifier": {"@@assign": arn},
                        "selective_content_guarding": everything,
                        "model_enforcement": {"included_models": {"@@assign": ["ALL"]}},
                    }
                }
                for region, arn in guardrails.items()
            }
        }
    }

"""Who may work with a role that people's apps run with."""

from __future__ import annotations

from secure_ml_constructs.perimeter import DataPerimeter
from secure_ml_constructs.policy import Document


def studio_trust(perimeter: DataPerimeter) -> Document:
    """Give the trust policy of a role that SageMaker assumes for a person, whose name it sets. (I3, I9)

    Args:
        perimeter: Says for whom SageMaker may assume it.
    """
    trust = perimeter.service_trust("sagemaker.amazonaws.com")
    # Without the second, apps do not start. (Amazon SageMaker AI Developer Guide: Monitor user resource
    # access from SageMaker Studio Classic with sourceIdentity)
    trust["Statement"][0]["Action"] = ["sts:AssumeRole", "sts:SetSourceIdentity"]
    return trust

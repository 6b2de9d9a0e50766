"""Load CloudFormation templates and follow the references among them."""

from secure_ml_constructs.verification.templates.errors import TemplateError
from secure_ml_constructs.verification.templates.files import Loaded, load
from secure_ml_constructs.verification.templates.graph import Templates
from secure_ml_constructs.verification.templates.model import Resource, Template
from secure_ml_constructs.verification.templates.values import (
    ABSENT,
    Absent,
    Dynamic,
    Encoded,
    Misspelt,
    Pseudo,
    Reference,
    Text,
    Unresolved,
    show,
)
from secure_ml_constructs.verification.templates.worlds import TooManyWorldsError

__all__ = [
    "ABSENT",
    "Absent",
    "Dynamic",
    "Encoded",
    "Loaded",
    "Misspelt",
    "Pseudo",
    "Reference",
    "Resource",
    "Template",
    "TemplateError",
    "Templates",
    "Text",
    "TooManyWorldsError",
    "Unresolved",
    "load",
    "show",
]

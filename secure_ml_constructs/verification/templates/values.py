"""What a property can turn out to be.

A literal is itself: a string, number, boolean, list or mapping. What is not known before deployment is one of
the classes below. So `value == "VpcOnly"` is true for nothing but that literal.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from secure_ml_constructs.verification.templates.model import Resource


class Absent:
    """No value: the property is not there, or `AWS::NoValue` takes it away."""

    def __repr__(self) -> str:
        return "ABSENT"

    def __bool__(self) -> bool:
        return False


ABSENT: Final = Absent()


@dataclass(frozen=True, slots=True)
class Misspelt(Absent):
    """The property is there in another case, in which CloudFormation does not know it.

    Attributes:
        key: As it is written.
    """

    key: str

    def __bool__(self) -> bool:
        return False


@dataclass(frozen=True, slots=True, eq=False)
class Reference:
    """What a resource gives: its `Ref`, or an attribute.

    Attributes:
        resource: The resource.
        attribute: The attribute; `Ref` for its reference value.
    """

    resource: Resource
    attribute: str

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Reference)
            and self.resource is other.resource
            and self.attribute == other.attribute
        )

    def __hash__(self) -> int:
        return hash((id(self.resource), self.attribute))

    def __str__(self) -> str:
        name = self.resource.logical_id
        return f"${{{name}}}" if self.attribute == "Ref" else f"${{{name}.{self.attribute}}}"


@dataclass(frozen=True, slots=True)
class Pseudo:
    """What CloudFormation fills in: region, account, partition, an availability zone.

    Attributes:
        name: `AWS::Region` and the like.
    """

    name: str

    def __str__(self) -> str:
        return f"${{{self.name}}}"


@dataclass(frozen=True, slots=True)
class Dynamic:
    """Text that holds a dynamic reference, `{{resolve:secretsmanager:…}}`.

    Attributes:
        text: The whole text.
    """

    text: str

    @property
    def secret(self) -> bool:
        """Whether the value stays out of the template: `ssm` alone is stored in plain text."""
        return "{{resolve:secretsmanager:" in self.text or "{{resolve:ssm-secure:" in self.text

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class Encoded:
    """What `Fn::Base64` encodes.

    Attributes:
        value: The value before it is encoded.
    """

    value: Any

    def __str__(self) -> str:
        return show(self.value)


@dataclass(frozen=True, slots=True)
class Unresolved:
    """What the templates given do not say.

    Attributes:
        reason: Why not.
    """

    reason: str

    def __str__(self) -> str:
        return "${?}"


@dataclass(frozen=True, slots=True)
class Text:
    """Literal text with parts that are known at deployment only.

    Attributes:
        parts: Strings and the values between them, in order.
    """

    parts: tuple[Any, ...]
    _shown: str = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Write it once: the same text is asked for by many rules."""
        object.__setattr__(self, "_shown", "".join(map(str, self.parts)))

    @property
    def unresolved(self) -> Unresolved | None:
        """The first part that the templates do not say."""
        return next((part for part in self.parts if type(part) is Unresolved), None)

    @property
    def references(self) -> tuple[Reference, ...]:
        """The resources it names."""
        return tuple(part for part in self.parts if type(part) is Reference)

    def __str__(self) -> str:
        return self._shown


def join(parts: list[Any]) -> Any:
    """Put parts together: a string where every part is literal, else a `Text`."""
    flat: list[Any] = []
    for part in parts:
        pieces = part.parts if type(part) is Text else (part,)
        for piece in pieces:
            if type(piece) is bool:
                piece = "true" if piece else "false"
            elif type(piece) in (int, float):
                piece = str(piece)
            if type(piece) is str and flat and type(flat[-1]) is str:
                flat[-1] += piece
            elif piece != "" and not isinstance(piece, Absent):
                flat.append(piece)
    if not flat:
        return ""
    if len(flat) == 1:
        return flat[0]
    return Text(tuple(flat))


def show(value: Any) -> str:
    """Write a value as a person reads it, with what is not known as `${…}`."""
    if isinstance(value, str):
        return value
    if value is True or value is False:
        return str(value).lower()
    if isinstance(value, Absent):
        return "nothing"
    if isinstance(value, list):
        return "[" + ", ".join(map(show, value)) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {show(item)}" for key, item in value.items()) + "}"
    return str(value)

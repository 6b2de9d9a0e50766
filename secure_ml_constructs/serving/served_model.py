"""What an endpoint serves: containers whose images are named by digest, or an approved model package."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from secure_ml_constructs._cdk import is_token
from secure_ml_constructs.errors import Problems
from secure_ml_constructs.network.ecr_image import EcrImage

__all__ = ["Container", "ServedModel"]

_PACKAGE = re.compile(r"arn:aws[a-z-]*:sagemaker:[a-z0-9-]+:\d{12}:model-package/[A-Za-z0-9-]+/\d+")
_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
# CreateModel, ContainerDefinition: Environment.
_LONGEST_TEXT = 1024
_MOST_VARIABLES = 100
# Amazon SageMaker AI: "Inference pipelines", two to fifteen containers.
_MOST_CONTAINERS = 15


@dataclass(frozen=True, kw_only=True)
class Container:
    """A container that answers predictions, or that looks at requests ahead of the one that does.

    Args:
        image: The image, by digest (`<account>.dkr.ecr.<region>.amazonaws.com/<repository>@sha256:<digest>`),
            in the registry of this account, of one of the perimeter's accounts, or of AWS. It may hold
            `${AWS::AccountId}`, `${AWS::Region}` and `${AWS::URLSuffix}`.
        data: Where its model lies in the zone of models: an archive (`risk/2026-11/model.tar.gz`), or a
            prefix with everything below it (`risk/2026-11/`). Default: none, the image brings all it needs.
        environment: Variables; no secrets, which everybody who may describe the model would read.

    Example:
        >>> detector = Container(
        ...     image="111122223333.dkr.ecr.eu-central-1.amazonaws.com/detector@sha256:" + "0" * 64
        ... )
    """

    image: str
    data: str | None = None
    environment: Mapping[str, str] = field(default_factory=dict)

    @property
    def repository(self) -> str:
        """The repository's name."""
        return self._image().repository

    @property
    def account(self) -> str:
        """The registry's account."""
        return self._image().account

    @property
    def region(self) -> str:
        """The registry's region."""
        return self._image().region

    def _image(self) -> EcrImage:
        found = EcrImage.read(self.image)
        assert found is not None, "check comes first"
        return found

    def check(self, problems: Problems, where: str, accounts: Sequence[str]) -> None:
        """Record what is wrong with it.

        Args:
            problems: Where to record.
            where: What to call it.
            accounts: The trusted accounts.
        """
        EcrImage.check(problems, f"{where}.image", self.image, accounts=accounts)
        if self.data is not None and not is_token(self.data):
            self._check_data(problems, f"{where}.data", self.data)
        if len(self.environment) > _MOST_VARIABLES:
            given = f"{len(self.environment)} of them"
            problems.add(f"{where}.environment", given, "SageMaker takes 100.", "Put them into a file.")
        # Python does not hold callers to the types.
        given_values: Mapping[str, object] = self.environment
        for name, value in given_values.items():
            if not _NAME.fullmatch(name) or not isinstance(value, str) or len(value) > _LONGEST_TEXT:
                problems.add(
                    f"{where}.environment[{name!r}]",
                    value,
                    "No name, or no text of at most 1,024 characters.",
                    "Write letters, digits and underscores in names, and text in values.",
                )

    @staticmethod
    def _check_data(problems: Problems, argument: str, data: str) -> None:
        parts = data.rstrip("/").split("/")
        if data.startswith("s3://"):
            problems.add(
                argument,
                data,
                "Models lie in the lake's zone of models and nowhere else.",
                "Write the path within the zone: 'risk/2026-11/model.tar.gz'.",
            )
        elif data.startswith("/") or any(part in ("", ".", "..") for part in parts):
            problems.add(
                argument, data, "This is no path.", "Write for instance 'risk/2026-11/model.tar.gz'."
            )
        elif not data.endswith(("/", ".tar.gz")):
            problems.add(
                argument,
                data,
                "SageMaker takes an archive, or all that lies below a prefix.",
                "End it with '.tar.gz', or with '/'.",
            )


@dataclass(frozen=True)
class ServedModel:
    """What an endpoint serves.

    Ensures:
        G1: images by digest from known registries, data from the lake's zone of models.
        G9: a container that looks at requests can stand ahead of the one that answers them.

    Args:
        containers: The containers, in the order in which a request passes them.
        package: The ARN of an approved version in the model registry, in place of containers.

    Example:
        >>> registry = "111122223333.dkr.ecr.eu-central-1.amazonaws.com"
        >>> model = ServedModel.pipeline(
        ...     Container(image=f"{registry}/detector@sha256:" + "0" * 64),
        ...     Container(image=f"{registry}/risk@sha256:" + "1" * 64, data="risk/2026-11/model.tar.gz"),
        ... )
    """

    containers: tuple[Container, ...] = ()
    package: str | None = None

    @classmethod
    def container(
        cls, *, image: str, data: str | None = None, environment: Mapping[str, str] | None = None
    ) -> ServedModel:
        """Serve one container.

        Args:
            image: As for `Container`.
            data: As for `Container`.
            environment: As for `Container`.
        """
        return cls((Container(image=image, data=data, environment=environment or {}),))

    @classmethod
    def pipeline(cls, *containers: Container) -> ServedModel:
        """Serve containers one after the other, the first of which sees the request.

        Args:
            containers: Two to fifteen.
        """
        return cls(containers)

    @classmethod
    def from_package(cls, arn: str) -> ServedModel:
        """Serve an approved version of the model registry, which names its images and data itself.

        Args:
            arn: The version's ARN (`arn:…:model-package/<group>/<version>`).
        """
        return cls(package=arn)

    def check(self, problems: Problems, where: str, accounts: Sequence[str]) -> None:
        """Record what is wrong with it.

        Args:
            problems: Where to record.
            where: What to call it.
            accounts: The trusted accounts.
        """
        if self.package is not None:
            if not is_token(self.package) and not _PACKAGE.fullmatch(self.package):
                problems.add(
                    f"{where}.package",
                    self.package,
                    "This is no version of a model package.",
                    "Write 'arn:aws:sagemaker:<region>:<account>:model-package/<group>/<version>'.",
                )
            return
        if not 1 <= len(self.containers) <= _MOST_CONTAINERS:
            problems.add(
                f"{where}.containers",
                f"{len(self.containers)} of them",
                f"A model has one container, a pipeline two to {_MOST_CONTAINERS}.",
                "Name the container that answers.",
            )
        for index, container in enumerate(self.containers):
            container.check(problems, f"{where}.containers[{index}]", accounts)

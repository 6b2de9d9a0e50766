"""Which packages are ours, which may come from outside, and the groups that hold them apart."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from secure_ml_constructs.errors import Problems


class PackageFormat(StrEnum):
    """A format of packages, as CodeArtifact calls it."""

    PYPI = "pypi"
    NPM = "npm"


# The public registries that CodeArtifact takes packages from.
_PUBLIC = {PackageFormat.PYPI: "public:pypi", PackageFormat.NPM: "public:npmjs"}
# Names as PyPI and CodeArtifact normalize them: another spelling would match nothing.
# (AWS CodeArtifact: Python package name normalization)
_PYPI_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_NPM_SCOPE = re.compile(r"@[a-z0-9][a-z0-9._-]*")
_NPM_NAME = re.compile(r"(@[a-z0-9][a-z0-9._-]*/)?[a-z0-9_-][a-z0-9._-]*")


@dataclass(frozen=True, kw_only=True)
class PackageGroup:
    """A package group: which packages, and where they may come from.

    Attributes:
        id: The construct's id.
        pattern: The pattern, as CodeArtifact writes it.
        published: Whether they are published into the environment's repository.
        from_public: Whether they come from the public registry.
    """

    id: str
    pattern: str
    published: bool = False
    from_public: bool = False


@dataclass(frozen=True, kw_only=True)
class PackageSource:
    """The packages of one format.

    Use `PackageSource.pypi(...)` or `PackageSource.npm(...)`.

    Args:
        format: The format.
        internal: What names of our own packages begin with: a first word for pip (`acme` stands for `acme`
            and `acme-…`), a scope for npm (`@acme`).
        public: Names of packages that may come from the public registry. Default: every one that is not ours.
            An empty tuple lets none in.
    """

    format: PackageFormat
    internal: tuple[str, ...] = ()
    public: tuple[str, ...] | None = None

    @classmethod
    def pypi(cls, *, internal: Sequence[str] = (), public: Sequence[str] | None = None) -> PackageSource:
        """Packages for pip.

        Args:
            internal: First words of our own packages' names, normalized (`acme`).
            public: Packages that may come from PyPI, normalized (`scikit-learn`). Default: every one.

        Example:
            >>> PackageSource.pypi(internal=["acme"]).format.value
            'pypi'
        """
        return cls(format=PackageFormat.PYPI, internal=_given(internal), public=_optional(public))

    @classmethod
    def npm(cls, *, internal: Sequence[str] = (), public: Sequence[str] | None = None) -> PackageSource:
        """Packages for npm.

        Args:
            internal: Scopes of our own packages (`@acme`).
            public: Packages that may come from npmjs (`react`, `@types/node`). Default: every one.

        Example:
            >>> PackageSource.npm(internal=["@acme"], public=[]).public
            ()
        """
        return cls(format=PackageFormat.NPM, internal=_given(internal), public=_optional(public))

    @property
    def connection(self) -> str | None:
        """The public registry, or None where nothing comes from it."""
        return None if self.public == () else _PUBLIC[self.format]

    def groups(self) -> Iterator[PackageGroup]:
        """Give the package groups, of which the most specific one that a package matches counts.

        A group matches other spellings of a name as well, and blocks them: `Acme.tools` does not come in as
        something else than `acme-tools`. (AWS CodeArtifact: Package group definition syntax, weak match)
        """
        name = self.format.capitalize()
        yield PackageGroup(id=f"{name}All", pattern=f"/{self.format}/*", from_public=self.public is None)
        for index, prefix in enumerate(self.internal):
            yield PackageGroup(id=f"{name}Internal{index}", pattern=self._internal(prefix), published=True)
        for index, public in enumerate(self.public or ()):
            yield PackageGroup(id=f"{name}Public{index}", pattern=f"{self._path(public)}$", from_public=True)

    def package_patterns(self) -> Iterator[str]:
        """Give what the ARNs of our own packages end with: format, namespace and name, with wildcards."""
        for prefix in self.internal:
            if self.format is PackageFormat.NPM:
                yield f"npm/{prefix.removeprefix('@')}/*"
            else:
                yield f"pypi//{prefix}"
                yield f"pypi//{prefix}-*"

    def check(self, problems: Problems, where: str) -> None:
        """Record what can't be.

        Args:
            problems: Where to record.
            where: The argument's name.
        """
        npm = self.format is PackageFormat.NPM
        for name, values, form, example in (
            ("internal", self.internal, _NPM_SCOPE if npm else _PYPI_NAME, "@acme" if npm else "acme"),
            ("public", self.public or (), _NPM_NAME if npm else _PYPI_NAME, "react" if npm else "numpy"),
        ):
            for index, value in enumerate(values):
                if not form.fullmatch(value):
                    reason = (
                        "Our own packages need a scope: anyone may take a name without one."
                        if npm and name == "internal"
                        else "This is no name as the registry normalizes it, and would match no package."
                    )
                    problems.add(
                        f"{where}.{name}[{index}]", value, reason, f"Write for instance '{example}'."
                    )
                elif value in values[:index]:
                    problems.add(f"{where}.{name}[{index}]", value, "It is there twice.", "Leave one out.")
        for index, value in enumerate(self.public or ()):
            if any(self._is_ours(value, prefix) for prefix in self.internal):
                problems.add(
                    f"{where}.public[{index}]",
                    value,
                    "It begins as our own packages do: whoever publishes it outside would be taken for us.",
                    "Leave it out, or give our packages another name.",
                )

    def _is_ours(self, name: str, prefix: str) -> bool:
        if self.format is PackageFormat.NPM:
            return name.startswith(f"{prefix}/")
        return name == prefix or name.startswith(f"{prefix}-")

    def _internal(self, prefix: str) -> str:
        # `~` stops at the end of a word: 'acme' stands for 'acme-tools' and not for 'acmeology'.
        return (
            f"/npm/{prefix.removeprefix('@')}/*" if self.format is PackageFormat.NPM else f"/pypi//{prefix}~"
        )

    def _path(self, name: str) -> str:
        scope, _, rest = name.rpartition("/")
        return f"/{self.format}/{scope.removeprefix('@')}/{rest}"


def _given(names: Sequence[str]) -> tuple[str, ...]:
    # One string would be taken for its letters; as one name it is refused or right.
    return (names,) if isinstance(names, str) else tuple(names)


def _optional(names: Sequence[str] | None) -> tuple[str, ...] | None:
    return None if names is None else _given(names)

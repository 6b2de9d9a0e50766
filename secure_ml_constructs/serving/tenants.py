"""Several tenants on one endpoint, each with a model that no other reaches."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from secure_ml_constructs.errors import Problems
from secure_ml_constructs.serving.served_model import Container

__all__ = ["TenantModels"]

_TENANT = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_LONGEST_TENANT = 30
# Amazon SageMaker AI endpoints and quotas: inference components per endpoint.
_MOST_TENANTS = 50
_LEAST = {"cpus": 1, "memory_mb": 128, "accelerators": 0, "invocations_per_copy": 1}


@dataclass(frozen=True, kw_only=True)
class TenantModels:
    """A model for each tenant, side by side on the instances of one endpoint, as inference components.

    Ensures:
        G11: a tenant's requests go to its own component, with memory and processors of its own.

    Args:
        models: The container of each tenant, by the tenant's name (`partner-a`).
        copies: Copies of each at the least, 1 or more. Default: 1.
        most_copies: Copies of each at the most. Default: 2.
        cpus: Processors of a copy. Default: 1.
        memory_mb: Memory of a copy, in MB, 128 or more. Default: 1,024.
        accelerators: GPUs or other accelerators of a copy. Default: 0.
        invocations_per_copy: Invocations a minute at which another copy is added. Default: 600.

    Example:
        >>> image = "111122223333.dkr.ecr.eu-central-1.amazonaws.com/risk@sha256:" + "0" * 64
        >>> models = TenantModels(models={"partner-a": Container(image=image, data="a/model.tar.gz")})
    """

    models: Mapping[str, Container]
    copies: int = 1
    most_copies: int = 2
    cpus: int = 1
    memory_mb: int = 1024
    accelerators: int = 0
    invocations_per_copy: int = 600

    def check(self, problems: Problems, where: str, accounts: Sequence[str]) -> None:
        """Record what is wrong with it.

        Args:
            problems: Where to record.
            where: What to call it.
            accounts: The trusted accounts.
        """
        if not 1 <= len(self.models) <= _MOST_TENANTS:
            given = f"{len(self.models)} of them"
            problems.add(f"{where}.models", given, f"An endpoint takes 1 to {_MOST_TENANTS}.", "Name fewer.")
        for tenant, container in self.models.items():
            if not _TENANT.fullmatch(tenant) or len(tenant) > _LONGEST_TENANT:
                problems.add(
                    f"{where}.models[{tenant!r}]",
                    tenant,
                    f"A tenant's name has 1 to {_LONGEST_TENANT} lower-case letters, digits, single hyphens.",
                    "Write for instance 'partner-a'.",
                )
            container.check(problems, f"{where}.models[{tenant!r}]", accounts)
        if not 1 <= self.copies <= self.most_copies:
            problems.add(
                f"{where}.copies",
                self.copies,
                f"Not between 1 and most_copies, {self.most_copies}.",
                "Write 1 or more; a tenant without a copy gets no answer.",
            )
        for name, least in (
            ("cpus", 1),
            ("memory_mb", 128),
            ("accelerators", 0),
            ("invocations_per_copy", 1),
        ):
            value = getattr(self, name)
            if value < least:
                problems.add(f"{where}.{name}", value, "Too little.", f"Write {least} or more.")

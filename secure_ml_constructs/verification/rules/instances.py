"""Which instance types keep data on disks of their own."""

from __future__ import annotations

import re
from typing import Any

# Families with NVMe instance storage: "Instance store volume limits", Amazon EC2 User Guide. The d after the
# generation says so for the others. Their disks are encrypted by hardware, and take no customer key.
_FAMILIES = re.compile(
    r"g4dn|g5n?|g6[ef]?|gr6|g7e|p3dn|p4de?|p5(e|en)?|p6-b[23]00|p6e-gb200|trn1n?|trn2n?"
    r"|i3(en)?|i4[ig]|i7ie?|i8g|f[12]|dl1|vt1|x1e?"
    r"|[a-z]+\d+[a-z]*d[a-z]*"
)


def local_storage(instance_type: Any) -> bool:
    """Whether an instance type has local NVMe storage.

    Args:
        instance_type: `ml.g5.xlarge`; anything but text is taken for a type without.
    """
    if not isinstance(instance_type, str):
        return False
    family = instance_type.removeprefix("ml.").split(".")[0]
    return _FAMILIES.fullmatch(family) is not None

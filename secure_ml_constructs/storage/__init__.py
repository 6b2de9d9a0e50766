"""Where the data lies: zones of encrypted buckets, and packages."""

from secure_ml_constructs.storage.data_lake import EncryptedDataLake
from secure_ml_constructs.storage.package_repository import PackageRepository
from secure_ml_constructs.storage.package_sources import PackageFormat, PackageSource
from secure_ml_constructs.storage.zones import DEFAULT_ZONES, DatasetLock, LockMode, Zone

__all__ = [
    "DEFAULT_ZONES",
    "DatasetLock",
    "EncryptedDataLake",
    "LockMode",
    "PackageFormat",
    "PackageRepository",
    "PackageSource",
    "Zone",
]

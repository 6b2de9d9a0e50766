"""Where the data lies: zones of encrypted buckets."""

from secure_ml_constructs.storage.data_lake import EncryptedDataLake
from secure_ml_constructs.storage.zones import DEFAULT_ZONES, DatasetLock, LockMode, Zone

__all__ = ["DEFAULT_ZONES", "DatasetLock", "EncryptedDataLake", "LockMode", "Zone"]

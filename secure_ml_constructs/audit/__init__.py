"""The record of what happened: the log archive, the trail and the auditor's questions."""

from secure_ml_constructs.audit.log_archive import LogArchive, ObjectLockMode

__all__ = ["LogArchive", "ObjectLockMode"]

"""The record of what happened: the log archive, the trail and the auditor's questions."""

from secure_ml_constructs.audit.audit_queries import AuditQueries, QueryResults
from secure_ml_constructs.audit.audit_trail import AuditTrail, ExistingTrail
from secure_ml_constructs.audit.cloudtrail_table import TrailLocation
from secure_ml_constructs.audit.log_archive import LogArchive, ObjectLockMode
from secure_ml_constructs.audit.saved_queries import SavedQuery
from secure_ml_constructs.audit.trail_events import TrailEvents

__all__ = [
    "AuditQueries",
    "AuditTrail",
    "ExistingTrail",
    "LogArchive",
    "ObjectLockMode",
    "QueryResults",
    "SavedQuery",
    "TrailEvents",
    "TrailLocation",
]

"""Where people work: Studio domains with their teams, and notebook instances."""

from secure_ml_constructs.studio.apps import StudioApp, StudioApps
from secure_ml_constructs.studio.domain import SecureStudioDomain
from secure_ml_constructs.studio.home import StudioHome
from secure_ml_constructs.studio.notebook import GitRepository, NotebookMachine, SecureNotebook
from secure_ml_constructs.studio.sign_in import StudioAuth
from secure_ml_constructs.studio.team import StudioTeam, StudioUser

__all__ = [
    "GitRepository",
    "NotebookMachine",
    "SecureNotebook",
    "SecureStudioDomain",
    "StudioApp",
    "StudioApps",
    "StudioAuth",
    "StudioHome",
    "StudioTeam",
    "StudioUser",
]

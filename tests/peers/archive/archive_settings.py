"""Mayan EDMS as it is, in one process: its tasks run where they are asked for, without a broker. Tables are
made from its models as they are now, not by going through all their history.
"""

from mayan.settings.base import *  # noqa: F403 - Django's way
from mayan.settings.base import INSTALLED_APPS

CELERY_TASK_ALWAYS_EAGER = True
LABELS = [app.partition(".apps.")[2].partition(".")[0] or app.rpartition(".")[2] for app in INSTALLED_APPS]
MIGRATION_MODULES = dict.fromkeys(LABELS)
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # each call logs in by HTTP Basic

"""Settings of `safelight exchange serve`: those of the site, without its pages, sessions and cookies.

================================ ============================================================================
SAFELIGHT_EXCHANGE_ANSWER_MS     an answer leaves at a whole multiple of this many milliseconds; default 5
================================ ============================================================================
"""

from __future__ import annotations

from safelight.web import env
from safelight.web.settings import *  # noqa: F403

# Nobody signs in here: keys are checked by the exchange itself.
_PAGES = ("allauth", "axes", "csp", "django_htmx")
INSTALLED_APPS = [app for app in INSTALLED_APPS if app.partition(".")[0] not in _PAGES]  # noqa: F405
AUTHENTICATION_BACKENDS = ["rules.permissions.ObjectPermissionBackend"]
ROOT_URLCONF = "safelight.casework.exchange.api_server"
MIDDLEWARE = ["safelight.casework.exchange.api_server.JsonOnly"]
# A picture's bytes stay in memory: nothing spools an upload to a file.
FILE_UPLOAD_HANDLERS = ["django.core.files.uploadhandler.MemoryFileUploadHandler"]
FILE_UPLOAD_MAX_MEMORY_SIZE = 9 * 1024 * 1024
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
EXCHANGE_ANSWER_GRID = env.integer("SAFELIGHT_EXCHANGE_ANSWER_MS", 5, least=0) / 1000

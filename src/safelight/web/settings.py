"""Django settings, all of them, from the environment (see :mod:`safelight.web.env`).

================================ ============================================================================
SAFELIGHT_DATA                   folder for the database and reports; default ./var
DATABASE_URL                     unset: SQLite in SAFELIGHT_DATA; postgres://... for PostgreSQL 15 or later
SAFELIGHT_SECRET_KEY             required, except with SAFELIGHT_DEMO, SAFELIGHT_DEBUG or under the tests
SAFELIGHT_SECRET_KEY_OLD         keys of before, comma-separated, while what they protect is written anew; default none
SAFELIGHT_EVIDENCE_ROOT          forensic images are only ever read below this folder; default DATA/evidence
SAFELIGHT_BLOCK_SET              a block set (safelight block-set) for first answers; default DATA/blocks.set, if there
SAFELIGHT_SANDBOX                how the parsers of evidence are shut in: auto (default), strict or off
SAFELIGHT_WORKER_HEARTBEAT       seconds between two signs of life of a worker; default 4
SAFELIGHT_WORKER_DEAD_AFTER      a worker silent for so many seconds is taken for dead; default 18
SAFELIGHT_TRIAGE_HELPERS         how many more workers are called to one large device; default 3
SAFELIGHT_TRIAGE_CHUNK_MIB       how much reading one chunk of a device is, MiB; default and most 1024
SAFELIGHT_SITE_STANDARDS         a folder or file with the force's own standards; default none
SAFELIGHT_BACKUP_FOLDER          where `safelight backup` writes; default none
SAFELIGHT_BACKUP_RECIPIENTS      comma-separated public keys (safelight backup-key) that backups are encrypted for
SAFELIGHT_FIELD_KEYS             file with the keys of encrypted fields; default DATA/field.keys, made when first needed
SAFELIGHT_LEDGER_ORIGIN          the ledger's name to its witnesses; default safelight/ledger
SAFELIGHT_WITNESSES              a file with a line "URL KEY" for each witness of the ledger; default none
SAFELIGHT_TSA_URL                RFC 3161 time-stamp authority for the ledger's seals; default none
SAFELIGHT_TSA_CERTIFICATES       PEM file with that authority's certificates
SAFELIGHT_TSA_EVERY              least seconds between two time-stamps; default 60
SAFELIGHT_ALLOWED_HOSTS          comma-separated host names; default the local machine only
SAFELIGHT_TRUSTED_ORIGINS        comma-separated https:// origins when a proxy rewrites the host
SAFELIGHT_BEHIND_PROXY           1: trust X-Forwarded-Proto and the last X-Forwarded-For of the proxy in front
SAFELIGHT_DEMO                   1: visibly synthetic demo over plain http
SAFELIGHT_DEBUG                  1: error pages for developers; never with real data
SAFELIGHT_CLUSTER                tcp:// address of a Dask scheduler that runs plans; default none: processes here
SAFELIGHT_PLANNING_PROCESSES     processes that one plan may use; default 2
SAFELIGHT_SITE_URL               https://... address of this site, for the links in e-mails
SAFELIGHT_EMAIL_HOST             SMTP server for notices; default none: notices are shown on pages only
SAFELIGHT_EMAIL_PORT             default 587, 465 with tls, 25 with none
SAFELIGHT_EMAIL_SECURITY         starttls (default), tls or none
SAFELIGHT_EMAIL_USER             sign-in at the server, with SAFELIGHT_EMAIL_PASSWORD; default none
SAFELIGHT_EMAIL_FROM             sender of notices; required with a host
SAFELIGHT_EMAIL_TIMEOUT          seconds that a server may take; default 10
SAFELIGHT_LOG                    json (default) or line (default of the demo): the form of the log on standard error
SAFELIGHT_METRICS_TOKEN          who sends it as a bearer token reads /metrics; default none: there is no such page
SAFELIGHT_SIGN_IN_ATTEMPTS       failed attempts of one name from one address before both wait; default 5
SAFELIGHT_ADMIN_NETWORKS         comma-separated networks from which administrators work; default everywhere
SAFELIGHT_PAGES_A_MINUTE         pages that one person may ask for within a minute; default 600; 0 does not count
SAFELIGHT_BREACHED_PASSWORDS     file of breached passwords (SHA1:count, sorted), which nobody may choose; default none
SAFELIGHT_OIDC_ISSUER            https:// address of the force's own sign-in service (OpenID Connect); default none
SAFELIGHT_OIDC_CLIENT_ID         what the service calls Safelight; required with an issuer
SAFELIGHT_OIDC_CLIENT_SECRET     the secret that the service gave; required with an issuer
SAFELIGHT_OIDC_NAME              what the button on the sign-in page says; default "your force's account"
SAFELIGHT_OIDC_SECOND_FACTOR     values of the claim amr that count as a second factor, e.g. mfa,hwk; default none
SAFELIGHT_TESTING                1: cheap password hashing for the test suite
================================ ============================================================================
"""

from __future__ import annotations

import logging
import os
import tempfile
from pathlib import Path
from typing import Any

from csp.constants import NONCE, NONE, SELF

from safelight.casework.base.permissions import permissions
from safelight.web import env, mail, service

WEB = Path(__file__).resolve().parent
CASEWORK = WEB.parent / "casework"

DEMO = env.flag("SAFELIGHT_DEMO")
DEBUG = env.flag("SAFELIGHT_DEBUG")
# pytest sets PYTEST_VERSION before it loads anything, this module included.
TESTING = env.flag("SAFELIGHT_TESTING", default="PYTEST_VERSION" in os.environ)
PLAIN_HTTP = DEMO or DEBUG or TESTING

DATA = env.folder("SAFELIGHT_DATA", Path("var"))
EVIDENCE_ROOT = env.folder("SAFELIGHT_EVIDENCE_ROOT", DATA / "evidence")
REPORTS_ROOT = DATA / "reports"
# Blocks of listed files, for first answers. The default counts only if there is such a file.
BLOCK_SET = str(env.existing_path("SAFELIGHT_BLOCK_SET") or DATA / "blocks.set")
TRIAGE_SANDBOX = env.choice("SAFELIGHT_SANDBOX", ("auto", "strict", "off"))
SITE_STANDARDS = env.existing_path("SAFELIGHT_SITE_STANDARDS")
# What the ledger is called to witnesses, who they are, and who stamps its seals with the time (docs/ledger.md).
LEDGER_ORIGIN = env.text("SAFELIGHT_LEDGER_ORIGIN", "safelight/ledger")
LEDGER_KEY = DATA / "ledger.key"
FIELD_KEYS = Path(env.text("SAFELIGHT_FIELD_KEYS", str(DATA / "field.keys"))).expanduser().resolve()
WITNESSES = env.existing_path("SAFELIGHT_WITNESSES")
TSA_URL = env.text("SAFELIGHT_TSA_URL", "")
TSA_CERTIFICATES = env.existing_path("SAFELIGHT_TSA_CERTIFICATES")
TSA_EVERY = env.seconds("SAFELIGHT_TSA_EVERY", 60, least=0)
if TSA_URL and not TSA_CERTIFICATES:
    raise env.SettingsError(
        "SAFELIGHT_TSA_URL is set, and SAFELIGHT_TSA_CERTIFICATES is not: no time-stamp could be checked.",
        fix="Name a PEM file with the authority's certificates.",
    )

# Existing or not: a disk that is away must not stop the site.
BACKUP_FOLDER = Path(env.text("SAFELIGHT_BACKUP_FOLDER", "")) if env.text("SAFELIGHT_BACKUP_FOLDER", "") else None
BACKUP_RECIPIENTS = env.words("SAFELIGHT_BACKUP_RECIPIENTS")

SECRET_KEY = env.secret("SAFELIGHT_SECRET_KEY", keep_at=DATA / "demo-secret-key" if PLAIN_HTTP else None)
SECRET_KEY_FALLBACKS = env.old_secrets("SAFELIGHT_SECRET_KEY_OLD")
ALLOWED_HOSTS = env.words("SAFELIGHT_ALLOWED_HOSTS", ("localhost", "127.0.0.1", "[::1]"))
CSRF_TRUSTED_ORIGINS = env.words("SAFELIGHT_TRUSTED_ORIGINS")

# --- applications ---------------------------------------------------------------------------------------------

CASEWORK_APPS = (
    "ledger",
    "clocks",
    "accounts",
    "workforce",
    "people",
    "referrals",
    "safeguarding",
    "cases",
    "allocation",
    "supervision",
    "devices",
    "fleet",
    "hashsets",
    "submissions",
    "identification",
    "custody",
    "sharing",
    "plans",
    "inspection",
    "recommendations",
    "exchange",
    "offenders",
    "rereview",
    "breakglass",
    "retention",
    "notices",
    "victims",
    "oversight",
    "search",
    "work",
    "ciphers",
)
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "allauth.usersessions",
    "axes",
    "csp",
    "django_htmx",
    "django_tasks",
    "django_tasks_db",
    "rules.apps.AutodiscoverRulesConfig",
    "safelight.web",
    *(f"safelight.casework.{name}" for name in CASEWORK_APPS if (CASEWORK / name / "__init__.py").exists()),
]
MIDDLEWARE = [
    "safelight.web.middleware.Measured",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "safelight.web.middleware.NeverStored",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "safelight.web.duties.SessionLimits",
    "safelight.web.networks.Administrators",
    "safelight.web.rates.PagesAMinute",
    "safelight.web.duties.Duties",
    "safelight.web.middleware.Unreadable",
    # Last, so that it sees the failed sign-ins of everything above it.
    "axes.middleware.AxesMiddleware",
]
ROOT_URLCONF = "safelight.web.urls"
WSGI_APPLICATION = "safelight.web.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_USER_MODEL = "accounts.User"

# --- database -------------------------------------------------------------------------------------------------

DATABASES: dict[str, dict[str, Any]] = {
    "default": env.database(env.text("DATABASE_URL", ""), default_file=DATA / "safelight.sqlite3")
}
if TESTING and DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    # A file, not memory: tests then meet the locking that users meet. The process number keeps parallel runs apart.
    DATABASES["default"]["TEST"] = {"NAME": str(Path(tempfile.gettempdir()) / f"safelight-test-{os.getpid()}.sqlite3")}

# One API (Django Tasks), two engines; a job is written in the transaction that asks for it. See ADR 0017.
if DATABASES["default"]["ENGINE"].endswith("postgresql"):
    TASKS = {"default": {"BACKEND": "safelight.web.jobs.ProcrastinateBackend", "QUEUES": []}}
    INSTALLED_APPS.append("procrastinate.contrib.django")
    PROCRASTINATE_AUTODISCOVER_MODULE_NAME = None
    PROCRASTINATE_ON_APP_READY = "safelight.web.jobs.on_app_ready"
else:
    TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend", "QUEUES": []}}
# A worker gives a sign of life this often; one that is silent for so long is taken for dead, and its work is given on.
WORKER_HEARTBEAT = env.seconds("SAFELIGHT_WORKER_HEARTBEAT", 4, least=0.1)
WORKER_DEAD_AFTER = env.seconds("SAFELIGHT_WORKER_DEAD_AFTER", 18, least=0.5)
if WORKER_DEAD_AFTER < 3 * WORKER_HEARTBEAT:
    raise env.SettingsError(
        f"SAFELIGHT_WORKER_DEAD_AFTER ({WORKER_DEAD_AFTER:g} s) is less than three times SAFELIGHT_WORKER_HEARTBEAT "
        f"({WORKER_HEARTBEAT:g} s): workers that live would be taken for dead.",
        fix="Raise the first or lower the second.",
    )
# How many more workers are called to a device with several chunks; and how much reading one chunk is.
TRIAGE_HELPERS = env.integer("SAFELIGHT_TRIAGE_HELPERS", 3)
TRIAGE_CHUNK_MIB = env.integer("SAFELIGHT_TRIAGE_CHUNK_MIB", 1024, least=1)

# How long broken glass opens a case; policy (casework/base/permissions.toml) says how long at most.
_GLASS = permissions().break_glass
BREAK_GLASS_HOURS = env.integer("SAFELIGHT_BREAK_GLASS_HOURS", _GLASS.hours, least=1)
if _GLASS.most_hours < BREAK_GLASS_HOURS:
    raise env.SettingsError(
        f"SAFELIGHT_BREAK_GLASS_HOURS is {BREAK_GLASS_HOURS}; policy allows at most {_GLASS.most_hours}.",
        fix="Lower it, or leave it out.",
    )

PLANNING_CLUSTER = env.text("SAFELIGHT_CLUSTER", "")
PLANNING_PROCESSES = env.integer("SAFELIGHT_PLANNING_PROCESSES", 1 if TESTING else 2, least=1)

globals().update(mail.settings_of_mail(plain_http=PLAIN_HTTP))

# --- language and time ----------------------------------------------------------------------------------------

LANGUAGE_CODE = "en-gb"
TIME_ZONE = "Europe/London"
USE_TZ = True
USE_I18N = True

# --- templates and static files -------------------------------------------------------------------------------

TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.jinja2.Jinja2",
        "DIRS": [
            WEB / "templates",
            *(CASEWORK / name / "templates" for name in CASEWORK_APPS),
        ],
        "APP_DIRS": False,
        "OPTIONS": {
            "environment": "safelight.web.jinja.environment",
            "context_processors": ["safelight.web.context.page"],
        },
    },
    {
        # Only for what the packages bring themselves (mail texts of allauth).
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    },
]
STATIC_URL = "/static/"
STATIC_ROOT = DATA / "static"
STATICFILES_DIRS: list[Path] = []
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
# The demo, developers and tests serve straight from the packages; everyone else runs collectstatic once.
WHITENOISE_USE_FINDERS = PLAIN_HTTP
if PLAIN_HTTP:
    # whitenoise warns about a missing folder on every start.
    STATIC_ROOT.mkdir(parents=True, exist_ok=True)
WHITENOISE_AUTOREFRESH = DEBUG
WHITENOISE_ALLOW_ALL_ORIGINS = False
FILE_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
DATA_UPLOAD_MAX_MEMORY_SIZE = 20 * 1024 * 1024

# --- sign-in --------------------------------------------------------------------------------------------------

# What does not depend on where it runs stands there.
from safelight.web.sign_in_settings import *  # noqa: E402, F403

if TESTING:
    PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
CACHES = {"default": {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "web_cache"}}
# The demo opens with one printed password, and says so; the tests switch both on where they are about them.
SECOND_FACTOR_DUTY = not (DEMO or TESTING)
FRESH_SIGN_IN_DUTY = not TESTING
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = PLAIN_HTTP
ALLAUTH_TRUSTED_PROXY_COUNT = 1 if env.flag("SAFELIGHT_BEHIND_PROXY") else 0
_SERVICE = service.settings_of_service(plain_http=PLAIN_HTTP)
OIDC_ORIGINS: list[str] = _SERVICE["OIDC_ORIGINS"]
globals().update(_SERVICE)
PAGES_A_MINUTE = env.integer("SAFELIGHT_PAGES_A_MINUTE", 0 if TESTING else 600)

# --- headers --------------------------------------------------------------------------------------------------

# __Host-: the browser takes the cookie over TLS only, for this host only, from no sub-domain.
SESSION_COOKIE_NAME = "safelight-session" if PLAIN_HTTP else "__Host-safelight-session"
CSRF_COOKIE_NAME = "safelight-csrf" if PLAIN_HTTP else "__Host-safelight-csrf"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = not PLAIN_HTTP
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SECURE = not PLAIN_HTTP
CSRF_FAILURE_VIEW = "safelight.web.errors.csrf_failure"
SECURE_SSL_REDIRECT = not PLAIN_HTTP
SECURE_HSTS_SECONDS = 0 if PLAIN_HTTP else 365 * 24 * 60 * 60
SECURE_HSTS_INCLUDE_SUBDOMAINS = not PLAIN_HTTP
SECURE_HSTS_PRELOAD = False
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
if env.flag("SAFELIGHT_BEHIND_PROXY"):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    AXES_CLIENT_IP_CALLABLE = "safelight.web.sign_in.address_before_the_proxy"

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF, NONCE],
        "style-src": [SELF],
        "img-src": [SELF],
        "font-src": [SELF],
        "connect-src": [SELF],
        "manifest-src": [SELF],
        # A form that starts the force's own sign-in service ends there.
        "form-action": [SELF, *OIDC_ORIGINS],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        "object-src": [NONE],
    }
}

# --- watching: `/metrics` for whoever has the token ----------------------------------------------------------------

METRICS_TOKEN = env.token("SAFELIGHT_METRICS_TOKEN")

# --- logging: what happened and where, never who or about whom ---------------------------------------------------

LOG_FORMAT = env.choice("SAFELIGHT_LOG", ("line", "json") if PLAIN_HTTP else ("json", "line"))
# Warnings of libraries go the same way.
logging.captureWarnings(LOG_FORMAT == "json")
LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"impersonal": {"()": "safelight.web.logs.Impersonal"}},
    "formatters": {
        "line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"},
        "json": {"()": "safelight.web.logs.JsonLines"},
    },
    "handlers": {
        "console": {
            "class": "logging.StreamHandler",
            "formatter": LOG_FORMAT,
            # The other formatter takes from the request what may be written.
            "filters": ["impersonal"] if LOG_FORMAT == "line" else [],
        }
    },
    "root": {"handlers": ["console"], "level": "INFO"},
    "loggers": {
        "django.server": {"handlers": ["console"], "level": "WARNING", "propagate": False},
        "django.request": {"level": "ERROR"},
        # One line a request is for machines; the demo's terminal belongs to the sign-in lines.
        "safelight.requests": {"level": "INFO" if LOG_FORMAT == "json" else "WARNING"},
        # axes writes user names and addresses; its rows in the database are the record, not the log.
        "axes": {"level": "ERROR"},
    },
}

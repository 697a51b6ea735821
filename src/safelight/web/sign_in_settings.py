"""How people sign in, wherever it runs: allauth, axes, sessions. What the demo and tests loosen is in settings.py."""

from __future__ import annotations

from typing import Any

from safelight.web import env

AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "rules.permissions.ObjectPermissionBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "safelight.web.passwords.NotOfCommonOnes"},
    {
        "NAME": "safelight.web.passwords.NotInBreaches",
        "OPTIONS": {"path": str(env.existing_path("SAFELIGHT_BREACHED_PASSWORDS") or "")},
    },
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_ADAPTER = "safelight.web.adapter.ClosedAccountAdapter"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_PREVENT_ENUMERATION = True
# axes counts failed sign-ins, in the database and so across worker processes; a second, per-process counter misleads.
# "login_failed" is left to the second factor: five wrong numbers, then a quarter of an hour of waiting, for who already
# knew the password. Its count stands in the database, for all processes.
ACCOUNT_RATE_LIMITS: dict[str, Any] = {
    "login": False,
    "login_failed": "5/15m/key",
    "force_sign_out": "120/m/ip",
}
ACCOUNT_FORMS = {"change_password": "safelight.web.sign_in.OwnPasswordForm"}
ACCOUNT_CHANGE_EMAIL = False

MFA_ADAPTER = "safelight.web.adapter.SecondFactorAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn"]
MFA_FORMS = {
    "authenticate": "safelight.web.second_factor.CodeForm",
    "reauthenticate": "safelight.web.second_factor.CodeAgainForm",
}
# A key that asked for its PIN, a finger or a face is two factors in one: with it nobody needs the password.
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TOTP_TOLERANCE = 0  # a number lives for 30 seconds (ASVS 6.5.5), for as long as allauth remembers that it was used
USERSESSIONS_TRACK_ACTIVITY = False  # safelight.casework.accounts.sessions does, once a minute

SOCIALACCOUNT_ADAPTER = "safelight.web.adapter.ForceSignInAdapter"
SOCIALACCOUNT_STORE_TOKENS = False
SOCIALACCOUNT_EMAIL_AUTHENTICATION = False
SOCIALACCOUNT_REQUESTS_TIMEOUT = 10

AXES_FAILURE_LIMIT = env.integer("SAFELIGHT_SIGN_IN_ATTEMPTS", 5, least=1)
AXES_COOLOFF_TIME = "safelight.web.sign_in.cool_off"  # grows with the failures, to an hour
AXES_USE_ATTEMPT_EXPIRATION = True
# Attempts during a wait are not counted: a person who tries the right password too early does not wait longer for it.
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_ENABLE_ACCESS_FAILURE_LOG = True
# By person and address together: nobody can lock a colleague out from another machine.
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_USERNAME_CALLABLE = "safelight.web.sign_in.attempted_name"
AXES_SENSITIVE_PARAMETERS = ["csrfmiddlewaretoken"]
AXES_RESET_ON_SUCCESS = True
AXES_LOCKOUT_CALLABLE = "safelight.web.sign_in.locked_out"
AXES_HTTP_RESPONSE_CODE = 429
AXES_ENABLE_ADMIN = False
AXES_VERBOSE = False
AXES_DISABLE_ACCESS_LOG = False

ADMIN_NETWORKS = env.networks("SAFELIGHT_ADMIN_NETWORKS")

SESSION_COOKIE_AGE = 12 * 60 * 60  # the longest that standards/sign_in.toml allows; each role's own limit is shorter
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"

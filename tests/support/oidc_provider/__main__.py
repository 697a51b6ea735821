"""Usage: python -m tests.support.oidc_provider PORT FOLDER REDIRECT_URI"""

from __future__ import annotations

import sys
from pathlib import Path
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import django
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from django.conf import settings

port, folder, redirect_uri = int(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
settings.configure(
    SECRET_KEY="synthetic, for one test only, long enough",
    ALLOWED_HOSTS=["localhost"],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": folder / "provider.sqlite3"}},
    INSTALLED_APPS=[
        "django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions", "oauth2_provider",
    ],
    MIDDLEWARE=[
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
    ],
    SESSION_COOKIE_NAME="provider-session",
    ROOT_URLCONF="tests.support.oidc_provider.urls",
    LOGIN_URL="/login/",
    TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}],
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
    USE_TZ=True,
    OAUTH2_PROVIDER={
        "OIDC_ENABLED": True,
        "OIDC_ISS_ENDPOINT": f"http://localhost:{port}/o",
        "OIDC_RSA_PRIVATE_KEY": key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode(),
        "PKCE_REQUIRED": True,
        "SCOPES": {"openid": "Who you are", "profile": "Your name"},
        "OAUTH2_VALIDATOR_CLASS": "tests.support.oidc_provider.claims.Claims",
        "ALLOWED_REDIRECT_URI_SCHEMES": ["http"],
    },
)  # fmt: skip
django.setup()

from django.contrib.auth.models import User  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.core.wsgi import get_wsgi_application  # noqa: E402
from oauth2_provider.models import Application  # noqa: E402

call_command("migrate", verbosity=0)
for name, last in (("pat", "Strong"), ("kim", "Weak"), ("lee", "Stranger")):
    User.objects.create_user(name, password="synthetic", first_name=name.title(), last_name=last)
Application.objects.create(
    name="Safelight",
    client_id="safelight",
    client_secret="synthetic-client-secret",
    client_type="confidential",
    authorization_grant_type="authorization-code",
    redirect_uris=redirect_uri,
    algorithm="RS256",
    skip_authorization=True,
)


class Quiet(WSGIRequestHandler):
    def log_message(self, *args: object) -> None:
        pass


class Threads(ThreadingMixIn, WSGIServer):
    daemon_threads = True


server = make_server("localhost", port, get_wsgi_application(), Threads, Quiet)
sys.stdout.write("ready\n")
sys.stdout.flush()
server.serve_forever()

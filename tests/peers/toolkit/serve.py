"""A real authorization server (django-oauth-toolkit) by one JSON argument, on loopback. It ends when killed.

`{"port", "folder", "clients", "scopes", "access_seconds", "grace"}`; clients: RFC 7591.
Anybody may log in: what is tried here is OAuth, not passwords.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any

import django
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from django.conf import settings
from django.core.management import call_command
from django.core.wsgi import get_wsgi_application

os.environ["OAUTHLIB_INSECURE_TRANSPORT"] = "1"  # loopback without TLS
given = json.loads(sys.argv[1])
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
    serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
)
DEVICE = "urn:ietf:params:oauth:grant-type:device_code"
LOGIN = '<form method="post" action="">{% csrf_token %}{{ form.as_p }}<button>Log in</button></form>'
settings.configure(
    SECRET_KEY="a test has no secrets, but Django wants fifty letters here",
    ALLOWED_HOSTS=["127.0.0.1"],
    ROOT_URLCONF="urls",
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": f"{given['folder']}/db"}},
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    INSTALLED_APPS=[
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "django.contrib.sessions",
        "oauth2_provider",
    ],
    MIDDLEWARE=[
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
    ],
    AUTHENTICATION_BACKENDS=["habits.Anybody"],
    PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
    TEMPLATES=[
        {
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "OPTIONS": {
                "context_processors": ["django.template.context_processors.request"],
                "loaders": [
                    ("django.template.loaders.locmem.Loader", {"registration/login.html": LOGIN}),
                    "django.template.loaders.app_directories.Loader",
                ],
            },
        }
    ],
    LOGIN_URL="/login/",
    USE_TZ=True,
    OAUTH2_PROVIDER={
        "OIDC_ENABLED": True,
        "OIDC_RSA_PRIVATE_KEY": KEY.decode(),
        "OAUTH2_VALIDATOR_CLASS": "habits.Claims",
        "SCOPES": dict.fromkeys(["openid", "email", *given["scopes"]], "something"),
        "ACCESS_TOKEN_EXPIRE_SECONDS": given["access_seconds"],
        "REFRESH_TOKEN_REUSE_PROTECTION": True,
        "REFRESH_TOKEN_GRACE_PERIOD_SECONDS": given["grace"],
        "OAUTH_DEVICE_VERIFICATION_URI": f"http://127.0.0.1:{given['port']}/device/",
        "OAUTH_DEVICE_VERIFICATION_URI_COMPLETE": None,
        "COMPLIANT_BCP_RFC9700_AUTHZ_RESPONSE_ISS": True,
        "COMPLIANT_BCP_RFC9700_PKCE_METHOD": True,
    },
)


def register(client: dict[str, Any]) -> None:
    """Make this client known."""
    from oauth2_provider.models import Application

    kinds = {"authorization_code": "authorization-code", DEVICE: DEVICE}
    public = client.get("token_endpoint_auth_method") == "none"
    Application.objects.create(
        client_id=client["client_id"],
        client_secret=client.get("client_secret", ""),
        client_type=Application.CLIENT_PUBLIC if public else Application.CLIENT_CONFIDENTIAL,
        authorization_grant_type=kinds.get(client["grant_types"][0], "client-credentials"),
        redirect_uris=" ".join(client["redirect_uris"]),
        algorithm="RS256",
        name=client["client_id"],
    )


def main() -> None:
    from wsgiref.simple_server import WSGIRequestHandler, make_server

    class Quiet(WSGIRequestHandler):
        def log_message(self, *_: Any) -> None:
            """Nobody reads it."""

    django.setup()
    call_command("migrate", verbosity=0)
    for client in given["clients"]:
        register(client)
    server = make_server("127.0.0.1", given["port"], get_wsgi_application(), handler_class=Quiet)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    server.serve_forever()


if __name__ == "__main__":
    main()

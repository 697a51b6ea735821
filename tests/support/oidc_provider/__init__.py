"""A real OpenID Connect provider (django-oauth-toolkit) in its own process: ``python -m tests.support.oidc_provider``.

It knows three people and one client, asks for a password, and demands PKCE.
"""

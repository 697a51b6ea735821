"""What the provider says of a person: a name, and how they proved who they are."""

from __future__ import annotations

import hashlib
from typing import Any

from oauth2_provider.oauth2_validators import OAuth2Validator


def session_of(user: Any) -> str:
    """The number of the session that ``user`` has at the provider: each sign-in is another."""
    return hashlib.sha256(f"{user.pk} {user.last_login}".encode()).hexdigest()[:32]


class Claims(OAuth2Validator):
    oidc_claim_scope = None  # say everything in the ID token

    def get_additional_claims(self, request: Any) -> dict[str, Any]:
        user = request.user
        return {
            "name": user.get_full_name(),
            "preferred_username": user.username,
            "sid": session_of(user),
            "amr": ["pwd", "hwk"] if user.last_name == "Strong" else ["pwd"],
        }

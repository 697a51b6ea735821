"""What the provider says of a person: a name, and how they proved who they are."""

from __future__ import annotations

from typing import Any

from oauth2_provider.oauth2_validators import OAuth2Validator


class Claims(OAuth2Validator):
    oidc_claim_scope = None  # say everything in the ID token

    def get_additional_claims(self, request: Any) -> dict[str, Any]:
        user = request.user
        return {
            "name": user.get_full_name(),
            "preferred_username": user.username,
            "amr": ["pwd", "hwk"] if user.last_name == "Strong" else ["pwd"],
        }

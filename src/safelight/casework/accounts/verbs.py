from __future__ import annotations

from safelight.casework.ledger.registry import register_verbs

register_verbs(
    {
        "access.refused": "was refused a page:",
        "account.created": "made the account",
        "account.changed": "changed the account",
        "account.closed": "closed the account",
        "account.opened": "opened the account again",
        "account.viewed": "looked at the account",
        "account.signed_in": "signed in",
        "account.attempts": "noted too many attempts to sign in as",
        "account.wrong_factor": "noted wrong second factors after the right password of",
        "account.sessions_ended": "ended sessions of",
        "account.secrets_sealed": "encrypted anew the secrets of authenticator apps",
        "account.passkey_refused": "refused a passkey",
        "account.password_changed": "chose a new password for",
        "account.factor_added": "set up a second factor for",
        "account.factor_removed": "took away a second factor of",
        "account.codes_made": "made recovery codes for",
        "account.code_used": "used a recovery code of",
        "account.recovery_asked": "asked for the recovery of",
        "account.recovery_approved": "approved the recovery of",
        "account.recovery_refused": "refused the recovery of",
        "account.unknown_subject": "met somebody without an account at the sign-in service:",
        "account.connected": "connected with the sign-in service the account",
        "account.disconnected": "disconnected from the sign-in service the account",
        "account.turned_away": "turned away",
    }
)

"""What every casework app stands on: references, the policy of a page, typed errors, the app's configuration."""

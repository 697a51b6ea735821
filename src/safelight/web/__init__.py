"""The Django project: settings, addresses, base templates, GOV.UK style components and static files.

The case work itself is in :mod:`safelight.casework`; nothing here writes to the database.
"""

"""What is searched: which columns of which tables, and to which record a hit leads."""

from __future__ import annotations

from dataclasses import dataclass, field

MOST_WORDS = 60_000  # characters of one row that are indexed; no form takes a longer text


@dataclass(frozen=True)
class Source:
    """One table.

    Args:
        kind: what a hit leads to (a key of :data:`KINDS`); ``owner`` is the column with its key.
        columns: searched texts.
        joined: columns of which a copy without blanks is searched too (postcodes, telephone numbers).
        called: what the words are, for "why it matched".
        model, shown: where columns hold keyed tokens of encrypted fields, the model and what a person reads of a row.
        instead: a column whose key takes the place of ``owner`` where it is set (the record a person was merged into).
    """

    code: str
    table: str
    kind: str
    owner: str
    columns: tuple[str, ...]
    called: str
    joined: tuple[str, ...] = field(default=())
    instead: str = ""
    model: str = ""
    shown: tuple[str, ...] = field(default=())

    def owner_of(self, row: str) -> str:
        """The SQL of the key of the record that a hit leads to."""
        return f"COALESCE({row}.{self.instead}, {row}.{self.owner})" if self.instead else f"{row}.{self.owner}"

    @property
    def watched(self) -> tuple[str, ...]:
        """The columns whose change changes the entry."""
        more = [one for one in (self.owner, self.instead) if one and one != "id"]
        return tuple(dict.fromkeys([*self.columns, *more]))


KINDS = {
    "case": "Cases",
    "person": "People",
    "child": "Children at risk",
    "referral": "Referrals",
    "device": "Devices",
}

SOURCES: dict[str, Source] = {
    one.code: one
    for one in (
        Source("case", "cases_case", "case", "id", ("title", "borough", "outcome_note"), "Case"),
        Source("note", "cases_chronologyentry", "case", "case_id", ("text",), "Chronology"),
        Source(
            "review", "supervision_review", "case", "case_id",
            ("plan", "safeguarding", "devices", "victim", "next_action"), "Supervision review",
        ),
        Source(
            "sent", "safeguarding_safeguardingreferral", "case", "case_id", ("authority", "recipient", "concern"),
            "Referral to social care",
        ),
        Source(
            "person", "people_person", "person", "id",
            ("name_words", "address_words", "borough"), "Person", (), "merged_into_id",
            "people.Person", ("given_names", "family_name", "address", "postcode", "borough"),
        ),
        Source(
            "identifier", "people_identifier", "person", "person_id", ("value_words",), "On-line name or number",
            model="people.Identifier", shown=("value",),
        ),
        Source(
            "child", "safeguarding_childatrisk", "child", "id", ("relationship", "school", "voice"), "Child at risk"
        ),
        Source(
            "referral", "referrals_referral", "referral", "id",
            ("source_reference", "summary", "incident_type", "platform", "borough", "closed_reason"), "Referral",
        ),
        Source(
            "file", "referrals_referralfile", "referral", "referral_id", ("name", "md5", "sha1"), "File in the referral"
        ),
        Source(
            "device", "devices_device", "device", "id",
            ("exhibit", "description", "seized_from", "seized_by", "decision_reason"), "Device",
        ),
        Source("custody", "devices_custodyevent", "device", "device_id", ("seal", "place", "note"), "Chain of custody"),
    )
}  # fmt: skip

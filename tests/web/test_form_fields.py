"""What a person filling in a form would lose: their own words back, an error that says what to do, safe output."""

from __future__ import annotations

import re

import pytest
from django import forms
from django.template import engines

from safelight.web import form_fields
from safelight.web.styleguide import SampleForm

HOSTILE = '"><script>alert(1)</script>'


def drawn(form: forms.Form) -> str:
    template = engines["jinja2"].from_string(
        '{% from "components/forms.html" import form_fields, error_summary %}'
        "{{ error_summary(form) }}{{ form_fields(form) }}"
    )
    return template.render({"form": form})


def test_every_kind_of_field_is_drawn_once():
    """A field that is not drawn can never be answered, and the form never sent."""
    html = drawn(SampleForm())
    form = SampleForm()
    for bound in form:
        names = (
            [f"{bound.html_name}-{part}" for part, _, _ in bound.field.widget.parts]
            if form_fields.kind(bound) == "parts"
            else [bound.html_name]
        )
        for name in names:
            assert re.search(rf'name="{name}"', html), name


def test_every_error_link_leads_to_a_box():
    """The error summary is useless to a keyboard user when its links lead nowhere."""
    form = SampleForm({}, {})
    html = drawn(form)
    for problem in form_fields.problems(form):
        if problem.href:
            assert f'id="{problem.href[1:]}"' in html, problem


def test_errors_say_what_to_do():
    class Form(forms.Form):
        reference = forms.CharField()
        child = forms.ChoiceField(label="Does a child live there?", choices=[("y", "Yes")], widget=forms.RadioSelect)
        unit = forms.ChoiceField(choices=[("a", "A")])
        count = forms.IntegerField()

    said = [problem.text for problem in form_fields.problems(Form({"count": "many"}))]
    assert said == [
        "Enter reference",
        "Answer: Does a child live there?",
        "Choose unit",
        "Count: enter a whole number.",
    ]


def test_what_was_typed_comes_back_unharmed_and_harmless():
    class Form(forms.Form):
        name = forms.CharField(max_length=5)
        story = forms.CharField(widget=forms.Textarea)
        choice = forms.ChoiceField(choices=[("a", HOSTILE)], widget=forms.RadioSelect, help_text=HOSTILE, label=HOSTILE)

    html = drawn(Form({"name": HOSTILE, "story": f"line one\n  line two {HOSTILE}"}))
    assert "<script>" not in html
    assert "line one\n  line two" in html


def test_an_answer_already_given_is_shown():
    class Form(forms.Form):
        unit = forms.ChoiceField(choices=[("a", "A"), ("b", "B")])
        roles = forms.MultipleChoiceField(choices=[("a", "A"), ("b", "B")])
        sure = forms.BooleanField()
        word = forms.CharField(widget=forms.PasswordInput)

    html = drawn(Form(initial={"unit": "b", "roles": ["a"], "sure": True, "word": "never shown again"}))
    assert re.search(r'<option value="b"\s+selected', html)
    assert re.search(r'name="roles" type="checkbox" value="a"\s+checked', html)
    assert re.search(r'name="sure" type="checkbox" value="on"\s+checked', html)
    assert "never shown again" not in html


def test_a_multiple_choice_posts_back_what_it_shows():
    class Form(forms.Form):
        roles = forms.MultipleChoiceField(choices=[("a", "A"), ("b", "B")])

    assert form_fields.kind(Form()["roles"]) == "checkboxes"


@pytest.mark.parametrize(("required", "marked"), [(True, False), (False, True)])
def test_only_what_may_stay_empty_is_marked_optional(required, marked):
    class Form(forms.Form):
        note = forms.CharField(required=required)

    assert ("(optional)" in drawn(Form())) is marked


def test_revealed_fields_are_drawn_inside_their_answer_only():
    html = drawn(SampleForm())
    assert html.count('name="how_many"') == 1
    assert 'data-sl-reveal="child" data-sl-value="yes"' in html


def test_prefixed_forms_keep_their_names_apart():
    html = drawn(SampleForm(prefix="one"))
    assert 'name="one-reference"' in html and 'name="one-born-day"' in html

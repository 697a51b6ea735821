"""Each grade that was recorded before votes were kept is the vote of whoever recorded it."""

from __future__ import annotations

from typing import Any

from django.db import migrations


def make_votes(apps: Any, schema_editor: Any) -> None:
    vote = apps.get_model("submissions", "GradeVote")
    grades = apps.get_model("submissions", "Grade").objects.order_by("pk").iterator()
    vote.objects.bulk_create(
        (
            vote(
                case_id=row.case_id,
                md5=row.md5,
                category=row.category,
                grader_id=row.graded_by_id,
                graded_at=row.graded_at,
                graded_in=row.graded_in,
            )
            for row in grades
        ),
        batch_size=1000,
        ignore_conflicts=True,
    )


class Migration(migrations.Migration):
    dependencies = [("submissions", "0002_votes")]

    operations = [migrations.RunPython(make_votes, migrations.RunPython.noop)]

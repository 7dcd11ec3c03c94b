"""The sequence that counts nudges, and the index by which the newest finished runs of a work are found."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("jobs", "0003_fence_sequence")]

    operations = [
        migrations.RunSQL("CREATE SEQUENCE jobs_nudge_seq MINVALUE 0 START 1", "DROP SEQUENCE jobs_nudge_seq"),
        migrations.AddIndex(
            model_name="job",
            index=models.Index(
                fields=("work_key", "-id"),
                condition=models.Q(state__in=["SUCCEEDED", "FAILED", "TIMED_OUT"]) & ~models.Q(work_key=""),
                name="job_work_newest",
            ),
        ),
    ]

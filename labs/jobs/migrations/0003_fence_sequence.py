"""The sequence that numbers fences: a later attempt always has a higher one, whatever the node."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("jobs", "0002_initial")]

    operations = [
        migrations.RunSQL("CREATE SEQUENCE jobs_fence_seq", "DROP SEQUENCE jobs_fence_seq"),
    ]

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("jobs", "0011_what_held_a_job_back"),
    ]

    operations = [
        migrations.AddField(
            model_name="job",
            name="planned_p50_s",
            field=models.FloatField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="job",
            name="planned_p90_s",
            field=models.FloatField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="job",
            name="promised_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
    ]

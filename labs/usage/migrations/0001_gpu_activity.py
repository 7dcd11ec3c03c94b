import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("jobs", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="GpuActivity",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "samples",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.PositiveSmallIntegerField(), default=list, size=None
                    ),
                ),
                ("sampled_at", models.DateTimeField()),
                ("idle_since", models.DateTimeField(blank=True, null=True)),
                ("idle_pct", models.FloatField(blank=True, null=True)),
                ("told_at", models.DateTimeField(blank=True, null=True)),
                (
                    "attempt",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE, related_name="gpu_activity", to="jobs.attempt"
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("idle_since__isnull", False)), fields=["told_at"], name="gpu_activity_idle"
                    )
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("idle_pct__isnull", True), ("idle_since__isnull", True), ("told_at__isnull", True)
                            ),
                            models.Q(("idle_pct__isnull", False), ("idle_since__isnull", False)),
                            _connector="OR",
                        ),
                        name="gpu_activity_idle_with_its_figure",
                    )
                ],
            },
        ),
    ]

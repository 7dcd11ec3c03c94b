import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("environments", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="LabRun",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            ],
            options={
                "ordering": ("-id",),
            },
        ),
        migrations.CreateModel(
            name="Lab",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("position", models.PositiveSmallIntegerField(verbose_name="position")),
                ("title", models.CharField(max_length=120, verbose_name="title")),
                ("brief", models.TextField(blank=True, max_length=100000, verbose_name="brief")),
                ("entrypoint", models.CharField(default="main.py", max_length=255, verbose_name="file to run")),
                ("gpus", models.PositiveSmallIntegerField(default=1, verbose_name="GPUs")),
                ("max_gpus", models.PositiveSmallIntegerField(default=1, verbose_name="most GPUs")),
                ("gpu_type", models.CharField(blank=True, max_length=60, verbose_name="GPU type")),
                ("wall_s", models.PositiveIntegerField(default=600, verbose_name="time limit in seconds")),
                ("max_wall_s", models.PositiveIntegerField(default=3600, verbose_name="longest time limit in seconds")),
                (
                    "main_metric",
                    models.CharField(
                        blank=True, default="accuracy", max_length=64, verbose_name="metric shown on the board"
                    ),
                ),
                ("due_at", models.DateTimeField(blank=True, null=True, verbose_name="due")),
                ("is_published", models.BooleanField(default=True, verbose_name="published")),
                ("data_sets", models.ManyToManyField(blank=True, related_name="labs", to="environments.dataset")),
                (
                    "environment",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="labs", to="environments.environment"
                    ),
                ),
            ],
            options={
                "ordering": ("module_id", "position"),
            },
        ),
    ]

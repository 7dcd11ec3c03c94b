import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="Artifact",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("path", models.CharField(max_length=400)),
                ("size_bytes", models.BigIntegerField()),
                ("digest", models.CharField(max_length=64)),
                ("file", models.FileField(max_length=300, upload_to="")),
                ("is_published", models.BooleanField(default=False)),
            ],
            options={
                "ordering": ("path",),
            },
        ),
        migrations.CreateModel(
            name="Attempt",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.PositiveSmallIntegerField()),
                ("fence", models.BigIntegerField()),
                ("boot_id", models.CharField(blank=True, help_text="The agent's run that claimed it.", max_length=40)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("ASSIGNED", "Given to a node"),
                            ("CLAIMED", "Being prepared"),
                            ("RUNNING", "Running"),
                            ("ENDED", "Ended"),
                        ],
                        default="ASSIGNED",
                        max_length=10,
                    ),
                ),
                (
                    "outcome",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("", ""),
                            ("SETTLED", "Ended and settled"),
                            ("LOST", "Lost by the platform and refunded"),
                        ],
                        default="",
                        max_length=10,
                    ),
                ),
                ("lease_expires_at", models.DateTimeField(blank=True, null=True)),
                ("assigned_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("claimed_at", models.DateTimeField(blank=True, null=True)),
                ("started_at", models.DateTimeField(blank=True, null=True)),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
                (
                    "run_s",
                    models.FloatField(blank=True, help_text="Seconds the program ran, by the node's clock.", null=True),
                ),
                (
                    "lost_s",
                    models.PositiveIntegerField(default=0, help_text="GPU-seconds lost by the platform and refunded."),
                ),
                ("cpu_s", models.FloatField(blank=True, null=True)),
                ("peak_memory_bytes", models.BigIntegerField(blank=True, null=True)),
                ("gpu_labels", models.JSONField(default=list, help_text="The GPUs it was given, as shown to people.")),
                ("log_bytes", models.BigIntegerField(default=0)),
                ("log_is_truncated", models.BooleanField(default=False)),
                (
                    "report",
                    models.JSONField(
                        default=dict, help_text="What the node said when it ended, skipped outputs included."
                    ),
                ),
            ],
            options={
                "ordering": ("job_id", "number"),
            },
        ),
        migrations.CreateModel(
            name="GpuLease",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            ],
        ),
        migrations.CreateModel(
            name="Job",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("title", models.CharField(max_length=160)),
                ("entrypoint", models.CharField(default="main.py", max_length=255)),
                ("gpus", models.PositiveSmallIntegerField(default=1)),
                ("gpu_type", models.CharField(blank=True, help_text="Empty means any.", max_length=60)),
                ("wall_s", models.PositiveIntegerField()),
                ("deadline_at", models.DateTimeField(blank=True, null=True)),
                (
                    "work_key",
                    models.CharField(
                        blank=True, help_text="Jobs of the same work, by which run times are predicted.", max_length=80
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("QUEUED", "Queued"),
                            ("RUNNING", "Running"),
                            ("SUCCEEDED", "Succeeded"),
                            ("FAILED", "Failed"),
                            ("TIMED_OUT", "Timed out"),
                            ("CANCELLED", "Cancelled"),
                        ],
                        default="QUEUED",
                        max_length=10,
                    ),
                ),
                (
                    "end_reason",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("", ""),
                            ("COMPLETED", "Ended by itself with exit code 0"),
                            ("EXIT_CODE", "The program ended with an error"),
                            ("OUT_OF_MEMORY", "It needed more memory than it was given"),
                            ("OUTPUT_FLOOD", "It printed more than a log may hold"),
                            ("WALL_LIMIT", "It reached its time limit"),
                            ("CANCELLED", "Cancelled"),
                            ("PLATFORM", "The platform lost it; nothing was charged"),
                            ("ENVIRONMENT", "Its environment could not be built; nothing was charged"),
                        ],
                        default="",
                        max_length=16,
                    ),
                ),
                ("exit_code", models.SmallIntegerField(blank=True, null=True)),
                ("end_detail", models.CharField(blank=True, max_length=300)),
                ("attempts_made", models.PositiveSmallIntegerField(default=0)),
                ("cancel_requested_at", models.DateTimeField(blank=True, null=True)),
                ("submitted_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("started_at", models.DateTimeField(blank=True, null=True)),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
                ("charged_s", models.BigIntegerField(default=0, help_text="GPU-seconds that stayed charged.")),
                ("result", models.JSONField(default=dict, help_text="metrics.json, when the job wrote a flat one.")),
                ("wait_reason", models.CharField(blank=True, max_length=30)),
                ("wait_facts", models.JSONField(default=dict)),
                ("queue_place", models.PositiveIntegerField(blank=True, null=True)),
                ("start_p50_at", models.DateTimeField(blank=True, null=True)),
                ("start_p90_at", models.DateTimeField(blank=True, null=True)),
                (
                    "factors",
                    models.JSONField(default=dict, help_text="What its order was made of when it was started."),
                ),
                ("idempotency_key", models.CharField(blank=True, max_length=80, null=True)),
                ("request_digest", models.CharField(blank=True, max_length=64)),
            ],
            options={
                "ordering": ("-id",),
            },
        ),
        migrations.CreateModel(
            name="JobEvent",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("attempt", models.PositiveSmallIntegerField(blank=True, null=True)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("SUBMITTED", "Submitted"),
                            ("ASSIGNED", "Given to a node"),
                            ("CLAIMED", "The node prepares it"),
                            ("STARTED", "Started"),
                            ("LOST", "Lost by the platform, refunded"),
                            ("CANCEL_REQUESTED", "Cancelling"),
                            ("ENDED", "Ended"),
                        ],
                        max_length=20,
                    ),
                ),
                ("facts", models.JSONField(default=dict)),
                ("at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
            options={
                "ordering": ("id",),
            },
        ),
        migrations.CreateModel(
            name="LogChunk",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("start", models.BigIntegerField()),
                ("content", models.BinaryField()),
                ("at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
            options={
                "ordering": ("start",),
            },
        ),
        migrations.CreateModel(
            name="MetricPoint",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("seq", models.PositiveIntegerField()),
                ("run_s", models.FloatField()),
                ("values", models.JSONField()),
            ],
            options={
                "ordering": ("seq",),
            },
        ),
        migrations.CreateModel(
            name="SourceBundle",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("digest", models.CharField(max_length=64, unique=True)),
                ("files", models.JSONField()),
                ("size_bytes", models.PositiveIntegerField()),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
        ),
    ]

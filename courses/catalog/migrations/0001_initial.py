import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="Cohort",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=80, verbose_name="name")),
                ("seats", models.PositiveIntegerField(verbose_name="seats")),
                ("seats_taken", models.PositiveIntegerField(default=0, editable=False)),
                (
                    "self_enrolment_opens_at",
                    models.DateTimeField(blank=True, null=True, verbose_name="self-enrolment opens"),
                ),
                (
                    "self_enrolment_closes_at",
                    models.DateTimeField(blank=True, null=True, verbose_name="self-enrolment closes"),
                ),
                (
                    "learner_quota_s",
                    models.PositiveIntegerField(default=72000, verbose_name="GPU-seconds a learner gets on enrolment"),
                ),
            ],
            options={
                "ordering": ("run_id", "name"),
            },
        ),
        migrations.CreateModel(
            name="Course",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name_ko", models.CharField(max_length=120, verbose_name="name in Korean")),
                ("name_en", models.CharField(blank=True, max_length=120, verbose_name="name in English")),
                ("code", models.CharField(max_length=20, unique=True, verbose_name="code")),
                ("summary_ko", models.TextField(blank=True)),
                ("summary_en", models.TextField(blank=True)),
            ],
            options={
                "ordering": ("code",),
            },
        ),
        migrations.CreateModel(
            name="CourseRun",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("slug", models.SlugField(max_length=60, unique=True)),
                ("is_published", models.BooleanField(default=False, verbose_name="published")),
            ],
            options={
                "ordering": ("-term__starts_on", "course__code"),
            },
        ),
        migrations.CreateModel(
            name="Enrolment",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "mode",
                    models.CharField(
                        choices=[("ONSITE", "On site"), ("ONLINE", "Online")],
                        default="ONSITE",
                        max_length=10,
                        verbose_name="mode",
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[("ACTIVE", "Enrolled"), ("WITHDRAWN", "Withdrawn"), ("COMPLETED", "Completed")],
                        default="ACTIVE",
                        max_length=10,
                        verbose_name="state",
                    ),
                ),
                ("enrolled_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "ordering": ("cohort_id", "user__name", "id"),
            },
        ),
        migrations.CreateModel(
            name="Programme",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name_ko", models.CharField(max_length=120, verbose_name="name in Korean")),
                ("name_en", models.CharField(blank=True, max_length=120, verbose_name="name in English")),
                ("slug", models.SlugField(max_length=60, unique=True)),
                ("summary_ko", models.TextField(blank=True)),
                ("summary_en", models.TextField(blank=True)),
            ],
            options={
                "ordering": ("slug",),
            },
        ),
        migrations.CreateModel(
            name="Term",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name_ko", models.CharField(max_length=120, verbose_name="name in Korean")),
                ("name_en", models.CharField(blank=True, max_length=120, verbose_name="name in English")),
                ("slug", models.SlugField(max_length=20, unique=True)),
                ("starts_on", models.DateField()),
                ("ends_on", models.DateField()),
            ],
            options={
                "ordering": ("-starts_on",),
            },
        ),
    ]

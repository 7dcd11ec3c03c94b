import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("catalog", "0003_open_programme_accounts_per_campus"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="SupportSettings",
            fields=[
                (
                    "run",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to="catalog.courserun",
                    ),
                ),
                ("absences", models.PositiveSmallIntegerField(default=2, verbose_name="absences, lates folded in")),
                (
                    "lessons_pct",
                    models.PositiveSmallIntegerField(
                        default=25, verbose_name="behind the middle of the cohort, % of lessons"
                    ),
                ),
                ("missing", models.PositiveSmallIntegerField(default=1, verbose_name="assignments not handed in")),
                ("late", models.PositiveSmallIntegerField(default=3, verbose_name="assignments handed in late")),
                ("idle_days", models.PositiveSmallIntegerField(default=14, verbose_name="days without a GPU job")),
                (
                    "falling_pct",
                    models.PositiveSmallIntegerField(
                        default=15, verbose_name="last two grades lower, percentage points"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("falling_pct__lte", 100), ("lessons_pct__lte", 100)),
                        name="support_percentages",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="SupportMessage",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("title", models.CharField(max_length=120, verbose_name="title")),
                ("body", models.TextField(max_length=5000, verbose_name="text")),
                ("at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                (
                    "author",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "enrolment",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="catalog.enrolment"
                    ),
                ),
            ],
            options={
                "ordering": ("-id",),
                "indexes": [models.Index(fields=["enrolment", "-id"], name="support_message_newest")],
            },
        ),
        migrations.CreateModel(
            name="SupportNote",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("kind", models.CharField(max_length=10)),
                ("level", models.IntegerField()),
                (
                    "act",
                    models.CharField(choices=[("TALKED", "Talked to"), ("DISMISSED", "No help needed")], max_length=9),
                ),
                ("text", models.CharField(blank=True, max_length=500, verbose_name="note")),
                ("at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                (
                    "author",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "enrolment",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="catalog.enrolment"
                    ),
                ),
            ],
            options={
                "ordering": ("-id",),
                "indexes": [models.Index(fields=["enrolment", "kind", "-id"], name="support_note_newest")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("kind__in", ["ABSENCES", "LESSONS", "MISSING", "LATE", "IDLE", "FALLING"])),
                        name="support_note_kind",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("act__in", ["TALKED", "DISMISSED"])), name="support_note_act"
                    ),
                ],
            },
        ),
    ]

import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("catalog", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Module",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("position", models.PositiveSmallIntegerField(verbose_name="position")),
                ("title", models.CharField(max_length=120, verbose_name="title")),
                ("starts_on", models.DateField(blank=True, null=True, verbose_name="starts on")),
                ("is_published", models.BooleanField(default=True, verbose_name="published")),
                (
                    "run",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="modules", to="catalog.courserun"
                    ),
                ),
            ],
            options={
                "ordering": ("run_id", "position"),
            },
        ),
        migrations.CreateModel(
            name="Lesson",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("position", models.PositiveSmallIntegerField(verbose_name="position")),
                ("title", models.CharField(max_length=120, verbose_name="title")),
                ("body", models.TextField(blank=True, max_length=200000, verbose_name="text")),
                ("minutes", models.PositiveSmallIntegerField(default=10, verbose_name="minutes to read")),
                ("is_published", models.BooleanField(default=True, verbose_name="published")),
                ("changed_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                (
                    "module",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="lessons", to="content.module"
                    ),
                ),
            ],
            options={
                "ordering": ("module_id", "position"),
            },
        ),
        migrations.CreateModel(
            name="LessonCompletion",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                (
                    "enrolment",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="lesson_completions",
                        to="catalog.enrolment",
                    ),
                ),
                (
                    "lesson",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="completions", to="content.lesson"
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("enrolment", "lesson"), name="lesson_completion_once")],
            },
        ),
        migrations.AddConstraint(
            model_name="module",
            constraint=models.UniqueConstraint(fields=("run", "position"), name="module_position_once"),
        ),
        migrations.AddConstraint(
            model_name="lesson",
            constraint=models.UniqueConstraint(fields=("module", "position"), name="lesson_position_once"),
        ),
    ]

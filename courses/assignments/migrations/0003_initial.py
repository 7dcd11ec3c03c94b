import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("assignments", "0002_initial"),
        ("catalog", "0001_initial"),
        ("jobs", "0001_initial"),
    ]

    operations = [
        migrations.AddField(
            model_name="lab",
            name="starter",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="labs", to="jobs.sourcebundle"
            ),
        ),
        migrations.AddField(
            model_name="labrun",
            name="enrolment",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="lab_runs", to="catalog.enrolment"
            ),
        ),
        migrations.AddField(
            model_name="labrun",
            name="job",
            field=models.OneToOneField(
                on_delete=django.db.models.deletion.CASCADE, related_name="lab_run", to="jobs.job"
            ),
        ),
        migrations.AddField(
            model_name="labrun",
            name="lab",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="runs", to="assignments.lab"
            ),
        ),
        migrations.AddConstraint(
            model_name="lab",
            constraint=models.UniqueConstraint(fields=("module", "position"), name="lab_position_once"),
        ),
        migrations.AddConstraint(
            model_name="lab",
            constraint=models.CheckConstraint(condition=models.Q(("gpus__gte", 1)), name="lab_has_a_gpu"),
        ),
        migrations.AddConstraint(
            model_name="lab",
            constraint=models.CheckConstraint(
                condition=models.Q(("max_gpus__gte", models.F("gpus"))), name="lab_max_gpus"
            ),
        ),
        migrations.AddConstraint(
            model_name="lab",
            constraint=models.CheckConstraint(
                condition=models.Q(("max_wall_s__gte", models.F("wall_s"))), name="lab_max_wall"
            ),
        ),
        migrations.AddIndex(
            model_name="labrun",
            index=models.Index(fields=["lab", "enrolment"], name="lab_run_lab_enrolment"),
        ),
    ]

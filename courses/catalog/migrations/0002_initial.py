import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("catalog", "0001_initial"),
        ("people", "0001_initial"),
        ("places", "0001_initial"),
        ("quota", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="cohort",
            name="account",
            field=models.OneToOneField(
                on_delete=django.db.models.deletion.PROTECT, related_name="cohort", to="quota.account"
            ),
        ),
        migrations.AddField(
            model_name="cohort",
            name="campus",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="cohorts", to="places.campus"
            ),
        ),
        migrations.AddField(
            model_name="cohort",
            name="scope",
            field=models.OneToOneField(
                on_delete=django.db.models.deletion.PROTECT, related_name="cohort", to="people.scope"
            ),
        ),
        migrations.AddField(
            model_name="courserun",
            name="course",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="runs", to="catalog.course"
            ),
        ),
        migrations.AddField(
            model_name="cohort",
            name="run",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="cohorts", to="catalog.courserun"
            ),
        ),
        migrations.AddField(
            model_name="enrolment",
            name="account",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="enrolments", to="quota.account"
            ),
        ),
        migrations.AddField(
            model_name="enrolment",
            name="cohort",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="enrolments", to="catalog.cohort"
            ),
        ),
        migrations.AddField(
            model_name="enrolment",
            name="run",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="enrolments", to="catalog.courserun"
            ),
        ),
        migrations.AddField(
            model_name="enrolment",
            name="user",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="enrolments", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="course",
            name="programme",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="courses", to="catalog.programme"
            ),
        ),
        migrations.AddConstraint(
            model_name="term",
            constraint=models.CheckConstraint(
                condition=models.Q(("ends_on__gt", models.F("starts_on"))), name="term_ends_after_start"
            ),
        ),
        migrations.AddField(
            model_name="courserun",
            name="term",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="runs", to="catalog.term"
            ),
        ),
        migrations.AddConstraint(
            model_name="cohort",
            constraint=models.UniqueConstraint(fields=("run", "name"), name="cohort_name_once_a_run"),
        ),
        migrations.AddConstraint(
            model_name="cohort",
            constraint=models.CheckConstraint(
                condition=models.Q(("seats_taken__lte", models.F("seats"))), name="cohort_seats_not_exceeded"
            ),
        ),
        migrations.AddConstraint(
            model_name="enrolment",
            constraint=models.UniqueConstraint(fields=("cohort", "user"), name="enrolment_once_a_cohort"),
        ),
        migrations.AddConstraint(
            model_name="enrolment",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state", "ACTIVE")), fields=("run", "user"), name="enrolment_one_active_a_run"
            ),
        ),
        migrations.AddConstraint(
            model_name="enrolment",
            constraint=models.CheckConstraint(
                condition=models.Q(("mode__in", ["ONSITE", "ONLINE"])), name="enrolment_mode"
            ),
        ),
        migrations.AddConstraint(
            model_name="enrolment",
            constraint=models.CheckConstraint(
                condition=models.Q(("state__in", ["ACTIVE", "WITHDRAWN", "COMPLETED"])), name="enrolment_state"
            ),
        ),
        migrations.AddConstraint(
            model_name="courserun",
            constraint=models.UniqueConstraint(fields=("course", "term"), name="course_run_once_a_term"),
        ),
    ]

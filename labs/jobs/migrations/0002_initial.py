import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("environments", "0001_initial"),
        ("jobs", "0001_initial"),
        ("places", "0001_initial"),
        ("pool", "0001_initial"),
        ("quota", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="attempt",
            name="node",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="attempts", to="pool.node"
            ),
        ),
        migrations.AddField(
            model_name="artifact",
            name="attempt",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="artifacts", to="jobs.attempt"
            ),
        ),
        migrations.AddField(
            model_name="gpulease",
            name="attempt",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="gpu_leases", to="jobs.attempt"
            ),
        ),
        migrations.AddField(
            model_name="gpulease",
            name="gpu",
            field=models.OneToOneField(
                on_delete=django.db.models.deletion.PROTECT, related_name="lease", to="pool.gpu"
            ),
        ),
        migrations.AddField(
            model_name="job",
            name="account",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="jobs", to="quota.account"
            ),
        ),
        migrations.AddField(
            model_name="job",
            name="data_sets",
            field=models.ManyToManyField(blank=True, related_name="jobs", to="environments.dataset"),
        ),
        migrations.AddField(
            model_name="job",
            name="environment",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="jobs",
                to="environments.environment",
            ),
        ),
        migrations.AddField(
            model_name="job",
            name="owner",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="jobs", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="job",
            name="preferred_campus",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to="places.campus",
            ),
        ),
        migrations.AddField(
            model_name="job",
            name="rerun_of",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="reruns",
                to="jobs.job",
            ),
        ),
        migrations.AddField(
            model_name="attempt",
            name="job",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="attempts", to="jobs.job"
            ),
        ),
        migrations.AddField(
            model_name="jobevent",
            name="job",
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="events", to="jobs.job"),
        ),
        migrations.AddField(
            model_name="logchunk",
            name="attempt",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="log_chunks", to="jobs.attempt"
            ),
        ),
        migrations.AddField(
            model_name="metricpoint",
            name="attempt",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="metric_points", to="jobs.attempt"
            ),
        ),
        migrations.AddField(
            model_name="job",
            name="source",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="jobs", to="jobs.sourcebundle"
            ),
        ),
        migrations.AddConstraint(
            model_name="artifact",
            constraint=models.UniqueConstraint(fields=("attempt", "path"), name="artifact_path_once"),
        ),
        migrations.AddIndex(
            model_name="attempt",
            index=models.Index(
                condition=models.Q(("state", "ENDED"), _negated=True),
                fields=["node", "state"],
                name="attempt_open_by_node",
            ),
        ),
        migrations.AddIndex(
            model_name="attempt",
            index=models.Index(
                condition=models.Q(("state", "ENDED"), _negated=True),
                fields=["lease_expires_at"],
                name="attempt_open_by_lease",
            ),
        ),
        migrations.AddConstraint(
            model_name="attempt",
            constraint=models.UniqueConstraint(fields=("job", "number"), name="attempt_number_once"),
        ),
        migrations.AddConstraint(
            model_name="attempt",
            constraint=models.UniqueConstraint(fields=("fence",), name="attempt_fence_once"),
        ),
        migrations.AddConstraint(
            model_name="attempt",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state", "ENDED"), _negated=True), fields=("job",), name="attempt_one_open_a_job"
            ),
        ),
        migrations.AddConstraint(
            model_name="attempt",
            constraint=models.CheckConstraint(
                condition=models.Q(("state__in", ["ASSIGNED", "CLAIMED", "RUNNING", "ENDED"])), name="attempt_state"
            ),
        ),
        migrations.AddConstraint(
            model_name="attempt",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("lease_expires_at", None), ("state", "ENDED")),
                    models.Q(
                        models.Q(("state", "ENDED"), _negated=True), models.Q(("lease_expires_at", None), _negated=True)
                    ),
                    _connector="OR",
                ),
                name="attempt_lease_iff_open",
            ),
        ),
        migrations.AddConstraint(
            model_name="logchunk",
            constraint=models.UniqueConstraint(fields=("attempt", "start"), name="log_chunk_start_once"),
        ),
        migrations.AddConstraint(
            model_name="metricpoint",
            constraint=models.UniqueConstraint(fields=("attempt", "seq"), name="metric_point_seq_once"),
        ),
        migrations.AddIndex(
            model_name="job",
            index=models.Index(condition=models.Q(("state", "QUEUED")), fields=["id"], name="job_queued"),
        ),
        migrations.AddIndex(
            model_name="job",
            index=models.Index(condition=models.Q(("state", "RUNNING")), fields=["id"], name="job_running"),
        ),
        migrations.AddIndex(
            model_name="job",
            index=models.Index(fields=["owner", "-id"], name="job_owner_newest"),
        ),
        migrations.AddIndex(
            model_name="job",
            index=models.Index(fields=["account", "-id"], name="job_account_newest"),
        ),
        migrations.AddIndex(
            model_name="job",
            index=models.Index(fields=["work_key", "owner", "-id"], name="job_work_owner"),
        ),
        migrations.AddConstraint(
            model_name="job",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("state__in", ["QUEUED", "RUNNING", "SUCCEEDED", "FAILED", "TIMED_OUT", "CANCELLED"])
                ),
                name="job_state",
            ),
        ),
        migrations.AddConstraint(
            model_name="job",
            constraint=models.CheckConstraint(condition=models.Q(("gpus__gte", 1)), name="job_has_a_gpu"),
        ),
        migrations.AddConstraint(
            model_name="job",
            constraint=models.CheckConstraint(condition=models.Q(("wall_s__gte", 1)), name="job_has_a_wall_limit"),
        ),
        migrations.AddConstraint(
            model_name="job",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("ended_at", None), ("state__in", ["QUEUED", "RUNNING"])),
                    models.Q(
                        models.Q(("state__in", ["QUEUED", "RUNNING"]), _negated=True),
                        models.Q(("ended_at", None), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="job_ended_iff_over",
            ),
        ),
        migrations.AddConstraint(
            model_name="job",
            constraint=models.UniqueConstraint(fields=("owner", "idempotency_key"), name="job_idempotency_key_once"),
        ),
    ]

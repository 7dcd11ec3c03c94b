import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("places", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Site",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name_ko", models.CharField(max_length=120, verbose_name="name in Korean")),
                ("name_en", models.CharField(blank=True, max_length=120, verbose_name="name in English")),
                ("slug", models.SlugField(max_length=40, unique=True)),
                ("power_cap_w", models.PositiveIntegerField(blank=True, null=True, verbose_name="power cap in watts")),
                ("is_open", models.BooleanField(default=True, verbose_name="open")),
                (
                    "campus",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="sites",
                        to="places.campus",
                        verbose_name="campus",
                    ),
                ),
            ],
            options={
                "ordering": ("id",),
            },
        ),
        migrations.CreateModel(
            name="Node",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.SlugField(max_length=60, unique=True)),
                ("token_digest", models.CharField(max_length=64, unique=True)),
                (
                    "state",
                    models.CharField(
                        choices=[("UP", "Up"), ("DRAINING", "Draining"), ("DOWN", "Down")],
                        default="DOWN",
                        max_length=10,
                    ),
                ),
                ("drain_reason", models.CharField(blank=True, max_length=200)),
                (
                    "boot_id",
                    models.CharField(blank=True, help_text="Changes whenever the node's agent starts.", max_length=40),
                ),
                ("agent_version", models.CharField(blank=True, max_length=40)),
                (
                    "confinement",
                    models.CharField(
                        choices=[
                            ("FULL", "Confined"),
                            ("UNCONFINED", "Not confined"),
                            ("REFUSED", "Refuses learners' code"),
                        ],
                        default="REFUSED",
                        max_length=10,
                    ),
                ),
                ("confinement_detail", models.CharField(blank=True, max_length=300)),
                ("cpu_count", models.PositiveIntegerField(default=0)),
                ("memory_mib", models.PositiveIntegerField(default=0)),
                ("heartbeat_at", models.DateTimeField(blank=True, null=True)),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                (
                    "site",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="nodes", to="pool.site"
                    ),
                ),
            ],
            options={
                "ordering": ("site_id", "name"),
            },
        ),
        migrations.CreateModel(
            name="Gpu",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("index", models.PositiveSmallIntegerField()),
                ("uuid", models.CharField(max_length=64)),
                (
                    "kind",
                    models.CharField(
                        choices=[("NVIDIA", "NVIDIA GPU"), ("CPU_SLOT", "CPU slot, not a GPU")], max_length=10
                    ),
                ),
                (
                    "gpu_type",
                    models.CharField(help_text="What a job asks for, for example nvidia-h100.", max_length=60),
                ),
                ("memory_mib", models.PositiveIntegerField(default=0)),
                ("watts", models.PositiveIntegerField(default=0, help_text="Power at full load, for the site's cap.")),
                ("is_healthy", models.BooleanField(default=True)),
                ("utilisation_pct", models.PositiveSmallIntegerField(blank=True, null=True)),
                ("memory_used_mib", models.PositiveIntegerField(blank=True, null=True)),
                ("power_w", models.PositiveIntegerField(blank=True, null=True)),
                ("seen_at", models.DateTimeField(blank=True, null=True)),
                (
                    "node",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="gpus", to="pool.node"),
                ),
            ],
            options={
                "ordering": ("node_id", "index"),
                "constraints": [
                    models.UniqueConstraint(fields=("node", "index"), name="gpu_index_once_a_node"),
                    models.CheckConstraint(condition=models.Q(("kind__in", ["NVIDIA", "CPU_SLOT"])), name="gpu_kind"),
                ],
            },
        ),
        migrations.CreateModel(
            name="NodeEnvironment",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("digest", models.CharField(max_length=64)),
                (
                    "state",
                    models.CharField(
                        choices=[("BUILDING", "Being built"), ("READY", "Ready"), ("FAILED", "Failed")], max_length=10
                    ),
                ),
                ("detail", models.TextField(blank=True)),
                ("size_bytes", models.BigIntegerField(default=0)),
                ("changed_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                (
                    "node",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="environments", to="pool.node"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("node", "digest"), name="node_environment_once"),
                    models.CheckConstraint(
                        condition=models.Q(("state__in", ["BUILDING", "READY", "FAILED"])),
                        name="node_environment_state",
                    ),
                ],
            },
        ),
        migrations.AddConstraint(
            model_name="node",
            constraint=models.CheckConstraint(
                condition=models.Q(("state__in", ["UP", "DRAINING", "DOWN"])), name="node_state"
            ),
        ),
    ]

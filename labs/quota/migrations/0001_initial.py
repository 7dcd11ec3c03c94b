import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.db.models.deletion
import django.db.models.expressions
import django.db.models.functions.datetime
import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("people", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Account",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("PLATFORM", "Platform"),
                            ("CAMPUS", "Campus"),
                            ("PROGRAMME", "Programme"),
                            ("SPONSOR", "Sponsor"),
                            ("COHORT", "Cohort"),
                            ("LEARNER", "Learner"),
                        ],
                        max_length=10,
                    ),
                ),
                ("name", models.CharField(max_length=160, verbose_name="name")),
                (
                    "path",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.BigIntegerField(), default=list, editable=False, size=None
                    ),
                ),
                ("weight", models.PositiveIntegerField(default=1, verbose_name="fair-share weight")),
                (
                    "max_running_gpus",
                    models.PositiveIntegerField(blank=True, null=True, verbose_name="most GPUs at once"),
                ),
                (
                    "overcommit_pct",
                    models.PositiveIntegerField(
                        default=100,
                        help_text="More than 100 lets children share slack.",
                        verbose_name="may grant in all, % of its own",
                    ),
                ),
                ("allocated_s", models.BigIntegerField(default=0)),
                ("granted_s", models.BigIntegerField(default=0, help_text="What its children were allocated, summed.")),
                ("held_s", models.BigIntegerField(default=0)),
                ("used_s", models.BigIntegerField(default=0)),
                ("is_open", models.BooleanField(default=True)),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                (
                    "owner",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="quota_accounts",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "parent",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="children",
                        to="quota.account",
                    ),
                ),
                (
                    "scope",
                    models.ForeignKey(
                        help_text="Whose staff look after it.",
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="accounts",
                        to="people.scope",
                    ),
                ),
            ],
            options={
                "ordering": ("id",),
            },
        ),
        migrations.CreateModel(
            name="Allocation",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("delta_s", models.BigIntegerField()),
                ("before_s", models.BigIntegerField()),
                ("after_s", models.BigIntegerField()),
                ("reason", models.CharField(max_length=300, verbose_name="reason")),
                ("at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="allocations", to="quota.account"
                    ),
                ),
                (
                    "actor",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ("-id",),
            },
        ),
        migrations.CreateModel(
            name="LedgerEntry",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("path", django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), size=None)),
                ("job_id", models.BigIntegerField()),
                ("attempt", models.PositiveSmallIntegerField()),
                (
                    "kind",
                    models.CharField(
                        choices=[("HOLD", "Hold"), ("CHARGE", "Charge"), ("RELEASE", "Release"), ("REFUND", "Refund")],
                        max_length=10,
                    ),
                ),
                ("gpu_seconds", models.BigIntegerField()),
                ("reason", models.CharField(blank=True, max_length=200)),
                ("at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), db_index=True)),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="entries", to="quota.account"
                    ),
                ),
            ],
            options={
                "ordering": ("id",),
            },
        ),
        migrations.CreateModel(
            name="UsageDay",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("path", django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), size=None)),
                ("day", models.DateField()),
                ("charged_s", models.BigIntegerField(default=0)),
                ("refunded_s", models.BigIntegerField(default=0)),
                ("jobs", models.PositiveIntegerField(default=0, help_text="Jobs that were charged that day.")),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="usage_days", to="quota.account"
                    ),
                ),
            ],
        ),
        migrations.AddIndex(
            model_name="account",
            index=django.contrib.postgres.indexes.GinIndex(fields=["path"], name="account_path"),
        ),
        migrations.AddConstraint(
            model_name="account",
            constraint=models.CheckConstraint(
                condition=models.Q(("kind__in", ["PLATFORM", "CAMPUS", "PROGRAMME", "SPONSOR", "COHORT", "LEARNER"])),
                name="account_kind",
            ),
        ),
        migrations.AddConstraint(
            model_name="account",
            constraint=models.CheckConstraint(condition=models.Q(("held_s__gte", 0)), name="account_held_not_negative"),
        ),
        migrations.AddConstraint(
            model_name="account",
            constraint=models.CheckConstraint(condition=models.Q(("used_s__gte", 0)), name="account_used_not_negative"),
        ),
        migrations.AddConstraint(
            model_name="account",
            constraint=models.CheckConstraint(
                condition=models.Q(("granted_s__gte", 0)), name="account_granted_not_negative"
            ),
        ),
        migrations.AddConstraint(
            model_name="account",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "allocated_s__gte",
                        django.db.models.expressions.CombinedExpression(models.F("used_s"), "+", models.F("held_s")),
                    )
                ),
                name="account_balance_not_negative",
            ),
        ),
        migrations.AddConstraint(
            model_name="account",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "granted_s__lte",
                        django.db.models.expressions.CombinedExpression(
                            django.db.models.expressions.CombinedExpression(
                                models.F("allocated_s"), "*", models.F("overcommit_pct")
                            ),
                            "/",
                            models.Value(100),
                        ),
                    )
                ),
                name="account_grants_within_overcommit",
            ),
        ),
        migrations.AddConstraint(
            model_name="account",
            constraint=models.CheckConstraint(condition=models.Q(("weight__gte", 1)), name="account_weight_positive"),
        ),
        migrations.AddConstraint(
            model_name="account",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("kind", "LEARNER"), ("owner__isnull", False)),
                    models.Q(("kind", "LEARNER"), _negated=True),
                    _connector="OR",
                ),
                name="account_learner_has_owner",
            ),
        ),
        migrations.AddConstraint(
            model_name="account",
            constraint=models.UniqueConstraint(
                condition=models.Q(("kind", "LEARNER")), fields=("parent", "owner"), name="account_learner_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="account",
            constraint=models.UniqueConstraint(
                condition=models.Q(("kind", "PLATFORM")), fields=("kind",), name="account_one_platform"
            ),
        ),
        migrations.AddConstraint(
            model_name="allocation",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "after_s",
                        django.db.models.expressions.CombinedExpression(models.F("before_s"), "+", models.F("delta_s")),
                    )
                ),
                name="allocation_adds_up",
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="allocation",
            trigger=pgtrigger.compiler.Trigger(
                name="allocation_is_append_only",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                    hash="7b4c0455efccae76b1ca53561834e8869cb7b407",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_allocation_is_append_only_c1e7b",
                    table="quota_allocation",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.AddIndex(
            model_name="ledgerentry",
            index=models.Index(fields=["account", "at"], name="ledger_account_at"),
        ),
        migrations.AddConstraint(
            model_name="ledgerentry",
            constraint=models.UniqueConstraint(
                fields=("job_id", "attempt", "kind"), name="ledger_once_per_job_attempt_kind"
            ),
        ),
        migrations.AddConstraint(
            model_name="ledgerentry",
            constraint=models.CheckConstraint(
                condition=models.Q(("gpu_seconds__gte", 0)), name="ledger_seconds_not_negative"
            ),
        ),
        migrations.AddConstraint(
            model_name="ledgerentry",
            constraint=models.CheckConstraint(
                condition=models.Q(("kind__in", ["HOLD", "CHARGE", "RELEASE", "REFUND"])), name="ledger_kind"
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="ledgerentry",
            trigger=pgtrigger.compiler.Trigger(
                name="ledger_is_append_only",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                    hash="dcbf40222d23d4b43f7cdb7963baed0a3c2bc99c",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_ledger_is_append_only_3e8c3",
                    table="quota_ledgerentry",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.AddIndex(
            model_name="usageday",
            index=django.contrib.postgres.indexes.GinIndex(fields=["path"], name="usage_day_path"),
        ),
        migrations.AddIndex(
            model_name="usageday",
            index=models.Index(fields=["day"], name="usage_day_day"),
        ),
        migrations.AddConstraint(
            model_name="usageday",
            constraint=models.UniqueConstraint(fields=("account", "day"), name="usage_day_once"),
        ),
    ]

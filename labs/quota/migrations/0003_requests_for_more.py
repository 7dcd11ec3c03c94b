import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("quota", "0002_ledger_entries_carry_their_day"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="QuotaRequest",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("wanted_s", models.BigIntegerField()),
                ("until", models.DateField(verbose_name="needed until")),
                ("reason", models.CharField(max_length=500, verbose_name="reason")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("OPEN", "Open"),
                            ("PASSED_UP", "Passed up"),
                            ("APPROVED", "Approved"),
                            ("DECLINED", "Declined"),
                            ("WITHDRAWN", "Withdrawn"),
                        ],
                        default="OPEN",
                        max_length=10,
                    ),
                ),
                ("asked_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("decided_at", models.DateTimeField(blank=True, null=True)),
                ("given_s", models.BigIntegerField(blank=True, null=True)),
                ("answer", models.CharField(blank=True, max_length=300, verbose_name="answer")),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="requests", to="quota.account"
                    ),
                ),
                (
                    "asker",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="quota_requests",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "decided_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "raised_for",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="raised",
                        to="quota.quotarequest",
                    ),
                ),
            ],
            options={
                "ordering": ("-id",),
                "indexes": [
                    models.Index(fields=["account", "-id"], name="request_account_newest"),
                    models.Index(fields=["asker", "-id"], name="request_asker_newest"),
                    models.Index(condition=models.Q(("state", "OPEN")), fields=["id"], name="request_open"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("state__in", ["OPEN", "PASSED_UP", "APPROVED", "DECLINED", "WITHDRAWN"])),
                        name="request_state",
                    ),
                    models.CheckConstraint(condition=models.Q(("wanted_s__gt", 0)), name="request_of_something"),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("given_s__gt", 0), ("given_s__lte", models.F("wanted_s")), ("state", "APPROVED")),
                            models.Q(models.Q(("state", "APPROVED"), _negated=True), ("given_s__isnull", True)),
                            _connector="OR",
                        ),
                        name="request_given_iff_approved",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("decided_at__isnull", True), ("state__in", ["OPEN", "PASSED_UP"])),
                            models.Q(
                                models.Q(("state__in", ["OPEN", "PASSED_UP"]), _negated=True),
                                ("decided_at__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="request_decided_iff_over",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("raised_for__isnull", True), ("state__in", ["OPEN", "PASSED_UP"])),
                        fields=("account", "asker"),
                        name="request_one_waiting",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("state__in", ["OPEN", "PASSED_UP"])),
                        fields=("raised_for",),
                        name="request_raised_once",
                    ),
                ],
            },
        ),
    ]

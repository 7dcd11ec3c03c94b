import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("core", "0003_make_audit_entries_read_only"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Notice",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("kind", models.CharField(max_length=60)),
                ("facts", models.JSONField(default=dict)),
                ("url", models.CharField(max_length=300)),
                ("key", models.CharField(blank=True, max_length=120, null=True)),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("read_at", models.DateTimeField(blank=True, null=True)),
                (
                    "mail",
                    models.CharField(
                        choices=[("NONE", "None"), ("DUE", "Due"), ("SENT", "Sent"), ("FAILED", "Failed")],
                        default="NONE",
                        max_length=6,
                    ),
                ),
                ("mail_after", models.DateTimeField(blank=True, null=True)),
                ("mail_tries", models.PositiveSmallIntegerField(default=0)),
                (
                    "recipient",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="notices", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "ordering": ("-id",),
                "indexes": [
                    models.Index(fields=["recipient", "-id"], name="notice_newest"),
                    models.Index(condition=models.Q(("read_at", None)), fields=["recipient"], name="notice_unread"),
                    models.Index(condition=models.Q(("mail", "DUE")), fields=["mail_after"], name="notice_mail_due"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("mail__in", ["NONE", "DUE", "SENT", "FAILED"])), name="notice_mail"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("mail", "DUE"), _negated=True), ("mail_after__isnull", False), _connector="OR"
                        ),
                        name="notice_due_has_a_time",
                    ),
                    models.UniqueConstraint(fields=("recipient", "key"), name="notice_key_once"),
                ],
            },
        ),
    ]

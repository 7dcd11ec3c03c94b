import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("core", "0004_notices"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Digest",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("day", models.DateField()),
                (
                    "mail",
                    models.CharField(
                        choices=[("DUE", "Due"), ("SENT", "Sent"), ("NONE", "None"), ("FAILED", "Failed")],
                        default="DUE",
                        max_length=6,
                    ),
                ),
                ("mail_after", models.DateTimeField()),
                ("mail_tries", models.PositiveSmallIntegerField(default=0)),
                ("mailed_at", models.DateTimeField(blank=True, null=True)),
            ],
        ),
        migrations.CreateModel(
            name="NoticeChoice",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("topic", models.CharField(max_length=60)),
                (
                    "way",
                    models.CharField(
                        choices=[
                            ("MAIL", "E-mail at once"),
                            ("DIGEST", "In the daily e-mail"),
                            ("SITE", "On the site only"),
                            ("OFF", "Not at all"),
                        ],
                        max_length=6,
                    ),
                ),
                ("to_phone", models.BooleanField(default=False)),
            ],
        ),
        migrations.CreateModel(
            name="NoticeSettings",
            fields=[
                (
                    "user",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="notice_settings",
                        serialize=False,
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("digest_hour", models.PositiveSmallIntegerField(default=8)),
                ("phone", models.CharField(blank=True, max_length=15)),
            ],
        ),
        migrations.CreateModel(
            name="PhoneMessage",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "state",
                    models.CharField(
                        choices=[("DUE", "Due"), ("SENT", "Sent"), ("NONE", "None"), ("FAILED", "Failed")],
                        default="DUE",
                        max_length=6,
                    ),
                ),
                ("send_after", models.DateTimeField()),
                ("tries", models.PositiveSmallIntegerField(default=0)),
                ("by", models.CharField(blank=True, max_length=10)),
                ("why", models.CharField(blank=True, max_length=200)),
            ],
        ),
        migrations.RemoveConstraint(
            model_name="notice",
            name="notice_mail",
        ),
        migrations.AddField(
            model_name="notice",
            name="mailed_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AlterField(
            model_name="notice",
            name="mail",
            field=models.CharField(
                choices=[
                    ("NONE", "None"),
                    ("DUE", "Due"),
                    ("DIGEST", "Digest"),
                    ("SENT", "Sent"),
                    ("FAILED", "Failed"),
                ],
                default="NONE",
                max_length=6,
            ),
        ),
        migrations.AddField(
            model_name="digest",
            name="user",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="notice",
            name="digest",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="notices",
                to="core.digest",
            ),
        ),
        migrations.AddIndex(
            model_name="notice",
            index=models.Index(condition=models.Q(("mail", "DIGEST")), fields=["recipient"], name="notice_for_digest"),
        ),
        migrations.AddIndex(
            model_name="notice",
            index=models.Index(
                condition=models.Q(("mailed_at", None), _negated=True),
                fields=["recipient", "kind", "mailed_at"],
                name="notice_mailed",
            ),
        ),
        migrations.AddConstraint(
            model_name="notice",
            constraint=models.CheckConstraint(
                condition=models.Q(("mail__in", ["NONE", "DUE", "DIGEST", "SENT", "FAILED"])), name="notice_mail"
            ),
        ),
        migrations.AddField(
            model_name="noticechoice",
            name="user",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="notice_choices", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddConstraint(
            model_name="noticesettings",
            constraint=models.CheckConstraint(condition=models.Q(("digest_hour__lte", 23)), name="notice_digest_hour"),
        ),
        migrations.AddField(
            model_name="phonemessage",
            name="notice",
            field=models.OneToOneField(
                on_delete=django.db.models.deletion.CASCADE, related_name="phone_message", to="core.notice"
            ),
        ),
        migrations.AddIndex(
            model_name="digest",
            index=models.Index(condition=models.Q(("mail", "DUE")), fields=["mail_after"], name="digest_due"),
        ),
        migrations.AddConstraint(
            model_name="digest",
            constraint=models.UniqueConstraint(fields=("user", "day"), name="digest_once_a_day"),
        ),
        migrations.AddConstraint(
            model_name="digest",
            constraint=models.CheckConstraint(
                condition=models.Q(("mail__in", ["DUE", "SENT", "NONE", "FAILED"])), name="digest_mail"
            ),
        ),
        migrations.AddConstraint(
            model_name="noticechoice",
            constraint=models.UniqueConstraint(fields=("user", "topic"), name="notice_choice_once"),
        ),
        migrations.AddConstraint(
            model_name="noticechoice",
            constraint=models.CheckConstraint(
                condition=models.Q(("way__in", ["MAIL", "DIGEST", "SITE", "OFF"])), name="notice_choice_way"
            ),
        ),
        migrations.AddIndex(
            model_name="phonemessage",
            index=models.Index(condition=models.Q(("state", "DUE")), fields=["send_after"], name="phone_due"),
        ),
        migrations.AddConstraint(
            model_name="phonemessage",
            constraint=models.CheckConstraint(
                condition=models.Q(("state__in", ["DUE", "SENT", "NONE", "FAILED"])), name="phone_state"
            ),
        ),
    ]

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("core", "0005_choose_how_to_be_told"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="PhoneCheck",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("phone", models.CharField(max_length=16)),
                ("digest", models.CharField(max_length=64)),
                ("sent_at", models.DateTimeField()),
                ("tries", models.PositiveSmallIntegerField(default=0)),
                ("used_at", models.DateTimeField(blank=True, null=True)),
            ],
        ),
        migrations.AddField(
            model_name="noticesettings",
            name="phone_verified_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AlterField(
            model_name="noticesettings",
            name="phone",
            field=models.CharField(blank=True, max_length=16),
        ),
        # Numbers of before were never proven: whoever wants messages types theirs in again, and the code.
        migrations.RunSQL("UPDATE core_noticesettings SET phone = '' WHERE phone <> ''", migrations.RunSQL.noop),
        migrations.AddConstraint(
            model_name="noticesettings",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("phone", ""), ("phone_verified_at", None)),
                    models.Q(("phone__regex", "^\\+[1-9][0-9]{7,14}$"), ("phone_verified_at__isnull", False)),
                    _connector="OR",
                ),
                name="notice_phone_is_proven",
            ),
        ),
        migrations.AddField(
            model_name="phonecheck",
            name="user",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddIndex(
            model_name="phonecheck",
            index=models.Index(fields=["user", "-id"], name="phone_check_newest"),
        ),
        migrations.AddIndex(
            model_name="phonecheck",
            index=models.Index(fields=["phone", "sent_at"], name="phone_check_number"),
        ),
        migrations.AddConstraint(
            model_name="phonecheck",
            constraint=models.CheckConstraint(condition=models.Q(("tries__lte", 5)), name="phone_check_tries"),
        ),
    ]

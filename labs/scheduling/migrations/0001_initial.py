import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("quota", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Cycle",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), db_index=True)),
                ("pending", models.PositiveIntegerField()),
                ("started", models.PositiveIntegerField()),
                ("plan_ms", models.FloatField()),
                ("total_ms", models.FloatField()),
            ],
        ),
        migrations.CreateModel(
            name="FairShareUse",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("gpu_seconds", models.FloatField(default=0.0)),
                ("as_of", models.DateTimeField()),
                (
                    "account",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE, related_name="fair_share_use", to="quota.account"
                    ),
                ),
            ],
        ),
    ]

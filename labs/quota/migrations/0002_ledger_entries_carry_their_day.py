from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("quota", "0001_initial"),
    ]

    operations = [
        migrations.AddField(
            model_name="ledgerentry",
            name="day",
            field=models.DateField(
                blank=True, help_text="The campus's day on which a charge or refund counts as use.", null=True
            ),
        ),
        migrations.AddConstraint(
            model_name="ledgerentry",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("day__isnull", False), ("kind__in", ["CHARGE", "REFUND"])),
                    models.Q(("day__isnull", True), ("kind__in", ["HOLD", "RELEASE"])),
                    _connector="OR",
                ),
                name="ledger_day_iff_use",
            ),
        ),
    ]

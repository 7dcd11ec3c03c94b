from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("scheduling", "0003_class_reservations_and_lending"),
    ]

    operations = [
        migrations.AddField(
            model_name="schedulermark",
            name="waits_told_at",
            field=models.DateTimeField(
                blank=True, help_text="When the jobs of a long queue were last told why they wait.", null=True
            ),
        ),
    ]

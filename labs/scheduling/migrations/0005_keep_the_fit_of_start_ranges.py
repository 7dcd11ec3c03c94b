from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("scheduling", "0004_tell_a_long_queue_less_often"),
    ]

    operations = [
        migrations.AddField(
            model_name="schedulermark",
            name="start_fit",
            field=models.JSONField(blank=True, null=True),
        ),
    ]

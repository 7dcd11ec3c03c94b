import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("assignments", "0007_shares_of_a_gpu_for_labs"),
        ("catalog", "0004_record_copied_runs"),
    ]

    operations = [
        migrations.AddField(
            model_name="regradebatch",
            name="cohort",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="catalog.cohort",
                verbose_name="cohort",
            ),
        ),
    ]

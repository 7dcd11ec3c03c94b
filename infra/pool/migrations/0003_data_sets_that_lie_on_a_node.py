import django.contrib.postgres.fields
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("pool", "0002_nodes_that_share_their_gpus"),
    ]

    operations = [
        migrations.AddField(
            model_name="node",
            name="data_sets",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(max_length=64),
                db_default=[],
                default=list,
                help_text="Digests of the data sets that lie on it, as its agent said last.",
                size=None,
            ),
        ),
    ]

import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="AuditEntry",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), db_index=True)),
                ("actor_label", models.CharField(blank=True, max_length=200)),
                (
                    "scope_path",
                    models.JSONField(default=list, help_text="Ids of the scopes whose administrators may read this."),
                ),
                ("verb", models.CharField(db_index=True, help_text="For example quota.allocated.", max_length=60)),
                ("object_type", models.CharField(max_length=60)),
                ("object_id", models.CharField(max_length=60)),
                ("object_label", models.CharField(blank=True, max_length=200)),
                ("changes", models.JSONField(default=dict, help_text="Field to [before, after].")),
                ("reason", models.TextField(blank=True)),
                ("ip", models.GenericIPAddressField(blank=True, null=True)),
            ],
            options={
                "ordering": ("-id",),
            },
        ),
    ]

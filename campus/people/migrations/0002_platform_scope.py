"""The platform's own scope: the one root, there before anything is opened below it."""

from django.db import migrations


def create_platform(apps, schema_editor):
    scope = apps.get_model("people", "Scope").objects.create(kind="PLATFORM", name="AI Campus")
    scope.path = [scope.pk]
    scope.save()


class Migration(migrations.Migration):
    dependencies = [("people", "0001_initial")]

    operations = [migrations.RunPython(create_platform, migrations.RunPython.noop)]

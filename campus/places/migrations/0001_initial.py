import django.contrib.postgres.fields
import django.core.validators
import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

import campus.places.models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("people", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Campus",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name_ko", models.CharField(max_length=120, verbose_name="name in Korean")),
                ("name_en", models.CharField(blank=True, max_length=120, verbose_name="name in English")),
                ("slug", models.SlugField(max_length=40, unique=True, verbose_name="short name")),
                (
                    "timezone",
                    models.CharField(
                        default="Asia/Seoul",
                        max_length=40,
                        validators=[campus.places.models.validate_timezone],
                        verbose_name="time zone",
                    ),
                ),
                ("address", models.CharField(blank=True, max_length=200, verbose_name="address")),
                ("is_open", models.BooleanField(default=True, verbose_name="open")),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                (
                    "scope",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT, related_name="campus", to="people.scope"
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "campuses",
                "ordering": ("id",),
            },
        ),
        migrations.CreateModel(
            name="Building",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name_ko", models.CharField(max_length=120, verbose_name="name in Korean")),
                ("name_en", models.CharField(blank=True, max_length=120, verbose_name="name in English")),
                (
                    "campus",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="buildings", to="places.campus"
                    ),
                ),
            ],
            options={
                "ordering": ("campus_id", "name_ko"),
            },
        ),
        migrations.CreateModel(
            name="Room",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name_ko", models.CharField(max_length=120, verbose_name="name in Korean")),
                ("name_en", models.CharField(blank=True, max_length=120, verbose_name="name in English")),
                ("floor", models.SmallIntegerField(default=1, verbose_name="floor")),
                (
                    "capacity",
                    models.PositiveIntegerField(
                        validators=[django.core.validators.MinValueValidator(1)], verbose_name="capacity"
                    ),
                ),
                (
                    "equipment",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=60),
                        blank=True,
                        default=list,
                        size=None,
                        verbose_name="equipment",
                    ),
                ),
                ("is_active", models.BooleanField(default=True, verbose_name="in use")),
                (
                    "building",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="rooms", to="places.building"
                    ),
                ),
            ],
            options={
                "ordering": ("building_id", "floor", "name_ko"),
            },
        ),
        migrations.AddConstraint(
            model_name="building",
            constraint=models.UniqueConstraint(fields=("campus", "name_ko"), name="building_once_a_campus"),
        ),
        migrations.AddConstraint(
            model_name="room",
            constraint=models.UniqueConstraint(fields=("building", "name_ko"), name="room_once_a_building"),
        ),
        migrations.AddConstraint(
            model_name="room",
            constraint=models.CheckConstraint(condition=models.Q(("capacity__gte", 1)), name="room_has_capacity"),
        ),
    ]

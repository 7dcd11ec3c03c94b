from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("jobs", "0009_preempted_for_a_job"),
    ]

    operations = [
        migrations.AlterField(
            model_name="job",
            name="end_reason",
            field=models.CharField(
                blank=True,
                choices=[
                    ("", ""),
                    ("COMPLETED", "Ended by itself with exit code 0"),
                    ("EXIT_CODE", "The program ended with an error"),
                    ("OUT_OF_MEMORY", "It needed more memory than it was given"),
                    ("OUTPUT_FLOOD", "It printed more than a log may hold"),
                    ("WALL_LIMIT", "It reached its time limit"),
                    ("CANCELLED", "Cancelled"),
                    ("PLATFORM", "The platform lost it; nothing was charged"),
                    ("ENVIRONMENT", "Its environment could not be built; nothing was charged"),
                    ("DEPENDENCY", "A job that it was to follow did not succeed; nothing was charged"),
                    ("ACCOUNT_CLOSED", "Its quota account was closed before it started; nothing was charged"),
                ],
                default="",
                max_length=16,
            ),
        ),
    ]

"""The one signal that jobs send up the house, once a settled end is committed."""

from django.dispatch import Signal

#: Sent with `job_id` after commit. It may be lost with its process: who needs every job also asks the database.
job_settled = Signal()

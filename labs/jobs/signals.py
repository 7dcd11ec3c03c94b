"""What jobs tell up the house, which they do not know."""

from django.dispatch import Signal

#: Sent with `job_id` and `purpose` after commit. It may be lost with its process: who needs every job also asks the
#: database.
job_settled = Signal()

#: Sent with `pairs` of new and original jobs inside the transaction that submits jobs again, so that whoever keeps
#: something beside the originals (a lab's run) keeps it beside the new ones too, or the rerun fails with it.
job_rerun = Signal()

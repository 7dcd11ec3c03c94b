"""Labs of a course run, and the jobs that learners ran for them."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from courses.catalog.models import Enrolment
from courses.content.models import Module
from labs.environments.models import DataSet, Environment
from labs.jobs.api import WHOLE_GPU, GpuAsk
from labs.jobs.models import Job, SourceBundle


class Lab(models.Model):
    """A GPU lab: a brief, a starter, and what a run of it gets. `wall_s` is the default, `max_wall_s` the most."""

    module = models.ForeignKey(Module, on_delete=models.CASCADE, related_name="labs")
    position = models.PositiveSmallIntegerField(_("position"))
    title = models.CharField(_("title"), max_length=120)
    brief = models.TextField(_("brief"), blank=True, max_length=100_000)
    environment = models.ForeignKey(Environment, on_delete=models.PROTECT, related_name="labs")
    data_sets = models.ManyToManyField(DataSet, blank=True, related_name="labs")
    starter = models.ForeignKey(SourceBundle, on_delete=models.PROTECT, related_name="labs")
    entrypoint = models.CharField(_("file to run"), max_length=255, default="main.py")
    gpus = models.PositiveSmallIntegerField(_("GPUs"), default=1)
    max_gpus = models.PositiveSmallIntegerField(_("most GPUs"), default=1)
    gpu_milli = models.PositiveSmallIntegerField(
        _("thousandths of a GPU"),
        default=WHOLE_GPU,
        db_default=WHOLE_GPU,
        help_text=_("Less than 1000 is a share of one GPU."),
    )
    max_gpu_milli = models.PositiveSmallIntegerField(
        _("most thousandths of a GPU"), default=WHOLE_GPU, db_default=WHOLE_GPU
    )
    gpu_memory_mib = models.PositiveIntegerField(
        _("least GPU memory in MiB"), null=True, blank=True, help_text=_("Of each GPU, or of the share.")
    )
    gpu_type = models.CharField(_("GPU type"), max_length=60, blank=True)
    wall_s = models.PositiveIntegerField(_("time limit in seconds"), default=600)
    max_wall_s = models.PositiveIntegerField(_("longest time limit in seconds"), default=3600)
    main_metric = models.CharField(_("metric shown on the board"), max_length=64, blank=True, default="accuracy")
    due_at = models.DateTimeField(_("due"), null=True, blank=True)
    is_published = models.BooleanField(_("published"), default=True)

    class Meta:
        ordering = ("module_id", "position")
        constraints = (
            models.UniqueConstraint(fields=("module", "position"), name="lab_position_once"),
            models.CheckConstraint(condition=models.Q(gpus__gte=1), name="lab_has_a_gpu"),
            models.CheckConstraint(condition=models.Q(max_gpus__gte=models.F("gpus")), name="lab_max_gpus"),
            models.CheckConstraint(
                condition=models.Q(gpu_milli=WHOLE_GPU) | models.Q(gpu_milli__range=(1, WHOLE_GPU - 1), gpus=1),
                name="lab_share_is_of_one_gpu",
            ),
            models.CheckConstraint(
                condition=models.Q(max_gpu_milli=WHOLE_GPU)
                | models.Q(max_gpu_milli__range=(1, WHOLE_GPU - 1), max_gpus=1),
                name="lab_most_share_is_of_one_gpu",
            ),
            models.CheckConstraint(condition=models.Q(max_gpu_milli__gte=models.F("gpu_milli")), name="lab_max_share"),
            models.CheckConstraint(
                condition=models.Q(gpu_memory_mib=None) | models.Q(gpu_memory_mib__gte=1), name="lab_gpu_memory_is_some"
            ),
            models.CheckConstraint(condition=models.Q(max_wall_s__gte=models.F("wall_s")), name="lab_max_wall"),
        )

    def __str__(self) -> str:
        return self.title

    @property
    def usual(self) -> GpuAsk:
        """What a run gets when its learner chooses nothing else."""
        return GpuAsk(self.gpus, self.gpu_milli)

    @property
    def most(self) -> GpuAsk:
        return GpuAsk(self.max_gpus, self.max_gpu_milli)


class LabRun(models.Model):
    """A job that a learner ran for a lab."""

    lab = models.ForeignKey(Lab, on_delete=models.PROTECT, related_name="runs")
    enrolment = models.ForeignKey(Enrolment, on_delete=models.PROTECT, related_name="lab_runs")
    job = models.OneToOneField(Job, on_delete=models.CASCADE, related_name="lab_run")

    class Meta:
        ordering = ("-id",)
        indexes = (models.Index(fields=("lab", "enrolment"), name="lab_run_lab_enrolment"),)

    def __str__(self) -> str:
        return f"{self.lab}: job {self.job_id}"


from .models_grading import GradingRun as GradingRun  # noqa: E402  (they point to what stands above)
from .models_grading import RegradeBatch as RegradeBatch  # noqa: E402
from .models_grading import SavedComment as SavedComment  # noqa: E402
from .models_grading import Score as Score  # noqa: E402
from .models_grading import ScoreChange as ScoreChange  # noqa: E402
from .models_groups import Group as Group  # noqa: E402
from .models_groups import GroupMember as GroupMember  # noqa: E402
from .models_groups import GroupSet as GroupSet  # noqa: E402
from .models_groups import SubmissionMember as SubmissionMember  # noqa: E402
from .models_outage import OutageEvidence as OutageEvidence  # noqa: E402
from .models_outage import OutageOffer as OutageOffer  # noqa: E402
from .models_outage import OutagePolicy as OutagePolicy  # noqa: E402
from .models_work import Assignment as Assignment  # noqa: E402
from .models_work import AttemptReturn as AttemptReturn  # noqa: E402
from .models_work import DeadlineChange as DeadlineChange  # noqa: E402
from .models_work import LateDayBank as LateDayBank  # noqa: E402
from .models_work import Submission as Submission  # noqa: E402
from .models_work import TestSuite as TestSuite  # noqa: E402

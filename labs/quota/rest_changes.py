"""REST: the quota desk, changing many accounts at once (also by CSV), the history of that, and undoing."""

from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, status
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from campus.core.errors import InvalidInput, NotAllowed
from campus.people.access import Standing, standing_of

from .change_files import changes_from_csv
from .desk_csv import figures_of_row
from .models import Batch
from .selectors_batches import FoundBatch, batch_for, batches_for
from .selectors_desk import Concern, Search, desk
from .services import AccountChange, Preview, apply_changes, preview_changes, preview_undo, undo

MOST_S = 10**15
SETTINGS = ("weight", "overcommit_pct", "max_running_gpus", "learner_day_cap_s", "learner_week_cap_s")


def _administrator(request: Request) -> Standing:
    standing = standing_of(request.user)
    if not standing.is_administering:
        raise NotAllowed
    return standing


class DeskRowAnswer(serializers.Serializer):
    """A line of the desk: columns as in its CSV, GPU-hours as decimals, `none` for a limit that is not there."""

    account_id = serializers.IntegerField()
    account = serializers.CharField()
    kind = serializers.CharField()
    parent_id = serializers.IntegerField(allow_null=True)
    is_open = serializers.IntegerField()
    granted_s = serializers.IntegerField(help_text="GPU-seconds; send it back as seen_allocated_s.")
    granted_gpu_hours = serializers.CharField()
    used_gpu_hours = serializers.CharField()
    used_this_term_gpu_hours = serializers.CharField()
    used_lately_gpu_hours = serializers.CharField(help_text="With the half-life by which the queue is ordered.")
    held_gpu_hours = serializers.CharField()
    left_gpu_hours = serializers.CharField()
    granted_below_gpu_hours = serializers.CharField()
    left_to_grant_gpu_hours = serializers.CharField(allow_blank=True)
    forecast = serializers.CharField(allow_blank=True)
    runs_out_from = serializers.CharField(allow_blank=True)
    runs_out_to = serializers.CharField(allow_blank=True)
    needed_until = serializers.CharField(allow_blank=True)
    open_requests = serializers.IntegerField()
    lent_gpu_hours = serializers.CharField()
    borrowed_gpu_hours = serializers.CharField()
    ending_gpu_hours = serializers.CharField()
    ends_next_on = serializers.CharField(allow_blank=True)
    idle_gpus = serializers.FloatField(help_text="A share of a GPU counts as its part.")
    weight = serializers.IntegerField()
    overcommit_pct = serializers.IntegerField()
    max_running_gpus = serializers.CharField()
    learner_day_cap_gpu_hours = serializers.CharField()
    learner_week_cap_gpu_hours = serializers.CharField()


class DeskView(APIView):
    """`GET`: what the quota desk shows, in the order of the tree. For administrators."""

    @extend_schema(
        tags=["quota"],
        parameters=[
            OpenApiParameter("q", str, description="A part of a name or an e-mail address."),
            OpenApiParameter("show", str, enum=[concern.value for concern in Concern]),
            OpenApiParameter("learners", str, enum=["1"], description="With every learner's account."),
        ],
        responses={200: DeskRowAnswer(many=True)},
    )
    def get(self, request: Request) -> Response:
        standing = _administrator(request)
        show = request.query_params.get("show", "")
        if show and show not in list(Concern):
            raise InvalidInput({"show": "Use one of: " + ", ".join(concern.value for concern in Concern) + "."})
        search = Search(
            text=request.query_params.get("q", "").replace("\x00", "").strip()[:100],
            concern=Concern(show) if show else None,
            all_learners=request.query_params.get("learners") == "1",
        )
        rows = [row for row in desk(standing, search).rows if row.is_match]
        answers = [figures_of_row(row) | {"parent_id": row.account.parent_id} for row in rows]
        return Response(DeskRowAnswer(answers, many=True).data)


class ChangeRequest(serializers.Serializer):
    """Seconds to add, and settings to set; what is left out stays. `seen_allocated_s` guards against others."""

    account = serializers.IntegerField(min_value=1, max_value=2**63 - 1)
    gpu_seconds = serializers.IntegerField(min_value=-MOST_S, max_value=MOST_S, default=0)
    seen_allocated_s = serializers.IntegerField(required=False)
    weight = serializers.IntegerField(required=False)
    overcommit_pct = serializers.IntegerField(required=False)
    max_running_gpus = serializers.IntegerField(required=False, allow_null=True)
    learner_day_cap_s = serializers.IntegerField(required=False, allow_null=True)
    learner_week_cap_s = serializers.IntegerField(required=False, allow_null=True)


class ChangesRequest(serializers.Serializer):
    """Either `changes` or `csv`, whose columns are those of the desk's export."""

    changes = ChangeRequest(many=True, required=False)
    csv = serializers.CharField(required=False, max_length=2 * 1024 * 1024, trim_whitespace=False)
    reason = serializers.CharField(max_length=300, required=False, default="", allow_blank=True)
    preview = serializers.BooleanField(default=False, help_text="Only say what would stand.")


class RowErrorAnswer(serializers.Serializer):
    code = serializers.CharField()
    field = serializers.CharField()
    message = serializers.CharField()


class ChangeRowAnswer(serializers.Serializer):
    """What would stand of an account: each pair is before and after, in GPU-seconds."""

    account = serializers.IntegerField()
    name = serializers.CharField(allow_null=True)
    allocated_s = serializers.ListField(child=serializers.IntegerField(), allow_null=True)
    free_s = serializers.ListField(child=serializers.IntegerField(), allow_null=True)
    settings = serializers.DictField(child=serializers.ListField(child=serializers.IntegerField(allow_null=True)))
    errors: Any = RowErrorAnswer(many=True)


class RoomAnswer(serializers.Serializer):
    account = serializers.IntegerField()
    grantable_s = serializers.ListField(child=serializers.IntegerField(), help_text="Before and after.")


class PreviewAnswer(serializers.Serializer):
    """`above` are the accounts whose room to grant changes."""

    is_possible = serializers.BooleanField()
    rows = ChangeRowAnswer(many=True)
    above = RoomAnswer(many=True)


class MadeAnswer(serializers.Serializer):
    batch = serializers.IntegerField()


class BatchAnswer(serializers.ModelSerializer):
    """Changes that were made together. `undone_by` is the batch that undid it."""

    actor = serializers.CharField(source="actor.name", default=None, read_only=True, allow_null=True)
    undone_by = serializers.SerializerMethodField()

    class Meta:
        model = Batch
        fields = ("id", "reason", "actor", "at", "undoes", "undone_by")
        read_only_fields = fields

    def get_undone_by(self, batch: Batch) -> int | None:
        undone_by = getattr(batch, "undone_by", None)
        return undone_by.pk if undone_by else None


class ChangedAnswer(serializers.Serializer):
    """What a batch changed of an account: GPU-seconds before and after, and settings."""

    account = serializers.IntegerField()
    allocated_s = serializers.ListField(child=serializers.IntegerField(), allow_null=True)
    settings = serializers.DictField(child=serializers.ListField(child=serializers.IntegerField(allow_null=True)))


class BatchWholeAnswer(serializers.Serializer):
    """A batch with what it changed of the accounts that one administers; `hidden` are the others."""

    batch = BatchAnswer()
    changes = ChangedAnswer(many=True)
    hidden = serializers.IntegerField()


class ChangesView(ListAPIView):
    """`GET`: the batches, newest first. `POST`: change many accounts, all or none; or with `preview`, only say what.

    For administrators.
    """

    serializer_class = BatchAnswer
    queryset = Batch.objects.none()

    def get_queryset(self) -> Any:
        return batches_for(_administrator(self.request))

    @extend_schema(tags=["quota"])
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().get(request, *args, **kwargs)

    @extend_schema(tags=["quota"], request=ChangesRequest, responses={200: PreviewAnswer, 201: MadeAnswer})
    def post(self, request: Request) -> Response:
        standing, actor = _administrator(request), request.user
        given = ChangesRequest(data=request.data)
        given.is_valid(raise_exception=True)
        said: Any = given.validated_data
        changes = _changes(said, standing)
        if said["preview"]:
            return Response(_preview(preview_changes(changes=changes, actor=actor)))  # type: ignore[arg-type]
        batch = apply_changes(changes=changes, reason=said["reason"], actor=actor)  # type: ignore[arg-type]
        return Response({"batch": batch.pk}, status=status.HTTP_201_CREATED)


class BatchView(APIView):
    """`GET`: one batch and what it changed. For administrators."""

    @extend_schema(tags=["quota"], responses={200: BatchWholeAnswer})
    def get(self, request: Request, batch_id: int) -> Response:
        found = batch_for(_administrator(request), batch_id)
        answer = {"batch": found.batch, "changes": _changed(found), "hidden": found.hidden}
        return Response(BatchWholeAnswer(answer).data)


class UndoRequest(serializers.Serializer):
    reason = serializers.CharField(max_length=300, required=False, default="", allow_blank=True)
    preview = serializers.BooleanField(default=False, help_text="Only say what would stand.")


class UndoView(APIView):
    """`POST`: undo a batch of changes; with `preview`, only say what would stand. For administrators."""

    @extend_schema(tags=["quota"], request=UndoRequest, responses={200: PreviewAnswer, 201: MadeAnswer})
    def post(self, request: Request, batch_id: int) -> Response:
        actor: Any = request.user
        found = batch_for(_administrator(request), batch_id)
        given = UndoRequest(data=request.data)
        given.is_valid(raise_exception=True)
        if given.validated_data["preview"]:
            return Response(_preview(preview_undo(batch_id=found.batch.pk, actor=actor)))
        made = undo(batch_id=found.batch.pk, actor=actor, reason=given.validated_data["reason"])
        return Response({"batch": made.pk}, status=status.HTTP_201_CREATED)


def _changes(said: dict[str, Any], standing: Standing) -> list[AccountChange]:
    """Return what was asked for. Raises InvalidInput with the lines of a CSV that cannot be read."""
    if ("changes" in said) == ("csv" in said):
        raise InvalidInput({"changes": "Send either changes or csv."})
    if "changes" in said:
        return [_change(row) for row in said["changes"]]
    found = changes_from_csv(said["csv"].encode(errors="replace"), standing)
    if found.errors:
        raise InvalidInput({"csv": found.errors})
    return found.changes


def _changed(found: FoundBatch) -> list[dict[str, Any]]:
    rows: dict[int, dict[str, Any]] = {
        pk: {"account": pk, "allocated_s": None, "settings": {}} for pk in sorted(found.seen)
    }
    for line in found.batch.allocations.filter(account_id__in=rows).order_by("id"):
        rows[line.account_id]["allocated_s"] = [line.before_s, line.after_s]
    for change in found.batch.setting_changes.filter(account_id__in=rows).order_by("id"):
        rows[change.account_id]["settings"][change.field] = [change.before, change.after]
    return list(rows.values())


def _change(row: dict[str, Any]) -> AccountChange:
    settings = {name: row[name] for name in SETTINGS if name in row}
    return AccountChange(row["account"], row["gpu_seconds"], settings, row.get("seen_allocated_s"))


def _preview(preview: Preview) -> dict[str, Any]:
    return {
        "is_possible": preview.is_possible,
        "rows": [
            {
                "account": row.change.account_id,
                "name": row.account.name if row.account else None,
                "allocated_s": [row.before.allocated_s, row.after.allocated_s] if row.before and row.after else None,
                "free_s": [row.before.free_s, row.after.free_s] if row.before and row.after else None,
                "settings": {name: list(pair) for name, pair in row.settings.items()},
                "errors": [vars(error) for error in row.errors],
            }
            for row in preview.rows
        ],
        "above": [
            {"account": account.pk, "grantable_s": [before.grantable_s, after.grantable_s]}
            for account, before, after in preview.above
        ],
    }

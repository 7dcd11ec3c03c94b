"""The calls of the node API (docs/node-api.md)."""

from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase, JsonResponse

from campus.core.errors import NotAllowed, NotFound, TooLarge
from infra.pool import api as pool
from infra.pool.models import Node
from labs.environments.models import DataSet
from labs.jobs import services
from labs.jobs.domain.source import with_parameters
from labs.jobs.domain.sweeps import variables_of
from labs.jobs.models import Artifact, Attempt, SourceBundle
from labs.jobs.services.attempts import GivenGpus
from labs.jobs.services.fences import attempt_for, require_open
from labs.jobs.streaming import file_response

from .bodies import (
    MAX_ATTEMPTS,
    Body,
    data_sets_of,
    ended_of,
    environment_of,
    gpu_samples,
    hello_of,
    query_number,
)
from .calls import node_call

LOG_CHUNK_BYTES = 256 * 1024
METRIC_POINTS = 1000
TERM_GRACE_S = 10


@node_call("POST")
def hello(request: HttpRequest, node: Node) -> HttpResponseBase:
    """A node's agent has started."""
    node = services.hello(node=node, said=hello_of(Body.of(request)))
    return JsonResponse(
        {
            "node": node.name,
            "lease_s": settings.LABS_LEASE_S,
            "heartbeat_s": settings.LABS_HEARTBEAT_S,
            "queue": node.queue,
            "drain": node.state == Node.State.DRAINING,
        }
    )


@node_call("POST")
def heartbeat(request: HttpRequest, node: Node) -> HttpResponseBase:
    """Renew the leases of what runs here."""
    body = Body.of(request)
    held = [(entry.whole("attempt_id"), entry.whole("fence")) for entry in body.objects("attempts", MAX_ATTEMPTS)]
    pulse = services.heartbeat(
        node=node, boot_id=body.text("boot_id", 40), attempts=held, gpus=gpu_samples(body), data_sets=data_sets_of(body)
    )
    verdicts: list[dict[str, Any]] = [
        {"attempt_id": attempt_id, "verdict": verdict} for attempt_id, verdict in pulse.verdicts.items()
    ]
    for said in verdicts:
        if said["verdict"] == "preempt":
            said["grace_s"] = pulse.graces_s[said["attempt_id"]]
    return JsonResponse({"attempts": verdicts, "work": pulse.has_work})


@node_call("POST")
def claim(request: HttpRequest, node: Node) -> HttpResponseBase:
    """Take up what was assigned to this node."""
    attempts = services.claim(node=node, boot_id=Body.of(request).text("boot_id", 40))
    sources, saved = services.small_sources(attempts), services.checkpoints_of(attempts)
    gpus, data_sets = services.gpus_of(attempts), services.data_sets_of(attempts)
    orders = [
        _order(
            attempt,
            sources.get(attempt.job.source_id),
            saved.get(attempt.job_id, ()),
            gpus[attempt.pk],
            data_sets[attempt.job_id],
        )
        for attempt in attempts
    ]
    return JsonResponse({"attempts": orders})


@node_call("POST")
def environments(request: HttpRequest, node: Node) -> HttpResponseBase:
    """An environment was built here, or could not be."""
    pool.record_environment(node=node, report=environment_of(Body.of(request)))
    return JsonResponse({})


@node_call("GET")
def data_set(request: HttpRequest, node: Node, digest: str) -> HttpResponseBase:
    """The archive of a data set that an open attempt of this node uses."""
    found = DataSet.objects.filter(digest=digest).first()
    if found is None:
        raise NotFound
    using = Attempt.objects.filter(node=node, job__data_sets=found).exclude(state=Attempt.State.ENDED)
    if not using.exists():
        raise NotAllowed("No open attempt of this node uses that data set.")
    return file_response(request, found.archive.open("rb"), filename=f"{digest}.zip", content_type="application/zip")


@node_call("GET")
def source(request: HttpRequest, node: Node, attempt_id: int) -> HttpResponseBase:
    """The files of the job."""
    attempt = attempt_for(node, attempt_id)
    require_open(attempt, query_number(request, "fence"))
    files = SourceBundle.objects.values_list("files", flat=True).get(pk=attempt.job.source_id)
    return JsonResponse({"files": with_parameters(files, attempt.job.parameters)})


@node_call("GET")
def checkpoint(request: HttpRequest, node: Node, attempt_id: int) -> HttpResponseBase:
    """One file that an earlier attempt of the job saved."""
    saved = services.checkpoint_file(
        attempt=attempt_for(node, attempt_id),
        fence=query_number(request, "fence"),
        path=request.GET.get("path", ""),
    )
    return file_response(request, saved.file.open("rb"), filename="checkpoint")


@node_call("POST")
def started(request: HttpRequest, node: Node, attempt_id: int) -> HttpResponseBase:
    """The program runs."""
    services.started(attempt=attempt_for(node, attempt_id), fence=Body.of(request).whole("fence"))
    return JsonResponse({})


@node_call("POST")
def log(request: HttpRequest, node: Node, attempt_id: int) -> HttpResponseBase:
    """More of the log."""
    attempt = attempt_for(node, attempt_id)
    content = request.read(LOG_CHUNK_BYTES + 1)
    if len(content) > LOG_CHUNK_BYTES:
        raise TooLarge(f"A chunk of the log has at most {LOG_CHUNK_BYTES} bytes.")
    fence, start = query_number(request, "fence"), query_number(request, "start")
    return JsonResponse({"next": services.append_log(attempt=attempt, fence=fence, start=start, content=content)})


@node_call("POST")
def metrics(request: HttpRequest, node: Node, attempt_id: int) -> HttpResponseBase:
    """More metric points."""
    attempt, body = attempt_for(node, attempt_id), Body.of(request)
    wanted = services.append_metrics(
        attempt=attempt,
        fence=body.whole("fence"),
        first_seq=body.whole("first_seq", most=2**31 - 1),
        points=body.listed("points", METRIC_POINTS),
    )
    return JsonResponse({"next_seq": wanted})


@node_call("PUT")
def artifacts(request: HttpRequest, node: Node, attempt_id: int) -> HttpResponseBase:
    """One output of the run."""
    attempt = attempt_for(node, attempt_id)
    services.store_artifact(
        attempt=attempt,
        fence=query_number(request, "fence"),
        path=request.GET.get("path", ""),
        digest=request.GET.get("digest", ""),
        body=request,
    )
    return JsonResponse({})


@node_call("POST")
def settle(request: HttpRequest, node: Node, attempt_id: int) -> HttpResponseBase:
    """The run is over."""
    attempt, body = attempt_for(node, attempt_id), Body.of(request)
    state = services.settle(attempt=attempt, fence=body.whole("fence"), ended=ended_of(body))
    return JsonResponse({"state": state})


def _order(
    attempt: Attempt, files: Any, saved: Iterable[Artifact], given: GivenGpus, data_sets: Iterable[DataSet]
) -> dict[str, Any]:
    """What a node must know to run an attempt; it asks for `files` that are None."""
    job = attempt.job
    environment = job.environment and {
        "digest": job.environment.digest,
        "requirements": job.environment.requirements,
    }
    return {
        "attempt_id": attempt.pk,
        "fence": attempt.fence,
        "job_id": job.pk,
        "number": attempt.number,
        "title": job.title,
        "entrypoint": job.entrypoint,
        "source_digest": job.source.digest,
        "files": files if files is None else with_parameters(files, job.parameters),
        "environment": environment,
        "data_sets": [
            {"slug": found.slug, "digest": found.digest, "size_bytes": found.size_bytes} for found in data_sets
        ],
        "gpus": [
            {
                "index": gpu.index,
                "uuid": gpu.uuid,
                "kind": gpu.kind,
                "memory_mib": gpu.memory_mib,
                "gpu_type": gpu.gpu_type,
            }
            for gpu in given.gpus
        ],
        "gpu_count": job.gpus,
        "gpu_milli": job.gpu_milli,
        "gpu_memory_mib": given.memory_mib if job.is_share else None,
        "wall_s": job.wall_left_s,
        "checkpoint": [{"path": one.path, "digest": one.digest, "size_bytes": one.size_bytes} for one in saved]
        if job.is_preemptible
        else None,
        "term_grace_s": TERM_GRACE_S,
        "env": {
            "CAMPUS_JOB_ID": str(job.pk),
            "CAMPUS_ATTEMPT": str(attempt.number),
            "CAMPUS_GPUS": str(job.gpus),
            "CAMPUS_GPU_MILLI": str(job.gpu_milli),
            **({"CAMPUS_GPU_MEMORY_MIB": str(given.memory_mib)} if job.is_share else {}),
            "CAMPUS_WALL_S": str(job.wall_left_s),
            **variables_of(job.parameters),
        },
    }

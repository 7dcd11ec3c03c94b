"""Storing a submission's files once by content."""

from collections.abc import Mapping

from labs.jobs.domain import source
from labs.jobs.models import SourceBundle


def store_bundle(files: Mapping[str, bytes]) -> SourceBundle:
    """Return the bundle of these checked files, made if it is new. Two who make it at once get the same row."""
    digest = source.digest_of(files)
    found = SourceBundle.objects.filter(digest=digest).only("id", "digest").first()
    if found is not None:
        return found
    fresh = SourceBundle(digest=digest, files=source.as_json(files), size_bytes=sum(map(len, files.values())))
    SourceBundle.objects.bulk_create([fresh], ignore_conflicts=True)
    return SourceBundle.objects.only("id", "digest").get(digest=digest)

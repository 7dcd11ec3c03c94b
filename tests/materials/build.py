"""Materials for these tests; runs, cohorts and learners come from the neighbours' builder."""

import json
import struct
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile

from courses.catalog.models import CourseRun
from courses.content.models import Module
from courses.materials import api
from courses.materials.models import Material, MaterialVersion

VTT = (
    "WEBVTT\n\n00:01.000 --> 00:04.000\n경사를 따라 내려갑니다.\n\n"
    "00:12.000 --> 00:15.000\n학습률이 크면 튕겨 나갑니다.\n"
)


def box(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(body), kind) + body


def mp4(seconds: int = 60, salt: bytes = b"") -> bytes:
    """A file that says it is an MP4 of that length; there is nothing to see in it."""
    header = struct.pack(">IIIII", 0, 0, 0, 1000, seconds * 1000) + bytes(80)
    return box(b"ftyp", b"isom\0\0\2\0isom") + box(b"moov", box(b"mvhd", header)) + box(b"mdat", b"x" * 200 + salt)


def upload(content: bytes, name: str = "lecture.mp4") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content)


def notebook(*cells: dict[str, Any]) -> bytes:
    found = cells or ({"cell_type": "markdown", "source": "# 노트북\n**굵게**"},)
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": list(found)}).encode()


def module(run: CourseRun, **fields: Any) -> Module:
    last = Module.objects.filter(run=run).count()
    return Module.objects.create(run=run, position=last + 1, **{"title": f"{last + 1}주", **fields})


def video(of: Module, seconds: int = 60, **fields: Any) -> MaterialVersion:
    """A video's first version."""
    content = api.Content(upload(mp4(seconds)))
    made = api.open_material(
        module_id=of.pk, kind="VIDEO", content=content, actor=None, **{"title": "경사 하강법 영상", **fields}
    )
    return made.versions.get()


def file(of: Module, content: bytes = b"%PDF-1.4 hello", name: str = "handout.pdf", **fields: Any) -> MaterialVersion:
    made = api.open_material(
        module_id=of.pk, kind="FILE", content=api.Content(upload(content, name)), actor=None,
        **{"title": "유인물", **fields},
    )  # fmt: skip
    return made.versions.get()


def notes(of: Module, content: bytes = b"", **fields: Any) -> MaterialVersion:
    made = api.open_material(
        module_id=of.pk, kind="NOTEBOOK", content=api.Content(upload(content or notebook(), "notes.ipynb")), actor=None,
        **{"title": "노트북", **fields},
    )  # fmt: skip
    return made.versions.get()


def newest(material: Material) -> MaterialVersion:
    return material.versions.order_by("-number")[0]

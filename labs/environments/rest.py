"""REST: the environments and data sets that a job may ask for."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from .models import DataSet, Environment


class EnvironmentAnswer(serializers.ModelSerializer):
    class Meta:
        model = Environment
        fields = ("id", "slug", "name_ko", "name_en", "description", "digest", "requirements")


class DataSetAnswer(serializers.ModelSerializer):
    """A job reads it at /data/SLUG."""

    class Meta:
        model = DataSet
        fields = ("id", "slug", "name_ko", "name_en", "description", "licence", "digest", "size_bytes", "file_count")


class EnvironmentListView(ListAPIView):
    """`GET`: the environments on offer."""

    serializer_class = EnvironmentAnswer
    queryset = Environment.objects.filter(is_active=True)

    @extend_schema(tags=["environments"])
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().get(request, *args, **kwargs)


class DataSetListView(ListAPIView):
    """`GET`: the data sets on offer."""

    serializer_class = DataSetAnswer
    queryset = DataSet.objects.filter(is_active=True)

    @extend_schema(tags=["environments"])
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().get(request, *args, **kwargs)

"""REST API: authentication, errors, schema, throttles."""

from datetime import timedelta

from .environment import env

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "knox.auth.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_THROTTLE_CLASSES": ["campus.core.throttle.PerMinute"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["campus.core.parsing.CampusJSONParser"],
    "DEFAULT_PAGINATION_CLASS": "campus.core.rest.CampusPagination",
    "PAGE_SIZE": 50,
    "DEFAULT_FILTER_BACKENDS": ["django_filters.rest_framework.DjangoFilterBackend"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "campus.core.rest.problem_response",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}

API_REQUESTS_PER_MINUTE = env.int("CAMPUS_API_PER_MINUTE", 1_200)

REST_KNOX = {
    "TOKEN_TTL": timedelta(days=90),
    "AUTH_HEADER_PREFIX": "Token",
    "TOKEN_LIMIT_PER_USER": None,
    "AUTO_REFRESH": False,
}

SPECTACULAR_SETTINGS = {
    "TITLE": "AI Campus",
    "DESCRIPTION": "Courses, GPU lab jobs, quota and usage. Errors are RFC 9457 problem details.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
    "SCHEMA_PATH_PREFIX": "/api/v1",
    # Several models have a state: each enumeration is named for what it is of.
    "ENUM_NAME_OVERRIDES": {
        "JobState": "labs.jobs.models.Job.State",
        "SweepDirection": "labs.jobs.models.Sweep.Direction",
        "AttemptState": "labs.jobs.models.Attempt.State",
        "AssignmentKind": "courses.assignments.models.Assignment.Kind",
        "MaterialKind": "courses.materials.models.Material.Kind",
        "SignalKind": "courses.support.domain.signals.Kind",
        "ClassKind": "courses.timetable.models.Kind",
        "ClassState": "courses.timetable.models.ClassSession.State",
        "WorkState": ["EXCUSED", "GRADED", "HANDED_IN", "HANDED_IN_LATE", "MISSING", "NOT_OPEN", "TO_DO"],
        "TestState": ["passed", "failed", "silent"],
        "SponsorKind": "labs.quota.models.Sponsor.Kind",
    },
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "campus.core.rest_schema.add_problems",
    ],
}

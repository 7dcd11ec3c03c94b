"""Installed apps, middleware and templates."""

from .environment import BASE_DIR, SIGN_IN_WITH

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django.contrib.postgres",
    "django.forms",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    *(f"allauth.socialaccount.providers.{name}" for name in SIGN_IN_WITH),
    "channels",
    "django_filters",
    "django_htmx",
    "django_prometheus",
    "django_structlog",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "knox",
    "pgtrigger",
    "rest_framework",
    "campus.core",
    "campus.people",
    "campus.places",
    "infra.pool",
    "labs.environments",
    "labs.quota",
    "labs.jobs",
    "labs.scheduling",
    "labs.usage",
    "courses.catalog",
    "courses.content",
    "courses.materials",
    "courses.timetable",
    "courses.assignments",
    "courses.gradebook",
    "courses.attendance",
    "courses.announcements",
    "courses.support",
    "courses.search",  # after all that let their things be found
    "campus.web",
]

MIDDLEWARE = [
    "django_prometheus.middleware.PrometheusBeforeMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "campus.core.middleware.LanguageMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_structlog.middlewares.RequestMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "campus.core.middleware.CampusErrorMiddleware",
    "django_prometheus.middleware.PrometheusAfterMiddleware",
]

_CONTEXT_PROCESSORS = [
    "django.template.context_processors.request",
    "django.template.context_processors.i18n",
    "django.contrib.auth.context_processors.auth",
    "django.contrib.messages.context_processors.messages",
    "campus.core.context.ui",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        # Ours shadow allauth's, so they are named before the app directories.
        "DIRS": [BASE_DIR / "campus" / "core" / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {"context_processors": _CONTEXT_PROCESSORS},
    }
]

FORM_RENDERER = "campus.core.forms.CampusFormRenderer"

ROOT_URLCONF = "campus.config.urls"
ASGI_APPLICATION = "campus.config.asgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
DEBUG = False
# User.email is unique by a constraint on lower(email), which the check does not see.
SILENCED_SYSTEM_CHECKS = ["auth.W004"]

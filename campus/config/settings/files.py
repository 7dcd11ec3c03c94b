"""Languages, static files, media, mail."""

from .environment import BASE_DIR, PRODUCTION, STATE_DIR, env

LANGUAGE_CODE = "ko"
LANGUAGES = [("ko", "한국어"), ("en", "English")]
# Better words for what allauth says; first in the search, so they win over its own catalogue.
LOCALE_PATHS = [BASE_DIR / "campus" / "core" / "sign_in_words" / "locale"]
LANGUAGE_COOKIE_NAME = "campus_language"
LANGUAGE_COOKIE_AGE = 31_536_000
TIME_ZONE = "Asia/Seoul"
USE_TZ = True
USE_I18N = True

STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
WHITENOISE_USE_FINDERS = not PRODUCTION
WHITENOISE_MAX_AGE = 3600 if not PRODUCTION else 86_400

MEDIA_ROOT = STATE_DIR / "media"
MEDIA_URL = "/media-is-not-served/"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "campus.core.static_storage.CampusStaticFilesStorage"
        if PRODUCTION
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}
FILE_UPLOAD_PERMISSIONS = 0o640

# Course materials: how large one file may be, by kind, and which hosts may serve videos as HLS (https://cdn.example.org).
MATERIALS_MAX_BYTES = {
    "VIDEO": env.int("CAMPUS_VIDEO_MAX_MIB", 2048) * 1024**2,
    "FILE": env.int("CAMPUS_FILE_MAX_MIB", 100) * 1024**2,
    "NOTEBOOK": 10 * 1024**2,
}
MATERIALS_HLS_ORIGINS = [origin.rstrip("/").lower() for origin in env.list("CAMPUS_HLS_ORIGINS", default=[])]

EMAIL_CONFIG = env.email_url("EMAIL_URL", default="consolemail://")
EMAIL_BACKEND = EMAIL_CONFIG["EMAIL_BACKEND"]
EMAIL_HOST = EMAIL_CONFIG.get("EMAIL_HOST", "localhost")
EMAIL_PORT = EMAIL_CONFIG.get("EMAIL_PORT", 25)
EMAIL_HOST_USER = EMAIL_CONFIG.get("EMAIL_HOST_USER", "")
EMAIL_HOST_PASSWORD = EMAIL_CONFIG.get("EMAIL_HOST_PASSWORD", "")
EMAIL_USE_TLS = EMAIL_CONFIG.get("EMAIL_USE_TLS", False)
DEFAULT_FROM_EMAIL = env.str("CAMPUS_MAIL_FROM", "AI Campus <no-reply@localhost>")
# A mail server that says nothing must not hold a worker for ever; a claim of e-mails lasts ten minutes.
EMAIL_TIMEOUT = 20

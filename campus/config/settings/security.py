"""Secrets, hosts, cookies, content security policy."""

from csp.constants import NONCE, NONE, SELF

from .environment import PRODUCTION, TESTING, env, secret

SECRET_KEY = secret("DJANGO_SECRET_KEY", default="only-for-development-and-tests-" + "0" * 32)
ALLOWED_HOSTS = env.list("CAMPUS_HOSTS", default=[] if PRODUCTION else ["127.0.0.1", "localhost", "testserver"])
CSRF_TRUSTED_ORIGINS = env.list("CAMPUS_ORIGINS", default=[f"https://{host}" for host in ALLOWED_HOSTS])
# What links in e-mails begin with.
CAMPUS_URL = env.str("CAMPUS_URL", next(iter(CSRF_TRUSTED_ORIGINS), "") if PRODUCTION else "http://127.0.0.1:8000")

SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
# In the database: signing in must survive a lost Redis.
SESSION_ENGINE = "campus.people.sessions"
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "campus.core.views.csrf_failure"
X_FRAME_OPTIONS = "DENY"

if PRODUCTION:
    SECURE_SSL_REDIRECT = env.bool("CAMPUS_SSL_REDIRECT", True)
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    # The proxy's own checks and the nodes speak plain HTTP on the inner network.
    SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^node/v1/"]
    SECURE_HSTS_SECONDS = env.int("CAMPUS_HSTS_SECONDS", 31_536_000)
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    SECURE_HSTS_PRELOAD = True
    SESSION_COOKIE_SECURE = True
    CSRF_COOKIE_SECURE = True

# Kakao, Naver and OIDC answer a form's POST with a redirect to themselves, so they are named here.
_FORM_ACTION = [SELF, "https://kauth.kakao.com", "https://nid.naver.com", *env.list("CAMPUS_OIDC_ORIGINS", default=[])]
CONTENT_SECURITY_POLICY = {
    "EXCLUDE_URL_PREFIXES": ("/api/v1/docs",),
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF, NONCE],
        "style-src": [SELF, NONCE],
        "img-src": [SELF, "data:", "blob:"],
        "font-src": [SELF, "data:"],
        "connect-src": [SELF],
        "object-src": [NONE],
        "base-uri": [SELF],
        "form-action": _FORM_ACTION,
        "frame-ancestors": [NONE],
    },
}

# Argon2 would need another package; PBKDF2 is Django's maintained default. Tests hash cheaply.
if TESTING:
    PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
DATA_UPLOAD_MAX_MEMORY_SIZE = 12 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 2_000
DATA_UPLOAD_MAX_NUMBER_FILES = 300

"""The environment, read once: which mode we run in, where state lives, and the secrets.

Modes: `development`, `demo` (one machine, embedded services), `test`, `production`.
A secret `X` may be given as a file by `X_FILE`. What production lacks is an error at start,
never a default.
"""

from pathlib import Path

import environ
from django.core.exceptions import ImproperlyConfigured

BASE_DIR = Path(__file__).resolve().parents[3]

env = environ.Env()

MODES = ("development", "demo", "test", "production")
MODE = env.str("CAMPUS_MODE", "development")
if MODE not in MODES:
    raise ImproperlyConfigured(f"CAMPUS_MODE is {MODE!r}; set it to one of: {', '.join(MODES)}")

PRODUCTION = MODE == "production"
TESTING = MODE == "test"

# A provider whose settings are missing does not exist here: no button, no address.
_PROVIDERS = {"kakao": "KAKAO_CLIENT_ID", "naver": "NAVER_CLIENT_ID", "openid_connect": "OIDC_CLIENT_ID"}
SIGN_IN_WITH = [name for name, variable in _PROVIDERS.items() if env.str(variable, "")]

STATE_DIR = Path(env.str("CAMPUS_STATE", str(BASE_DIR / ".state"))).resolve()


def secret(name: str, default: str | None = None) -> str:
    """Return the secret `name`, or the content of the file that `name`_FILE names.

    Raises ImproperlyConfigured where production has neither.
    """
    path = env.str(f"{name}_FILE", "")
    if path:
        try:
            return Path(path).read_text(encoding="utf-8").strip()
        except OSError as error:
            raise ImproperlyConfigured(f"{name}_FILE names {path}, which cannot be read: {error}") from error
    value = env.str(name, "")
    if value:
        return value
    if PRODUCTION or default is None:
        raise ImproperlyConfigured(f"set {name}, or {name}_FILE to a file that holds it")
    return default

"""Who may sign in and how: e-mail, passkeys, one-time codes, Kakao, Naver, OIDC."""

from typing import Any

from .environment import PRODUCTION, SIGN_IN_WITH, env, secret

AUTH_USER_MODEL = "people.User"
AUTHENTICATION_BACKENDS = ["campus.people.sessions.SignIn"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "/"

ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_SIGNUP_FORM_CLASS = "campus.people.forms.SignupForm"
ACCOUNT_ADAPTER = "campus.people.adapters.AccountAdapter"
SOCIALACCOUNT_ADAPTER = "campus.people.adapters.SocialAccountAdapter"
ACCOUNT_EMAIL_VERIFICATION = env.str("CAMPUS_EMAIL_VERIFICATION", "mandatory" if PRODUCTION else "optional")
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_SESSION_REMEMBER = None
ACCOUNT_RATE_LIMITS = {"login_failed": "10/m/ip,5/5m/key"}

MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not PRODUCTION
MFA_TOTP_ISSUER = "AI Campus"
# As RFC 6238 recommends: a code that rolled over while it was typed, or a phone half a minute off, still opens.
MFA_TOTP_TOLERANCE = 1

SOCIALACCOUNT_PROVIDERS: dict[str, Any] = {}
if "kakao" in SIGN_IN_WITH:
    SOCIALACCOUNT_PROVIDERS["kakao"] = {
        "APPS": [{"client_id": env.str("KAKAO_CLIENT_ID"), "secret": secret("KAKAO_CLIENT_SECRET", "")}]
    }
if "naver" in SIGN_IN_WITH:
    SOCIALACCOUNT_PROVIDERS["naver"] = {
        "APPS": [{"client_id": env.str("NAVER_CLIENT_ID"), "secret": secret("NAVER_CLIENT_SECRET", "")}]
    }
if "openid_connect" in SIGN_IN_WITH:
    SOCIALACCOUNT_PROVIDERS["openid_connect"] = {
        "OAUTH_PKCE_ENABLED": True,
        "APPS": [
            {
                "provider_id": env.str("OIDC_PROVIDER_ID", "sso"),
                "name": env.str("OIDC_NAME", "SSO"),
                "client_id": env.str("OIDC_CLIENT_ID"),
                "secret": secret("OIDC_CLIENT_SECRET", ""),
                "settings": {"server_url": env.str("OIDC_SERVER_URL")},
            }
        ],
    }
SOCIALACCOUNT_LOGIN_ON_GET = False
SOCIALACCOUNT_EMAIL_AUTHENTICATION = False

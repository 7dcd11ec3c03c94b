"""Ways to a phone: KakaoTalk Alimtalk and SMS, each switched on by its provider's address."""

from typing import Any

from .environment import env, secret

_ALIMTALK_URL = env.str("CAMPUS_ALIMTALK_URL", "")
_SMS_URL = env.str("CAMPUS_SMS_URL", "")
NOTICES_ALIMTALK = {
    "url": _ALIMTALK_URL,
    "key": secret("CAMPUS_ALIMTALK_KEY") if _ALIMTALK_URL else "",
    "sender": env.str("CAMPUS_ALIMTALK_SENDER", ""),
}
NOTICES_SMS = {
    "url": _SMS_URL,
    "key": secret("CAMPUS_SMS_KEY") if _SMS_URL else "",
    "sender": env.str("CAMPUS_SMS_SENDER", ""),
}
#: Kind of notice to its approved template: {"timetable.moved": {"code": "T01", "variables": ["title", "after_at"]}}
NOTICES_PHONE_TEMPLATES: dict[str, dict[str, Any]] = env.json("CAMPUS_PHONE_TEMPLATES", default={})
#: Alimtalk's approved template for codes that prove a number, with the variable `code`; without one codes go by SMS.
NOTICES_PHONE_CODE_TEMPLATE = env.str("CAMPUS_PHONE_CODE_TEMPLATE", "")
NOTICES_PHONE_TIMEOUT_S = 10

"""Requests for more GPU time: one that was answered, and one that waits for an answer."""

from datetime import timedelta

from django.utils import timezone

from campus.people.access import standing_of
from campus.people.models import User
from courses.catalog.models import Enrolment
from labs.quota import api as quota

from .course import HOUR
from .people import DEMO_LEARNER, YONGIN, DemoPerson

WAITING = DemoPerson("이서준", "seojun.lee", campus=YONGIN)
APPROVER = DemoPerson("한도윤", "yongin-admin", "campus-admin", YONGIN)


def ask_for_more(users: dict[str, User], enrolments: list[Enrolment]) -> None:
    """The demo's learner was given more; a classmate waits."""
    accounts = {enrolment.user.email: enrolment.account_id for enrolment in enrolments}
    until = timezone.localdate() + timedelta(weeks=4)
    approver = users[APPROVER.email]
    answered = quota.ask(
        account_id=accounts[DEMO_LEARNER.email], asker=users[DEMO_LEARNER.email], wanted_s=4 * HOUR, until=until,
        reason="손글씨 분류기를 학습률 다섯 가지로 비교하려고 합니다. 지금 시간으로는 세 가지까지만 됩니다.",
    )  # fmt: skip
    quota.approve(
        request_id=answered.pk, actor=approver, standing=standing_of(approver), given_s=3 * HOUR,
        answer="세 시간으로 시작해 보고, 더 필요하면 다시 요청해 주세요.",
    )  # fmt: skip
    quota.ask(
        account_id=accounts[WAITING.email], asker=users[WAITING.email], wanted_s=6 * HOUR, until=until,
        reason="하이퍼파라미터 찾기 실습을 발표 과제로 넓히려고 합니다. 실험 스무 번에 여섯 시간쯤 걸립니다.",
    )  # fmt: skip

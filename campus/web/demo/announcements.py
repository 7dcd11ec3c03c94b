"""What the demo's staff announced: one at each campus, one to a cohort, a draft and one that waits for its time.

And one signal that the instructor has followed up, so that the page of those who may need help shows both.
"""

from datetime import datetime, timedelta

from django.utils import timezone

from campus.core.models import Notice
from campus.people.models import User
from campus.places.models import Campus
from courses.announcements.api import Wish, bring, publish, save_announcement
from courses.announcements.models import Announcement
from courses.support.api import note_signal, overview

from . import people
from .course import Taught

_CAMPUS = {
    people.YONGIN: (
        "용인 캠퍼스 3층 실습실 개방 안내",
        "다음 주부터 3층 실습실을 **평일 22시까지** 엽니다.\n\n"
        "- 출입증을 꼭 챙겨 주세요.\n- 마지막에 나가는 분은 불을 꺼 주세요.",
    ),
    people.JEONBUK: (
        "전북 캠퍼스 셔틀 시간이 바뀝니다",
        "익산역 출발이 **08:20**으로 10분 빨라집니다.\n\n"
        "| 출발 | 도착 |\n| --- | --- |\n| 08:20 | 08:50 |\n| 12:30 | 13:00 |",
    ),
}
_COHORT = (
    "이번 주 실습은 코드를 미리 읽어 오세요",
    "`main.py`의 학습 반복 부분을 읽고 오면 수업에서 바로 실험을 시작할 수 있습니다.\n\n"
    "$$\\theta \\leftarrow \\theta - \\eta \\nabla L$$",
)


def announce(campuses: dict[str, Campus], taught: Taught, users: dict[str, User], now: datetime) -> None:
    """Write and bring them. Call it in a transaction; no e-mail leaves for what the demo began with."""
    heads = {person.campus: users[person.email] for person in people.STAFF if person.role == "campus-admin"}
    for slug, (title, body) in _CAMPUS.items():
        wish = Wish(title, body, "CAMPUS", campus_id=campuses[slug].pk)
        _published(wish, heads.get(slug) or users[people.STAFF[0].email], now - timedelta(days=2, hours=3))
    teacher = next(users[one.email] for one in people.STAFF if one.role == "instructor" and one.campus == people.YONGIN)
    cohort_id = taught.cohorts[people.YONGIN].pk
    _published(Wish(*_COHORT, "COHORT", cohort_id=cohort_id), teacher, now - timedelta(hours=20))
    save_announcement(
        wish=Wish("중간 점검 면담", "원하는 시간을 골라 주세요.", "COHORT", cohort_id=cohort_id), actor=teacher
    )  # fmt: skip
    tomorrow = timezone.localtime(now).replace(hour=9, minute=0, second=0, microsecond=0) + timedelta(days=1)
    later = Wish(
        "내일 수업 준비물", "노트북과 충전기를 가져오세요.", "COHORT", cohort_id=cohort_id, publish_at=tomorrow
    )
    publish(
        announcement_id=save_announcement(wish=later, actor=teacher).pk, actor=teacher, at_its_time=True
    )  # fmt: skip
    Notice.objects.filter(kind="announcements.published").update(mail=Notice.Mail.NONE, mail_after=None)
    _follow_up(taught, teacher, now)


def _published(wish: Wish, author: User, at: datetime) -> None:
    found = publish(announcement_id=save_announcement(wish=wish, actor=author).pk, actor=author)
    bring(announcement_id=found.pk)
    Announcement.objects.filter(pk=found.pk).update(created_at=at, published_at=at)


def _follow_up(taught: Taught, teacher: User, now: datetime) -> None:
    """The first signal of the first learner who has more than one is noted."""
    for row in overview(taught.cohorts[people.YONGIN], now).rows:
        if len(row.open) > 1:
            first = row.open[0]
            note_signal(
                enrolment=row.enrolment, kind=first.kind.value, level=first.level, act="TALKED",
                text="수업 뒤에 이야기함. 다음 주부터 나오기로 함.", actor=teacher,
            )  # fmt: skip
            return

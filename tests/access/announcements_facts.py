"""Announcements in the braces of the table's addresses: one published, one draft, both for Yongin's cohort."""

from courses.announcements.services import Wish, bring, publish, save_announcement

from .world import World


def announced(world: World) -> dict[str, object]:
    author = world.people["instructor"]
    wish = Wish("휴강 안내", "**금요일**은 쉽니다.", "COHORT", cohort_id=world.cohort.pk)
    published, draft = (save_announcement(wish=wish, actor=author) for _ in range(2))
    publish(announcement_id=published.pk, actor=author)
    bring(announcement_id=published.pk)
    return {"announcement": published.pk, "draft": draft.pk}

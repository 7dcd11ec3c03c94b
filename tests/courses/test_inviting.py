"""A roster leaves as the file that an import takes, and people whose invitation expired are invited again."""

from datetime import timedelta

import pytest
from django.conf import settings as django_settings
from django.core import mail
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from campus.core.models import AuditEntry
from campus.people.api import Role
from campus.people.models import User
from courses.catalog import services as catalog
from courses.catalog.domain.roster import parse_roster, roster_csv
from courses.catalog.invitations import waiting_in

from . import build

pytestmark = pytest.mark.django_db

LIST = "이메일,이름,수강 방식,학번\nnew1@b.kr,김새롬,대면,011\nnew2@b.kr,이새봄,온라인,\n=x@b.kr,박등호,대면,\n"


@pytest.fixture
def cohort():
    made = build.cohort()
    raw = LIST.encode()
    digest = catalog.preview_roster(cohort_id=made.pk, raw=raw).digest
    catalog.import_roster(cohort_id=made.pk, raw=raw, digest=digest, actor=None)
    return made


@pytest.fixture
def staff(client, cohort):
    client.force_login(build.staff(Role.INSTRUCTOR, cohort.scope))
    client.cookies[django_settings.LANGUAGE_COOKIE_NAME] = "en"
    return client


@pytest.mark.parametrize("language", ["ko", "en"])
def test_what_is_exported_imports_as_what_is_there(client, staff, cohort, language):
    client.cookies[django_settings.LANGUAGE_COOKIE_NAME] = language
    answer = client.get(reverse("catalog:roster-export", args=[cohort.pk]))
    assert ".csv" in answer["Content-Disposition"]
    plan = catalog.preview_roster(cohort_id=cohort.pk, raw=answer.content).plan
    assert ([row.effect for row in plan.rows], plan.errors) == (["keep"] * 3, ())
    assert b"\n'=x@b.kr," in answer.content
    head = answer.content.decode("utf-8-sig").splitlines()[0]
    assert head == ("이메일,이름,수강 방식,학번" if language == "ko" else "Email,Name,Mode,Member number")


def test_a_cell_that_a_spreadsheet_would_run_is_written_harmless_and_read_back():
    written = roster_csv([("+a@b.kr", "이름, 긴", "ONLINE", "-7")], "en")
    assert "'+a@b.kr" in written
    assert "'-7" in written
    (row,) = parse_roster(f"email,name\n{written.splitlines()[1].rsplit(',', 2)[0]}".encode()).rows
    assert (row.email, row.name) == ("+a@b.kr", "이름, 긴")


@pytest.fixture
def expired(settings):
    """Let invitations that were made now be too old."""
    settings.PASSWORD_RESET_TIMEOUT = -1


def test_the_roster_says_whose_invitation_no_longer_works(staff, cohort, expired, settings):
    User.objects.filter(email="new1@b.kr").update(last_login=timezone.now())
    page = staff.get(reverse("catalog:roster", args=[cohort.pk])).content.decode()
    assert "2 people have not come in, and their invitations no longer work" in page
    assert page.count("Invitation expired") == 2
    settings.PASSWORD_RESET_TIMEOUT = 3600
    waiting = waiting_in(cohort, timezone.now() + timedelta(hours=2))
    assert len(waiting) == 2
    assert all(invitation.is_expired for invitation in waiting.values())
    assert not any(invitation.is_expired for invitation in waiting_in(cohort, timezone.now()).values())


def test_those_whose_invitation_expired_are_invited_again(staff, cohort, expired, django_capture_on_commit_callbacks):
    chosen = User.objects.get(email="new2@b.kr")
    User.objects.exclude(pk=chosen.pk).filter(email__endswith="b.kr").update(last_login=timezone.now())
    url = reverse("catalog:roster-invite", args=[cohort.pk])
    with django_capture_on_commit_callbacks() as callbacks:
        answer = staff.post(url, follow=True)
    assert "1 invitation is on its way." in answer.content.decode()
    assert len(callbacks) == 1
    assert AuditEntry.objects.filter(verb="person.invited", subject=chosen).count() == 2


def test_nobody_is_invited_twice_in_a_moment(staff, cohort, django_capture_on_commit_callbacks):
    url = reverse("catalog:roster-invite", args=[cohort.pk])
    chosen = User.objects.get(email="new2@b.kr")
    with django_capture_on_commit_callbacks() as callbacks:
        assert "No invitation has expired." in staff.post(url, follow=True).content.decode()
        said = staff.post(url, {"person": chosen.pk}, follow=True).content.decode()
        assert "The last invitation went out 10 minutes ago or less." in said
        stranger = build.person()
        assert "needs no invitation" in staff.post(url, {"person": stranger.pk}, follow=True).content.decode()
    assert callbacks == []
    assert mail.outbox == []


def test_the_roster_costs_the_same_at_one_invited_and_at_twenty(staff, cohort):
    def queries():
        with CaptureQueriesContext(connection) as seen:
            assert staff.get(reverse("catalog:roster", args=[cohort.pk])).status_code == 200
        return len(seen)

    few = queries()
    raw = ("email,name\n" + "".join(f"more{n}@b.kr,김여럿\n" for n in range(17))).encode()
    digest = catalog.preview_roster(cohort_id=cohort.pk, raw=raw).digest
    catalog.import_roster(cohort_id=cohort.pk, raw=raw, digest=digest, actor=None)
    assert queries() == few <= 20

"""A small tree of accounts: platform, campus, cohort, learner."""

from dataclasses import dataclass
from itertools import count

import pytest
from django.db import transaction

from campus.people.models import Scope, User
from labs.quota.models import Account
from tests import factories
from tests.factories import HOUR

_slugs = count()


@dataclass
class Tree:
    """platform 1000 h > campus 400 h > cohort 100 h > learner 20 h."""

    platform: Account
    campus: Account
    cohort: Account
    learner: Account
    owner: User
    campus_scope: Scope
    cohort_scope: Scope

    @property
    def path(self) -> list[Account]:
        return [self.platform, self.campus, self.cohort, self.learner]

    def fresh(self) -> list[Account]:
        """The four accounts as they stand, root first."""
        return [Account.objects.get(pk=account.pk) for account in self.path]


@transaction.atomic
def plant(learner_s: int = 20 * HOUR) -> Tree:
    home = factories.campus(slug=f"yongin-{next(_slugs)}")
    cohort_scope = factories.cohort_scope(home)
    owner = factories.UserFactory(name="이서준")
    platform = factories.platform_account()
    campus = factories.account(Account.Kind.CAMPUS, platform, home.scope, 400 * HOUR, name="용인 캠퍼스")
    cohort = factories.account(Account.Kind.COHORT, campus, cohort_scope, 100 * HOUR, name="AI 엔지니어 1기")
    learner = factories.learner_account(cohort, owner, learner_s)
    return Tree(platform, campus, cohort, learner, owner, home.scope, cohort_scope)


@pytest.fixture
def tree(db: None) -> Tree:
    return plant()

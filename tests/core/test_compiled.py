"""Compiled queries give what their query sets give, whatever the values."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.db.models import DateTimeField, F, QuerySet

from campus.core.compiled import AnyOf, Compiled, Given, number_of
from campus.people.models import RoleGrant, Scope, User
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db


def _people(**about: Any) -> QuerySet[Any, Any]:
    return User.objects.filter(**about).annotate(again=F("email")).order_by("pk")


def test_models_are_those_of_the_query_set_with_annotations(django_assert_num_queries: Any) -> None:
    users = [UserFactory(), UserFactory(), UserFactory()]
    asked = Compiled(lambda: _people(pk=AnyOf("ids")))
    for wanted in (users[:1], users[1:], []):
        with django_assert_num_queries(1):
            found = asked.models(ids=[user.pk for user in wanted])
        assert found == wanted
        assert [one.again for one in found] == [user.email for user in wanted]
        assert not any(one._state.adding or one.get_deferred_fields() for one in found)


def test_rows_are_those_of_values_list_for_each_given_value() -> None:
    early, late = UserFactory(), UserFactory()
    User.objects.filter(pk=early.pk).update(last_login=datetime(2020, 1, 1, tzinfo=UTC))
    User.objects.filter(pk=late.pk).update(last_login=datetime(2022, 1, 1, tzinfo=UTC))
    asked = Compiled(
        lambda: User.objects.filter(last_login__lt=Given("before", DateTimeField())).values_list("pk", "email")
    )
    assert asked.rows(before=datetime(2021, 1, 1, tzinfo=UTC)) == [(early.pk, early.email)]
    assert asked.row(before=datetime(2019, 1, 1, tzinfo=UTC)) is None
    assert (late.pk, late.email) in asked.rows(before=datetime(2100, 1, 1, tzinfo=UTC))


def test_a_number_is_that_of_the_rows_and_zero_where_there_are_none() -> None:
    users = [UserFactory() for _ in range(3)]
    asked = Compiled(lambda: number_of(_people(pk=AnyOf("ids")).order_by("email")))
    assert [asked.value(ids=[user.pk for user in some]) for some in ([], users[:1], users)] == [0, 1, 3]


def test_what_is_prefetched_comes_with_each_answer(django_assert_num_queries: Any) -> None:
    users = [UserFactory(), UserFactory()]
    scope = Scope.objects.get(kind=Scope.Kind.PLATFORM)
    asked = Compiled(lambda: _people(pk=AnyOf("ids")).prefetch_related("role_grants"))
    for given in ([], users):
        RoleGrant.objects.filter(user__in=users).delete()
        RoleGrant.objects.bulk_create(
            RoleGrant(user=user, role=RoleGrant.Role.ASSISTANT, scope=scope) for user in given
        )
        with django_assert_num_queries(2):
            found = asked.models(ids=[user.pk for user in users])
            assert [len(one.role_grants.all()) for one in found] == [len(given) // 2] * 2
    with django_assert_num_queries(1):
        assert asked.models(ids=[]) == []


def test_values_are_no_models_and_a_missing_value_is_an_error() -> None:
    asked = Compiled(lambda: Scope.objects.filter(pk=Given("pk")).values_list("pk"))
    with pytest.raises(TypeError):
        asked.models(pk=1)
    with pytest.raises(KeyError):
        asked.rows()

"""The icon at its old address."""

from django.contrib.staticfiles import finders
from django.test import Client


def test_the_one_icon_is_served_where_programs_look_for_it() -> None:
    answer = Client().get("/favicon.ico")
    with open(finders.find("core/icon.svg"), "rb") as icon:
        assert (answer.status_code, answer["Content-Type"], answer.content) == (200, "image/svg+xml", icon.read())
    assert "max-age" in answer["Cache-Control"]

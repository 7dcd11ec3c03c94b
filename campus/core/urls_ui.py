"""Routes of the shell: theme, language, notices, style guide. The composition root includes them at the root."""

from django.urls import path

from campus.core import views_preferences, views_styleguide
from campus.core.notices import views as notices
from campus.core.notices import views_choices, views_phone

urlpatterns = [
    path("preferences/theme/", views_preferences.set_theme, name="set_theme"),
    path("preferences/language/", views_preferences.set_language, name="set_language"),
    path("notices/", notices.notices, name="notices"),
    path("notices/read/", notices.mark_all_read, name="notices-read"),
    path("notices/<int:notice_id>/", notices.open_one, name="notice"),
    path("me/notices/", views_choices.notice_choices, name="notice-choices"),
    path("me/notices/phone/", views_phone.ask, name="notice-phone"),
    path("me/notices/phone/code/", views_phone.confirm, name="notice-phone-code"),
    path("me/notices/phone/remove/", views_phone.forget, name="notice-phone-remove"),
    path("notices/stop/<str:token>/", views_choices.stop, name="notice-unsubscribe"),
    path("styleguide/", views_styleguide.styleguide, name="styleguide"),
]

"""Routes of the shell: theme, language, style guide. The composition root includes them at the root."""

from django.urls import path

from campus.core import views_preferences, views_styleguide

urlpatterns = [
    path("preferences/theme/", views_preferences.set_theme, name="set_theme"),
    path("preferences/language/", views_preferences.set_language, name="set_language"),
    path("styleguide/", views_styleguide.styleguide, name="styleguide"),
]

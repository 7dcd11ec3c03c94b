"""Pages of scheduling."""

from django.urls import path

from . import views, what_if_views

app_name = "scheduling"
urlpatterns = [
    path("scheduling/forecast/", views.show_forecast, name="forecast"),
    path("scheduling/what-if/", what_if_views.what_if, name="what-if"),
]

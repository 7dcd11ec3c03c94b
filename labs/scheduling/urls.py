"""Pages of scheduling."""

from django.urls import path

from . import views

app_name = "scheduling"
urlpatterns = [path("scheduling/forecast/", views.show_forecast, name="forecast")]

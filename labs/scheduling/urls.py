"""Pages of scheduling."""

from django.urls import path

from . import class_views, views, what_if_views

app_name = "scheduling"
urlpatterns = [
    path("scheduling/forecast/", views.show_forecast, name="forecast"),
    path("scheduling/what-if/", what_if_views.what_if, name="what-if"),
    path("scheduling/classes/", class_views.classes, name="classes"),
    path("scheduling/classes/new/", class_views.new_class, name="new-class"),
    path("scheduling/classes/<int:reservation_id>/", class_views.move_class, name="move-class"),
    path("scheduling/classes/<int:reservation_id>/cancel/", class_views.cancel_class, name="cancel-class"),
    path("scheduling/sites/<int:site_id>/owner/", class_views.site_owner, name="site-owner"),
    path("scheduling/sites/<int:site_id>/limits/", class_views.site_limits, name="site-limits"),
    path("scheduling/sites/<int:site_id>/lendings/", class_views.new_lending, name="new-lending"),
    path("scheduling/lendings/<int:lending_id>/end/", class_views.end_lending, name="end-lending"),
]

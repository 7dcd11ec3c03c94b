"""The pages of environments and data sets."""

from django.urls import path

from . import views

app_name = "environments"
urlpatterns = [
    path("environments/", views.environment_list, name="list"),
    path("environments/new/", views.new_environment, name="new"),
    path("environments/<slug:slug>/", views.environment, name="environment"),
    path("environments/<slug:slug>/retire/", views.retire_environment, name="retire"),
    path("environments/<slug:slug>/offer/", views.offer_environment, name="offer"),
    path("data-sets/", views.data_set_list, name="data-sets"),
    path("data-sets/new/", views.new_data_set, name="new-data-set"),
    path("data-sets/<slug:slug>/retire/", views.retire_data_set, name="retire-data-set"),
    path("data-sets/<slug:slug>/offer/", views.offer_data_set, name="offer-data-set"),
]

"""The gradebook's pages."""

from django.urls import path

from .views import columns, exchange, finals, grid, learners, rows

app_name = "gradebook"
urlpatterns = [
    path("courses/<slug:slug>/gradebook/", grid.book, name="book"),
    path("courses/<slug:slug>/gradebook/cells/", grid.cells, name="cells"),
    path("courses/<slug:slug>/gradebook/entries/<int:entry_id>/undo/", grid.undo_entry, name="undo"),
    path("courses/<slug:slug>/gradebook/entries/", grid.entries, name="entries"),
    path("courses/<slug:slug>/gradebook/setup/", columns.setup, name="setup"),
    path("courses/<slug:slug>/gradebook/setup/scheme/", columns.scheme, name="scheme"),
    path("courses/<slug:slug>/gradebook/categories/new/", columns.category, name="new-category"),
    path("courses/<slug:slug>/gradebook/categories/<int:pk>/", columns.category, name="category"),
    path("courses/<slug:slug>/gradebook/categories/<int:pk>/delete/", columns.remove_category, name="delete-category"),
    path("courses/<slug:slug>/gradebook/items/new/", columns.item, name="new-item"),
    path("courses/<slug:slug>/gradebook/items/<int:pk>/", columns.item, name="item"),
    path("courses/<slug:slug>/gradebook/items/<int:pk>/publish/", columns.publish, name="publish-item"),
    path("courses/<slug:slug>/gradebook/items/<int:pk>/delete/", columns.remove_item, name="delete-item"),
    path("courses/<slug:slug>/gradebook/export.<str:form>", exchange.export, name="export"),
    path("courses/<slug:slug>/gradebook/import/", exchange.upload, name="import"),
    path("courses/<slug:slug>/gradebook/finals/", finals.finals, name="finals"),
    path("courses/<slug:slug>/gradebook/questions/", finals.questions, name="questions"),
    path("courses/<slug:slug>/gradebook/questions/<int:pk>/", finals.answer, name="answer"),
    path("gradebook/rows/<int:enrolment_id>/", rows.row, name="row"),
    path("gradebook/rows/<int:enrolment_id>/final/", rows.final, name="final"),
    path("gradebook/rows/<int:enrolment_id>/history/<int:item_id>/", rows.history, name="history"),
    path("courses/<slug:slug>/grades/", learners.grades, name="grades"),
    path("courses/<slug:slug>/grades/<int:item_id>/ask/", learners.ask, name="ask"),
]

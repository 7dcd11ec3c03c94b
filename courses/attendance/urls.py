"""Pages of attendance."""

from django.urls import path

from .views import asking, checking, classes, desk, kiosks, learners, policies, streams, terms

app_name = "attendance"
urlpatterns = [
    path("attendance/", desk.desk, name="desk"),
    path("attendance/mine/", learners.mine, name="mine"),
    path("attendance/classes/<int:session_id>/", classes.board, name="board"),
    path("attendance/classes/<int:session_id>/marks/", classes.mark, name="give-marks"),
    path("attendance/classes/<int:session_id>/stations/", classes.open_station, name="open-station"),
    path("attendance/stations/<int:station_id>/close/", classes.close_station, name="close-station"),
    path("attendance/batches/<uuid:batch>/undo/", classes.undo, name="undo"),
    path("attendance/screen/<uuid:key>/", checking.screen, name="screen"),
    path("attendance/in/<str:code>/", checking.scan, name="scan"),
    path("attendance/here/", checking.here, name="here"),
    path("attendance/kiosk/<uuid:key>/", kiosks.kiosk, name="kiosk"),
    path("attendance/classes/<int:session_id>/code/", kiosks.my_code, name="my-code"),
    path("attendance/classes/<int:session_id>/watch/", streams.watch, name="watch"),
    path("attendance/classes/<int:session_id>/beat/", streams.beat, name="beat"),
    path("attendance/learners/<int:enrolment_id>/", learners.learner, name="learner"),
    path("attendance/learners/<int:enrolment_id>/classes/<int:session_id>/", learners.mark, name="mark"),
    path("attendance/learners/<int:enrolment_id>/classes/<int:session_id>/excuse/", asking.excuse, name="excuse"),
    path("attendance/learners/<int:enrolment_id>/classes/<int:session_id>/contest/", asking.contest, name="contest"),
    path("attendance/learners/<int:enrolment_id>/lab-consent/", asking.lab_consent, name="lab-consent"),
    path("attendance/excuses/<int:excuse_id>/decide/", desk.decide_excuse, name="decide-excuse"),
    path("attendance/excuses/<int:excuse_id>/withdraw/", asking.withdraw, name="withdraw-excuse"),
    path("attendance/documents/<int:document_id>/", asking.document, name="document"),
    path("attendance/contests/<int:contest_id>/decide/", desk.decide_contest, name="decide-contest"),
    path("attendance/flags/<int:flag_id>/judge/", desk.judge, name="judge"),
    path("attendance/cohorts/<int:cohort_id>/", terms.term, name="term"),
    path("attendance/cohorts/<int:cohort_id>/attendance.<str:kind>", terms.export, name="export"),
    path("courses/<slug:slug>/attendance-policy/", policies.policy, name="policy"),
]

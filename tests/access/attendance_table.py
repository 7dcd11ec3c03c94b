"""The rows of attendance in the table of routes."""

ROWS = """
# Attendance
GET    /attendance/                                                         302 302 302 200 200 200 200 200 200
GET    /attendance/mine/                                                    302 200 200 200 200 200 200 200 200
GET    /attendance/classes/{attended}/                                      302 404 403 200 200 200 200 404 404
POST   /attendance/classes/{attended}/marks/                                302 404 403 302 302 302 302 404 404
POST   /attendance/classes/{attended}/stations/                             302 404 403 400 400 400 400 404 404
POST   /attendance/stations/{station}/close/                                302 404 403 302 302 302 302 404 404
POST   /attendance/batches/{marks}/undo/                                    302 404 403 302 302 302 302 404 404
GET    /attendance/screen/{screen}/                                         200 200 200 200 200 200 200 200 200
GET    /attendance/screen/{screen}/?part=code                               200 200 200 200 200 200 200 200 200
GET    /attendance/screen/{kiosk}/                                          404 404 404 404 404 404 404 404 404
GET    /attendance/in/1-aaaaaaaaaaaaaaaa/                                   409 409 409 409 409 409 409 409 409
GET    /attendance/here/                                                    302 409 409 409 409 409 409 409 409
POST   /attendance/here/                                                    302 409 409 409 409 409 409 409 409
GET    /attendance/kiosk/{kiosk}/                                           200 200 200 200 200 200 200 200 200
POST   /attendance/kiosk/{kiosk}/                                           400 400 400 400 400 400 400 400 400
GET    /attendance/kiosk/{screen}/                                          404 404 404 404 404 404 404 404 404
POST   /attendance/classes/{attended}/code/                                 302 404 200 403 403 403 403 404 404
GET    /attendance/classes/{attended}/watch/                                302 404 200 403 403 403 403 404 404
POST   /attendance/classes/{attended}/beat/                                 302 404 400 403 403 403 403 404 404
GET    /attendance/learners/{enrolment}/                                    302 404 200 200 200 200 200 404 404
GET    /attendance/learners/{other_enrolment}/                              302 404 404 404 404 404 200 200 200
GET    /attendance/learners/{enrolment}/classes/{attended}/                 302 404 200 200 200 200 200 404 404
POST   /attendance/learners/{enrolment}/classes/{attended}/                 302 404 403 400 400 400 400 404 404
GET    /attendance/learners/{other_enrolment}/classes/{attended}/           302 404 404 404 404 404 404 404 404
POST   /attendance/learners/{enrolment}/classes/{attended}/excuse/          302 404 400 403 403 403 403 404 404
POST   /attendance/learners/{enrolment}/classes/{attended}/contest/         302 404 400 403 403 403 403 404 404
POST   /attendance/learners/{enrolment}/lab-consent/                        302 404 302 403 403 403 403 404 404
POST   /attendance/excuses/{excuse}/decide/                                 302 404 403 400 400 400 400 404 404
POST   /attendance/excuses/{excuse}/withdraw/                               302 404 302 404 404 404 404 404 404
GET    /attendance/documents/{excuse_document}/                             302 404 200 200 200 200 200 404 404
POST   /attendance/contests/{contest}/decide/                               302 404 403 302 302 302 302 404 404
POST   /attendance/flags/{flag}/judge/                                      302 404 403 400 400 400 400 404 404
GET    /attendance/cohorts/{cohort}/                                        302 404 404 200 200 200 200 404 404
GET    /attendance/cohorts/{cohort}/attendance.csv                          302 404 404 200 200 200 200 404 404
GET    /attendance/cohorts/{cohort}/attendance.xlsx                         302 404 404 200 200 200 200 404 404
GET    /attendance/cohorts/{cohort}/attendance.pdf                          302 404 404 404 404 404 404 404 404
GET    /courses/{run}/attendance-policy/                                    302 403 403 200 200 200 200 200 200
POST   /courses/{run}/attendance-policy/                                    302 403 403 403 400 400 400 400 400
GET    /api/v1/attendance/                                                  401 200 200 200 200 200 200 200 200
GET    /api/v1/attendance/classes/{attended}/                               401 404 403 200 200 200 200 404 404
POST   /api/v1/attendance/classes/{attended}/marks/                         401 404 403 400 400 400 400 404 404
POST   /api/v1/attendance/batches/{marks}/undo/                             401 404 403 200 200 200 200 404 404
GET    /api/v1/attendance/cohorts/{cohort}/                                 401 404 404 200 200 200 200 404 404
"""

SOCKETS = {"/ws/attendance/{attended}/": "4401 4404 4404 open open open open 4404 4404"}

#: Names in braces that stand for secrets, where a number would be no address.
SECRETS = frozenset({"marks", "screen", "kiosk"})

"""The table: method, address, and the status for each of PEOPLE. Letters in braces are things of the world (facts.py).

302 from a page sends to the sign-in page. 404 where a stranger may not know that there is something, 403 where
one may know but not do; 400 is an empty form that one may send.
"""

from dataclasses import dataclass

from . import attendance_table, materials_table

PEOPLE = (
    "anonymous",
    "stranger",
    "learner",
    "assistant",
    "instructor",
    "campus_admin",
    "platform_admin",
    "other_instructor",
    "other_admin",
)

TABLE = (
    """
# For everyone, and one's own
GET    /healthz                                                             200 200 200 200 200 200 200 200 200
GET    /favicon.ico                                                         200 200 200 200 200 200 200 200 200
GET    /                                                                    200 200 200 200 200 200 200 200 200
GET    /?part=live                                                          200 200 200 200 200 200 200 200 200
POST   /preferences/theme/                                                  400 400 400 400 400 400 400 400 400
POST   /preferences/language/                                               400 400 400 400 400 400 400 400 400
GET    /styleguide/                                                         302 403 403 403 403 403 403 403 403
GET    /me/                                                                 302 200 200 200 200 200 200 200 200
POST   /me/                                                                 302 400 400 400 400 400 400 400 400
POST   /me/tokens/                                                          302 302 302 302 302 302 302 302 302
GET    /notices/                                                            302 200 200 200 200 200 200 200 200
POST   /notices/read/                                                       302 302 302 302 302 302 302 302 302
GET    /notices/{notice}/                                                   302 404 302 404 404 404 404 404 404
GET    /me/notices/                                                         302 200 200 200 200 200 200 200 200
POST   /me/notices/                                                         302 400 400 400 400 400 400 400 400
POST   /me/notices/phone/                                                   302 400 400 400 400 400 400 400 400
POST   /me/notices/phone/code/                                              302 400 400 400 400 400 400 400 400
POST   /me/notices/phone/remove/                                            302 302 302 302 302 302 302 302 302
GET    /notices/stop/{stop_token}/                                          200 200 200 200 200 200 200 200 200
POST   /notices/stop/{stop_token}/                                          200 200 200 200 200 200 200 200 200
POST   /me/tokens/{token}/revoke/                                           302 404 302 404 404 404 404 404 404

# Cohort board, pool
GET    /cohorts/                                                            302 403 403 200 200 200 200 200 200
GET    /cohorts/{cohort}/                                                   302 404 404 200 200 200 200 404 404
GET    /cohorts/{cohort}/?part=live                                         302 404 404 200 200 200 200 404 404
GET    /pool/                                                               302 403 403 200 200 200 200 200 200
GET    /pool/?part=live                                                     302 403 403 200 200 200 200 200 200
GET    /pool/nodes/new/                                                     302 403 403 403 403 200 200 403 200
POST   /pool/nodes/new/                                                     302 403 403 403 403 400 400 403 400
GET    /pool/nodes/{node}/                                                  302 403 403 200 200 200 200 200 200
POST   /pool/nodes/{node}/drain/                                            302 403 403 403 403 400 400 403 403
GET    /pool/nodes/{node}/token/                                            302 403 403 403 403 200 200 403 403
POST   /pool/nodes/{node}/token/                                            302 403 403 403 403 302 302 403 403
POST   /pool/nodes/{node}/resume/                                           302 403 403 403 403 409 409 403 403

# Campuses, people, audit
GET    /campuses/                                                           302 200 200 200 200 200 200 200 200
GET    /campuses/new/                                                       302 403 403 403 403 403 200 403 403
POST   /campuses/new/                                                       302 403 403 403 403 403 400 403 403
GET    /campuses/{campus}/                                                  302 200 200 200 200 200 200 200 200
GET    /campuses/{campus}/edit/                                             302 403 403 403 403 200 200 403 403
POST   /campuses/{campus}/edit/                                             302 403 403 403 403 400 400 403 403
GET    /campuses/{campus}/buildings/                                        302 403 403 403 403 200 200 403 403
POST   /campuses/{campus}/buildings/                                        302 403 403 403 403 400 400 403 403
GET    /campuses/{campus}/buildings/{building}/rooms/                       302 403 403 403 403 200 200 403 403
POST   /campuses/{campus}/buildings/{building}/rooms/                       302 403 403 403 403 400 400 403 403
GET    /campuses/{campus}/rooms/{room}/                                     302 403 403 403 403 200 200 403 403
POST   /campuses/{campus}/rooms/{room}/                                     302 403 403 403 403 400 400 403 403
GET    /people/                                                             302 403 403 403 403 200 200 403 200
GET    /people/appoint/                                                     302 403 403 403 403 200 200 403 200
POST   /people/appoint/                                                     302 403 403 403 403 400 400 403 400
GET    /people/{person}/                                                    302 403 403 403 403 200 200 403 404
POST   /people/{person}/                                                    302 403 403 403 403 400 400 403 404
POST   /people/{person}/roles/{grant}/revoke/                               302 403 403 403 403 302 302 403 404
POST   /people/{person}/activation/                                         302 403 403 403 403 403 400 403 404
GET    /audit/                                                              302 403 403 403 403 200 200 403 200

# Courses, lessons, labs
GET    /courses/                                                            200 200 200 200 200 200 200 200 200
GET    /courses/{run}/                                                      200 200 200 200 200 200 200 200 200
POST   /cohorts/{cohort}/enrol/                                             302 302 302 302 302 302 302 302 302
POST   /enrolments/{enrolment}/leave/                                       302 404 302 404 404 404 404 404 404
POST   /enrolments/{enrolment}/my-mode/                                     302 404 302 404 404 404 404 404 404
GET    /cohorts/{cohort}/roster/                                            302 404 404 200 200 200 200 404 404
POST   /cohorts/{cohort}/roster/add/                                        302 404 404 403 400 400 400 404 404
GET    /cohorts/{cohort}/roster/import/                                     302 404 404 403 200 200 200 404 404
POST   /cohorts/{cohort}/roster/import/                                     302 404 404 403 400 400 400 404 404
GET    /cohorts/{cohort}/roster/export/                                     302 404 404 403 200 200 200 404 404
POST   /cohorts/{cohort}/roster/invite/                                     302 404 404 403 302 302 302 404 404
POST   /enrolments/{enrolment}/withdraw/                                    302 404 404 403 302 302 302 404 404
POST   /enrolments/{enrolment}/mode/                                        302 404 404 403 302 302 302 404 404
GET    /catalog/                                                            302 404 404 404 404 200 200 404 200
GET    /catalog/programmes/new/                                             302 404 404 404 404 200 200 404 200
GET    /catalog/programmes/{programme}/edit/                                302 404 404 404 404 200 200 404 200
GET    /catalog/courses/new/                                                302 404 404 404 404 200 200 404 200
GET    /catalog/courses/{course}/edit/                                      302 404 404 404 404 200 200 404 200
GET    /catalog/terms/new/                                                  302 404 404 404 404 200 200 404 200
GET    /catalog/terms/{term}/edit/                                          302 404 404 404 404 200 200 404 200
GET    /catalog/runs/new/                                                   302 404 404 404 404 200 200 404 200
GET    /catalog/runs/{run_id}/edit/                                         302 404 404 404 404 200 200 404 200
GET    /catalog/runs/{run_id}/copy/                                         302 404 404 404 404 200 200 404 200
POST   /catalog/runs/{run_id}/copy/                                         302 404 404 404 404 400 400 404 400
GET    /catalog/runs/{run_id}/cohorts/new/                                  302 404 404 404 404 200 200 404 200
GET    /catalog/cohorts/{cohort}/edit/                                      302 404 404 404 404 200 200 404 404
POST   /catalog/programmes/new/                                             302 404 404 404 404 400 400 404 400
POST   /catalog/programmes/{programme}/edit/                                302 404 404 404 404 400 400 404 400
POST   /catalog/courses/new/                                                302 404 404 404 404 400 400 404 400
POST   /catalog/courses/{course}/edit/                                      302 404 404 404 404 400 400 404 400
POST   /catalog/terms/new/                                                  302 404 404 404 404 400 400 404 400
POST   /catalog/terms/{term}/edit/                                          302 404 404 404 404 400 400 404 400
POST   /catalog/runs/new/                                                   302 404 404 404 404 400 400 404 400
POST   /catalog/runs/{run_id}/edit/                                         302 404 404 404 404 400 400 404 400
POST   /catalog/runs/{run_id}/cohorts/new/                                  302 404 404 404 404 400 400 404 400
POST   /catalog/cohorts/{cohort}/edit/                                      302 404 404 404 404 400 400 404 404
GET    /search/?q=나중에                                                     302 200 200 200 200 200 200 200 200
GET    /api/v1/search/?q=나중에                                              401 200 200 200 200 200 200 200 200
GET    /courses/{run}/modules/new/                                          302 403 403 403 200 200 200 200 200
POST   /courses/{run}/modules/new/                                          302 403 403 403 400 400 400 400 400
GET    /courses/{run}/order/                                                302 403 403 403 200 200 200 200 200
POST   /modules/{module}/move/                                              302 404 403 403 302 302 302 302 302
POST   /modules/{module}/delete/                                            302 404 403 403 409 409 409 409 409
GET    /modules/{module}/delete/                                            302 404 403 403 200 200 200 200 200
POST   /lessons/{lesson}/move/                                              302 404 403 403 302 302 302 302 302
POST   /lessons/{lesson}/delete/                                            302 404 403 403 302 302 302 302 302
GET    /lessons/{lesson}/delete/                                            302 404 403 403 200 200 200 200 200
POST   /labs/{lab}/move/                                                    302 404 403 403 302 302 302 302 302
POST   /labs/{lab}/delete/                                                  302 404 403 403 409 409 409 409 409
GET    /labs/{lab}/delete/                                                  302 404 403 403 200 200 200 200 200
GET    /modules/{module}/edit/                                              302 404 403 403 200 200 200 200 200
POST   /modules/{module}/edit/                                              302 404 403 403 400 400 400 400 400
GET    /modules/{module}/lessons/new/                                       302 404 403 403 200 200 200 200 200
POST   /modules/{module}/lessons/new/                                       302 404 403 403 400 400 400 400 400
POST   /lessons/preview/                                                    302 200 200 200 200 200 200 200 200
GET    /lessons/{lesson}/                                                   302 404 200 200 200 200 200 200 200
POST   /lessons/{lesson}/done/                                              302 404 302 403 403 403 403 403 403
GET    /lessons/{lesson}/edit/                                              302 404 403 403 200 200 200 200 200
POST   /lessons/{lesson}/edit/                                              302 404 403 403 400 400 400 400 400
GET    /lessons/{lesson}/files/{lesson_file}                                302 404 200 200 200 200 200 200 200
GET    /lessons/{lesson}/versions/                                          302 404 403 403 200 200 200 200 200
GET    /lessons/{lesson}/versions/1/                                        302 404 403 403 200 200 200 200 200
POST   /lessons/{lesson}/versions/1/show/                                   302 404 403 403 302 302 302 302 302
GET    /lessons/{lesson}/versions/1/restore/                                302 404 403 403 200 200 200 200 200
POST   /lessons/{lesson}/versions/1/restore/                                302 404 403 403 302 302 302 302 302
GET    /lessons/{closed_lesson}/                                            302 404 403 200 200 200 200 200 200
GET    /lessons/{closed_lesson}/files/{lesson_file}                         302 404 403 200 200 200 200 200 200
GET    /labs/{closed_lab}/                                                  302 404 403 200 200 200 200 200 200
GET    /assignments/{closed_assignment}/                                    302 404 403 200 200 200 200 200 200
GET    /labs/{lab}/                                                         302 404 200 200 200 200 200 200 200
POST   /labs/{lab}/runs/                                                    302 404 400 400 400 400 400 400 400
GET    /labs/{lab}/edit/                                                    302 404 403 403 200 200 200 200 200
POST   /labs/{lab}/edit/                                                    302 404 403 403 400 400 400 400 400
GET    /modules/{module}/labs/new/                                          302 404 403 403 200 200 200 200 200
POST   /modules/{module}/labs/new/                                          302 404 403 403 400 400 400 400 400

# Announcements
GET    /announcements/                                                      302 200 200 200 200 200 200 200 200
GET    /announcements/?show=written                                         302 200 200 200 200 200 200 200 200
GET    /announcements/new/                                                  302 403 403 200 200 200 200 200 200
POST   /announcements/new/                                                  302 403 403 400 400 400 400 400 400
GET    /announcements/{announcement}/                                       302 404 200 200 200 200 200 404 404
GET    /announcements/{announcement}/edit/                                  302 404 403 200 200 200 200 404 404
POST   /announcements/{announcement}/edit/                                  302 404 403 400 400 400 400 404 404
GET    /announcements/{announcement}/publish/                               302 404 403 302 302 302 302 404 404
POST   /announcements/{announcement}/publish/                               302 404 403 409 409 409 409 404 404
GET    /announcements/{announcement}/withdraw/                              302 404 403 200 200 200 200 404 404
POST   /announcements/{announcement}/withdraw/                              302 404 403 302 302 302 302 404 404
GET    /announcements/{draft}/                                              302 404 404 200 200 200 200 404 404
GET    /announcements/{draft}/publish/                                      302 404 404 200 200 200 200 404 404
POST   /announcements/{draft}/publish/                                      302 404 404 302 302 302 302 404 404

# Who may need help
GET    /cohorts/{cohort}/support/                                           302 404 404 200 200 200 200 404 404
GET    /cohorts/{cohort}/support/?kind=MISSING&show=all                     302 404 404 200 200 200 200 404 404
GET    /cohorts/{cohort}/support/thresholds/                                302 404 404 403 200 200 200 404 404
POST   /cohorts/{cohort}/support/thresholds/                                302 404 404 403 400 400 400 404 404
GET    /support/learners/{enrolment}/                                       302 404 404 200 200 200 200 404 404
POST   /support/learners/{enrolment}/note/                                  302 404 404 400 400 400 400 404 404
GET    /support/learners/{enrolment}/write/                                 302 404 404 200 200 200 200 404 404
POST   /support/learners/{enrolment}/write/                                 302 404 404 400 400 400 400 404 404
GET    /support/messages/{support_message}/                                 302 404 200 200 200 200 200 404 404

# Assignments and grading
GET    /courses/{run}/assignments/                                          302 404 200 200 200 200 200 200 200
GET    /modules/{module}/assignments/new/                                   302 404 403 403 200 200 200 200 200
POST   /modules/{module}/assignments/new/                                   302 404 403 403 400 400 400 400 400
GET    /assignments/{assignment}/                                           302 404 200 200 200 200 200 200 200
POST   /assignments/{assignment}/submit/                                    302 404 400 403 403 403 403 403 403
POST   /assignments/{assignment}/late-day/                                  302 404 409 403 403 403 403 403 403
GET    /assignments/{assignment}/edit/                                      302 404 403 403 200 200 200 200 200
POST   /assignments/{assignment}/edit/                                      302 404 403 403 400 400 400 400 400
GET    /assignments/{assignment}/tests/                                     302 404 403 403 200 200 200 200 200
POST   /assignments/{assignment}/tests/                                     302 404 403 403 400 400 400 400 400
GET    /assignments/{assignment}/deadlines/                                 302 404 403 403 200 200 200 200 200
POST   /assignments/{assignment}/deadlines/                                 302 404 403 403 400 400 400 400 400
POST   /assignments/{assignment}/deadlines/{deadline}/revoke/               302 404 403 403 302 302 302 404 404
GET    /courses/{run}/assignments/policy/                                   302 404 403 403 200 200 200 200 200
POST   /courses/{run}/assignments/policy/                                   302 404 403 403 400 400 400 400 400
GET    /courses/{run}/groups/                                               302 404 403 403 200 200 200 200 200
POST   /courses/{run}/groups/                                               302 404 403 403 400 400 400 400 400
GET    /group-sets/{group_set}/                                             302 404 403 403 200 200 200 200 200
POST   /group-sets/{group_set}/                                             302 404 403 403 400 400 400 400 400
POST   /assignments/{assignment}/grade/{enrolment}/adjust/                  302 404 403 400 400 400 400 404 404
GET    /assignments/{assignment}/offers/                                    302 404 403 403 200 200 200 200 200
POST   /assignments/{assignment}/offers/                                    302 404 403 403 400 400 400 400 400
GET    /assignments/{assignment}/submissions/                               302 404 403 200 200 200 200 200 200
GET    /assignments/{assignment}/grade/{enrolment}/                         302 404 403 200 200 200 200 404 404
POST   /assignments/{assignment}/grade/{enrolment}/                         302 404 403 302 302 302 302 404 404
POST   /assignments/{assignment}/grade/{enrolment}/excuse/                  302 404 403 403 400 400 400 404 404
POST   /assignments/{assignment}/publish/                                   302 404 403 403 302 302 302 302 302
POST   /assignments/{assignment}/regrades/                                  302 404 403 403 403 403 400 403 403
GET    /assignments/{assignment}/regrades/{regrade}/                        302 404 403 403 200 200 200 200 200
POST   /assignments/{assignment}/regrades/{regrade}/                        302 404 403 403 302 302 302 403 403
GET    /submissions/{submission}/                                           302 404 200 200 200 200 200 404 404
GET    /submissions/{submission}/files/main.py                              302 404 200 200 200 200 200 404 404
GET    /submissions/{submission}/files/other.py                             302 404 404 404 404 404 404 404 404
GET    /receipts/{submission}/{receipt}/                                    302 200 200 200 200 200 200 200 200
GET    /receipts/{submission}/wrong/                                        302 404 404 404 404 404 404 404 404
GET    /api/v1/assignments/                                                 401 200 200 200 200 200 200 200 200
POST   /api/v1/assignments/{assignment}/submissions/                        401 404 201 403 403 403 403 403 403
GET    /api/v1/submissions/{submission}/                                    401 404 200 200 200 200 200 404 404

# The gradebook
GET    /courses/{run}/gradebook/                                            302 404 404 200 200 200 200 200 200
POST   /courses/{run}/gradebook/cells/                                      302 404 404 400 400 400 400 400 400
GET    /courses/{run}/gradebook/entries/                                    302 404 404 200 200 200 200 200 200
POST   /courses/{run}/gradebook/entries/{grade_entry}/undo/                 302 404 404 302 302 302 302 404 404
GET    /courses/{run}/gradebook/setup/                                      302 404 404 200 200 200 200 200 200
GET    /courses/{run}/gradebook/setup/scheme/                               302 404 404 403 200 200 200 200 200
POST   /courses/{run}/gradebook/setup/scheme/                               302 404 404 403 400 400 400 400 400
GET    /courses/{run}/gradebook/categories/new/                             302 404 404 403 200 200 200 200 200
POST   /courses/{run}/gradebook/categories/new/                             302 404 404 403 400 400 400 400 400
GET    /courses/{run}/gradebook/categories/{grade_category}/                302 404 404 403 200 200 200 200 200
POST   /courses/{run}/gradebook/categories/{grade_category}/delete/         302 404 404 403 302 302 302 302 302
GET    /courses/{run}/gradebook/items/new/                                  302 404 404 403 200 200 200 200 200
POST   /courses/{run}/gradebook/items/new/                                  302 404 404 403 400 400 400 400 400
GET    /courses/{run}/gradebook/items/{grade_item}/                         302 404 404 403 200 200 200 200 200
POST   /courses/{run}/gradebook/items/{grade_item}/publish/                 302 404 404 403 302 302 302 302 302
POST   /courses/{run}/gradebook/items/{grade_item}/delete/                  302 404 404 403 302 302 302 302 302
GET    /courses/{run}/gradebook/export.csv                                  302 404 404 200 200 200 200 200 200
GET    /courses/{run}/gradebook/export.xlsx                                 302 404 404 200 200 200 200 200 200
GET    /courses/{run}/gradebook/export.exe                                  302 404 404 404 404 404 404 404 404
GET    /courses/{run}/gradebook/import/                                     302 404 404 200 200 200 200 200 200
POST   /courses/{run}/gradebook/import/                                     302 404 404 400 400 400 400 400 400
GET    /courses/{run}/gradebook/finals/                                     302 404 404 403 200 200 200 200 200
POST   /courses/{run}/gradebook/finals/                                     302 404 404 403 302 302 302 302 302
GET    /courses/{run}/gradebook/questions/                                  302 404 404 200 200 200 200 200 200
POST   /courses/{run}/gradebook/questions/{grade_question}/                 302 404 404 400 400 400 400 404 404
GET    /gradebook/rows/{enrolment}/                                         302 404 404 200 200 200 200 404 404
POST   /gradebook/rows/{enrolment}/                                         302 404 404 302 302 302 302 404 404
GET    /gradebook/rows/{enrolment}/final/                                   302 404 404 403 200 200 200 404 404
POST   /gradebook/rows/{enrolment}/final/                                   302 404 404 403 400 400 400 404 404
GET    /gradebook/rows/{enrolment}/history/{grade_item}/                    302 404 404 200 200 200 200 404 404
GET    /api/v1/courses/{run}/gradebook/                                     401 404 404 200 200 200 200 200 200
POST   /api/v1/courses/{run}/gradebook/cells/                               401 404 404 400 400 400 400 400 400
POST   /api/v1/courses/{run}/gradebook/entries/{grade_entry}/undo/          401 404 404 200 200 200 200 404 404
GET    /api/v1/courses/{run}/grades/                                        401 404 200 404 404 404 404 404 404
GET    /courses/{run}/grades/                                               302 404 200 404 404 404 404 404 404
GET    /courses/{run}/grades/{grade_item}/ask/                              302 404 200 404 404 404 404 404 404
POST   /courses/{run}/grades/{grade_item}/ask/                              302 404 400 404 404 404 404 404 404

# Timetable
GET    /timetable/                                                          302 200 200 200 200 200 200 200 200
GET    /timetable/?part=live                                                302 200 200 200 200 200 200 200 200
GET    /timetable/month/                                                    302 200 200 200 200 200 200 200 200
GET    /timetable/month/?part=live                                          302 200 200 200 200 200 200 200 200
GET    /timetable/office-hours/                                             302 200 200 200 200 200 200 200 200
GET    /timetable/classes/{class}/                                          302 404 200 200 200 200 200 404 404
GET    /timetable/classes/{class}/?part=live                                302 404 200 200 200 200 200 404 404
GET    /timetable/classes/{class}/edit/                                     302 404 403 403 200 200 200 404 404
POST   /timetable/classes/{class}/edit/                                     302 404 403 403 400 400 400 404 404
POST   /timetable/classes/{class}/move/                                     302 404 403 403 400 400 400 404 404
GET    /timetable/classes/{class}/cancel/                                   302 404 403 403 200 200 200 404 404
POST   /timetable/classes/{class}/cancel/                                   302 404 403 403 400 400 400 404 404
GET    /timetable/classes/{class}/end/                                      302 404 403 403 200 200 200 404 404
POST   /timetable/classes/{class}/end/                                      302 404 403 403 302 302 302 404 404
GET    /timetable/classes/{class}/make-up/                                  302 404 403 403 200 200 200 404 404
POST   /timetable/classes/{class}/make-up/                                  302 404 403 403 400 400 400 404 404
POST   /timetable/classes/{office}/slots/                                   302 404 400 400 400 400 400 404 404
POST   /timetable/slots/{slot}/give-up/                                     302 404 302 404 404 404 404 404 404
GET    /timetable/series/{series}/                                          302 403 403 403 200 200 200 403 403
POST   /timetable/series/{series}/                                          302 403 403 403 400 400 400 403 403
GET    /timetable/series/{series}/end/                                      302 403 403 403 200 200 200 403 403
POST   /timetable/series/{series}/end/                                      302 403 403 403 400 400 400 403 403
GET    /courses/{run}/classes/new/                                          302 403 403 403 200 200 200 200 200
POST   /courses/{run}/classes/new/                                          302 403 403 403 400 400 400 400 400
GET    /courses/{run}/series/new/                                           302 403 403 403 200 200 200 200 200
POST   /courses/{run}/series/new/                                           302 403 403 403 400 400 400 400 400
GET    /timetable/settings/                                                 302 403 403 403 403 200 200 403 200
GET    /timetable/holidays/new/                                             302 403 403 403 403 200 200 403 200
POST   /timetable/holidays/new/                                             302 403 403 403 403 400 400 403 400
GET    /timetable/holidays/{holiday}/remove/                                302 403 403 403 403 200 200 403 403
POST   /timetable/holidays/{holiday}/remove/                                302 403 403 403 403 302 302 403 403
GET    /timetable/streams/new/                                              302 403 403 403 403 200 200 403 200
POST   /timetable/streams/new/                                              302 403 403 403 403 400 400 403 400
GET    /timetable/streams/{stream}/                                         302 403 403 403 403 200 200 403 200
POST   /timetable/streams/{stream}/                                         302 403 403 403 403 400 400 403 400
GET    /timetable/calendar/                                                 302 200 200 200 200 200 200 200 200
POST   /timetable/calendar/renew/                                           302 302 302 302 302 302 302 302 302
POST   /timetable/calendar/revoke/                                          302 302 302 302 302 302 302 302 302
GET    /calendar/{feed}.ics                                                 200 200 200 200 200 200 200 200 200

# Jobs
GET    /jobs/                                                               302 200 200 200 200 200 200 200 200
GET    /jobs/?whose=all                                                     302 200 200 200 200 200 200 200 200
GET    /jobs/new/                                                           302 200 200 200 200 200 200 200 200
GET    /jobs/new/?from={ended}                                              302 404 200 403 403 403 403 404 404
POST   /jobs/new/                                                           302 400 400 400 400 400 400 400 400
GET    /jobs/compare/?a={job}&b={ended}                                     302 404 200 200 200 200 200 404 404
GET    /jobs/sweeps/                                                        302 200 200 200 200 200 200 200 200
GET    /jobs/sweeps/{sweep}/                                                302 404 200 200 200 200 200 404 404
GET    /jobs/sweeps/{sweep}/csv/                                            302 404 200 200 200 200 200 404 404
GET    /jobs/sweeps/{sweep}/cancel/                                         302 404 200 403 200 200 200 404 404
POST   /jobs/sweeps/{sweep}/cancel/                                         302 404 302 403 302 302 302 404 404
GET    /jobs/sweeps/{sweep}/rerun/                                          302 404 200 403 403 403 403 404 404
POST   /jobs/sweeps/{sweep}/rerun/                                          302 404 302 403 403 403 403 404 404
GET    /jobs/{job}/                                                         302 404 200 200 200 200 200 404 404
GET    /jobs/{job}/cancel/                                                  302 404 200 403 200 200 200 404 404
POST   /jobs/{job}/cancel/                                                  302 404 302 403 302 302 302 404 404
GET    /jobs/{ended}/correct/                                               302 404 403 403 403 200 200 404 404
POST   /jobs/{ended}/correct/                                               302 404 403 403 403 400 400 404 404
GET    /jobs/{ended}/rerun/                                                 302 404 200 403 403 403 403 404 404
POST   /jobs/{ended}/rerun/                                                 302 404 302 403 403 403 403 404 404
GET    /jobs/{ended}/log/                                                   302 404 200 200 200 200 200 404 404
GET    /jobs/{ended}/artifacts/{artifact}/                                  302 404 200 200 200 200 200 404 404
GET    /jobs/{ended}/artifacts/{artifact}/?preview=1                        302 404 200 200 200 200 200 404 404
GET    /jobs/{job}/artifacts/{artifact}/                                    302 404 404 404 404 404 404 404 404
GET    /scheduling/forecast/?gpus=1&wall_s=60                               302 400 200 400 400 400 400 400 400
GET    /scheduling/what-if/                                                      302 403 403 200 200 200 200 200 200
GET    /scheduling/classes/                                                 302 403 403 200 200 200 200 200 200
GET    /scheduling/classes/new/                                             302 403 403 403 403 200 200 403 200
POST   /scheduling/classes/new/                                             302 403 403 403 403 400 400 403 400
GET    /scheduling/classes/{reservation}/                                   302 403 403 403 403 200 200 403 403
POST   /scheduling/classes/{reservation}/                                   302 403 403 403 403 400 400 403 403
GET    /scheduling/classes/{reservation}/cancel/                            302 403 403 403 403 200 200 403 403
POST   /scheduling/classes/{reservation}/cancel/                            302 403 403 403 403 302 302 403 403
GET    /scheduling/sites/{site}/owner/                                      302 403 403 403 403 200 200 403 403
POST   /scheduling/sites/{site}/owner/                                      302 403 403 403 403 302 302 403 403
GET    /scheduling/sites/{site}/limits/                                     302 403 403 403 403 200 200 403 403
POST   /scheduling/sites/{site}/limits/                                     302 403 403 403 403 302 302 403 403
GET    /scheduling/sites/{site}/lendings/                                   302 403 403 403 403 200 200 403 403
POST   /scheduling/sites/{site}/lendings/                                   302 403 403 403 403 400 400 403 403
GET    /scheduling/lendings/{lending}/end/                                  302 403 403 403 403 200 200 403 403
POST   /scheduling/lendings/{lending}/end/                                  302 403 403 403 403 302 302 403 403
GET    /api/v1/reservations/                                                401 403 403 200 200 200 200 200 200
POST   /api/v1/reservations/                                                401 403 403 403 403 400 400 403 400
PATCH  /api/v1/reservations/{reservation}/                                  401 403 403 403 403 200 200 403 403
DELETE /api/v1/reservations/{reservation}/                                  401 403 403 403 403 200 200 403 403

# Quota and usage
GET    /quota/                                                              302 200 200 200 200 200 200 200 200
GET    /quota/{account}/                                                    302 404 200 200 200 200 200 404 404
GET    /quota/{cohort_account}/                                             302 404 404 200 200 200 200 404 404
GET    /quota/{campus_account}/                                             302 404 404 404 404 200 200 404 404
GET    /quota/{cohort_account}/learners/                                    302 404 404 200 200 200 200 404 404
GET    /quota/{account}/allocate/                                           302 404 403 403 403 200 200 404 404
POST   /quota/{account}/allocate/                                           302 404 403 403 403 200 200 404 404
GET    /quota/{campus_account}/allocate/                                    302 404 404 404 404 403 200 404 404
POST   /quota/{campus_account}/allocate/                                    302 404 404 404 404 403 200 404 404
GET    /quota/{account}/settings/                                           302 404 403 403 403 200 200 404 404
POST   /quota/{account}/settings/                                           302 404 403 403 403 200 200 404 404
GET    /quota/{account}/?tab=grants                                         302 404 200 200 200 200 200 404 404
GET    /quota/{account}/ask/                                                302 404 200 403 403 403 403 404 404
POST   /quota/{account}/ask/                                                302 404 400 403 403 403 403 404 404
GET    /quota/{cohort_account}/ask/                                         302 404 404 403 200 403 403 404 404
GET    /quota/{campus_account}/ask/                                         302 404 404 404 404 200 403 404 404
GET    /quota/{account}/grants/new/                                         302 404 403 403 403 200 200 404 404
POST   /quota/{account}/grants/new/                                         302 404 403 403 403 400 400 404 404
GET    /quota/{cohort_account}/lend/                                        302 404 404 403 403 200 200 404 404
POST   /quota/{cohort_account}/lend/                                        302 404 404 403 403 400 400 404 404
GET    /quota/grants/{quota_grant}/end/                                     302 404 403 403 403 200 200 404 404
POST   /quota/grants/{quota_grant}/end/                                     302 404 403 403 403 400 400 404 404
GET    /quota/lendings/{quota_lending}/recall/                              302 404 404 403 403 200 200 404 404
POST   /quota/lendings/{quota_lending}/recall/                              302 404 404 403 403 400 400 404 404
GET    /quota/sponsors/                                                     302 403 403 403 403 200 200 403 200
POST   /quota/sponsors/                                                     302 403 403 403 403 400 400 403 400
GET    /quota/rates/                                                        302 403 403 403 403 200 200 403 200
POST   /quota/rates/                                                        302 403 403 403 403 403 400 403 403
GET    /quota/desk/                                                         302 403 403 403 403 200 200 403 200
GET    /quota/desk/desk.csv                                                 302 403 403 403 403 200 200 403 200
GET    /quota/desk/{cohort_account}/learners/                               302 403 403 403 403 200 200 403 404
GET    /quota/desk/edit/?account={cohort_account}                           302 403 403 403 403 200 200 403 302
POST   /quota/desk/edit/                                                    302 403 403 403 403 302 302 403 302
GET    /quota/desk/upload/                                                  302 403 403 403 403 200 200 403 200
POST   /quota/desk/upload/                                                  302 403 403 403 403 400 400 403 400
POST   /quota/desk/apply/                                                   302 403 403 403 403 400 400 403 400
GET    /quota/changes/                                                      302 403 403 403 403 200 200 403 200
GET    /quota/changes/{quota_batch}/                                        302 403 403 403 403 200 200 403 404
POST   /quota/changes/{quota_batch}/undo/                                   302 403 403 403 403 400 400 403 404
GET    /quota/requests/                                                     302 200 200 200 200 200 200 200 200
GET    /quota/requests/?show=answered                                       302 200 200 200 200 200 200 200 200
GET    /quota/requests/{request}/                                           302 404 200 200 200 200 200 404 404
POST   /quota/requests/{request}/approve/                                   302 404 403 403 403 302 302 404 404
POST   /quota/requests/{request}/decline/                                   302 404 403 403 403 400 400 404 404
POST   /quota/requests/{request}/pass-up/                                   302 404 403 403 403 409 409 404 404
GET    /quota/requests/{request}/withdraw/                                  302 404 200 403 403 403 403 404 404
POST   /quota/requests/{request}/withdraw/                                  302 404 302 403 403 403 403 404 404
GET    /usage/                                                              302 200 200 302 302 302 302 302 302
GET    /usage/usage.csv                                                     302 200 200 200 200 200 200 200 200
GET    /usage/accounts/{account}/                                           302 404 200 200 200 200 200 404 404
GET    /usage/accounts/{account}/usage.csv                                  302 404 200 200 200 200 200 404 404
GET    /usage/accounts/{cohort_account}/                                    302 404 404 200 200 200 200 404 404
GET    /usage/accounts/{campus_account}/usage.csv                           302 404 404 404 404 200 200 404 404

# Environments and data sets
GET    /environments/                                                       302 200 200 200 200 200 200 200 200
GET    /environments/new/                                                   302 403 403 403 403 200 200 403 200
POST   /environments/new/                                                   302 403 403 403 403 400 400 403 400
GET    /environments/{environment}/                                         302 200 200 200 200 200 200 200 200
GET    /environments/{environment}/retire/                                  302 403 403 403 403 403 200 403 403
POST   /environments/{environment}/retire/                                  302 403 403 403 403 403 302 403 403
POST   /environments/{environment}/offer/                                   302 403 403 403 403 403 302 403 403
GET    /data-sets/                                                          302 200 200 200 200 200 200 200 200
GET    /data-sets/new/                                                      302 403 403 403 403 200 200 403 200
POST   /data-sets/new/                                                      302 403 403 403 403 400 400 403 400
GET    /data-sets/{data_set}/retire/                                        302 403 403 403 403 403 200 403 403
POST   /data-sets/{data_set}/retire/                                        302 403 403 403 403 403 302 403 403
POST   /data-sets/{data_set}/offer/                                         302 403 403 403 403 403 302 403 403

# REST
GET    /api/v1/classes/                                                     401 200 200 200 200 200 200 200 200
POST   /api/v1/classes/                                                     401 403 403 400 400 400 400 400 400
GET    /api/v1/classes/{class}/                                             401 404 200 200 200 200 200 404 404
POST   /api/v1/classes/{class}/move/                                        401 404 403 403 400 400 400 404 404
POST   /api/v1/classes/{class}/cancel/                                      401 404 403 403 400 400 400 404 404
GET    /api/v1/schema/                                                      200 200 200 200 200 200 200 200 200
GET    /api/v1/docs/                                                        200 200 200 200 200 200 200 200 200
POST   /api/v1/auth/token/                                                  400 400 400 400 400 400 400 400 400
DELETE /api/v1/auth/token/current/                                          401 204 204 204 204 204 204 204 204
GET    /api/v1/me/                                                          401 200 200 200 200 200 200 200 200
GET    /api/v1/notices/                                                     401 200 200 200 200 200 200 200 200
POST   /api/v1/notices/read/                                                401 200 200 200 200 200 200 200 200
POST   /api/v1/notices/{notice}/read/                                       401 404 200 404 404 404 404 404 404
GET    /api/v1/notices/choices/                                             401 200 200 200 200 200 200 200 200
PUT    /api/v1/notices/choices/                                             401 400 400 400 400 400 400 400 400
GET    /api/v1/announcements/                                               401 200 200 200 200 200 200 200 200
GET    /api/v1/announcements/?written=1                                     401 200 200 200 200 200 200 200 200
POST   /api/v1/announcements/                                               401 403 403 400 400 400 400 400 400
GET    /api/v1/announcements/{announcement}/                                401 404 200 200 200 200 200 404 404
PATCH  /api/v1/announcements/{announcement}/                                401 404 403 200 200 200 200 404 404
POST   /api/v1/announcements/{announcement}/read/                           401 404 204 204 204 204 204 404 404
POST   /api/v1/announcements/{announcement}/publish/                        401 404 403 409 409 409 409 404 404
POST   /api/v1/announcements/{announcement}/withdraw/                       401 404 403 204 204 204 204 404 404
GET    /api/v1/announcements/{draft}/                                       401 404 404 200 200 200 200 404 404
POST   /api/v1/announcements/{draft}/read/                                  401 404 404 204 204 204 204 404 404
POST   /api/v1/announcements/{draft}/publish/                               401 404 404 200 200 200 200 404 404
GET    /api/v1/support/cohorts/{cohort}/                                    401 404 404 200 200 200 200 404 404
GET    /api/v1/environments/                                                401 200 200 200 200 200 200 200 200
GET    /api/v1/data-sets/                                                   401 200 200 200 200 200 200 200 200
GET    /api/v1/forecast/?gpus=1&wall_s=60                                   401 400 200 400 400 400 400 400 400
GET    /api/v1/jobs/                                                        401 200 200 200 200 200 200 200 200
GET    /api/v1/jobs/?whose=all                                              401 200 200 200 200 200 200 200 200
POST   /api/v1/jobs/                                                        401 400 201 400 400 400 400 400 400
GET    /api/v1/sweeps/                                                      401 200 200 200 200 200 200 200 200
GET    /api/v1/sweeps/?whose=all                                            401 200 200 200 200 200 200 200 200
POST   /api/v1/sweeps/                                                      401 400 400 400 400 400 400 400 400
GET    /api/v1/sweeps/{sweep}/                                              401 404 200 200 200 200 200 404 404
POST   /api/v1/sweeps/{sweep}/cancel/                                       401 404 200 403 200 200 200 404 404
POST   /api/v1/sweeps/{sweep}/rerun/                                        401 404 409 403 403 403 403 404 404
GET    /api/v1/jobs/{job}/                                                  401 404 200 200 200 200 200 404 404
POST   /api/v1/jobs/{job}/cancel/                                           401 404 200 403 200 200 200 404 404
POST   /api/v1/jobs/{ended}/corrections/                                    401 404 403 403 403 400 400 404 404
POST   /api/v1/jobs/{ended}/rerun/                                          401 404 201 403 403 403 403 404 404
GET    /api/v1/jobs/{ended}/log/                                            401 404 200 200 200 200 200 404 404
GET    /api/v1/jobs/{ended}/metrics/                                        401 404 200 200 200 200 200 404 404
GET    /api/v1/jobs/{ended}/artifacts/                                      401 404 200 200 200 200 200 404 404
GET    /api/v1/jobs/{ended}/artifacts/{artifact}/                           401 404 200 200 200 200 200 404 404
GET    /api/v1/quota/                                                       401 200 200 200 200 200 200 200 200
POST   /api/v1/quota/{account}/allocate/                                    401 404 403 403 403 400 400 404 404
POST   /api/v1/quota/{campus_account}/allocate/                             401 404 404 404 404 403 400 404 404
GET    /api/v1/quota/{account}/grants/                                      401 404 200 200 200 200 200 404 404
POST   /api/v1/quota/{account}/grants/                                      401 404 403 403 403 400 400 404 404
GET    /api/v1/quota/{account}/sponsors/                                    401 404 403 200 200 200 200 404 404
GET    /api/v1/quota/{account}/lendings/                                    401 404 200 200 200 200 200 404 404
POST   /api/v1/quota/{account}/lendings/                                    401 404 403 403 403 400 400 404 404
POST   /api/v1/quota/grants/0/end/                                          401 404 404 404 404 404 404 404 404
POST   /api/v1/quota/lendings/0/recall/                                     401 404 404 404 404 404 404 404 404
GET    /api/v1/quota/rates/                                                 401 200 200 200 200 200 200 200 200
POST   /api/v1/quota/rates/                                                 401 403 403 403 403 403 400 403 403
GET    /api/v1/quota/changes/                                               401 403 403 403 403 200 200 403 200
POST   /api/v1/quota/changes/                                               401 403 403 403 403 400 400 403 400
GET    /api/v1/quota/changes/{quota_batch}/                                 401 403 403 403 403 200 200 403 404
POST   /api/v1/quota/changes/{quota_batch}/undo/                            401 403 403 403 403 201 201 403 404
GET    /api/v1/quota/desk/                                                  401 403 403 403 403 200 200 403 200
GET    /api/v1/quota/sponsors/                                              401 403 403 403 403 200 200 403 200
POST   /api/v1/quota/sponsors/                                              401 403 403 403 403 400 400 403 400
GET    /api/v1/quota/{account}/forecast/                                    401 404 200 200 200 200 200 404 404
GET    /api/v1/quota/{campus_account}/forecast/                             401 404 404 404 404 200 200 404 404
GET    /api/v1/quota/requests/                                              401 200 200 200 200 200 200 200 200
POST   /api/v1/quota/requests/                                              401 400 400 400 400 400 400 400 400
GET    /api/v1/quota/requests/{request}/                                    401 404 200 200 200 200 200 404 404
POST   /api/v1/quota/requests/{request}/approve/                            401 404 403 403 403 200 200 404 404
POST   /api/v1/quota/requests/{request}/decline/                            401 404 403 403 403 400 400 404 404
POST   /api/v1/quota/requests/{request}/pass-up/                            401 404 403 403 403 409 409 404 404
POST   /api/v1/quota/requests/{request}/withdraw/                           401 404 200 403 403 403 403 404 404
GET    /api/v1/usage/                                                       401 200 200 200 200 200 200 200 200
GET    /api/v1/usage/?account={account}                                     401 404 200 200 200 200 200 404 404
GET    /api/v1/usage/?account={cohort_account}                              401 404 404 200 200 200 200 404 404
GET    /api/v1/courses/                                                     401 200 200 200 200 200 200 200 200
GET    /api/v1/labs/                                                        401 200 200 200 200 200 200 200 200

# Node API: a node's token only, whoever is signed in
POST   /node/v1/hello                                                       401 401 401 401 401 401 401 401 401
POST   /node/v1/heartbeat                                                   401 401 401 401 401 401 401 401 401
POST   /node/v1/claim                                                       401 401 401 401 401 401 401 401 401
POST   /node/v1/environments                                                401 401 401 401 401 401 401 401 401
GET    /node/v1/data-sets/{digest}                                          401 401 401 401 401 401 401 401 401
GET    /node/v1/attempts/{attempt}/source?fence=1                           401 401 401 401 401 401 401 401 401
GET    /node/v1/attempts/{attempt}/checkpoint?fence=1                           401 401 401 401 401 401 401 401 401
POST   /node/v1/attempts/{attempt}/started                                  401 401 401 401 401 401 401 401 401
POST   /node/v1/attempts/{attempt}/log?fence=1&start=0                      401 401 401 401 401 401 401 401 401
POST   /node/v1/attempts/{attempt}/metrics                                  401 401 401 401 401 401 401 401 401
PUT    /node/v1/attempts/{attempt}/artifacts?fence=1&path=a&digest=b        401 401 401 401 401 401 401 401 401
POST   /node/v1/attempts/{attempt}/settle                                   401 401 401 401 401 401 401 401 401

# Signing in (allauth)
GET    /accounts/signup/                                                    200 302 302 302 302 302 302 302 302
GET    /accounts/login/                                                     200 302 302 302 302 302 302 302 302
GET    /accounts/logout/                                                    302 200 200 200 200 200 200 200 200
GET    /accounts/inactive/                                                  200 200 200 200 200 200 200 200 200
GET    /accounts/reauthenticate/                                            302 200 200 200 200 200 200 200 200
GET    /accounts/email/                                                     302 200 200 200 200 200 200 200 200
GET    /accounts/confirm-email/                                             200 200 200 200 200 200 200 200 200
GET    /accounts/confirm-email/none/                                        200 200 200 200 200 200 200 200 200
GET    /accounts/password/change/                                           302 200 200 200 200 200 200 200 200
GET    /accounts/password/set/                                              302 302 302 302 302 302 302 302 302
GET    /accounts/password/reset/                                            200 200 200 200 200 200 200 200 200
GET    /accounts/password/reset/done/                                       200 200 200 200 200 200 200 200 200
GET    /accounts/password/reset/key/1-none/                                 200 200 200 200 200 200 200 200 200
GET    /accounts/password/reset/key/done/                                   200 200 200 200 200 200 200 200 200
GET    /accounts/2fa/                                                       302 200 200 200 200 200 200 200 200
GET    /accounts/2fa/authenticate/                                          302 302 302 302 302 302 302 302 302
GET    /accounts/2fa/reauthenticate/                                        302 302 302 302 302 302 302 302 302
GET    /accounts/2fa/totp/activate/                                         302 302 302 302 302 302 302 302 302
GET    /accounts/2fa/totp/deactivate/                                       302 404 404 404 404 404 404 404 404
GET    /accounts/2fa/recovery-codes/                                        302 404 404 404 404 404 404 404 404
GET    /accounts/2fa/recovery-codes/generate/                               302 302 302 302 302 302 302 302 302
GET    /accounts/2fa/recovery-codes/download/                               302 404 404 404 404 404 404 404 404
GET    /accounts/2fa/webauthn/                                              302 200 200 200 200 200 200 200 200
GET    /accounts/2fa/webauthn/add/                                          302 302 302 302 302 302 302 302 302
GET    /accounts/2fa/webauthn/reauthenticate/                               302 302 302 302 302 302 302 302 302
GET    /accounts/2fa/webauthn/keys/1/remove/                                302 302 302 302 302 302 302 302 302
GET    /accounts/2fa/webauthn/keys/1/edit/                                  302 302 302 302 302 302 302 302 302
GET    /accounts/2fa/webauthn/login/                                        302 302 302 302 302 302 302 302 302
GET    /accounts/3rdparty/                                                  302 200 200 200 200 200 200 200 200
GET    /accounts/3rdparty/signup/                                           302 302 302 302 302 302 302 302 302
GET    /accounts/3rdparty/login/cancelled/                                  200 200 200 200 200 200 200 200 200
GET    /accounts/3rdparty/login/error/                                      302 401 401 401 401 401 401 401 401
GET    /accounts/social/login/cancelled/                                    302 301 301 301 301 301 301 301 301
GET    /accounts/social/login/error/                                        302 301 301 301 301 301 301 301 301
GET    /accounts/social/signup/                                             302 301 301 301 301 301 301 301 301
GET    /accounts/social/connections/                                        302 301 301 301 301 301 301 301 301
GET    /accounts/login/code/confirm/                                        302 302 302 302 302 302 302 302 302
"""
    + attendance_table.ROWS
    + materials_table.ROWS
)

SOCKETS = {
    **attendance_table.SOCKETS,
    "/ws/jobs/{job}/": "4401 4404 open open open open open 4404 4404",
    "/ws/my-jobs/": "4401 open open open open open open open open",
    "/ws/notices/": "4401 open open open open open open open open",
    "/ws/timetable/": "4401 open open open open open open open open",
    "/ws/pool/": "4401 4404 4404 open open open open open open",
}


@dataclass(frozen=True)
class Row:
    """One request and the statuses that it gets, in the order of PEOPLE."""

    method: str
    path: str
    statuses: tuple[int, ...]


def rows() -> list[Row]:
    """Read the table."""
    found = []
    for line in TABLE.splitlines():
        if line.strip() and not line.startswith("#"):
            method, path, *statuses = line.split()
            found.append(Row(method, path, tuple(map(int, statuses))))
    return found

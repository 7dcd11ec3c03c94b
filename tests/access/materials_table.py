"""The rows of materials in the table of routes."""

ROWS = """
# Materials
GET    /modules/{module}/materials/new/                                     302 404 403 403 200 200 200 200 200
GET    /modules/{module}/materials/new/video/                               302 404 403 403 200 200 200 200 200
POST   /modules/{module}/materials/new/video/                               302 404 403 403 400 400 400 400 400
GET    /modules/{module}/materials/new/poem/                                302 404 403 403 404 404 404 404 404
GET    /materials/{material}/                                               302 404 200 200 200 200 200 200 200
GET    /materials/{material}/edit/                                          302 404 403 403 200 200 200 200 200
POST   /materials/{material}/edit/                                          302 404 403 403 400 400 400 400 400
POST   /materials/{material}/captions/                                      302 404 403 403 400 400 400 400 400
POST   /materials/{material}/captions/ko/remove/                            302 404 403 403 302 302 302 302 302
POST   /materials/{material}/chapters/                                      302 404 403 403 302 302 302 302 302
POST   /materials/{material}/move/                                          302 404 403 403 302 302 302 302 302
GET    /materials/{material}/delete/                                        302 404 403 403 200 200 200 200 200
POST   /materials/{material}/delete/                                        302 404 403 403 302 302 302 302 302
GET    /materials/{material}/versions/1/file/                               302 404 200 200 200 200 200 200 200
GET    /materials/{material}/versions/1/ko.vtt                              302 404 200 200 200 200 200 200 200
POST   /materials/{material}/versions/1/watched/                            302 404 400 400 400 400 400 400 400
GET    /materials/{material}/learners/{enrolment}/                          302 404 200 200 200 200 200 404 404
GET    /materials/{material}/learners/{other_enrolment}/                    302 404 404 404 404 404 200 200 200
GET    /materials/{hidden_material}/                                        302 404 404 200 200 200 200 200 200
GET    /materials/{hidden_material}/versions/1/file/                        302 404 404 200 200 200 200 200 200
GET    /courses/{run}/materials/                                            302 403 403 200 200 200 200 200 200
GET    /courses/{run}/materials.csv                                         302 403 403 200 200 200 200 200 200
POST   /courses/{run}/materials/rule/                                       302 403 403 403 400 400 400 400 400
GET    /api/v1/courses/{run}/materials/                                     401 404 200 200 200 200 200 200 200
GET    /api/v1/courses/{run}/materials/?lesson={lesson}                     401 404 200 200 200 200 200 200 200
GET    /api/v1/courses/{run}/materials/learners/                            401 403 403 200 200 200 200 200 200
GET    /api/v1/materials/{material}/                                        401 404 200 200 200 200 200 200 200
GET    /api/v1/materials/{hidden_material}/                                 401 404 404 200 200 200 200 200 200
POST   /api/v1/materials/{material}/versions/1/watched/                     401 404 400 400 400 400 400 400 400
"""

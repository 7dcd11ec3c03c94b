"""Campuses, buildings, rooms, and the pool's two nodes with their tokens."""

import os
from pathlib import Path

from campus.people.models import User
from campus.places.api import add_building, save_room
from campus.places.models import Campus
from campus.web.services import open_whole_campus
from infra.pool.api import register_node, renew_token, token_digest
from infra.pool.models import Node, Site

_STREAM = ["빔 프로젝터", "추적 카메라", "천장 마이크"]
_DESKS = ["전원 좌석", "유선 랜", "듀얼 모니터"]

CAMPUSES = (
    {
        "slug": "yongin", "name_ko": "용인", "name_en": "Yongin",
        "address": "경기도 용인시 기흥구 배움로 17",
        "buildings": (
            ("교육동", "Education Hall", (
                ("대강의실", "Lecture hall", 1, 120, [*_STREAM, "동시통역 부스"]),
                ("강의실 201", "Room 201", 2, 48, _STREAM),
                ("강의실 202", "Room 202", 2, 48, _STREAM),
                ("실습실 301", "Lab 301", 3, 40, [*_DESKS, "빔 프로젝터"]),
            )),
            ("공유동", "Commons", (
                ("열린 마당", "Open forum", 1, 80, ["이동식 무대", "빔 프로젝터"]),
                ("세미나실 A", "Seminar A", 2, 16, ["화상 회의 화면", "화이트보드"]),
                ("세미나실 B", "Seminar B", 2, 12, ["화상 회의 화면", "화이트보드"]),
            )),
        ),
    },
    {
        "slug": "jeonbuk", "name_ko": "전북", "name_en": "Jeonbuk",
        "address": "전북특별자치도 전주시 덕진구 새싹길 5",
        "buildings": (
            ("디지털혁신관", "Digital Innovation Centre", (
                ("대강의실", "Lecture hall", 1, 90, _STREAM),
                ("강의실 210", "Room 210", 2, 36, _STREAM),
                ("실습실 311", "Lab 311", 3, 32, [*_DESKS, "빔 프로젝터"]),
            )),
            ("창업보육관", "Start-up House", (
                ("회의실", "Meeting room", 1, 10, ["화상 회의 화면"]),
            )),
        ),
    },
)  # fmt: skip
SITE_NAMES = {"yongin": ("용인 데이터홀", "Yongin data hall"), "jeonbuk": ("전북 데이터홀", "Jeonbuk data hall")}
NODES = {"yongin": "yongin-01", "jeonbuk": "jeonbuk-01"}


def open_campuses(admin: User) -> dict[str, Campus]:
    """Open both campuses with buildings, rooms and sites; returned by slug."""
    return {str(plan["slug"]): _open(plan, admin) for plan in CAMPUSES}


def _open(plan: dict, admin: User) -> Campus:
    campus = open_whole_campus(
        actor=admin,
        slug=plan["slug"],
        name_ko=plan["name_ko"],
        name_en=plan["name_en"],
        timezone="Asia/Seoul",
        address=plan["address"],
    )
    for name_ko, name_en, rooms in plan["buildings"]:
        building = add_building(campus_id=campus.pk, actor=None, name_ko=name_ko, name_en=name_en)
        for room_ko, room_en, floor, capacity, equipment in rooms:
            save_room(
                building_id=building.pk, actor=None, name_ko=room_ko, name_en=room_en, floor=floor,
                capacity=capacity, equipment=equipment,
            )  # fmt: skip
    site_ko, site_en = SITE_NAMES[campus.slug]
    Site.objects.filter(campus=campus).update(name_ko=site_ko, name_en=site_en)
    return campus


def provide_nodes(state: Path) -> None:
    """Register the nodes that are missing, and see that each has its token in STATE/nodes/NAME.token (0600)."""
    folder = state / "nodes"
    folder.mkdir(mode=0o711, parents=True, exist_ok=True)
    for slug, name in NODES.items():
        path = folder / f"{name}.token"
        token = path.read_text().strip() if path.exists() else ""
        node = Node.objects.filter(name=name).first()
        if node is not None and token and node.token_digest == token_digest(token):
            continue
        if node is None:
            site = Site.objects.filter(campus__slug=slug).order_by("pk").first()
            if site is None:
                continue
            node, fresh = register_node(site_id=site.pk, name=name, actor=None)
        else:
            fresh = ""
        if token:  # the database is new and the file is not: the agent may be running with it already
            Node.objects.filter(pk=node.pk).update(token_digest=token_digest(token))
            continue
        if not fresh:
            node, fresh = renew_token(node_id=node.pk, actor=None)
        write_private(path, fresh + "\n")


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner may read, whole or not at all."""
    draft = path.with_suffix(".new")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    draft.replace(path)

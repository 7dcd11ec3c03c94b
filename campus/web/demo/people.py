"""Who is at the demo campus. All names are invented."""

from dataclasses import dataclass

DOMAIN = "campus.example"
YONGIN, JEONBUK = "yongin", "jeonbuk"


@dataclass(frozen=True)
class DemoPerson:
    """A person: `local` is the e-mail's part before the @, `role` a staff role or "learner"."""

    name: str
    local: str
    role: str = "learner"
    campus: str = YONGIN
    mode: str = "ONSITE"
    is_account: bool = False  # printed with its password

    @property
    def email(self) -> str:
        return f"{self.local}@{DOMAIN}"


STAFF = (
    DemoPerson("서지안", "admin", "platform-admin", is_account=True),
    DemoPerson("한도윤", "yongin-admin", "campus-admin", YONGIN, is_account=True),
    DemoPerson("문가온", "jeonbuk-admin", "campus-admin", JEONBUK, is_account=True),
    DemoPerson("윤서진", "instructor", "instructor", YONGIN, is_account=True),
    DemoPerson("백은호", "jeonbuk-instructor", "instructor", JEONBUK),
    DemoPerson("신유나", "assistant", "assistant", YONGIN, is_account=True),
    DemoPerson("오태린", "jeonbuk-assistant", "assistant", JEONBUK),
)

_YONGIN = (
    "김하늘 learner|이서준 seojun.lee|박민서 minseo.park|최지우 jiwoo.choi|정예준 yejun.jung|강수아 sua.kang|"
    "조은우 eunwoo.cho|윤채원 chaewon.yoon|장시우 siwoo.jang|임다은 daeun.lim|한지호 jiho.han|오하린 harin.oh|"
    "서준혁 junhyuk.seo|신소율 soyul.shin|권도현 dohyun.kwon|황나연 nayeon.hwang|안우진 woojin.ahn|"
    "송가은 gaeun.song|전현우 hyunwoo.jeon|홍유진 yujin.hong|유건우 geonwoo.yoo|고은채 eunchae.ko|"
    "문승민 seungmin.moon|양서영 seoyoung.yang|손태윤 taeyoon.son|배아린 arin.bae|백지훈 jihoon.baek"
)
_JEONBUK = (
    "허민재 minjae.heo|남수빈 subin.nam|심재원 jaewon.shim|노윤아 yoona.noh|하도경 dokyung.ha|곽예린 yerin.kwak|"
    "성지환 jihwan.sung|차유나 yuna.cha|주원영 wonyoung.joo|우다현 dahyun.woo|구본석 bonseok.koo|민서현 seohyun.min|"
    "진태오 taeo.jin|나은별 eunbyeol.na|엄기준 kijun.eom|채소담 sodam.chae|원재희 jaehee.won|천보람 boram.cheon|"
    "방시온 sion.bang|공민아 mina.kong|현준서 junseo.hyun|함예나 yena.ham|변성우 sungwoo.byun|염하윤 hayun.yeom|"
    "추도영 doyoung.choo|Lovelace Ada ada.lovelace"
)


def _learners(line: str, campus: str) -> tuple[DemoPerson, ...]:
    """Every fourth learner takes part online; the first is the demo's learner."""
    people = []
    for number, entry in enumerate(line.split("|")):
        name, local = entry.rsplit(" ", 1)
        mode = "ONLINE" if number % 4 == 3 else "ONSITE"
        people.append(DemoPerson(name, local, "learner", campus, mode, local == "learner"))
    return tuple(people)


LEARNERS = _learners(_YONGIN, YONGIN) + _learners(_JEONBUK, JEONBUK)
PEOPLE = STAFF + LEARNERS
DEMO_LEARNER = LEARNERS[0]
# Left after the first week: their seats are free again, and their account closed with its ledger.
WITHDRAWN = frozenset({"jihoon.baek", "doyoung.choo"})

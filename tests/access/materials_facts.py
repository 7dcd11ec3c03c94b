"""What the addresses of materials may name: a video with captions, and a file that is not published."""

from courses.materials import api as materials
from tests.materials import build

from .world import World


def shown(world: World) -> dict[str, object]:
    """A video and a hidden file in the world's module."""
    video = build.video(world.module)
    materials.save_captions(
        material_id=video.material_id, language="ko", upload=build.upload(build.VTT.encode()), actor=None
    )
    hidden = build.file(world.module, is_published=False)
    return {"material": video.material_id, "hidden_material": hidden.material_id}

"""Settings, one file per concern. The environment is read in `environment` only."""

from .apps import *  # noqa: F403
from .auth import *  # noqa: F403
from .files import *  # noqa: F403
from .labs import *  # noqa: F403
from .notices import *  # noqa: F403
from .observability import *  # noqa: F403
from .rest import *  # noqa: F403
from .security import *  # noqa: F403
from .services import *  # noqa: F403

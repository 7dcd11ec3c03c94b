"""Static files with hashed names, module imports included, so that an upgrade never mixes old scripts with new."""

from django.contrib.staticfiles.storage import HashedFilesMixin
from whitenoise.storage import CompressedManifestStaticFilesStorage

_, _MODULE_PATTERNS = HashedFilesMixin._js_module_import_aggregation_patterns  # type: ignore[attr-defined]


class CampusStaticFilesStorage(CompressedManifestStaticFilesStorage):
    """WhiteNoise's storage, that also rewrites `import … from "./x.js"` in our own modules.

    Django's switch for this would read every script of every package, and htmx has a word in a string
    that looks like an import. Our modules are those in a folder named js.
    """

    patterns = (*HashedFilesMixin.patterns, ("*/js/*.js", _MODULE_PATTERNS))

"""`crossdesk package browser`: the side panel as a folder to load unpacked, and as a .zip to hand out."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path

from plugin.domain.errors import ConfigError
from ui_extensions.packing import Packed, fresh_folder

HELP = "The side panel for Chromium browsers (Manifest V3): a folder, and the same as a .zip."
NAME = "crossdesk-side-panel"
_EXTENSION = Path(__file__).parent / "extension"
_PANEL = Path(__file__).parents[1] / "panel"
_ZEROTH = (1980, 1, 1, 0, 0, 0)


def pack(out: Path) -> Packed:
    """Put `crossdesk-side-panel/` and `crossdesk-side-panel.zip` into `out`, in place of earlier ones.

    Raises:
        ConfigError: `out` cannot be written, or holds a folder of that name that is something else.
    """
    folder = fresh_folder(out, NAME, known_by="manifest.json")
    archive = out / f"{NAME}.zip"
    try:
        shutil.copytree(_EXTENSION, folder, dirs_exist_ok=True)
        shutil.copyfile(_PANEL / "cd-panel.js", folder / "cd-panel.js")
        shutil.copytree(_PANEL / "locales", folder / "locales")
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
            for path in sorted(folder.rglob("*.*")):
                # The same files make the same archive.
                packed.writestr(zipfile.ZipInfo(path.relative_to(folder).as_posix(), _ZEROTH), path.read_bytes())
    except OSError as problem:
        raise ConfigError(f"{folder} cannot be written: {problem.strerror}. Choose another --out.") from None
    return Packed(
        made=(folder, archive),
        remarks=('Load the folder in chrome://extensions, then go on with docs/panel.md, "The browser\'s side panel".',),
    )

"""`crossdesk package rt`: the extension as a folder, and as an archive of it."""

from __future__ import annotations

import shutil
import tarfile
from pathlib import Path

from plugin.domain.errors import ConfigError
from ui_extensions.packing import Packed, fresh_folder

HELP = "The extension for Request Tracker: a folder for RT's local/plugins, and the same as a .tar.gz."
NAME = "RT-Extension-Crossdesk"
_HERE = Path(__file__).parent
_PANEL = _HERE.parent / "panel"
_SEED = _HERE.parents[1] / "plugin" / "helpdesks" / "rt" / "seed.pl"


def pack(out: Path) -> Packed:
    """Put `RT-Extension-Crossdesk/` and `RT-Extension-Crossdesk.tar.gz` into `out`, in place of earlier ones.

    Raises:
        ConfigError: `out` cannot be written, or holds a folder of that name that is something else.
    """
    folder = fresh_folder(out, NAME, known_by="lib/RT/Extension/Crossdesk.pm")
    archive = out / f"{NAME}.tar.gz"
    try:
        shutil.copytree(_HERE / NAME, folder, dirs_exist_ok=True)
        (folder / "etc").mkdir()
        # One file prepares RT, whether it has the extension or not.
        shutil.copyfile(_SEED, folder / "etc" / "initialdata")
        static = folder / "static" / "crossdesk"
        shutil.copyfile(_PANEL / "cd-panel.js", static / "cd-panel.js")
        shutil.copytree(_PANEL / "locales", static / "locales")
        with tarfile.open(archive, "w:gz") as packed:
            packed.add(folder, arcname=NAME, filter=_nobodys)
    except OSError as problem:
        raise ConfigError(f"{folder} cannot be written: {problem.strerror}. Choose another --out.") from None
    remark = f"Put the folder into RT's local/plugins (Debian: /usr/local/share/request-tracker5/plugins), then go on with {NAME}/README."
    return Packed(made=(folder, archive), remarks=(remark,))


def _nobodys(member: tarfile.TarInfo) -> tarfile.TarInfo:
    """Without whoever packed it."""
    member.uid = member.gid = 0
    member.uname = member.gname = "root"
    member.mode = 0o755 if member.isdir() else 0o644
    return member

"""`crossdesk package osticket`: the plugin as a folder and, where PHP is there to make it, as one `.phar` file."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from ui_extensions.packing import Packed, fresh_folder

HELP = "The osTicket plugin: a folder, and a .phar where PHP is installed. One of the two goes into osTicket's include/plugins."
_HERE = Path(__file__).parent
_PLUGIN = _HERE / "crossdesk"
_PANEL = _HERE.parent / "panel"


def pack(out: Path) -> Packed:
    """Put `crossdesk/` and `crossdesk.phar` into `out`, in place of earlier ones.

    Raises:
        ConfigError: `out` cannot be written, or holds a folder `crossdesk` that is something else.
    """
    folder = fresh_folder(out, "crossdesk", known_by="plugin.php")
    parts = {source.relative_to(_PLUGIN): source for source in sorted(_PLUGIN.rglob("*.*"))}
    # The panel is one file for all helpdesks.
    parts |= {
        Path("assets") / source.relative_to(_PANEL): source for source in (_PANEL / "cd-panel.js", *(_PANEL / "locales").glob("*.json"))
    }
    for name, source in parts.items():
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
    phar = out / "crossdesk.phar"
    phar.unlink(missing_ok=True)
    php = shutil.which("php")
    if php is None:
        return Packed(made=(folder,), remarks=("No crossdesk.phar was made: that needs PHP (Debian: php-cli). The folder does the same.",))
    command = [php, "-d", "phar.readonly=0", str(_HERE / "build-phar.php"), str(folder), str(phar)]
    # Our own script, with PHP as the admin has it.
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode or not phar.is_file():
        reason = (done.stderr or done.stdout).strip().splitlines()[-1:] or ["no reason given"]
        return Packed(made=(folder,), remarks=(f"PHP did not make crossdesk.phar ({reason[0]}). The folder does the same.",))
    return Packed(made=(folder, phar), remarks=("Copy one of the two, not both, into include/plugins of osTicket.",))

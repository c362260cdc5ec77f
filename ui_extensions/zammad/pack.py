"""`crossdesk package zammad`: the add-on as a package (.zpm) and as a source folder (.szpm), in Zammad's own format (its model `Package`)."""

from __future__ import annotations

import base64
import hashlib
import json
import shutil
from collections.abc import Mapping
from pathlib import Path

from plugin.domain.errors import ConfigError
from ui_extensions.packing import Packed, fresh_folder

HELP = "The add-on for Zammad's classic agent pages: a .zpm to install, and the same as a source folder with its .szpm."
NAME, VERSION = "Crossdesk", "0.1.0"
_HERE = Path(__file__).parent
_SOURCE = _HERE / "source"
_PANEL = _HERE.parent / "panel"
_PLACE = "@PANEL@"


def pack(out: Path) -> Packed:
    """Put `crossdesk-<version>.zpm` and `crossdesk/` with `crossdesk.szpm` into `out`, in place of earlier ones.

    Raises:
        ConfigError: `out` cannot be written, or holds a folder `crossdesk` that is something else.
    """
    files = package_files()
    folder = fresh_folder(out, "crossdesk", known_by="crossdesk.szpm")
    package = out / f"crossdesk-{VERSION}.zpm"
    try:
        (folder / "crossdesk.szpm").write_text(_written(_described()), "utf-8")
        for location, content in files.items():
            target = folder / location
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
        shutil.copyfile(_HERE / "README", folder / "README")
        for older in out.glob("crossdesk-*.zpm"):
            older.unlink()
        package.write_text(_written({**_described(), "files": [_packed(*file) for file in files.items()]}), "utf-8")
    except OSError as problem:
        raise ConfigError(f"{folder} cannot be written: {problem.strerror}. Choose another --out.") from None
    return Packed(made=(package, folder), remarks=('Install the .zpm, then go on with docs/helpdesks/zammad.md, section "The add-on".',))


def package_files() -> Mapping[str, bytes]:
    """What the package puts into Zammad, by its place there. Every place has our name in it: nothing of Zammad's is replaced."""
    panel = {"cd-panel.js": (_PANEL / "cd-panel.js").read_bytes()}
    panel |= {f"locales/{path.name}": path.read_bytes() for path in sorted((_PANEL / "locales").glob("*.json"))}
    # Web servers let browsers keep what is below /assets for ever.
    known_by = hashlib.sha256(b"".join(panel.values())).hexdigest()[:12]
    files = {
        path.relative_to(_SOURCE).as_posix(): path.read_text("utf-8").replace(_PLACE, known_by).encode()
        for path in sorted(_SOURCE.rglob("*.*"))
        if path.is_file()
    }
    return files | {f"public/assets/crossdesk/{known_by}/{name}": content for name, content in panel.items()}


def _described() -> dict[str, object]:
    text = "The Crossdesk panel beside tickets from social platforms, a reply type, and guards. Optional."
    return {
        "name": NAME,
        "version": VERSION,
        "vendor": "Crossdesk",
        "license": "MIT",
        "url": "https://crossdesk.example/",
        "description": [{"language": "en", "text": text}],
        "change_log": [{"version": VERSION, "date": "", "log": "See Crossdesk's own change log."}],
        "buildhost": "",
        "builddate": "",
    }


def _packed(location: str, content: bytes) -> dict[str, str]:
    return {"location": location, "permission": "644", "encode": "base64", "content": base64.b64encode(content).decode()}


def _written(content: Mapping[str, object]) -> str:
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"

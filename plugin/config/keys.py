"""The keys under which secrets rest: the file's, or for the embedded default one of our own making."""

from __future__ import annotations

import base64
import os
import secrets
from pathlib import Path

from plugin.config.shape import Config
from plugin.domain.errors import ConfigError


def secret_keys(config: Config) -> tuple[str, ...]:
    """Fernet keys, newest first. Where the file names none, one is made on first use, readable for us alone: `data_dir/secret.key`.

    Raises:
        ConfigError: the key file cannot be made or read.
    """
    if config.keys:
        return config.keys
    path = config.data_dir / "secret.key"
    try:
        if not path.exists():
            _make(path)
        return (path.read_text(encoding="ascii").strip(),)
    except (OSError, UnicodeDecodeError) as fault:
        raise ConfigError(
            problems=(f"{path}: the key for secrets cannot be made or read ({type(fault).__name__}). Check the folder.",)
        ) from None


def _make(path: Path) -> None:
    """Whole or not at all, and once however many processes try."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    making = path.with_name(f"{path.name}.{os.getpid()}")
    handle = os.open(making, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(base64.urlsafe_b64encode(secrets.token_bytes(32)) + b"\n")
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(making, path)
    except FileExistsError:
        pass
    finally:
        making.unlink()

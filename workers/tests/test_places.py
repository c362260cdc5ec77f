"""Sockets get a folder whose path fits, however long the data's and the temporary folder's are."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from workers import places


def test_a_socket_path_fits_even_where_the_temporary_folder_is_deep(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    deep = tmp_path / ("deep" * 20) / ("deeper" * 10)
    deep.mkdir(parents=True)
    monkeypatch.setattr("tempfile.tempdir", str(deep))
    folder, leftovers = places.socket_folder(deep / "data", ".s.PGSQL.5432")
    assert len(os.fsencode(folder / ".s.PGSQL.5432")) <= 107
    assert (leftovers, folder.stat().st_mode & 0o077) == ((folder,), 0)
    folder.rmdir()

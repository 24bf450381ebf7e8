"""Where things are: the repository, the built binary, the shared data sets, the servers' programs."""
import os
import pathlib
import shutil

import pytest

REPOSITORY = pathlib.Path(__file__).resolve().parents[3]


def partywall_binary():
    """The binary under test: $PARTYWALL_BINARY or that of the release preset."""
    path = pathlib.Path(os.environ.get("PARTYWALL_BINARY", REPOSITORY / "build" / "release" / "partywall"))
    if not path.exists():
        pytest.fail(f"{path} does not exist: build it (cmake --build build/release) or set PARTYWALL_BINARY")
    return path


def keeps_freed_memory(binary):
    """It was built with AddressSanitizer, whose quarantine says nothing about what the program needs."""
    return b"__asan_init" in binary.read_bytes()


def shared_file(name):
    """A file of the shared data sets (`../shared/data` beside the repository, or $PARTYWALL_TEST_DATA)."""
    folder = pathlib.Path(os.environ.get("PARTYWALL_TEST_DATA", REPOSITORY.parent / "shared" / "data"))
    if not (folder / name).exists():
        pytest.skip(f"NOT TESTED: {folder / name} does not exist; set PARTYWALL_TEST_DATA")
    return folder / name


def postgres_program(name):
    """A program of PostgreSQL 15 or newer: $PARTYWALL_PG_BIN, Debian's folders (newest first), PATH."""
    folders = [pathlib.Path(os.environ["PARTYWALL_PG_BIN"])] if "PARTYWALL_PG_BIN" in os.environ else []
    debian = pathlib.Path("/usr/lib/postgresql")
    versions = [p for p in debian.glob("*") if p.name.isdigit() and int(p.name) >= 15]
    folders += [p / "bin" for p in sorted(versions, key=lambda p: int(p.name))[::-1]]
    for folder in folders:
        if (folder / name).exists():
            return folder / name
    found = shutil.which(name)
    if not found:
        pytest.fail(f"PostgreSQL's {name} is not installed: run scripts/setup, or set PARTYWALL_PG_BIN")
    return pathlib.Path(found)

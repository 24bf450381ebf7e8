"""JavaScript clients, installed from a lock file."""
import subprocess

import pytest

from .paths import REPOSITORY


def javascript_clients(folder):
    """The node_modules of a folder of the repository that has a lock file."""
    done = subprocess.run([REPOSITORY / "scripts" / "javascript-clients", folder], capture_output=True, text=True, timeout=300)
    if done.returncode != 0:
        pytest.skip(f"NOT TESTED: the JavaScript clients of {folder} cannot be installed: {done.stderr[-300:]}")
    return done.stdout.strip()

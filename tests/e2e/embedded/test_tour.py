"""What a newcomer sees first: `partywall up --once`."""
import os
import pathlib
import shutil
import subprocess

import pytest

from support.up import ANY_PORTS, stack_folder


def run_tour(binary, data_dir):
    command = [binary, "up", "--once", "--data-dir", data_dir, *ANY_PORTS]
    return subprocess.run(command, capture_output=True, text=True, timeout=180)


def test_the_tour_shows_what_it_promises(binary):
    with stack_folder() as folder:
        result = run_tour(binary, folder / "data")
        assert result.returncode == 0, result.stdout + result.stderr
        assert "FAILED" not in result.stdout
        assert "were as promised" in result.stdout
        for line in ("curl -H 'Authorization: Bearer ", "psql -h 127.0.0.1", "redis-cli -h 127.0.0.1"):
            assert result.stdout.count(line) == 2, f"one {line} for each tenant\n{result.stdout}"
        assert not (folder / "data" / "run.json").exists(), "it names what does not run any more"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs the engines as another user")
def test_engines_go_elsewhere_when_their_user_cannot_enter_the_folder(binary):
    with stack_folder() as outer:
        (outer / "closed").mkdir(mode=0o700)
        result = run_tour(binary, outer / "closed" / "data")
        assert result.returncode == 0, result.stdout + result.stderr
        said = [line for line in result.stdout.splitlines() if "their data is in /var/lib/partywall/" in line]
        assert len(said) == 1
        elsewhere = pathlib.Path(said[0].split("their data is in ")[1].split(":")[0])
        assert (elsewhere / "postgresql" / "data" / "PG_VERSION").exists()
        assert not (outer / "closed" / "data" / "engines").exists()
        assert (outer / "closed" / "data" / "engines-elsewhere").read_text() == str(elsewhere)
        shutil.rmtree(elsewhere)
        if not any(elsewhere.parent.iterdir()):
            elsewhere.parent.rmdir()

"""What a newcomer sees first: `partywall up --once`."""
import subprocess

from support.up import ANY_PORTS


def test_the_tour_shows_what_it_promises(binary, tmp_path):
    command = [binary, "up", "--once", "--data-dir", tmp_path / "data", *ANY_PORTS]
    result = subprocess.run(command, capture_output=True, text=True, timeout=180)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "FAILED" not in result.stdout
    assert "were as promised" in result.stdout
    for line in ("curl -H 'Authorization: Bearer ", "psql -h 127.0.0.1", "redis-cli -h 127.0.0.1"):
        assert result.stdout.count(line) == 2, f"one {line} for each tenant\n{result.stdout}"
    assert not (tmp_path / "data" / "run.json").exists(), "it names what does not run any more"

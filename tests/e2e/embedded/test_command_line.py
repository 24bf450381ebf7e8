"""The command line without a stack."""
import socket
import subprocess

import pytest


def run(binary, *arguments):
    return subprocess.run([binary, *arguments], capture_output=True, text=True, timeout=30)


@pytest.mark.parametrize("arguments", [(), ("nonsense",), ("serve",), ("up", "--once", "--no-tour"), ("up", "--http-port", "70000"),
                                       ("token", "create"), ("version", "extra")])
def test_what_makes_no_sense_is_exit_status_2(binary, arguments):
    result = run(binary, *arguments)
    assert result.returncode == 2
    assert result.stderr, "it says why"
    assert not result.stdout


def test_help_and_version(binary):
    assert run(binary, "--help").returncode == 0
    version = run(binary, "version")
    assert version.returncode == 0
    assert version.stdout.startswith("partywall ")


def test_serving_a_file_that_is_wrong_says_where(binary, tmp_path):
    path = tmp_path / "platform.yaml"
    path.write_text("version: 1\nlisten:\n  htpp: {}\n")
    result = run(binary, "serve", "-f", path)
    assert result.returncode == 1
    assert f"{path}:3:3: error: " in result.stderr
    missing = run(binary, "serve", "-f", tmp_path / "none.yaml")
    assert missing.returncode == 1
    assert "none.yaml" in missing.stderr


def test_a_taken_port_is_said_before_anything_is_started(binary, tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        result = run(binary, "up", "--data-dir", tmp_path / "data", "--sql-port", str(port))
    assert result.returncode == 1
    assert f"port {port}" in result.stderr and "--sql-port" in result.stderr
    assert not (tmp_path / "data").exists()


def test_a_token_for_nobody(binary, tmp_path):
    result = run(binary, "token", "create", "-f", tmp_path / "none.yaml", "--tenant", "acme")
    assert result.returncode == 1
    assert result.stderr and not result.stdout

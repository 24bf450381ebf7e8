"""`partywall doctor` on a whole embedded stack, and on one that is not well."""
import os
import subprocess

from support.paths import partywall_binary


def doctor(platform, folder):
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder)}
    done = subprocess.run([partywall_binary(), "doctor", "-f", platform], capture_output=True, text=True, timeout=120,
                          env=environment, cwd=folder)
    return done.returncode, done.stdout


def test_a_stack_that_works_is_healthy(up, tmp_path):
    status, out = doctor(up.data_dir / "platform.yaml", tmp_path)
    assert status == 0, out
    for part in ("PostgreSQL 15", "clocks differ by", "slot roles", "tables with a tenant column", "Redis at", "open files"):
        assert part in out, out
    assert "BAD" not in out


def test_what_is_wrong_is_said_with_what_to_do(up, tmp_path):
    """The same platform, with the cache's port of nobody and a table that lost its protection."""
    text = (up.data_dir / "platform.yaml").read_text()
    broken = up.data_dir / "broken.yaml"
    broken.write_text(text.replace(f"port: {up.run['redis']['port']}", "port: 1"))
    broken.chmod(0o600)
    try:
        status, out = doctor(broken, tmp_path)
        assert status == 1 and "BAD   cell" in out and "Redis at 127.0.0.1:1" in out, out
    finally:
        broken.unlink()
    status, out = doctor(tmp_path / "nowhere.yaml", tmp_path)
    assert status == 1 and "nowhere.yaml" in out

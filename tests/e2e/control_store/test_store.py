"""The C++ tests of the control store (tests/control), on a private PostgreSQL."""
import os
import subprocess

from support.paths import partywall_binary


def test_control_store(postgres, database):
    tests = partywall_binary().parent / "tests" / "control_tests"
    where = f"{postgres.host} {postgres.port} {postgres.superuser} {postgres.password} {database}"
    done = subprocess.run([str(tests), "--gtest_brief=1"], env=os.environ | {"PARTYWALL_TEST_STORE": where},
                          capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]

"""Redis's own test suite against a tenant: tests/suites/redis."""
import subprocess

import pytest
from support.paths import REPOSITORY, partywall_binary


@pytest.mark.long
@pytest.mark.parametrize("mode", ["database", "prefix"])
def test_redis_has_nothing_to_complain_about(mode, tmp_path):
    suite = REPOSITORY / "tests" / "suites" / "redis" / "run"
    result = subprocess.run([suite, "--mode", mode, "--log", tmp_path], capture_output=True, text=True, timeout=3 * 3600,
                            env={"PARTYWALL_BINARY": str(partywall_binary()), "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"})
    print(result.stdout)
    assert result.returncode == 0, result.stdout[-4000:] + result.stderr[-2000:]

"""The checked-in command table is what its generator makes of the policy."""
import subprocess
import sys

from support.paths import REPOSITORY


def test_the_table_is_up_to_date():
    generator = REPOSITORY / "tools" / "cache_commands" / "generate.py"
    result = subprocess.run([sys.executable, generator, "--check"], capture_output=True, text=True, timeout=30)
    assert result.returncode == 0, result.stderr

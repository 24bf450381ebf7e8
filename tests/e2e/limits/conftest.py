import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

from cluster import Cluster  # noqa: E402


@pytest.fixture(scope="module")
def cluster(postgres, binary):
    with Cluster(postgres, binary) as started:
        yield started

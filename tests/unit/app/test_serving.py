"""What the server arranges before it starts workers."""

from __future__ import annotations

import resource
from collections.abc import Iterator

import pytest

from trivium.app.serving import allow_descriptors


@pytest.fixture
def limits() -> Iterator[tuple[int, int]]:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    yield before
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_few_descriptors_become_as_many_as_may_be(limits: tuple[int, int]) -> None:
    _, hard = limits
    resource.setrlimit(resource.RLIMIT_NOFILE, (512, hard))

    allow_descriptors()

    soft, still = resource.getrlimit(resource.RLIMIT_NOFILE)
    assert still == hard
    assert soft == (32_768 if hard == resource.RLIM_INFINITY else min(32_768, hard))

"""The API against its own OpenAPI description: schemathesis makes requests, right and wrong; none may end in a
server error, and every answer must be as described."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

pytest.importorskip("fastapi")
schemathesis = pytest.importorskip("schemathesis")

from hypothesis import HealthCheck, given, settings  # noqa: E402
from schemathesis.checks import not_a_server_error  # noqa: E402
from schemathesis.specs.openapi.checks import (  # noqa: E402
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from web_server import running  # noqa: E402

from reenact.web.app import make_app  # noqa: E402
from reenact.web.limits import Limits  # noqa: E402

pytestmark = pytest.mark.slow
CHECKS = (not_a_server_error, content_type_conformance, response_schema_conformance, status_code_conformance)


@pytest.fixture(scope="module")
def described() -> Iterator[Any]:
    """The description as a running server gives it. Its queue never fills up, which would hide the rest."""
    with running(make_app(Limits(queued=100_000, keep=5), page=False, threads=1)) as address:
        yield schemathesis.openapi.from_url(f"{address}/api/openapi.json")


def test_no_request_ends_in_a_server_error(described: Any) -> None:
    operations = [found.ok() for found in described.get_all_operations()]
    assert len(operations) == 14
    for operation in operations:

        @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck), database=None)
        @given(case=operation.as_strategy())
        def ask(case: Any) -> None:
            case.call_and_validate(checks=CHECKS)

        ask()

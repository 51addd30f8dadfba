import re
from pathlib import Path

import pytest
from prometheus_client import REGISTRY

from rightstore.telemetry import alarm, metric, operation
from rightstore.telemetry.metric import count_request, method_label

DOCUMENT = Path(__file__).parents[3] / "docs" / "reference" / "metrics.md"


def test_the_document_names_every_metric_with_its_labels() -> None:
    row = re.compile(r"^\| `(rightstore_\w+)` \| (\w+) \| (.*?) \|", re.MULTILINE)
    rows = row.findall(DOCUMENT.read_text())
    documented = {name: (kind, re.findall(r"`(\w+)`", labels)) for name, kind, labels in rows}

    metrics = [*vars(metric).values(), alarm.GAUGE]
    measured = {
        each.describe()[0].name + ("_total" if each._type == "counter" else ""): (
            each._type,
            list(each._labelnames),
        )
        for each in metrics
        if hasattr(each, "_labelnames")
    }

    assert documented == measured


@pytest.mark.parametrize(
    ("method", "label"), [("GET", "GET"), ("PATCH", "PATCH"), ("BREW", "other"), ("get", "other")]
)
def test_unknown_methods_share_a_label(method: str, label: str) -> None:
    assert method_label(method) == label


def test_requests_are_counted_with_their_time() -> None:
    for seconds in (0.25, 0.5):
        count_request("GET", "/metric-test/{id}", "200", seconds)

    route = {"method": "GET", "route": "/metric-test/{id}"}
    count = REGISTRY.get_sample_value("rightstore_http_requests_total", route | {"status": "200"})
    assert count == 2
    assert REGISTRY.get_sample_value("rightstore_http_seconds_sum", route) == 0.75


def test_every_outcome_is_documented() -> None:
    words = re.findall(r'"([a-z ]+)"', Path(operation.__file__).read_text().rpartition("def ")[2])

    assert words
    assert all(f"`{word}`" in DOCUMENT.read_text() for word in words)
